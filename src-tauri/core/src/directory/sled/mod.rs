//! The embedded engine. One tree, whose transactions are serial; a flush after each and before it is
//! acknowledged, so that what is acknowledged is on disk; counters inside the transaction, because
//! `len()` walks all rows.

mod catalogue;
mod flush;
mod keys;
mod load;
mod open;
mod record;

use std::path::Path;

use jiff::Timestamp;
use sled::transaction::{
    ConflictableTransactionError, TransactionError, TransactionalTree, UnabortableTransactionError,
};

use self::catalogue::Update;
use self::open::Opened;
use self::record::{Counters, UserRecord};
use super::query::{Place, Sort, UserPage, UserQuery};
use super::{Directory, JudgedCode, MAX_IMPORT, Origin, User, unknown_user};
use crate::code::VerifiedCode;
use crate::email::Email;
use crate::instance::Policy;
use crate::payload::{NewUser, Payload};
use crate::user_id::UserId;
use crate::verdict::{Knowledge, KnownUser, LinkState, Refusal, Seats, Status, Verdict, judge};
use crate::{Error, ErrorCode, Result};

/// A directory in a folder of its own, which one process holds at a time.
pub struct SledDirectory {
    opened: Opened,
}

/// Why a transaction ends early: it is to be tried again, or it is refused.
type Interrupted = ConflictableTransactionError<Error>;
type Transacted<T> = std::result::Result<T, Interrupted>;

impl SledDirectory {
    /// Opens the directory in `folder`, or begins one; `holder` names this process to others that
    /// want it.
    ///
    /// Fails with [`ErrorCode::DirectoryHeld`] where another process holds it, with
    /// [`ErrorCode::NewerFormat`], and with [`ErrorCode::DamagedFile`] where rows are missing.
    pub fn open(folder: &Path, holder: &str) -> Result<Self> {
        Ok(Self {
            opened: Opened::new(folder, holder)?,
        })
    }

    /// Refuses with [`ErrorCode::DirectoryHeld`] where a process holds the directory in `folder`, if
    /// there is one.
    pub fn require_free(folder: &Path) -> Result<()> {
        open::require_free(folder)
    }

    /// A user whom the catalogue knows; `None` where the user is gone by now.
    fn row(&self, id: &str) -> Result<Option<User>> {
        let Some(bytes) = self.opened.tree().get(keys::user(id)).map_err(storage)? else {
            return Ok(None);
        };
        let user: UserRecord =
            postcard::from_bytes(&bytes).map_err(|cause| damaged().because(cause))?;
        user.into_user(&UserId::parse(id, "id")?).map(Some)
    }

    /// Runs `work` in a transaction that is on disk when this returns. `work` may run more than
    /// once.
    fn change<T>(&self, work: impl Fn(&mut Change<'_>) -> Transacted<T>) -> Result<T> {
        let under_way = self.opened.begin();
        let done = self.opened.tree().transaction(|tree| {
            let mut change = Change {
                tree,
                counters: read(tree, keys::COUNTERS)?.unwrap_or_default(),
                changed: false,
                updates: Vec::new(),
            };
            let done = work(&mut change)?;
            if change.changed {
                change.counters.changes += 1;
                write(tree, keys::COUNTERS, &change.counters)?;
            }
            let told = change
                .changed
                .then_some((change.counters.changes, change.updates));
            Ok((done, told))
        });
        drop(under_way);
        match done {
            Ok((done, told)) => {
                if let Some((changes, updates)) = told {
                    let flushed = self.opened.flush();
                    // The tree has it, on disk or not, and the catalogue waits for every change.
                    self.opened.catalogue().tell(changes, updates);
                    flushed?;
                    self.opened.note(changes);
                }
                Ok(done)
            }
            Err(TransactionError::Abort(refused)) => Err(refused),
            Err(TransactionError::Storage(cause)) => Err(storage(cause)),
        }
    }
}

/// A transaction under way.
struct Change<'a> {
    tree: &'a TransactionalTree,
    counters: Counters,
    changed: bool,
    /// What the catalogue is to be told of afterwards.
    updates: Vec<Update>,
}

