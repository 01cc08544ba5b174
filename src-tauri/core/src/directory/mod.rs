//! The users of an instance that is hosted here, and the seats they take.
//!
//! [`Directory`] is what any engine does; [`SledDirectory`] is the one that is embedded. Every
//! change is whole or not there, is recorded in the activity, and is on disk when its function returns.

mod notices;
pub mod query;
mod user;

pub use notices::notices;
pub use query::{Cursor, PageStart, Search, Sort, SortBy, UserPage, UserQuery};
pub use user::{Origin, Profile, SharedEmail, TimeAhead, User};

use jiff::Timestamp;

use crate::activity::{ActivityPage, ActivityQuery, AuditContext, Event, OutboxEntry};
use crate::instance::{Policy, Retention};
use crate::protocol::claims::Claims;
use crate::protocol::code::{CodeRefusal, VerifiedCode};
use crate::protocol::email::Email;
use crate::protocol::payload::NewUser;
use crate::protocol::user_id::UserId;
use crate::session::{NewSession, Session, SessionKey, SessionRules};
use crate::verdict::{Seats, Verdict};
use crate::{Error, ErrorCode, Result};

/// How many users are imported at once, at most: a transaction is held in memory.
pub const MAX_IMPORT: usize = 250;

/// Maximum number of [times in the future](Directory::times_ahead) that are listed.
pub const MAX_TIMES: usize = 100;

/// A code as it was judged by itself.
pub type JudgedCode<'a> = std::result::Result<&'a VerifiedCode, &'a CodeRefusal>;

/// A code that is to be opened.
#[derive(Clone, Copy, Debug)]
pub struct Redemption<'a> {
    /// The code.
    pub code: JudgedCode<'a>,
    /// What the instance says.
    pub policy: Policy,
    /// Who opens it.
    pub by: &'a AuditContext,
    /// The session that begins in the same transaction if the code signs somebody in.
    pub session: Option<&'a NewSession>,
}

