//! Accounts that end: writing the end, and changing it.

use super::super::command::Outcome;
use super::super::effect::{Effect, NewEntry};
use super::super::user::User;
use super::Draft;
use crate::activity::{Event, EventData};
use crate::protocol::user_id::UserId;
use crate::time::{self, MAX_SECS};
use crate::verdict::Status;
use crate::{Error, ErrorCode, Result};

impl Draft {
    /// Ends the loaded accounts that are due.
    pub(super) fn end_due_accounts(&mut self) -> Outcome {
        let due = self.facts.due.clone().unwrap_or_default();
        let mut ended = 0;
        for id in due.first {
            let user = self.facts.user(&id).cloned();
            if let Some(user) = user.filter(|user| user.status_at(self.now) == Status::Ended) {
                self.ended(user);
                ended += 1;
            }
        }
        Outcome::Count(ended)
    }

    /// Ends the account of an active user whose time has come, and all sessions. Returns every user
    /// as the user is then.
    pub(super) fn ended(&mut self, mut user: User) -> User {
        let Some(ended_at) = user.due_at().filter(|at| *at <= self.now) else {
            return user;
        };
        user.status = Status::Ended;
        user.generation = self.facts.change;
        self.free_seat();
        self.put(&user);
        self.entries.push(NewEntry {
            event: Event::from(EventData::AccountEnded { ended_at }).of(&user.id),
            user: None,
            is_due: true,
        });
        user
    }

    /// Sets the time when an account ends. An ended account becomes active again, which takes a
    /// seat.
    pub(super) fn set_account_end(&mut self, id: &UserId, end: Option<i64>) -> Result<Outcome> {
        if let Some(at) = end {
            self.require_later(at)?;
        }
        let known = self.known_user(id)?;
        if known.ends_at == end && known.status_at(self.now) != Status::Ended {
            return Ok(Outcome::User(Box::new(known)));
        }
        let mut user = self.ended(known);
        if user.status == Status::Ended {
            self.require_seat()?;
            self.take_seat();
            user.status = Status::Active;
        }
        user.ends_at = end;
        self.put(&user);
        self.record(Event::from(EventData::AccountEndSet { ends_at: end }).of(id));
        Ok(Outcome::User(Box::new(user)))
    }

    /// Fails unless a time lies in the future.
    pub(super) fn require_later(&self, at: i64) -> Result<()> {
        if at > self.now && at <= MAX_SECS {
            return Ok(());
        }
        let message = format!(
            "{} is not in the future. To end an account now, suspend the user.",
            time::exact(at)
        );
        Err(Error::new(ErrorCode::InvalidTime, message).about("ends_at"))
    }

    /// Adds a user or replaces the user with that ID, and keeps the index of due accounts.
    pub(super) fn put(&mut self, user: &User) {
        let before = self.facts.user(&user.id).and_then(User::due_at);
        self.set_due(&user.id, before, user.due_at());
        self.push(Effect::PutUser(Box::new(user.clone())));
    }

    /// Changes the time of a user in the index of due accounts.
    pub(super) fn set_due(&mut self, id: &UserId, before: Option<i64>, after: Option<i64>) {
        if before == after {
            return;
        }
        if let Some(at) = before {
            self.push(Effect::DropDue(id.clone(), at));
        }
        if let Some(at) = after {
            self.push(Effect::AddDue(id.clone(), at));
        }
    }
}

/// Returns the error for an account that has ended and must be extended first.
pub(super) fn must_be_extended(user: &User, ended_at: i64) -> Error {
    let message = format!(
        "The account of {} ended at {}. Extend it first.",
        user.id,
        time::exact(ended_at)
    );
    Error::new(ErrorCode::UserEnded, message).about("id")
}