impl Change<'_> {
    fn user(&self, id: &str) -> Transacted<Option<UserRecord>> {
        read(self.tree, keys::user(id))
    }

    fn known_user(&self, id: &UserId) -> Transacted<UserRecord> {
        self.user(id.as_str())?
            .ok_or_else(|| abort(unknown_user(id)))
    }

    fn put_user(&mut self, id: &str, user: &UserRecord) -> Transacted<()> {
        self.changed = true;
        self.updates.push(Update::Put(Box::new(user.row(id))));
        write(self.tree, keys::user(id), user)
    }

    fn owner_of(&self, email: &Email) -> Transacted<Option<String>> {
        read(self.tree, keys::email(email))
    }

    /// Everything that a verdict on `code` depends on.
    fn knowledge(&self, code: &VerifiedCode) -> Transacted<Knowledge> {
        let (id, email) = match &code.payload {
            Payload::Email(email) => (self.owner_of(email)?, None),
            Payload::Id(id) => (Some(id.user_id().as_str().to_owned()), None),
            Payload::User(user) => (Some(user.id.as_str().to_owned()), user.email.as_ref()),
        };
        let mut known = Knowledge {
            seats: self.counters.seats(),
            ..Knowledge::default()
        };
        if let Some(id) = &id {
            let user_id = UserId::parse(id, "id").map_err(abort)?;
            known.user = self.user(id)?.map(|user| KnownUser {
                id: user_id,
                status: user.status,
                profile_as_of: user.profile_as_of,
            });
            known.removed_at = read(self.tree, keys::removal(id))?;
        }
        if let Some(email) = email {
            let owner = self
                .owner_of(email)?
                .filter(|owner| Some(owner) != id.as_ref());
            known.email_owner = owner
                .map(|owner| UserId::parse(&owner, "id"))
                .transpose()
                .map_err(abort)?;
        }
        if let Some(link) = &code.registered.id {
            known.link = read(self.tree, keys::link(link))?.unwrap_or_default();
        }
        Ok(known)
    }

    /// Does what a verdict says.
    fn apply(&mut self, verdict: &Verdict, code: &VerifiedCode, now: Timestamp) -> Transacted<()> {
        let now = now.as_second();
        // A code that claims to be from the future does not keep later ones from refreshing.
        let as_of = code
            .registered
            .issued_at
            .map_or(0, |issued_at| issued_at.min(now));
        match (verdict, &code.payload) {
            (Verdict::Provisioned { .. }, Payload::User(new)) => {
                let mut user = UserRecord::new(new, Origin::Link, now, as_of);
                user.sign_in(now);
                self.insert(new.id.as_str(), &user)?;
            }
            (
                Verdict::SignedIn {
                    user: id,
                    refreshes_profile,
                },
                payload,
            ) => {
                let mut user = self.known_user(id)?;
                if let (true, Payload::User(profile)) = (*refreshes_profile, payload) {
                    self.refresh(id.as_str(), &mut user, profile)?;
                    user.profile_as_of = as_of;
                }
                user.sign_in(now);
                self.put_user(id.as_str(), &user)?;
            }
            // A refusal changes nothing, and only the payload of a new user is ever provisioned.
            (Verdict::Refused(_) | Verdict::Provisioned { .. }, _) => return Ok(()),
        }
        if let (true, Some(link)) = (code.registered.single_use, &code.registered.id) {
            write(self.tree, keys::link(link), &LinkState::Used)?;
        }
        Ok(())
    }

    /// Adds a user whom no code named.
    fn add(&mut self, user: &NewUser, origin: Origin, now: Timestamp) -> Transacted<UserRecord> {
        let id = user.id.as_str();
        if self.user(id)?.is_some() {
            let message = format!("There is a user {id} already.");
            return Err(abort(
                Error::new(ErrorCode::UserExists, message).about("user.id"),
            ));
        }
        if let Some(email) = &user.email
            && let Some(owner) = self.owner_of(email)?
        {
            let message = format!("The email belongs to {owner} already.");
            return Err(abort(
                Error::new(ErrorCode::EmailInUse, message).about("user.email"),
            ));
        }
        self.require_seat()?;
        let now = now.as_second();
        let record = UserRecord::new(user, origin, now, now);
        self.insert(id, &record)?;
        Ok(record)
    }

    /// Adds a user with the address and the seat.
    fn insert(&mut self, id: &str, user: &UserRecord) -> Transacted<()> {
        if let Some(email) = user.email().map_err(abort)? {
            write(self.tree, keys::email(&email), &id)?;
        }
        // A removal that is not there is written, too.
        if self.tree.get(keys::removal(id))?.is_some() {
            self.tree.remove(keys::removal(id))?;
        }
        self.counters.users += 1;
        self.counters.active += 1;
        self.put_user(id, user)
    }

    /// What the code brings replaces what there is; what it leaves out stays.
    fn refresh(&mut self, id: &str, user: &mut UserRecord, profile: &NewUser) -> Transacted<()> {
        if let Some(email) = &profile.email {
            if let Some(old) = user.email().map_err(abort)? {
                self.tree.remove(keys::email(&old))?;
            }
            write(self.tree, keys::email(email), &id)?;
            user.email = Some(email.as_str().to_owned());
        }
        if !profile.metadata.members().is_empty() {
            user.set_metadata(&profile.metadata);
        }
        Ok(())
    }

    fn suspend(&mut self, id: &UserId, now: Timestamp) -> Transacted<User> {
        let mut user = self.known_user(id)?;
        if user.status == Status::Active {
            self.counters.active = self.counters.active.saturating_sub(1);
            user.status = Status::Suspended;
            user.sign_out(now.as_second());
            self.put_user(id.as_str(), &user)?;
        }
        user.into_user(id).map_err(abort)
    }

    fn reactivate(&mut self, id: &UserId) -> Transacted<User> {
        let mut user = self.known_user(id)?;
        if user.status == Status::Suspended {
            self.require_seat()?;
            self.counters.active += 1;
            user.status = Status::Active;
            self.put_user(id.as_str(), &user)?;
        }
        user.into_user(id).map_err(abort)
    }

    fn require_seat(&self) -> Transacted<()> {
        let seats = self.counters.seats();
        if seats.has_free() {
            return Ok(());
        }
        let message = Refusal::NoSeats { seats }.to_string();
        Err(abort(Error::new(ErrorCode::NoSeats, message)))
    }
}