/// The users of an instance, and the seats they take.
pub trait Directory: Send + Sync {
    /// Says what opening a code would do, and does nothing.
    fn dry_run(&self, code: JudgedCode<'_>, policy: Policy) -> Result<Verdict>;

    /// Says what [`redeem_all`](Self::redeem_all) would do for a redemption, and does nothing.
    fn dry_run_of(&self, redemption: &Redemption<'_>) -> Result<Verdict>;

    /// Opens a code: judges it, and signs in or creates whom it names, in one transaction. A
    /// refusal is recorded, and changes nothing else.
    fn redeem(&self, code: JudgedCode<'_>, policy: Policy, by: &AuditContext) -> Result<Verdict>;

    /// Opens codes one after the other, each as [`redeem`](Self::redeem) does, and waits for the disk
    /// once. Where one cannot be opened, the others are.
    fn redeem_all(&self, codes: &[Redemption<'_>]) -> Result<Vec<Result<Verdict>>>;

    /// The user of an id.
    fn user(&self, id: &UserId) -> Result<Option<User>>;

    /// The user of an id, who is to be there.
    ///
    /// Fails with [`UnknownUser`](crate::ErrorCode::UnknownUser).
    fn known_user(&self, id: &UserId) -> Result<User> {
        self.user(id)?.ok_or_else(|| unknown_user(id))
    }

    /// Returns the user who has an address, however it is written; of [several](Self::shared_emails)
    /// the one who came first.
    fn user_by_email(&self, email: &Email) -> Result<Option<User>>;

    /// Returns the addresses that several users have. Nobody can add one; they are left from format 4,
    /// which told apart what is one address.
    fn shared_emails(&self) -> Result<Vec<SharedEmail>>;

    /// At most `limit` of the users who answer `query`, in the order of `sort`, from `place` on.
    ///
    /// Fails with [`InvalidCursor`](crate::ErrorCode::InvalidCursor) for a cursor of another order.
    fn users(
        &self,
        query: &UserQuery,
        sort: Sort,
        place: &PageStart,
        limit: usize,
    ) -> Result<UserPage>;

    /// Adds a user by hand, who takes a seat.
    ///
    /// Fails with [`UserExists`](crate::ErrorCode::UserExists),
    /// [`EmailInUse`](crate::ErrorCode::EmailInUse) or [`NoSeats`](crate::ErrorCode::NoSeats).
    fn add(&self, user: &NewUser, by: &AuditContext) -> Result<User>;

    /// Adds users who were known elsewhere, each with a seat: all of them or, where one cannot be
    /// added, none. At most [`MAX_IMPORT`] at once.
    ///
    /// Fails as [`add`](Self::add) does.
    fn import(&self, users: &[NewUser], by: &AuditContext) -> Result<()>;

    /// Changes the address and the metadata of a user. What an older code says of them does not come
    /// back.
    ///
    /// Fails with [`UnknownUser`](crate::ErrorCode::UnknownUser),
    /// [`EmailInUse`](crate::ErrorCode::EmailInUse), and where the metadata would be too large.
    fn edit(&self, id: &UserId, profile: &Profile, by: &AuditContext) -> Result<User>;

    /// The session of a key, valid or not: [`session::find`](crate::session::find) judges it.
    fn session(&self, key: &SessionKey) -> Result<Option<Session>>;

    /// The sessions of a user that were not signed out, also those whose time is over, the latest first.
    fn sessions_of(&self, user: &UserId) -> Result<Vec<(SessionKey, Session)>>;

    /// Number of users who have a session that is not over by `rules`.
    fn count_signed_in(&self, rules: SessionRules, now: Timestamp) -> Result<u64>;

    /// Ends a session, for every copy of its cookie, and records it. One that is not there is no error.
    fn end_session(&self, key: &SessionKey, by: &AuditContext) -> Result<()>;

    /// Writes when sessions were last used, in Unix seconds. A session that is gone stays so.
    fn note_sessions_seen(&self, seen: &[(SessionKey, i64)]) -> Result<()>;

    /// Deletes sessions that are over by `rules`, and those whose user is gone or was signed out.
    /// Returns how many there were.
    fn prune_sessions(&self, rules: SessionRules, now: Timestamp) -> Result<u64>;

    /// Suspends a user, which frees the seat and ends all sessions. One who is suspended stays so.
    ///
    /// Fails with [`UnknownUser`](crate::ErrorCode::UnknownUser), as the others below.
    fn suspend(&self, id: &UserId, by: &AuditContext) -> Result<User>;

    /// Lets a suspended user sign in again, who takes a seat. One who is active stays so.
    ///
    /// Fails with [`NoSeats`](crate::ErrorCode::NoSeats).
    fn reactivate(&self, id: &UserId, by: &AuditContext) -> Result<User>;

    /// Ends all sessions of a user.
    fn sign_out(&self, id: &UserId, by: &AuditContext) -> Result<User>;

    /// Removes a user with address, metadata and history, and remembers that and when, so that an
    /// older code does not bring the user back.
    fn remove(&self, id: &UserId, by: &AuditContext) -> Result<()>;

    /// Records that a link was made and given out.
    ///
    /// For a user who was removed or edited within the last minute, or in the future of this clock, it
    /// also notes that the link came after that, which its `iat` does not prove.
    fn link_made(&self, claims: &Claims, by: &AuditContext) -> Result<()>;

    /// Notes the order as [`link_made`](Self::link_made) does for a link that is shown only: somebody
    /// may scan it from the screen.
    fn link_shown(&self, claims: &Claims, by: &AuditContext) -> Result<()>;

    /// Returns the recorded times that lie in the future of `now`, at most [`MAX_TIMES`].
    fn times_ahead(&self, now: Timestamp) -> Result<Vec<TimeAhead>>;

    /// Sets all recorded times that lie in the future to now, and returns how many there were. Codes
    /// that are issued from now on are newer then.
    fn correct_times(&self, by: &AuditContext) -> Result<u64>;

    /// Takes a link back by its code's `jti`.
    fn revoke_link(&self, link: &str, by: &AuditContext) -> Result<()>;

    /// The seats.
    fn seats(&self) -> Result<Seats>;

    /// Sets how many seats there are; no limit, if `None`. Fewer than are used is allowed.
    fn set_seat_limit(&self, limit: Option<u64>, by: &AuditContext) -> Result<Seats>;

    /// How many users there are, active and suspended.
    fn count(&self) -> Result<u64>;

    /// Records what happened without a change to the directory.
    ///
    /// Refusals that repeat within a minute are counted, here and where codes are redeemed: the
    /// first one from an address is recorded at once, the others are one entry afterwards.
    fn record(&self, event: Event, by: &AuditContext) -> Result<()>;

    /// Records the refusals that were counted in minutes that have ended by `now`. A gateway calls it
    /// every two seconds. Closing the directory records all counted refusals.
    fn record_counted(&self, now: Timestamp) -> Result<()>;

    /// Removes some of the entries of the activity that `retention` does not keep, so few that nobody
    /// waits for it. Returns whether there may be more of them.
    fn prune(&self, retention: Retention, now: Timestamp) -> Result<bool>;

    /// Records acts on the settings, each once.
    fn record_outbox(&self, acts: &[OutboxEntry]) -> Result<()>;

    /// At most `limit` entries of the activity that answer `query`, newest first; only those before a
    /// number, if one is given. Where much has to be looked through there may be fewer than there
    /// are: [`ActivityPage::before`] says where to go on.
    fn activity(
        &self,
        query: &ActivityQuery,
        before: Option<u64>,
        limit: usize,
    ) -> Result<ActivityPage>;
}

/// Error for a user who is not there.
#[must_use]
pub fn unknown_user(id: &UserId) -> Error {
    Error::new(ErrorCode::UnknownUser, format!("There is no user {id}.")).about("id")
}
