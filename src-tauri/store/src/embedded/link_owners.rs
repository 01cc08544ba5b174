//! People whose links are sought.

use latchkey_core::Result;
use latchkey_core::protocol::email::Email;
use latchkey_core::protocol::user_id::UserId;

use super::journal::View;
use super::{facts, ledger};

/// Returns the texts that name the person with an ID or an address: the user and the address.
pub(super) fn names_of(view: &View<'_>, id: &UserId) -> Result<Vec<String>> {
    let mut names = vec![id.as_str().to_owned()];
    let user = facts::user(view, id)?;
    let email = user.and_then(|user| user.email);
    let email = email.or_else(|| Email::parse(id.as_str(), "user").ok());
    if let Some(email) = email {
        names.push(ledger::name_of_email(&email.key()));
        let owner = facts::owner(view, &email)?;
        names.extend(owner.map(|owner| owner.as_str().to_owned()));
    }
    names.dedup();
    Ok(names)
}
