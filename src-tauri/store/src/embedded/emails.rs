//! Who has an e-mail address: an index entry for each address, and one row that lists the addresses
//! of several users. There are such addresses only where format 4 or older told them apart.

use std::collections::BTreeMap;

use super::change::Rows;
use super::keys;
use latchkey_core::Result;
use latchkey_core::directory::SharedEmail;
use latchkey_core::protocol::email::Email;
use latchkey_core::protocol::user_id::UserId;

/// The ids of all users of each shared address, the oldest user first, by the key of the address.
pub(super) type Shared = BTreeMap<String, Vec<String>>;

/// The ids of users who had an address, and until when each had it, the latest last.
type Former = Vec<(String, i64)>;

/// Maximum number of former users that are remembered of an address.
const MAX_FORMER: usize = 20;

impl Rows<'_> {
    /// Returns the user who has an address; of several the one who came first.
    pub(super) fn owner_of(&self, email: &Email) -> Result<Option<String>> {
        self.read(&keys::email(email))
    }

    /// Returns the time until which another user than `owner` had an address, if one had.
    pub(super) fn moved_at(&self, email: &Email, owner: &str) -> Result<Option<i64>> {
        let former = self.former_users(email)?.into_iter();
        Ok(former.filter(|(id, _)| id != owner).map(|(_, at)| at).max())
    }

    fn former_users(&self, email: &Email) -> Result<Former> {
        Ok(self.read(&keys::former_users(email))?.unwrap_or_default())
    }

    fn note_former(&mut self, email: &Email, id: &str, at: i64) -> Result<()> {
        let mut former = self.former_users(email)?;
        former.retain(|(other, _)| other != id);
        if former.len() >= MAX_FORMER {
            former.remove(0);
        }
        former.push((id.to_owned(), at));
        self.write(keys::former_users(email), &former)
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

    /// Takes an address away from a user at a time. If others have it too, it is theirs.
    pub(super) fn release_email(&mut self, email: &Email, id: &str, at: i64) -> Result<()> {
        let mut shared = self.shared()?;
        let Some(ids) = shared.get_mut(&email.key()) else {
            self.remove(keys::email(email));
            return self.note_former(email, id, at);
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