impl Directory for SledDirectory {
    fn dry_run(&self, code: JudgedCode<'_>, policy: Policy) -> Result<Verdict> {
        self.change(|change| {
            let known =
                code.map_or_else(|_| Ok(Knowledge::default()), |code| change.knowledge(code))?;
            Ok(judge(code, policy, &known))
        })
    }

    fn redeem(&self, code: JudgedCode<'_>, policy: Policy, now: Timestamp) -> Result<Verdict> {
        let Ok(verified) = code else {
            return self.dry_run(code, policy);
        };
        self.change(|change| {
            let verdict = judge(code, policy, &change.knowledge(verified)?);
            change.apply(&verdict, verified, now)?;
            Ok(verdict)
        })
    }

    fn user(&self, id: &UserId) -> Result<Option<User>> {
        self.row(id.as_str())
    }

    fn user_by_email(&self, email: &Email) -> Result<Option<User>> {
        self.change(|change| {
            let Some(owner) = change.owner_of(email)? else {
                return Ok(None);
            };
            let id = UserId::parse(&owner, "id").map_err(abort)?;
            change
                .known_user(&id)?
                .into_user(&id)
                .map(Some)
                .map_err(abort)
        })
    }

    fn users(
        &self,
        query: &UserQuery,
        sort: Sort,
        place: &Place,
        limit: usize,
    ) -> Result<UserPage> {
        let page = self.opened.catalogue().find(query, sort, place, limit)?;
        let users = page.ids.iter().filter_map(|id| self.row(id).transpose());
        Ok(UserPage {
            users: users.collect::<Result<_>>()?,
            first_row: page.first_row,
            total: page.total,
            next: page.next,
        })
    }

