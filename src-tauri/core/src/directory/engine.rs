//! The trait [`Directory`]: what every engine must do.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

use super::changed::OnChange;
use super::command::{Command, JudgedCode, MAX_PRUNED, MAX_TIMES, Outcome, Redemption};
use super::due::MAX_DUE;
use super::facts::{Counts, Facts, Lookup};
use super::query::{PageStart, Sort, UserPage, UserQuery};
use super::snapshot::Snapshot;
use super::user::{Newcomer, Profile, SeenProfile, SharedEmail, TimeAhead, User, unknown_user};
use crate::Result;
use crate::activity::{
    ActivityPage, ActivityQuery, Actor, AuditContext, Event, Mark, OutboxEntry, Verification,
};
use crate::instance::{Policy, Retention};
use crate::ledger::{
    Asking, LinkCounts, LinkPage, LinkPageStart, LinkQuery, LinkSort, ListedLink, NewLinkRequest,
    RequestRef, Revocation, ShortLink, TakenLink, unknown_request,
};
use crate::link::short_code::ShortCodeHash;
use crate::protocol::claims::Claims;
use crate::protocol::email::Email;
use crate::protocol::payload::NewUser;
use crate::protocol::user_id::UserId;
use crate::session::{Session, SessionHandle, SessionKey, SessionPage, SessionQuery, SessionRules};
use crate::verdict::{Seats, Verdict};

/// An engine: it stores the users of an instance, with their seats, sessions, links and activity.
///
/// An engine decides nothing. The functions with a body are the same for all engines.
#[async_trait]
pub trait Directory: Send + Sync {
    /// Decides and makes a change, which is on the disk when this returns.
    ///
    /// Anybody can repeat a refused redemption or an event without a change. The first from an
    /// address is recorded at once. All others in the same minute are counted, and become one
    /// entry afterwards.
    async fn execute(&self, command: Command, by: &AuditContext) -> Result<Outcome>;

    /// Returns what redeeming a code at a time would do. Changes nothing.
    async fn dry_run_of(&self, redemption: &Redemption, now: Timestamp) -> Result<Verdict>;

    /// Returns the user with an ID.
    async fn user(&self, id: &UserId) -> Result<Option<User>>;

    /// Returns the user with an address, in any spelling. If [several](Self::shared_emails) users
    /// have it, returns the oldest.
    async fn user_by_email(&self, email: &Email) -> Result<Option<User>>;

    /// Returns the users and the removals of IDs, the owners of addresses with their users, and the
    /// numbers of users and seats at a time.
    ///
    /// Fails with [`TooMany`](crate::ErrorCode::TooMany) above the limits of [`Lookup`].
    async fn look_up(&self, lookup: &Lookup, now: Timestamp) -> Result<Facts>;

    /// Returns the addresses that several users have. Format 4 stored them, because it
    /// treated some spellings of the same address as different. No new ones can be added.
    async fn shared_emails(&self) -> Result<Vec<SharedEmail>>;

    /// Returns at most `limit` of the users who match `query`, in the order of `sort`, from `place`
    /// on.
    ///
    /// Fails with [`InvalidCursor`](crate::ErrorCode::InvalidCursor) for a cursor of another order.
    async fn users(
        &self,
        query: &UserQuery,
        sort: Sort,
        place: &PageStart,
        limit: usize,
    ) -> Result<UserPage>;

    /// Returns the numbers of users and seats at a time. An account that has ended by then is not
    /// counted as active.
    async fn counts(&self, now: Timestamp) -> Result<Counts>;

    /// Returns the session with a key, valid or not. [`find_session`](crate::sign_in::find_session)
    /// judges it.
    async fn session(&self, key: &SessionKey) -> Result<Option<Session>>;

    /// Returns a page of the sessions in which a user is signed in, the latest first.
    async fn sessions_of(&self, query: &SessionQuery, now: Timestamp) -> Result<SessionPage>;

