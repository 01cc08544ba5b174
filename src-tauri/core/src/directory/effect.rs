use super::facts::{Counts, EmailUsers, LinkRecord};
use super::{Outcome, User};
use crate::activity::Event;
use crate::protocol::email::Email;
use crate::protocol::user_id::UserId;
use crate::session::{Session, SessionKey};

/// A part of a change. An engine writes it as it is and decides nothing.
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

/// What a command does. Nothing, if it has neither effects nor an entry.
#[derive(Clone, Debug, PartialEq)]
pub struct Decision {
    /// The answer to the caller.
    pub outcome: Outcome,
    /// What changes, in this order.
    pub effects: Vec<Effect>,
    /// What is recorded in the activity, in the same transaction.
    pub entry: Option<NewEntry>,
}

/// An entry of the activity that a decision makes.
#[derive(Clone, Debug, PartialEq)]
pub struct NewEntry {
    /// What happened.
    pub event: Event,
    /// The user whom the event names by an e-mail address. The entry is found by both.
    pub user: Option<UserId>,
}
