use super::command::Outcome;
use super::facts::{Counts, EmailUsers, Facts, LinkRecord, Person};
use super::user::User;
use crate::activity::Event;
use crate::protocol::email::Email;
use crate::protocol::user_id::UserId;
use crate::session::{Session, SessionKey};

/// A part of a change. An engine writes it and decides nothing.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Adds a user, or replaces the user of that id.
    PutUser(Box<User>),
    /// Replaces a user of whom only the sign-ins have changed.
    SignIn(Box<User>),
    /// Removes the user of an id.
    RemoveUser(UserId),
    /// Sets when a user of an id was last removed, in Unix seconds; forgets it, if `None`.
    SetRemoval(UserId, Option<i64>),
    /// Sets who has an address.
    SetEmail(Email, EmailUsers),
    /// Sets the links that were made since the last edit of a user.
    SetLinksSinceEdit(UserId, Option<Vec<String>>),
    /// Sets the links that were made since a removal of an id or a move of an address.
    SetRecentLinks(UserId, Option<Vec<String>>),
    /// Sets the state of a link by its `jti`.
    SetLink(String, LinkRecord),
    /// Adds a session, or replaces the one of that key.
    PutSession(SessionKey, Box<Session>),
    /// Deletes a session.
    DeleteSession(SessionKey),
    /// Sets the numbers of users and seats.
    SetCounts(Counts),
    /// Sets the latest time among removals and profiles, in Unix seconds.
    SetLatestTime(i64),
    /// Sets the number of the last recorded act on the settings.
    SetLastOutboxEntry(u64),
    /// Tells processes that make links, and do not hold the directory, when somebody was last removed or
    /// edited, in Unix seconds.
    NoteOrder(i64),
}

/// The result of deciding a command. Without effects and entry the command changes nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// The answer to the caller.
    pub outcome: Outcome,
    /// The changes, in this order.
    pub effects: Vec<Effect>,
    /// The entry in the activity, which is written in the same transaction.
    pub entry: Option<NewEntry>,
}

/// An entry of the activity that a decision makes.
#[derive(Clone, Debug, PartialEq)]
pub struct NewEntry {
    /// The event.
    pub event: Event,
    /// The user whom the event names by an e-mail address. The entry is found by both.
    pub user: Option<UserId>,
}

impl Facts {
    /// Makes a change to the facts, as an engine makes it to the directory.
    pub fn apply(&mut self, effect: &Effect) {
        match effect {
            Effect::PutUser(user) | Effect::SignIn(user) => {
                let removed_at = self.removed_at(&user.id);
                let person = Person {
                    user: Some(User::clone(user)),
                    removed_at,
                };
                self.set_person(user.id.clone(), person);
            }
            Effect::RemoveUser(id) => {
                let removed_at = self.removed_at(id);
                let user = None;
                self.set_person(id.clone(), Person { user, removed_at });
            }
            Effect::SetRemoval(id, at) => {
                let user = self.user(id).cloned();
                let removed_at = *at;
                self.set_person(id.clone(), Person { user, removed_at });
            }
            Effect::SetEmail(email, users) => self.set_email(email, users.clone()),
            Effect::SetLinksSinceEdit(id, links) => {
                self.set_links_since_edit(id.clone(), links.clone());
            }
            Effect::SetRecentLinks(id, links) => self.set_recent_links(id.clone(), links.clone()),
            Effect::SetLink(id, record) => self.set_link(id.clone(), *record),
            Effect::PutSession(key, session) => {
                self.set_session(*key, Some(Session::clone(session)));
            }
            Effect::DeleteSession(key) => self.set_session(*key, None),
            Effect::SetCounts(counts) => self.counts = *counts,
            Effect::SetLatestTime(at) => self.latest_time = Some(*at),
            Effect::SetLastOutboxEntry(number) => self.last_outbox_entry = *number,
            Effect::NoteOrder(_) => {}
        }
    }
}
