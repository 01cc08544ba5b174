use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

use super::command::{Command, JudgedCode, MAX_PRUNED, MAX_TIMES, Outcome, Redemption};
use super::facts::Counts;
use super::query::{PageStart, Sort, UserPage, UserQuery};
use super::user::{Profile, SharedEmail, TimeAhead, User, unknown_user};
use crate::Result;
use crate::activity::{ActivityPage, ActivityQuery, Actor, AuditContext, Event, OutboxEntry};
use crate::instance::{Policy, Retention};
use crate::protocol::claims::Claims;
use crate::protocol::email::Email;
use crate::protocol::payload::NewUser;
use crate::protocol::user_id::UserId;
use crate::session::{Session, SessionKey, SessionRules};
use crate::verdict::{Seats, Verdict};

/// An engine: the users of an instance, and the seats they take.
///
/// An engine decides nothing. The functions with a body are the same for all engines.
#[async_trait]
pub trait Directory: Send + Sync {
    /// Makes a change: it is decided, and it is on disk when this returns. A refused redemption and an
    /// event that is recorded alone are counted instead of recorded where they repeat within a minute: the first
    /// one from an address is recorded at once, the others are one entry afterwards.
    async fn execute(&self, command: Command, by: &AuditContext) -> Result<Outcome>;

    /// Says what redeeming a code would do at a time, and does nothing.
    async fn dry_run_of(&self, redemption: &Redemption, now: Timestamp) -> Result<Verdict>;

    /// The user of an id.
    async fn user(&self, id: &UserId) -> Result<Option<User>>;

    /// Returns the user who has an address, however it is written; of [several](Self::shared_emails)
    /// the one who came first.
    async fn user_by_email(&self, email: &Email) -> Result<Option<User>>;

    /// Returns the addresses that several users have. Nobody can add one; they are left from format 4,
    /// which told apart what is one address.
    async fn shared_emails(&self) -> Result<Vec<SharedEmail>>;

    /// At most `limit` of the users who answer `query`, in the order of `sort`, from `place` on.
    ///
    /// Fails with [`InvalidCursor`](crate::ErrorCode::InvalidCursor) for a cursor of another order.
    async fn users(
        &self,
        query: &UserQuery,
        sort: Sort,
        place: &PageStart,
        limit: usize,
    ) -> Result<UserPage>;

    /// Numbers of users and seats.
    async fn counts(&self) -> Result<Counts>;

    /// The session of a key, valid or not: [`session::find`](crate::session::find) judges it.
    async fn session(&self, key: &SessionKey) -> Result<Option<Session>>;

    /// The sessions of a user that were not signed out, also those whose time is over, the latest first.
    async fn sessions_of(&self, user: &UserId) -> Result<Vec<(SessionKey, Session)>>;

    /// The keys of sessions that are over by `rules`, or whose user is gone or was signed out.
    async fn ended_sessions(&self, rules: SessionRules, now: Timestamp) -> Result<Vec<SessionKey>>;

    /// Number of users who have a session that is not over by `rules`.
    async fn count_signed_in(&self, rules: SessionRules, now: Timestamp) -> Result<u64>;

    /// Returns the recorded times that lie in the future of `now`, at most [`MAX_TIMES`].
    async fn times_ahead(&self, now: Timestamp) -> Result<Vec<TimeAhead>>;

    /// At most `limit` entries of the activity that answer `query`, newest first; only those before a
    /// number, if one is given. Where much has to be looked through there may be fewer than there
    /// are: [`ActivityPage::before`] says where to go on.
    async fn activity(
        &self,
        query: &ActivityQuery,
        before: Option<u64>,
        limit: usize,
    ) -> Result<ActivityPage>;

    /// Records the refusals that were counted in minutes that have ended by `now`. A gateway calls it
    /// every two seconds. Closing the directory records all counted refusals.
    async fn record_counted(&self, now: Timestamp) -> Result<()>;

    /// Removes some of the entries of the activity that `retention` does not keep, so few that nobody
    /// waits for it. Returns whether there may be more of them.
    async fn prune(&self, retention: Retention, now: Timestamp) -> Result<bool>;

    /// Says what redeeming a code without a session would do, and does nothing.
    async fn dry_run(&self, code: JudgedCode<'_>, policy: Policy) -> Result<Verdict> {
        // Without a session nobody repeats a use, so the time does not matter.
        self.dry_run_of(&Redemption::new(code, policy), Timestamp::UNIX_EPOCH)
            .await
    }

    /// Redeems a code without a session: judges it, and signs in or creates the user whom it names. A refusal
    /// is recorded, and changes nothing else.
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

