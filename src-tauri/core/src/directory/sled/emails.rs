//! Who has an e-mail address: an index entry for each address, and one row that lists the addresses
//! of several users. There are such addresses only where format 4 or older told them apart.

use std::collections::BTreeMap;

use super::change::Rows;
use super::keys;
use crate::Result;
use crate::directory::SharedEmail;
use crate::email::Email;
use crate::user_id::UserId;

/// The ids of all users of each shared address, the oldest user first, by the key of the address.
pub(super) type Shared = BTreeMap<String, Vec<String>>;

impl Rows<'_> {
    /// Returns the user who has an address; of several the one who came first.
    pub(super) fn owner_of(&self, email: &Email) -> Result<Option<String>> {
        self.read(&keys::email(email))
    }

    /// Returns all users who have an address, if there are several.
    pub(super) fn sharers_of(&self, email: &Email) -> Result<Vec<UserId>> {
        let ids = self.shared()?.remove(&email.key()).unwrap_or_default();
        ids.iter().map(|id| UserId::parse(id, "id")).collect()
    }

    pub(super) fn shared_emails(&self) -> Result<Vec<SharedEmail>> {
        let shared = self.shared()?.into_iter().map(|(email, ids)| {
            let users = ids.iter().map(|id| UserId::parse(id, "id"));
            let users = users.collect::<Result<_>>()?;
            Ok(SharedEmail { email, users })
        });
        shared.collect()
    }

    fn shared(&self) -> Result<Shared> {
        Ok(self.read(keys::SHARED_EMAILS)?.unwrap_or_default())
    }

    /// Makes `id` the user of an address that nobody else has.
    pub(super) fn claim_email(&mut self, email: &Email, id: &str) -> Result<()> {
        self.write(keys::email(email), id)
    }

    /// Takes an address away from a user. If others have it too, it is theirs.
    pub(super) fn release_email(&mut self, email: &Email, id: &str) -> Result<()> {
        let mut shared = self.shared()?;
        let Some(ids) = shared.get_mut(&email.key()) else {
            self.remove(keys::email(email));
            return Ok(());
        };
        ids.retain(|other| other != id);
        if let Some(first) = ids.first() {
            self.write(keys::email(email), first)?;
        }
        if ids.len() < 2 {
            shared.remove(&email.key());
        }
        self.write(keys::SHARED_EMAILS.to_vec(), &shared)
    }
}
