//! Effects: the changes that core has decided and an engine writes.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::command::Outcome;
use super::facts::{Counts, EmailUsers, Facts, Person};
use super::user::User;
use crate::activity::{Actor, AuditContext, Event};
use crate::ledger::{InstanceCutoffs, IssuedLink, LinkPerson, NewLinkRequest, PersonCutoffs};
use crate::link::short_code::ShortCodeHash;
use crate::protocol::email::Email;
use crate::protocol::user_id::UserId;
use crate::session::{Session, SessionKey};

/// A part of a change. An engine writes it and decides nothing.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Adds a user, or replaces the user with that ID.
    PutUser(Box<User>),
    /// Replaces a user whose sign-ins alone have changed.
    SignIn(Box<User>),
    /// Removes the user with an ID.
    RemoveUser(UserId),
    /// Notes in the index of due accounts that the account of an active user ends at a time.
    AddDue(UserId, i64),
    /// Removes an account and its time from the index of due accounts.
    DropDue(UserId, i64),
    /// Sets the time of the last removal of an ID, in Unix seconds. `None` deletes it.
    SetRemoval(UserId, Option<i64>),
    /// Sets the users of an address.
    SetEmail(Email, EmailUsers),
    /// Sets the links that were made since the last edit of a user.
    SetLinksSinceEdit(UserId, Option<Vec<String>>),
    /// Sets the links that were made since a removal of an ID, a move of an address or a cutoff.
    SetRecentLinks(UserId, Option<Vec<String>>),
    /// Adds a link to the ledger, or replaces the link with that ID.
    PutLink(Box<IssuedLink>),
    /// Sets the claims of a link in the ledger. They belong to the person whom they name.
    PutClaims(LinkPerson, String, Map<String, Value>),
    /// Adds the short link with a hash for the link with an ID.
    PutShortLink(ShortCodeHash, String),
    /// Deletes the claims and the short links of all links of a person, and the names and notes in
    /// their records. The links then belong to the user with the ID, who is removed.
    ForgetClaims(LinkPerson, UserId),
    /// Moves the claims of all links that were given out for an address to the user who has had it,
    /// and notes the user in their records.
    BindClaims(Email, UserId),
    /// Adds an open request for a new link. Its person has no other.
    PutRequest(Box<NewLinkRequest>),
    /// Deletes the open request of a person.
    DeleteRequest(LinkPerson),
    /// Sets the cutoffs for the links of a person.
    SetPersonCutoffs(LinkPerson, Box<PersonCutoffs>),
    /// Sets the cutoffs for the links of the instance.
    SetInstanceCutoffs(InstanceCutoffs),
    /// Adds a session, or replaces the session with that key.
    PutSession(SessionKey, Box<Session>),
    /// Deletes a session.
    DeleteSession(SessionKey),
    /// Sets the numbers of users and seats.
    SetCounts(Counts),
    /// Sets the latest time of all removals and profiles, in Unix seconds.
    SetLatestTime(i64),
    /// Sets the number of the last recorded change of the settings.
    SetLastOutboxEntry(u64),
    /// Sets the time of the last removal or edit, in Unix seconds, for processes that make links
    /// and do not hold the directory.
    NoteOrder(i64),
}

/// Decision on a command. A command without effects and entries changes nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// Answer to the caller.
    pub outcome: Outcome,
    /// Changes, in this order.
    pub effects: Vec<Effect>,
    /// Entries in the activity, in this order, to write in the same transaction. An import has one for
    /// each user, a link that grants a request has two, a key that takes the place of another one
    /// among the [`InstanceCutoffs`] has two, and any other command has at most one. Each account that
    /// a command ends has another.
    pub entries: Vec<NewEntry>,
}

/// New entry of the activity.
#[derive(Clone, Debug, PartialEq)]
pub struct NewEntry {
    /// Event of the entry.
    pub event: Event,
    /// User whom the event names by an e-mail address. The entry is found by both.
    pub user: Option<UserId>,
    /// Whether Latchkey itself made the change, because its time had come.
    pub is_due: bool,
}

impl NewEntry {
    /// Returns the context of the entry in a command that was given in the context `by`.
    #[must_use]
    pub fn context<'a>(&self, by: &'a AuditContext) -> Cow<'a, AuditContext> {
        if self.is_due {
            Cow::Owned(AuditContext::new(Actor::Latchkey, by.at))
        } else {
            Cow::Borrowed(by)
        }
    }
}

impl Facts {
    /// Applies a change to the facts, like an engine to the directory.
    pub fn apply(&mut self, effect: &Effect) {
        match effect {
            Effect::PutUser(user) | Effect::SignIn(user) => {
                let user = User::clone(user);
                self.change_person(&user.id.clone(), |person| person.user = Some(user));
            }
            Effect::AddDue(user, at) => {
                if let Some(due) = &mut self.due {
                    due.add(user, *at);
                }
            }
            Effect::DropDue(user, at) => {
                if let Some(due) = &mut self.due {
                    due.remove(user, *at);
                }
            }
            Effect::RemoveUser(id) => self.change_person(id, |person| person.user = None),
            Effect::SetRemoval(id, at) => {
                self.change_person(id, |person| person.removed_at = *at);
            }
            Effect::SetPersonCutoffs(LinkPerson::User(id), cutoffs) => {
                self.change_person(id, |person| person.cutoffs = PersonCutoffs::clone(cutoffs));
            }
            Effect::SetPersonCutoffs(LinkPerson::Email(email), cutoffs) => {
                let mut users = self.email(email).cloned().unwrap_or_default();
                users.cutoffs = PersonCutoffs::clone(cutoffs);
                self.set_email(email, users);
            }
            Effect::SetInstanceCutoffs(cutoffs) => self.cutoffs = cutoffs.clone(),
            Effect::SetEmail(email, users) => self.set_email(email, users.clone()),
            Effect::SetLinksSinceEdit(id, links) => {
                self.set_links_since_edit(id.clone(), links.clone());
            }
            Effect::SetRecentLinks(id, links) => self.set_recent_links(id.clone(), links.clone()),
            Effect::PutLink(link) => {
                self.set_link(link.id.clone(), Some(IssuedLink::clone(link)));
            }
            Effect::PutShortLink(code, link) => self.set_short_code(link.clone(), Some(*code)),
            Effect::PutRequest(request) => {
                let (person, request) = (request.person.clone(), NewLinkRequest::clone(request));
                self.set_request(person, Some(request));
                self.open_requests = self.open_requests.map(|open| open + 1);
            }
            Effect::DeleteRequest(person) => {
                self.set_request(person.clone(), None);
                self.open_requests = self.open_requests.map(|open| open.saturating_sub(1));
            }
            Effect::PutSession(key, session) => {
                self.set_session(*key, Some(Session::clone(session)));
            }
            Effect::DeleteSession(key) => self.set_session(*key, None),
            Effect::SetCounts(counts) => self.counts = *counts,
            Effect::SetLatestTime(at) => self.latest_time = Some(*at),
            Effect::SetLastOutboxEntry(number) => self.last_outbox_entry = *number,
            Effect::NoteOrder(_)
            | Effect::PutClaims(..)
            | Effect::ForgetClaims(..)
            | Effect::BindClaims(..) => {}
        }
    }

    fn change_person(&mut self, id: &UserId, change: impl FnOnce(&mut Person)) {
        let mut person = self.person(id).cloned().unwrap_or_default();
        change(&mut person);
        self.set_person(id.clone(), person);
    }
}
