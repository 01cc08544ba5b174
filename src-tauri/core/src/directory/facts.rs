//! Facts: the part of a directory that a command depends on, such as one user and the free seats.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::command::MAX_IMPORT;
use super::due::{DueAccounts, DueScan};
use super::user::User;
use crate::ledger::{
    InstanceCutoffs, IssuedLink, LinkPerson, NewLinkRequest, PersonCutoffs, Standing,
};
use crate::link::short_code::ShortCodeHash;
use crate::protocol::email::Email;
use crate::protocol::payload::Payload;
use crate::protocol::user_id::UserId;
use crate::session::{Session, SessionKey};
use crate::verdict::{Seats, Status};
use crate::{Error, ErrorCode, Result};

/// A part of a directory. An engine loads the facts that [`Command::needs`](super::Command::needs)
/// asks for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// Numbers of users and seats.
    pub counts: Counts,
    /// Number of the change. It is greater than that of every earlier change.
    pub change: u64,
    /// Latest time of all removals and profiles, to within a minute, in Unix seconds.
    pub latest_time: Option<i64>,
    /// Number of the last recorded change of the settings.
    pub last_outbox_entry: u64,
    /// Cutoffs for the links of the instance.
    pub cutoffs: InstanceCutoffs,
    /// Accounts that have ended and whose users are still counted as active. `None` if they were not
    /// loaded.
    pub due: Option<DueAccounts>,
    /// Number of open requests for new links. `None` if it was not loaded.
    pub open_requests: Option<usize>,
    people: Known<UserId, Person>,
    links_since_edit: Known<UserId, Option<Vec<String>>>,
    recent_links: Known<UserId, Option<Vec<String>>>,
    emails: Known<String, EmailUsers>,
    links: Known<String, Option<IssuedLink>>,
    short_codes: Known<String, Option<ShortCodeHash>>,
    linked: Known<LinkPerson, bool>,
    requests: Known<LinkPerson, Option<NewLinkRequest>>,
    sessions: Known<SessionKey, Option<Session>>,
}

/// Numbers of users and seats of a directory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Counts {
    /// Number of all users.
    pub users: u64,
    /// Number of users who are active.
    pub active: u64,
    /// Number of seats. `None` for no limit.
    #[schema(required)]
    pub seat_limit: Option<u64>,
}

impl Counts {
    /// Returns the numbers with fewer active users.
    #[must_use]
    pub const fn without(self, due: u64) -> Self {
        Self {
            active: self.active.saturating_sub(due),
            ..self
        }
    }

    /// Returns the seats.
    #[must_use]
    pub const fn seats(self) -> Seats {
        Seats {
            used: self.active,
            limit: self.seat_limit,
        }
    }
}

/// The user with an ID, the last removal of that ID, and the cutoffs for its links.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Person {
    /// User, if there is one.
    pub user: Option<User>,
    /// Time of the last removal of a user with that ID, in Unix seconds. A user may have the ID
    /// again.
    pub removed_at: Option<i64>,
    /// Cutoffs for the links of the person.
    pub cutoffs: PersonCutoffs,
}

/// Current and former users of an e-mail address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EmailUsers {
    /// User who has the address. If several have it, the oldest.
    pub owner: Option<UserId>,
    /// All users who have the address, the oldest first, if there are several. Only format 4
    /// allowed that.
    pub sharers: Vec<UserId>,
    /// Former users of the address with the time until which they had it, in Unix seconds, the
    /// latest last.
    pub former: Vec<(UserId, i64)>,
    /// Cutoffs for the links that were given out for the address when nobody had it.
    pub cutoffs: PersonCutoffs,
}

impl EmailUsers {
    /// Returns the time until which another user than `owner` had the address.
    #[must_use]
    pub fn moved_at(&self, owner: &UserId) -> Option<i64> {
        let others = self.former.iter().filter(|(user, _)| user != owner);
        others.map(|(_, at)| *at).max()
    }
}

/// Facts that a command depends on and that are not loaded yet.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Needs {
    /// IDs of users.
    pub people: Vec<UserId>,
    /// Users whose links since the last edit are needed.
    pub links_since_edit: Vec<UserId>,
    /// Users whose links since a removal of the ID, a move of the address or a cutoff are needed.
    pub recent_links: Vec<UserId>,
    /// Addresses.
    pub emails: Vec<Email>,
    /// Links by ID.
    pub links: Vec<String>,
    /// IDs of links whose short links are needed.
    pub short_codes: Vec<String>,
    /// People of whom it is needed whether the ledger has claims of their links.
    pub linked: Vec<LinkPerson>,
    /// People whose open requests for new links are needed.
    pub requests: Vec<LinkPerson>,
    /// Whether the number of open requests is needed.
    pub open_requests: bool,
    /// Sessions.
    pub sessions: Vec<SessionKey>,
    /// Whether the accounts that are due at the time of the command are needed.
    pub due: Option<DueScan>,
}