    /// Ends a session of a user for every copy of its cookie, and records that.
    ///
    /// Fails with [`UnknownSession`](crate::ErrorCode::UnknownSession).
    async fn end_session_of(
        &self,
        user: &UserId,
        session: SessionHandle,
        by: &AuditContext,
    ) -> Result<()>;

    /// Returns the keys of sessions that have ended by `rules` or with their link, or whose user was
    /// removed or signed out.
    async fn ended_sessions(&self, rules: SessionRules, now: Timestamp) -> Result<Vec<SessionKey>>;

    /// Returns the number of users who have a session that has not ended by `rules`.
    async fn count_signed_in(&self, rules: SessionRules, now: Timestamp) -> Result<u64>;

    /// Returns whether a session has ended with the link that began it.
    async fn is_ended_with_link(&self, session: &Session) -> Result<bool>;

    /// Returns at most `limit` of the links that match `query`, in the order of `sort`, from `place`
    /// on.
    ///
    /// Fails with [`InvalidCursor`](crate::ErrorCode::InvalidCursor) for a cursor of another order.
    async fn links(
        &self,
        query: &LinkQuery,
        sort: LinkSort,
        place: &LinkPageStart,
        limit: usize,
    ) -> Result<LinkPage>;

    /// Returns the numbers of links by their state at a time.
    async fn link_counts(&self, now: Timestamp) -> Result<LinkCounts>;

    /// Returns the link with an ID, as it stands at a time, and its claims. The claims are deleted
    /// with their user, and codes of other systems have none in the ledger.
    async fn link(&self, id: &str, now: Timestamp) -> Result<Option<(ListedLink, Option<Claims>)>>;

    /// Returns the short link with a hash. A short link ends with its claims.
    async fn short_link(&self, code: &ShortCodeHash) -> Result<Option<ShortLink>>;

    /// Returns the open requests for new links that [can be granted](super::is_grantable) at a time,
    /// the newest first. There are at most [`MAX_REQUESTS`](crate::ledger::MAX_REQUESTS).
    async fn link_requests(&self, now: Timestamp) -> Result<Vec<NewLinkRequest>>;

    /// Returns whether a visitor can ask for a new link at a time. Changes nothing.
    async fn can_ask(&self, asking: &Asking, now: Timestamp) -> Result<bool>;

    /// Returns the recorded times that are later than `now`, at most [`MAX_TIMES`].
    async fn times_ahead(&self, now: Timestamp) -> Result<Vec<TimeAhead>>;

    /// Returns the latest time up to which links of all people count as revoked, in Unix seconds, if
    /// it lies in the future because the clock was wrong.
    async fn cutoff_ahead(&self, now: Timestamp) -> Result<Option<i64>>;

    /// Returns at most `limit` entries of the activity that match `query`, newest first, before the
    /// entry with a number if one is given.
    ///
    /// A search reads a limited number of entries, so fewer may be returned although more match.
    /// The next page begins at [`ActivityPage::before`].
    async fn activity(
        &self,
        query: &ActivityQuery,
        before: Option<u64>,
        limit: usize,
    ) -> Result<ActivityPage>;

    /// Verifies the activity by its seals, and compares them with an `expected` one. Reads all
    /// entries, which takes some seconds for a million.
    async fn verify_activity(&self, expected: Option<Mark>) -> Result<Verification>;

    /// Records the refusals that were counted in minutes that ended by `now`. A gateway calls it
    /// every two seconds. Closing the directory records all counted refusals.
    async fn record_counted(&self, now: Timestamp) -> Result<()>;

    /// Removes entries of the activity, links and requests that `retention` does not keep. Removes only a
    /// limited number, so that other changes do not wait long. Returns whether there may be more. When it returns
    /// false, all removals are durable.
    async fn prune(&self, retention: Retention, now: Timestamp) -> Result<bool>;

    /// Begins a snapshot of the whole directory, which can still be changed.
    async fn snapshot(&self) -> Result<Box<dyn Snapshot>>;