    /// Returns the user of an id.
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
        self.execute(Command::Add(user.clone()), by).await?.user()
    }

    /// Adds users who were known elsewhere, each with a seat: all of them or, where one cannot be
    /// added, none. At most [`MAX_IMPORT`] at once.
    ///
    /// Fails as [`add`](Self::add) does.
    async fn import(&self, users: &[NewUser], by: &AuditContext) -> Result<()> {
        self.execute(Command::Import(users.to_vec()), by)
            .await
            .map(drop)
    }

    /// Changes the address and the metadata of a user. What an older code says of them does not come
    /// back.
    ///
    /// Fails with [`UnknownUser`](crate::ErrorCode::UnknownUser),
    /// [`EmailInUse`](crate::ErrorCode::EmailInUse), and where the metadata would be too large.
    async fn edit(&self, id: &UserId, profile: &Profile, by: &AuditContext) -> Result<User> {
        let command = Command::Edit(id.clone(), profile.clone());
        self.execute(command, by).await?.user()
    }

    /// Suspends a user, which frees the seat and ends all sessions. One who is suspended stays so.
    ///
    /// Fails with [`UnknownUser`](crate::ErrorCode::UnknownUser), as the others below.
    async fn suspend(&self, id: &UserId, by: &AuditContext) -> Result<User> {
        self.execute(Command::Suspend(id.clone()), by).await?.user()
    }

    /// Lets a suspended user sign in again, who takes a seat. One who is active stays so.
    ///
    /// Fails with [`NoSeats`](crate::ErrorCode::NoSeats).
    async fn reactivate(&self, id: &UserId, by: &AuditContext) -> Result<User> {
        self.execute(Command::Reactivate(id.clone()), by)
            .await?
            .user()
    }

    /// Ends all sessions of a user.
    async fn sign_out(&self, id: &UserId, by: &AuditContext) -> Result<User> {
        self.execute(Command::SignOut(id.clone()), by).await?.user()
    }

    /// Removes a user with address, metadata and history, and remembers that and when, so that an
    /// older code does not bring the user back.
    async fn remove(&self, id: &UserId, by: &AuditContext) -> Result<()> {
        self.execute(Command::Remove(id.clone()), by)
            .await
            .map(drop)
    }

    /// Ends a session, for every copy of its cookie, and records it. One that is not there is no error.
    async fn end_session(&self, key: &SessionKey, by: &AuditContext) -> Result<()> {
        self.execute(Command::EndSession(*key), by).await.map(drop)
    }

    /// Writes when sessions were last used, in Unix seconds. A session that is gone stays so.
    async fn note_sessions_seen(&self, seen: &[(SessionKey, i64)]) -> Result<()> {
        let command = Command::NoteSessionsSeen(seen.to_vec());
        self.execute(command, &unrecorded(Timestamp::UNIX_EPOCH))
            .await
            .map(drop)
    }

    /// Deletes sessions that are over by `rules`, and those whose user is gone or was signed out.
    /// Returns how many there were.
    async fn prune_sessions(&self, rules: SessionRules, now: Timestamp) -> Result<u64> {
        let mut pruned = 0;
        for some in self.ended_sessions(rules, now).await?.chunks(MAX_PRUNED) {
            let command = Command::PruneSessions(some.to_vec(), rules);
            pruned += self.execute(command, &unrecorded(now)).await?.count()?;
        }
        Ok(pruned)
    }

    /// Records that a link was made and given out.
    ///
    /// For a user who was removed or edited within the last minute, or in the future of this clock, it
    /// also notes that the link came after that, which its `iat` does not prove.
    async fn link_made(&self, claims: &Claims, by: &AuditContext) -> Result<()> {
        self.execute(Command::LinkMade(claims.clone()), by)
            .await
            .map(drop)
    }

    /// Notes the order as [`link_made`](Self::link_made) does for a link that is shown only: somebody
    /// may scan it from the screen.
    async fn link_shown(&self, claims: &Claims, by: &AuditContext) -> Result<()> {
        self.execute(Command::LinkShown(claims.clone()), by)
            .await
            .map(drop)
    }

    /// Sets all recorded times that lie in the future to now, and returns how many there were. Codes
    /// that are issued from now on are newer then.
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

    /// Takes a link back by its code's `jti`.
    async fn revoke_link(&self, link: &str, by: &AuditContext) -> Result<()> {
        self.execute(Command::RevokeLink(link.to_owned()), by)
            .await
            .map(drop)
    }

    /// The seats.
    async fn seats(&self) -> Result<Seats> {
        Ok(self.counts().await?.seats())
    }

    /// Sets how many seats there are; no limit, if `None`. Fewer than are used is allowed.
    async fn set_seat_limit(&self, limit: Option<u64>, by: &AuditContext) -> Result<Seats> {
        self.execute(Command::SetSeatLimit(limit), by)
            .await?
            .seats()
    }

    /// How many users there are, active and suspended.
    async fn count(&self) -> Result<u64> {
        Ok(self.counts().await?.users)
    }

    /// Records what happened without a change to the directory.
    async fn record(&self, event: Event, by: &AuditContext) -> Result<()> {
        self.execute(Command::Record(event), by).await.map(drop)
    }

    /// Records acts on the settings, each once.
    async fn record_outbox(&self, acts: &[OutboxEntry]) -> Result<()> {
        for act in acts {
            let at = Timestamp::from_second(act.at).unwrap_or_default();
            let by = AuditContext::new(act.actor.clone(), at);
            self.execute(Command::RecordOutbox(act.clone()), &by)
                .await?;
        }
        Ok(())
    }
}

/// The context of a change that has no entry in the activity.
fn unrecorded(at: Timestamp) -> AuditContext {
    AuditContext::new(Actor::Visitor, at)
}