    fn add(&self, user: &NewUser, now: Timestamp) -> Result<User> {
        self.change(|change| {
            let record = change.add(user, Origin::Added, now)?;
            record.into_user(&user.id).map_err(abort)
        })
    }

    fn import(&self, users: &[NewUser], now: Timestamp) -> Result<()> {
        if users.len() > MAX_IMPORT {
            let message = format!("At most {MAX_IMPORT} users are imported at once.");
            return Err(Error::new(ErrorCode::TooMany, message));
        }
        self.change(|change| {
            for user in users {
                change.add(user, Origin::Import, now)?;
            }
            Ok(())
        })
    }

    fn suspend(&self, id: &UserId, now: Timestamp) -> Result<User> {
        self.change(|change| change.suspend(id, now))
    }

    fn reactivate(&self, id: &UserId) -> Result<User> {
        self.change(|change| change.reactivate(id))
    }

    fn sign_out(&self, id: &UserId, now: Timestamp) -> Result<User> {
        self.change(|change| {
            let mut user = change.known_user(id)?;
            user.sign_out(now.as_second());
            change.put_user(id.as_str(), &user)?;
            user.into_user(id).map_err(abort)
        })
    }

    fn remove(&self, id: &UserId, now: Timestamp) -> Result<()> {
        self.change(|change| {
            let user = change.known_user(id)?;
            if let Some(email) = user.email().map_err(abort)? {
                change.tree.remove(keys::email(&email))?;
            }
            change.tree.remove(keys::user(id.as_str()))?;
            change.updates.push(Update::Remove(id.as_str().to_owned()));
            write(change.tree, keys::removal(id.as_str()), &now.as_second())?;
            change.counters.users = change.counters.users.saturating_sub(1);
            if user.status == Status::Active {
                change.counters.active = change.counters.active.saturating_sub(1);
            }
            change.changed = true;
            Ok(())
        })
    }

    fn revoke_link(&self, link: &str) -> Result<()> {
        self.change(|change| {
            change.changed = true;
            write(change.tree, keys::link(link), &LinkState::Revoked)
        })
    }

    fn seats(&self) -> Result<Seats> {
        self.change(|change| Ok(change.counters.seats()))
    }

    fn set_seat_limit(&self, limit: Option<u64>) -> Result<Seats> {
        self.change(|change| {
            change.counters.seat_limit = limit;
            change.changed = true;
            Ok(change.counters.seats())
        })
    }

    fn count(&self) -> Result<u64> {
        self.change(|change| Ok(change.counters.users))
    }
}

fn read<T: serde::de::DeserializeOwned>(
    tree: &TransactionalTree,
    key: impl AsRef<[u8]>,
) -> Transacted<Option<T>> {
    let Some(bytes) = tree.get(key)? else {
        return Ok(None);
    };
    postcard::from_bytes(&bytes)
        .map(Some)
        .map_err(|cause| abort(damaged().because(cause)))
}

fn write(
    tree: &TransactionalTree,
    key: impl AsRef<[u8]>,
    value: &(impl serde::Serialize + ?Sized),
) -> Transacted<()> {
    let bytes = postcard::to_allocvec(value).map_err(|cause| abort(damaged().because(cause)))?;
    tree.insert(key.as_ref(), bytes)
        .map(drop)
        .map_err(|cause: UnabortableTransactionError| cause.into())
}

fn abort(error: Error) -> Interrupted {
    ConflictableTransactionError::Abort(error)
}

fn damaged() -> Error {
    Error::new(
        ErrorCode::DamagedFile,
        "A row of the directory cannot be read. Restore it from a backup.",
    )
}

fn storage(cause: sled::Error) -> Error {
    Error::new(
        ErrorCode::Storage,
        format!("The directory could not be read or written: {cause}."),
    )
    .because(cause)
}