    /// Calls `call` after each change of the activity or of users that is on disk. It must return
    /// at once, because later changes wait for it. Every `call` stays until the directory is
    /// closed.
    fn on_change(&self, call: OnChange);

    /// Returns what redeeming a code without a session would do when the code was verified. Changes
    /// nothing.
    async fn dry_run(&self, code: JudgedCode<'_>, policy: Policy) -> Result<Verdict> {
        // The time of a code that does not verify does not count.
        let at = code
            .ok()
            .and_then(|code| Timestamp::from_second(code.judged_at).ok());
        self.dry_run_of(&Redemption::new(code, policy), at.unwrap_or_default())
            .await
    }

    /// Redeems a code without a session: judges it, and signs in or creates its user. A refusal is
    /// recorded and changes nothing else.
    async fn redeem(
        &self,
        code: JudgedCode<'_>,
        policy: Policy,
        by: &AuditContext,
    ) -> Result<Verdict> {
        let redemption = Arc::new(Redemption::new(code, policy));
        self.execute(Command::Redeem(redemption), by)
            .await?
            .verdict()
    }

    /// Returns the user with an ID.
    ///
    /// Fails with [`UnknownUser`](crate::ErrorCode::UnknownUser).
    async fn known_user(&self, id: &UserId) -> Result<User> {
        self.user(id).await?.ok_or_else(|| unknown_user(id))
    }

    /// Adds a user by hand, who takes a seat.
    ///
    /// Fails with [`UserExists`](crate::ErrorCode::UserExists),
    /// [`EmailInUse`](crate::ErrorCode::EmailInUse) or [`NoSeats`](crate::ErrorCode::NoSeats).
    async fn add(&self, user: &NewUser, by: &AuditContext) -> Result<User> {
        self.execute(Command::Add(user.clone().into()), by)
            .await?
            .user()
    }

    /// Adds users who were known elsewhere, each with a seat. If one cannot be added, none is. At
    /// most [`MAX_IMPORT`](super::MAX_IMPORT) at once.
    ///
    /// Fails like [`add`](Self::add).
    async fn import(&self, users: &[NewUser], by: &AuditContext) -> Result<()> {
        let users = users.iter().cloned().map(Newcomer::from).collect();
        self.execute(Command::Import(users), by).await.map(drop)
    }

    /// Changes the address and the metadata of a user. Older codes do not undo the change.
    ///
    /// Fails with [`UnknownUser`](crate::ErrorCode::UnknownUser), with
    /// [`EmailInUse`](crate::ErrorCode::EmailInUse), or if the metadata would be too large.
    async fn edit(&self, id: &UserId, profile: &Profile, by: &AuditContext) -> Result<User> {
        let command = Command::Edit(id.clone(), profile.clone());
        self.execute(command, by).await?.user()
    }

    /// Changes a user as [`edit`](Self::edit) does, if the user still has the `seen` profile.
    ///
    /// Fails with [`UserChanged`](crate::ErrorCode::UserChanged) otherwise.
    async fn edit_seen(
        &self,
        id: &UserId,
        profile: &Profile,
        seen: &SeenProfile,
        by: &AuditContext,
    ) -> Result<User> {
        let command = Command::EditSeen(id.clone(), profile.clone(), seen.clone());
        self.execute(command, by).await?.user()
    }

    /// Suspends a user, which frees the seat and ends all sessions. A suspended user stays
    /// suspended.
    ///
    /// Fails with [`UnknownUser`](crate::ErrorCode::UnknownUser), like the functions below.
    async fn suspend(&self, id: &UserId, by: &AuditContext) -> Result<User> {
        self.execute(Command::Suspend(id.clone()), by).await?.user()
    }

    /// Lets a suspended user sign in again, which takes a seat. An active user stays active.
    ///
    /// Fails with [`NoSeats`](crate::ErrorCode::NoSeats), or with
    /// [`UserEnded`](crate::ErrorCode::UserEnded) if the account has ended.
    async fn reactivate(&self, id: &UserId, by: &AuditContext) -> Result<User> {
        self.execute(Command::Reactivate(id.clone()), by)
            .await?
            .user()
    }

