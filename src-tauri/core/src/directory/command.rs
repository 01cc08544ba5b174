//! Commands: the changes of a directory.

use std::sync::Arc;

use super::user::{Newcomer, Profile, SeenProfile, TimeAhead, User};
use crate::activity::{Event, OutboxEntry};
use crate::instance::Policy;
use crate::ledger::{Asking, RequestRef, Revocation, TakenLink};
use crate::protocol::claims::Claims;
use crate::protocol::code::{CodeRefusal, VerifiedCode};
use crate::protocol::user_id::UserId;
use crate::session::{NewSession, SessionKey, SessionRules};
use crate::verdict::{Seats, Verdict};
use crate::{Error, Result};

/// Maximum number of users that one command imports, because a transaction is held in memory.
pub const MAX_IMPORT: usize = 250;

/// Maximum number of sessions that one command prunes.
pub const MAX_PRUNED: usize = 100;

/// Maximum number of [times in the future](super::Directory::times_ahead) in a list.
pub const MAX_TIMES: usize = 100;

/// A verified code, or the reason why it does not verify.
pub type JudgedCode<'a> = std::result::Result<&'a VerifiedCode, &'a CodeRefusal>;

/// A change of a directory. [`decide`](super::decide()) decides what it does.
#[derive(Clone, Debug)]
pub enum Command {
    /// Judges a code, and signs in or creates the user whom it names.
    Redeem(Arc<Redemption>),
    /// Adds a user by hand.
    Add(Newcomer),
    /// Adds users who were known elsewhere: all or none.
    Import(Vec<Newcomer>),
    /// Changes the address and the metadata of a user.
    Edit(UserId, Profile),
    /// Changes the address and the metadata of a user who still has the seen profile.
    EditSeen(UserId, Profile, SeenProfile),
    /// Suspends a user.
    Suspend(UserId),
    /// Lets a suspended user sign in again.
    Reactivate(UserId),
    /// Sets the time when an account ends, in Unix seconds. `None` removes the end. An ended account
    /// becomes active again.
    SetAccountEnd(UserId, Option<i64>),
    /// Ends accounts whose time has come.
    EndDueAccounts,
    /// Ends all sessions of a user.
    SignOut(UserId),
    /// Removes a user.
    Remove(UserId),
    /// Sets the number of seats. `None` sets no limit.
    SetSeatLimit(Option<u64>),
    /// Ends a session.
    EndSession(SessionKey),
    /// Notes the times at which sessions were last used, in Unix seconds.
    NoteSessionsSeen(Vec<(SessionKey, i64)>),
    /// Deletes those of the given sessions that have ended.
    PruneSessions(Vec<SessionKey>, SessionRules),
    /// Enters a link in the ledger, because it is given out. Closes the request that it grants.
    TakeLink(Box<TakenLink>),
    /// Notes that a link was shown, because a person may scan it from the screen.
    LinkShown(Claims),
    /// Revokes links.
    RevokeLinks(Revocation),
    /// Opens a request for a new link.
    AskForLink(Box<Asking>),
    /// Closes a request for a new link, without making one.
    DismissRequest(RequestRef),
    /// Sets recorded times that lie in the future to now.
    CorrectTimes(Vec<TimeAhead>),
    /// Records an event that changes nothing else.
    Record(Event),
    /// Records a change of the instance's settings, once.
    RecordOutbox(OutboxEntry),
}

/// A code to redeem.
#[derive(Clone, Debug)]
pub struct Redemption {
    /// The verified code, or the reason why it does not verify.
    pub code: std::result::Result<VerifiedCode, CodeRefusal>,
    /// The policy of the instance.
    pub policy: Policy,
    /// Session that begins if the code signs a user in.
    pub session: Option<NewSession>,
}

impl Redemption {
    /// Creates a redemption without a session.
    #[must_use]
    pub fn new(code: JudgedCode<'_>, policy: Policy) -> Self {
        Self {
            code: code.cloned().map_err(Clone::clone),
            policy,
            session: None,
        }
    }
}

/// Outcome of a command.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The command was carried out.
    Done,
    /// Verdict on a code.
    Verdict(Verdict),
    /// User after the command.
    User(Box<User>),
    /// Seats after the command.
    Seats(Seats),
    /// Number of changed records.
    Count(u64),
}

impl Outcome {
    /// Returns the verdict.
    ///
    /// Fails with [`ErrorCode::Internal`](crate::ErrorCode::Internal) for another kind of outcome,
    /// like the functions below.
    pub fn verdict(self) -> Result<Verdict> {
        match self {
            Self::Verdict(verdict) => Ok(verdict),
            _ => Err(unexpected()),
        }
    }

    /// Returns the user.
    pub fn user(self) -> Result<User> {
        match self {
            Self::User(user) => Ok(*user),
            _ => Err(unexpected()),
        }
    }

    /// Returns the seats.
    pub fn seats(self) -> Result<Seats> {
        match self {
            Self::Seats(seats) => Ok(seats),
            _ => Err(unexpected()),
        }
    }

    /// Returns the number.
    pub fn count(self) -> Result<u64> {
        match self {
            Self::Count(count) => Ok(count),
            _ => Err(unexpected()),
        }
    }
}

fn unexpected() -> Error {
    Error::internal("the directory answered something else than it was asked")
}