impl Needs {
    /// Returns whether nothing is missing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.people.is_empty()
            && self.links_since_edit.is_empty()
            && self.recent_links.is_empty()
            && self.emails.is_empty()
            && self.links.is_empty()
            && self.short_codes.is_empty()
            && self.linked.is_empty()
            && self.requests.is_empty()
            && !self.open_requests
            && self.sessions.is_empty()
            && self.due.is_none()
    }
}

/// People and addresses to look up at once.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lookup {
    /// IDs, at most [`MAX_IMPORT`](super::MAX_IMPORT).
    pub ids: Vec<UserId>,
    /// Addresses, at most [`MAX_IMPORT`](super::MAX_IMPORT). Their owners are looked up, too.
    pub emails: Vec<Email>,
}

impl Lookup {
    /// Fails with [`TooMany`](ErrorCode::TooMany) if it exceeds a maximum.
    pub fn require_limits(&self) -> Result<()> {
        if self.ids.len() > MAX_IMPORT || self.emails.len() > MAX_IMPORT {
            let message = format!(
                "At most {MAX_IMPORT} ids and {MAX_IMPORT} addresses are looked up at once."
            );
            return Err(Error::new(ErrorCode::TooMany, message));
        }
        Ok(())
    }
}

/// Values by key in a list, because there are so few that a search is faster than a hash.
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
    /// Returns the user and the removal of an ID. `None` if they were not loaded.
    #[must_use]
    pub fn person(&self, id: &UserId) -> Option<&Person> {
        self.people.get(id)
    }

    /// Returns the user with an ID, if one was loaded.
    #[must_use]
    pub fn user(&self, id: &UserId) -> Option<&User> {
        self.person(id)?.user.as_ref()
    }

    /// Returns the time of the last removal of an ID, in Unix seconds.
    #[must_use]
    pub fn removed_at(&self, id: &UserId) -> Option<i64> {
        self.person(id)?.removed_at
    }

    /// Returns the links that Latchkey made for a user within a minute of an edit. `Some(None)` if
    /// a code set the profile last. `None` if they were not loaded.
    #[must_use]
    pub fn links_since_edit(&self, id: &UserId) -> Option<Option<&[String]>> {
        self.links_since_edit.get(id).map(Option::as_deref)
    }

    /// Returns the links that Latchkey made for a user within a minute of a removal of the ID, a move
    /// of the address or a cutoff. `None` if they were not loaded.
    #[must_use]
    pub fn recent_links(&self, id: &UserId) -> Option<Option<&[String]>> {
        self.recent_links.get(id).map(Option::as_deref)
    }

    /// Returns the users of an address. `None` if they were not loaded.
    #[must_use]
    pub fn email(&self, email: &Email) -> Option<&EmailUsers> {
        self.emails.get(email.key().as_str())
    }

    /// Returns the person whom the payload of a link names, by the owner of an address if there is
    /// one.
    #[must_use]
    pub fn link_person(&self, payload: &Payload) -> LinkPerson {
        match payload {
            Payload::Id(id) => LinkPerson::User(id.user_id().clone()),
            Payload::User(user) => LinkPerson::User(user.id.clone()),
            Payload::Email(email) => {
                let users = self.email(email);
                match users.and_then(|users| users.owner.clone()) {
                    Some(owner) => LinkPerson::User(owner),
                    None => LinkPerson::Email(email.clone()),
                }
            }
        }
    }

    /// Returns the people by whom requests for a new link in place of a link are kept: its user, and
    /// the address of the user or in the link.
    #[must_use]
    pub(crate) fn people_of(&self, link: &IssuedLink) -> Vec<LinkPerson> {
        let user = link.user.as_ref();
        let email = user.and_then(|user| self.user(user)?.email.clone());
        let subject = link.subject.as_deref();
        let subject = subject.and_then(|subject| Email::parse(subject, "email").ok());
        let mut people: Vec<_> = user.cloned().map(LinkPerson::User).into_iter().collect();
        for email in [email, subject]
            .into_iter()
            .flatten()
            .map(LinkPerson::Email)
        {
            if !people.contains(&email) {
                people.push(email);
            }
        }
        people
    }

    /// Returns a link of the ledger, or the fact that there is none. `None` if it was not loaded.
    #[must_use]
    pub fn link(&self, id: &str) -> Option<Option<&IssuedLink>> {
        self.links.get(id).map(Option::as_ref)
    }

    /// Returns whether the ledger has claims of links that were given out for a person. `None` if it
    /// was not loaded.
    #[must_use]
    pub fn has_links(&self, person: &LinkPerson) -> Option<bool> {
        self.linked.get(person).copied()
    }

    /// Returns the cutoffs for the links of a person. They are empty if they were not loaded.
    #[must_use]
    pub fn cutoffs_of(&self, person: &LinkPerson) -> PersonCutoffs {
        let cutoffs = match person {
            LinkPerson::User(user) => self.person(user).map(|person| &person.cutoffs),
            LinkPerson::Email(email) => self.email(email).map(|users| &users.cutoffs),
        };
        cutoffs.cloned().unwrap_or_default()
    }

    /// Returns the person whom an ID or an address names: a user, somebody for whom links were given
    /// out, or a removed user. `None` if there is none.
    #[must_use]
    pub fn named(&self, named: &UserId) -> Option<LinkPerson> {
        let by_id = LinkPerson::User(named.clone());
        let person = self.person(named);
        let is_known = person.is_some_and(|person| {
            let has_cutoffs = person.cutoffs != PersonCutoffs::default();
            person.user.is_some() || person.removed_at.is_some() || has_cutoffs
        });
        if is_known || self.has_links(&by_id) == Some(true) {
            return Some(by_id);
        }
        let email = Email::parse(named.as_str(), "user").ok()?;
        let users = self.email(&email)?;
        if let Some(owner) = &users.owner {
            return Some(LinkPerson::User(owner.clone()));
        }
        let has_cutoffs = users.cutoffs != PersonCutoffs::default();
        let by_email = LinkPerson::Email(email);
        let is_known = has_cutoffs || self.has_links(&by_email) == Some(true);
        is_known.then_some(by_email)
    }

    /// Returns the hash of the short link of a link, or the fact that it has none. `None` if it was
    /// not loaded.
    #[must_use]
    pub fn short_code(&self, link: &str) -> Option<Option<ShortCodeHash>> {
        self.short_codes.get(link).copied()
    }

    /// Returns the open request of a person, or the fact that there is none. `None` if it was not
    /// loaded.
    #[must_use]
    pub fn request(&self, person: &LinkPerson) -> Option<Option<&NewLinkRequest>> {
        self.requests.get(person).map(Option::as_ref)
    }

    /// Returns the session with a key. `None` if it was not loaded.
    #[must_use]
    pub fn session(&self, key: &SessionKey) -> Option<Option<&Session>> {
        self.sessions.get(key).map(Option::as_ref)
    }

    /// Returns whether the user of a session exists, was not signed out since it began, and has an
    /// account that has not ended by `now`, in Unix seconds, and the session has not ended with its
    /// link.
    #[must_use]
    pub fn goes_on(&self, session: &Session, now: i64) -> bool {
        let user = self.user(&session.user);
        user.is_some_and(|user| user.has_session(session, now)) && !self.is_ended_with_link(session)
    }

    /// Returns whether a session has ended with the link that began it.
    #[must_use]
    pub fn is_ended_with_link(&self, session: &Session) -> bool {
        if !self.cutoffs.any_ends_sessions {
            return false;
        }
        let none = PersonCutoffs::default();
        let person = self.person(&session.user);
        let person = person.map_or(&none, |person| &person.cutoffs);
        let link = session.link.as_deref();
        let link = link.and_then(|id| self.link(id).flatten());
        Standing::ends(session, link, person, &self.cutoffs)
    }

    /// Returns the seats. An account that has ended takes none, whether or not that is written.
    #[must_use]
    pub fn seats(&self) -> Seats {
        let due = self.due.as_ref().map_or(0, |due| due.count);
        self.counts.without(due).seats()
    }

    /// Counts accounts that are due as ended. The facts then are those of a time, and not of the
    /// stored rows.
    #[must_use]
    pub fn settled(mut self) -> Self {
        self.counts.active = self.seats().used;
        self.due = None;
        self
    }

    /// Returns whether a user takes a seat.
    #[must_use]
    pub fn is_active(&self, id: &UserId) -> bool {
        let user = self.user(id);
        user.is_some_and(|user| user.status == Status::Active)
    }

    /// Adds the user and the removal of an ID.
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

    /// Adds the users of an address.
    pub fn set_email(&mut self, email: &Email, users: EmailUsers) {
        self.emails.set(email.key(), users);
    }

    /// Adds a link of the ledger, or the fact that there is none.
    pub fn set_link(&mut self, id: String, link: Option<IssuedLink>) {
        self.links.set(id, link);
    }

    /// Adds the short link of a link, or the fact that it has none.
    pub fn set_short_code(&mut self, link: String, code: Option<ShortCodeHash>) {
        self.short_codes.set(link, code);
    }

    /// Adds whether the ledger has claims of links for a person.
    pub fn set_linked(&mut self, person: LinkPerson, linked: bool) {
        self.linked.set(person, linked);
    }

    /// Adds the open request of a person, or the fact that there is none.
    pub fn set_request(&mut self, person: LinkPerson, request: Option<NewLinkRequest>) {
        self.requests.set(person, request);
    }

    /// Adds a session, or the fact that there is none.
    pub fn set_session(&mut self, key: SessionKey, session: Option<Session>) {
        self.sessions.set(key, session);
    }
}