    /// Sets the time when an account ends, in Unix seconds. `None` removes the end. An ended account
    /// becomes active again, which takes a seat. A suspended user stays suspended.
    ///
    /// Fails with [`InvalidTime`](crate::ErrorCode::InvalidTime) for a time that is not in the
    /// future, or with [`NoSeats`](crate::ErrorCode::NoSeats).
    async fn set_account_end(
        &self,
        id: &UserId,
        end: Option<i64>,
        by: &AuditContext,
    ) -> Result<User> {
        self.execute(Command::SetAccountEnd(id.clone(), end), by)
            .await?
            .user()
    }

    /// Writes the end of all accounts that have ended by `now`, which ends their sessions. Returns
    /// their number. A gateway calls it every two seconds. The rules do not depend on it: an account
    /// that has ended counts as ended at once.
    async fn end_due_accounts(&self, now: Timestamp) -> Result<u64> {
        let mut ended = 0;
        loop {
            let more = self
                .execute(Command::EndDueAccounts, &unrecorded(now))
                .await?
                .count()?;
            ended += more;
            if more < MAX_DUE as u64 {
                return Ok(ended);
            }
        }
    }

    /// Ends all sessions of a user.
    async fn sign_out(&self, id: &UserId, by: &AuditContext) -> Result<User> {
        self.execute(Command::SignOut(id.clone()), by).await?.user()
    }

    /// Removes a user with address, metadata and history. Records the time of the removal, so that
    /// an older code does not bring the user back.
    async fn remove(&self, id: &UserId, by: &AuditContext) -> Result<()> {
        self.execute(Command::Remove(id.clone()), by)
            .await
            .map(drop)
    }

    /// Ends a session for every copy of its cookie, and records that. A missing session is not an
    /// error.
    async fn end_session(&self, key: &SessionKey, by: &AuditContext) -> Result<()> {
        self.execute(Command::EndSession(*key), by).await.map(drop)
    }

    /// Writes the times at which sessions were last used, in Unix seconds. Ignores deleted
    /// sessions.
    async fn note_sessions_seen(&self, seen: &[(SessionKey, i64)]) -> Result<()> {
        let command = Command::NoteSessionsSeen(seen.to_vec());
        self.execute(command, &unrecorded(Timestamp::UNIX_EPOCH))
            .await
            .map(drop)
    }

    /// Deletes sessions that have ended by `rules` or with their link, and those whose user was
    /// removed or signed out. Returns their number.
    async fn prune_sessions(&self, rules: SessionRules, now: Timestamp) -> Result<u64> {
        let mut pruned = 0;
        for some in self.ended_sessions(rules, now).await?.chunks(MAX_PRUNED) {
            let command = Command::PruneSessions(some.to_vec(), rules);
            pruned += self.execute(command, &unrecorded(now)).await?.count()?;
        }
        Ok(pruned)
    }

    /// Enters a link in the ledger when it is given out, and records that. A known link is recorded as
    /// given out again.
    ///
    /// Fails with [`UnknownRequest`](crate::ErrorCode::UnknownRequest) if the request that it grants
    /// is not open.
    ///
    /// If its user was removed or edited less than a minute ago, or at a recorded time in the
    /// future, also notes that the link is newer, because its `iat` does not prove that.
    async fn take_link(&self, taken: TakenLink, by: &AuditContext) -> Result<()> {
        self.execute(Command::TakeLink(Box::new(taken)), by)
            .await
            .map(drop)
    }

    /// Opens a request for a new link, and records that. If the person has an open request, changes
    /// nothing.
    ///
    /// Fails with [`NotAskable`](crate::ErrorCode::NotAskable), or with
    /// [`TooMany`](crate::ErrorCode::TooMany) if [`MAX_REQUESTS`](crate::ledger::MAX_REQUESTS) are
    /// open.
    async fn ask_for_link(&self, asking: Asking, by: &AuditContext) -> Result<()> {
        self.execute(Command::AskForLink(Box::new(asking)), by)
            .await
            .map(drop)
    }

