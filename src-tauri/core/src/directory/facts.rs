//! Facts: the part of a directory that a command depends on.

use serde::{Deserialize, Serialize};

use super::user::User;
use crate::protocol::email::Email;
use crate::protocol::user_id::UserId;
use crate::session::{LinkUse, Session, SessionKey};
use crate::verdict::{Seats, Status};

/// A part of a directory. An engine loads what [`Command::needs`](super::Command::needs) asks for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// The users and seats as numbers.
    pub counts: Counts,
    /// Number that the change will have. Each change has a greater one than all before it.
    pub change: u64,
    /// The latest time among removals and profiles, give or take a minute, in Unix seconds.
    pub latest_time: Option<i64>,
    /// Number of the last act on the settings that was recorded.
    pub last_outbox_entry: u64,
    people: Known<UserId, Person>,
    links_since_edit: Known<UserId, Option<Vec<String>>>,
    recent_links: Known<UserId, Option<Vec<String>>>,
    emails: Known<String, EmailUsers>,
    links: Known<String, LinkRecord>,
    sessions: Known<SessionKey, Option<Session>>,
}

/// The users and seats of a directory as numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// All users.
    pub users: u64,
    /// Those who take a seat.
    pub active: u64,
    /// Number of seats; no limit, if `None`.
    pub seat_limit: Option<u64>,
}

impl Counts {
    /// The seats.
    #[must_use]
    pub const fn seats(self) -> Seats {
        Seats {
            used: self.active,
            limit: self.seat_limit,
        }
    }
}

/// The user of an id, and the last removal of that id.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Person {
    /// The user, if there is one.
    pub user: Option<User>,
    /// When a user of that id was last removed, in Unix seconds. A user may have the id again.
    pub removed_at: Option<i64>,
}

/// Who has an e-mail address, and who had it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EmailUsers {
    /// The user who has it; of several the one who came first.
    pub owner: Option<UserId>,
    /// All users who have it, the oldest first, if there are several. There are such addresses only where
    /// format 4 told them apart.
    pub sharers: Vec<UserId>,
    /// Users who had it, and until when, in Unix seconds, the latest last.
    pub former: Vec<(UserId, i64)>,
}

impl EmailUsers {
    /// Returns the time until which another user than `owner` had the address, if one had.
    #[must_use]
    pub fn moved_at(&self, owner: &UserId) -> Option<i64> {
        let others = self.former.iter().filter(|(user, _)| user != owner);
        others.map(|(_, at)| *at).max()
    }
}

/// The state of a link. The order of the variants is the format in which engines keep it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum LinkRecord {
    /// It was not used.
    #[default]
    Open,
    /// Used, and nobody noted by whom.
    Used,
    /// The administrator took it back.
    Revoked,
    /// Used, and by whom.
    UsedBy(LinkUse),
}

/// The facts that a command depends on and that were not loaded yet.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Needs {
    /// Users by id.
    pub people: Vec<UserId>,
    /// Users whose links since the last edit matter.
    pub links_since_edit: Vec<UserId>,
    /// Users whose links since a removal of the id or a move of the address matter.
    pub recent_links: Vec<UserId>,
    /// Addresses.
    pub emails: Vec<Email>,
    /// Links by `jti`.
    pub links: Vec<String>,
    /// Sessions.
    pub sessions: Vec<SessionKey>,
}

impl Needs {
    /// Whether nothing is missing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.people.is_empty()
            && self.links_since_edit.is_empty()
            && self.recent_links.is_empty()
            && self.emails.is_empty()
            && self.links.is_empty()
            && self.sessions.is_empty()
    }
}

/// Values by key. There are so few that a search is quicker than a hash.
#[derive(Clone, Debug, PartialEq)]
struct Known<K, V>(Vec<(K, V)>);

impl<K, V> Default for Known<K, V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<K: PartialEq, V> Known<K, V> {
    fn get<Q: PartialEq<K> + ?Sized>(&self, key: &Q) -> Option<&V> {
        let found = self.0.iter().find(|(known, _)| key == known);
        found.map(|(_, value)| value)
    }

    fn set(&mut self, key: K, value: V) {
        match self.0.iter_mut().find(|(known, _)| *known == key) {
            Some((_, known)) => *known = value,
            None => self.0.push((key, value)),
        }
    }
}

impl Facts {
    /// The user and the removal of an id; `None` if they were not loaded.
    #[must_use]
    pub fn person(&self, id: &UserId) -> Option<&Person> {
        self.people.get(id)
    }

    /// The user of an id, if one was loaded.
    #[must_use]
    pub fn user(&self, id: &UserId) -> Option<&User> {
        self.person(id)?.user.as_ref()
    }

    /// When a user of an id was last removed, in Unix seconds.
    #[must_use]
    pub fn removed_at(&self, id: &UserId) -> Option<i64> {
        self.person(id)?.removed_at
    }

    /// The links that Latchkey made for a user within a minute of an edit; nothing, if a code set the
    /// profile last. `None` if it was not loaded.
    #[must_use]
    pub fn links_since_edit(&self, id: &UserId) -> Option<Option<&[String]>> {
        self.links_since_edit.get(id).map(Option::as_deref)
    }

    /// The links that Latchkey made for a user within a minute of a removal of the id, or of a move of the
    /// address. `None` if it was not loaded.
    #[must_use]
    pub fn recent_links(&self, id: &UserId) -> Option<Option<&[String]>> {
        self.recent_links.get(id).map(Option::as_deref)
    }

    /// Who has an address; `None` if it was not loaded.
    #[must_use]
    pub fn email(&self, email: &Email) -> Option<&EmailUsers> {
        self.emails.get(email.key().as_str())
    }

    /// The state of a link; `None` if it was not loaded.
    #[must_use]
    pub fn link(&self, id: &str) -> Option<LinkRecord> {
        self.links.get(id).copied()
    }

    /// The session of a key; `None` if it was not loaded.
    #[must_use]
    pub fn session(&self, key: &SessionKey) -> Option<Option<&Session>> {
        self.sessions.get(key).map(Option::as_ref)
    }

    /// Whether the user of a session is there and was not signed out since it began.
    #[must_use]
    pub fn goes_on(&self, session: &Session) -> bool {
        let user = self.user(&session.user);
        user.is_some_and(|user| user.generation == session.generation)
    }

    /// Whether a user takes a seat.
    #[must_use]
    pub fn is_active(&self, id: &UserId) -> bool {
        let user = self.user(id);
        user.is_some_and(|user| user.status == Status::Active)
    }

    /// Adds the user and the removal of an id.
    pub fn set_person(&mut self, id: UserId, person: Person) {
        self.people.set(id, person);
    }

    /// Adds the links since an edit.
    pub fn set_links_since_edit(&mut self, id: UserId, links: Option<Vec<String>>) {
        self.links_since_edit.set(id, links);
    }

    /// Adds the links since a removal or a move.
    pub fn set_recent_links(&mut self, id: UserId, links: Option<Vec<String>>) {
        self.recent_links.set(id, links);
    }

    /// Adds who has an address.
    pub fn set_email(&mut self, email: &Email, users: EmailUsers) {
        self.emails.set(email.key(), users);
    }

    /// Adds the state of a link.
    pub fn set_link(&mut self, id: String, record: LinkRecord) {
        self.links.set(id, record);
    }

    /// Adds a session, or that there is none.
    pub fn set_session(&mut self, key: SessionKey, session: Option<Session>) {
        self.sessions.set(key, session);
    }
}