    /// Returns the request with a number that is open at a time.
    ///
    /// Fails with [`UnknownRequest`](crate::ErrorCode::UnknownRequest), like the next function.
    async fn link_request(&self, number: u64, now: Timestamp) -> Result<NewLinkRequest> {
        let mut open = self.link_requests(now).await?.into_iter();
        let found = open.find(|request| request.number == number);
        found.ok_or_else(unknown_request)
    }

    /// Closes a request without a new link, and records that.
    async fn dismiss_request(&self, request: RequestRef, by: &AuditContext) -> Result<()> {
        self.execute(Command::DismissRequest(request), by)
            .await
            .map(drop)
    }

    /// Notes the order like [`take_link`](Self::take_link), for a link that is only shown. A person
    /// may scan it from the screen.
    async fn link_shown(&self, claims: &Claims, by: &AuditContext) -> Result<()> {
        self.execute(Command::LinkShown(claims.clone()), by)
            .await
            .map(drop)
    }

    /// Sets all recorded times that lie in the future to now. Codes that are issued later then
    /// count as newer. Returns the number of corrected times.
    async fn correct_times(&self, by: &AuditContext) -> Result<u64> {
        let mut corrected = 0;
        loop {
            let found = self.times_ahead(by.at).await?;
            let is_last = found.len() < MAX_TIMES;
            let more = self
                .execute(Command::CorrectTimes(found), by)
                .await?
                .count()?;
            corrected += more;
            if more == 0 || is_last {
                return Ok(corrected);
            }
        }
    }

    /// Revokes links, from the next request on.
    ///
    /// Fails with [`InvalidSetting`](crate::ErrorCode::InvalidSetting) for a time in the future, with
    /// [`UnknownUser`](crate::ErrorCode::UnknownUser) for a person whom no user and no link names, or
    /// with [`UnknownLink`](crate::ErrorCode::UnknownLink) for a link that is not in the ledger, unless
    /// that is allowed.
    async fn revoke_links(&self, revocation: Revocation, by: &AuditContext) -> Result<()> {
        self.execute(Command::RevokeLinks(revocation), by)
            .await
            .map(drop)
    }

    /// Returns the seats at a time.
    async fn seats(&self, now: Timestamp) -> Result<Seats> {
        Ok(self.counts(now).await?.seats())
    }

    /// Sets the number of seats. `None` sets no limit. The number may be lower than that of used
    /// seats.
    async fn set_seat_limit(&self, limit: Option<u64>, by: &AuditContext) -> Result<Seats> {
        self.execute(Command::SetSeatLimit(limit), by)
            .await?
            .seats()
    }

    /// Returns the number of all users.
    async fn count(&self) -> Result<u64> {
        Ok(self.counts(Timestamp::UNIX_EPOCH).await?.users)
    }

    /// Records an event that changes nothing else.
    async fn record(&self, event: Event, by: &AuditContext) -> Result<()> {
        self.execute(Command::Record(event), by).await.map(drop)
    }

    /// Records changes of the settings, each once.
    async fn record_outbox(&self, entries: &[OutboxEntry]) -> Result<()> {
        for entry in entries {
            let at = Timestamp::from_second(entry.at).unwrap_or_default();
            let by = AuditContext {
                address: entry.address,
                ..AuditContext::new(entry.actor.clone(), at)
            };
            self.execute(Command::RecordOutbox(entry.clone()), &by)
                .await?;
        }
        Ok(())
    }
}

/// Returns the context of a change that nobody has asked for. If it has entries in the activity,
/// they name Latchkey itself.
fn unrecorded(at: Timestamp) -> AuditContext {
    AuditContext::new(Actor::Visitor, at)
}
