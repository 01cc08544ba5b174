//! The embedded engine: one tree of sled's. A change is in one row of its [`journal`], flushed before
//! it is acknowledged, so that what is acknowledged is on disk; counters are a row, because `len()`
//! walks all rows.

mod blocks;
mod catalogue;
mod change;
mod changes;
mod closed;
mod damage;
mod disk;
mod elapsed;
mod emails;
mod flush;
#[cfg(test)]
mod full_disk;
mod journal;
mod keys;
mod load;
mod migrate;
mod open;
mod order;
mod prune;
mod record;
mod room;
mod sessions;
mod single_entries;
mod state;

use std::cmp::Reverse;
use std::collections::HashSet;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use jiff::Timestamp;

use self::change::{Change, Rows};
use self::changes::Changes;
use self::open::Opened;
use self::record::{EntryRecord, UserRecord};
use self::sessions::PRUNED_AT_ONCE;
use self::state::State;
use latchkey_core::activity::{
    ActivityPage, ActivityQuery, AuditContext, Event, Kind, OutboxEntry, Refusals,
};
use latchkey_core::directory::query::{PageStart, Sort, UserPage, UserQuery};
use latchkey_core::directory::{
    Directory, JudgedCode, MAX_IMPORT, MAX_TIMES, Origin, Profile, Redemption, SharedEmail,
    TimeAhead, User,
};
use latchkey_core::instance::{Policy, Retention};
use latchkey_core::protocol::claims::Claims;
use latchkey_core::protocol::email::Email;
use latchkey_core::protocol::payload::NewUser;
use latchkey_core::protocol::user_id::UserId;
use latchkey_core::session::{Session, SessionKey, SessionRules};
use latchkey_core::verdict::{Seats, Verdict};
use latchkey_core::{Error, ErrorCode, Result, time};

/// So many entries of the activity are looked at for one page: some tens of milliseconds.
const LOOKED_AT: usize = 20_000;

/// A directory in a folder of its own, which one process holds at a time.
pub struct SledDirectory {
    opened: Opened,
    /// Refusals that are counted instead of recorded.
    refusals: Mutex<Refusals>,
    /// Number of refusals in the activity, once they have been counted.
    kept_refusals: Mutex<Option<u64>>,
    /// Callback for changes.
    on_change: OnceLock<Box<dyn Fn(Changed) + Send + Sync>>,
}

/// The parts of a directory that a change has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Changed {
    /// The activity has new entries.
    pub activity: bool,
    /// Users were added, changed or removed, or have signed in.
    pub users: bool,
}

impl SledDirectory {
    /// Opens the directory in `folder`, or begins one; `holder` names this process to others that
    /// want it.
    ///
    /// Fails with [`ErrorCode::DirectoryHeld`] where another process holds it, with
    /// [`ErrorCode::NewerFormat`], and with [`ErrorCode::DamagedFile`] where rows are missing.
    pub fn open(folder: &Path, holder: &str) -> Result<Self> {
        Ok(Self {
            opened: Opened::new(folder, holder)?,
            refusals: Mutex::default(),
            kept_refusals: Mutex::default(),
            on_change: OnceLock::new(),
        })
    }

    /// Whether there is a directory in `folder`.
    #[must_use]
    pub fn is_in(folder: &Path) -> bool {
        open::log_of(folder).exists()
    }

    /// Calls `call` whenever the activity or users were changed and that is on disk. It must return at
    /// once, because the change waits for it. A second `call` is ignored.
    pub fn on_change(&self, call: impl Fn(Changed) + Send + Sync + 'static) {
        let _ = self.on_change.set(Box::new(call));
    }

    /// Refuses with [`ErrorCode::DirectoryHeld`] where a process holds the directory in `folder`, if
    /// there is one.
    pub fn require_free(folder: &Path) -> Result<()> {
        open::require_free(folder)
    }

    /// Returns how the process names itself that holds the directory in `folder`; nothing where none
    /// does.
    #[must_use]
    pub fn holder(folder: &Path) -> Option<String> {
        open::holder(folder)
    }

    /// Whether a user of the directory in `folder` was removed or edited so short a time ago that `iat`
    /// does not prove a link made now to be newer. It is known also where a process holds the directory.
    #[must_use]
    pub fn needs_order(folder: &Path, now: Timestamp) -> bool {
        open::needs_order(folder, now)
    }

    /// Makes a change that is on disk when this returns. It is recorded as done by `by`.
    fn change<T>(
        &self,
        by: &AuditContext,
        work: impl FnOnce(&mut Change<'_>) -> Result<T>,
    ) -> Result<T> {
        self.change_as(|event| Some(EntryRecord::new(event, by)), work)
    }

    /// Makes a change that has no entry in the activity. It is on disk when this returns.
    fn change_unrecorded<T>(&self, work: impl FnOnce(&mut Change<'_>) -> Result<T>) -> Result<T> {
        self.change_as(|_| None, work)
    }

    fn change_as<T>(
        &self,
        recorded: impl FnOnce(Event) -> Option<EntryRecord>,
        work: impl FnOnce(&mut Change<'_>) -> Result<T>,
    ) -> Result<T> {
        self.changes(|changes| changes.make(recorded, work))
            .flatten()
    }

    /// Makes changes that are on disk when this returns.
    fn changes<T>(&self, work: impl FnOnce(&mut Changes<'_>) -> T) -> Result<T> {
        self.opened.with(|state| {
            let under_way = state.journal.begin();
            let turn = state.journal.turn();
            let mut changes = Changes::new(state.journal.view())?;
            let done = work(&mut changes);
            let totals = changes.counters().totals();
            let (mut journaled, mut updates, mut first) = (Vec::new(), Vec::new(), None);
            for made in changes.made() {
                journaled.push(made.journaled);
                updates.extend(made.updates);
                first.get_or_insert(made.number);
            }
            let Some(first) = first else {
                return Ok(done);
            };
            self.opened.room().require()?;
            self.note_refusals(&journaled);
            let effect = Changed {
                activity: journaled.iter().any(|change| change.entry.is_some()),
                users: !updates.is_empty(),
            };
            let broken = |_: &Error| self.opened.mark_broken();
            turn.write(first, journaled).inspect_err(broken)?;
            drop(turn);
            drop(under_way);
            let flushed = state.journal.flush();
            // The changes are written, on disk or not, and the catalogue waits for every change.
            state.catalogue.tell(first, updates, totals);
            flushed.inspect_err(broken)?;
            self.opened.note(totals.changes);
            if let Some(call) = self.on_change.get()
                && (effect.activity || effect.users)
            {
                call(effect);
            }
            Ok(done)
        })
    }

    /// Makes a change, and counts it instead of recording it where it is a refusal that repeats.
    fn counting<T>(
        &self,
        changes: &mut Changes<'_>,
        by: &AuditContext,
        work: impl FnOnce(&mut Change<'_>) -> Result<T>,
    ) -> Result<T> {
        changes.make(
            |event| Some(EntryRecord::new(event, by)),
            |change| {
                let done = work(change)?;
                change.record_if(|event| {
                    let may_record = event.kind != Kind::Refusal || self.opened.room().is_ample();
                    self.refusals().admit(event, by, may_record)
                });
                Ok(done)
            },
        )
    }

    fn refusals(&self) -> MutexGuard<'_, Refusals> {
        self.refusals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records what was counted in periods that have ended; in all of them, if `now` is `None`.
    fn record_counted_until(&self, now: Option<i64>) -> Result<()> {
        let counted = self.refusals().take_ended(now);
        if counted.is_empty() {
            return Ok(());
        }
        let recorded = self.changes(|changes| {
            counted.iter().try_for_each(|counted| {
                changes.make(
                    |_| Some(EntryRecord::counted(counted)),
                    |change| {
                        change.record(counted.event());
                        Ok(())
                    },
                )
            })
        });
        let recorded = recorded.flatten();
        if recorded.is_err() {
            self.refusals().put_back(counted);
        }
        recorded
    }

    /// Reads the current rows.
    fn rows<T>(&self, work: impl FnOnce(&Rows<'_>) -> Result<T>) -> Result<T> {
        self.opened
            .with(|state| work(&Rows::new(state.journal.view())))
    }

    fn each_session(
        &self,
        look: impl FnMut(&Rows<'_>, SessionKey, Session) -> Result<()>,
    ) -> Result<()> {
        self.opened
            .with(|State { journal, .. }| journal.each_session(look))
    }

    /// Adds the refusals among changes to those that are known to be kept.
    fn note_refusals(&self, changes: &[journal::Change]) {
        let entries = changes.iter().filter_map(|change| change.entry.as_ref());
        let refusals = entries.filter(|entry| entry.is_refusal());
        if let Some(kept) = &mut *self.kept_refusals() {
            *kept += refusals.count() as u64;
        }
    }

    fn kept_refusals(&self) -> MutexGuard<'_, Option<u64>> {
        let kept = self.kept_refusals.lock();
        kept.unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the user of an id.
fn user_in(state: &State, id: &str) -> Result<Option<User>> {
    let user: Option<UserRecord> = state.journal.view().read(&keys::user(id))?;
    user.map(|user| user.into_user(&UserId::parse(id, "id")?))
        .transpose()
}

impl Drop for SledDirectory {
    fn drop(&mut self) {
        if let Err(cause) = self.record_counted_until(None) {
            tracing::warn!(error = ?cause, "refusals that were counted are not recorded");
        }
    }
}

impl Directory for SledDirectory {
    fn dry_run(&self, code: JudgedCode<'_>, policy: Policy) -> Result<Verdict> {
        self.rows(|rows| rows.judge(code, policy))
    }

    fn dry_run_of(&self, redemption: &Redemption<'_>) -> Result<Verdict> {
        self.rows(|rows| rows.judge_redemption(redemption))
    }

    fn redeem(&self, code: JudgedCode<'_>, policy: Policy, by: &AuditContext) -> Result<Verdict> {
        let redemption = Redemption {
            code,
            policy,
            by,
            session: None,
        };
        self.changes(|changes| self.counting(changes, by, |change| change.redeem(&redemption)))
            .flatten()
    }

    fn redeem_all(&self, codes: &[Redemption<'_>]) -> Result<Vec<Result<Verdict>>> {
        self.changes(|changes| {
            let verdicts = codes.iter().map(|redemption| {
                self.counting(changes, redemption.by, |change| change.redeem(redemption))
            });
            verdicts.collect()
        })
    }

    fn user(&self, id: &UserId) -> Result<Option<User>> {
        self.opened.with(|state| user_in(state, id.as_str()))
    }

    fn user_by_email(&self, email: &Email) -> Result<Option<User>> {
        self.rows(|rows| rows.user_by_email(email))
    }

    fn shared_emails(&self) -> Result<Vec<SharedEmail>> {
        self.opened
            .with(|state| Rows::new(state.journal.view()).shared_emails())
    }

    fn users(
        &self,
        query: &UserQuery,
        sort: Sort,
        place: &PageStart,
        limit: usize,
    ) -> Result<UserPage> {
        self.opened.with(|state| {
            let read = || load::read_catalogue(&state.journal);
            let page = state.catalogue.find(read, query, sort, place, limit)?;
            let users = page.ids.iter();
            let users = users.filter_map(|id| user_in(state, id).transpose());
            Ok(UserPage {
                users: users.collect::<Result<_>>()?,
                first_row: page.first_row,
                total: page.total,
                next: page.next,
            })
        })
    }

    fn add(&self, user: &NewUser, by: &AuditContext) -> Result<User> {
        self.change(by, |change| {
            let record = change.add(user, Origin::Added, by.at)?;
            change.record(Event::act("added", "Added").of(&user.id));
            record.into_user(&user.id)
        })
    }

    fn import(&self, users: &[NewUser], by: &AuditContext) -> Result<()> {
        if users.len() > MAX_IMPORT {
            let message = format!("At most {MAX_IMPORT} users are imported at once.");
            return Err(Error::new(ErrorCode::TooMany, message));
        }
        if users.is_empty() {
            return Ok(());
        }
        self.change(by, |change| {
            for user in users {
                change.add(user, Origin::Import, by.at)?;
            }
            let title = format!("Imported: {}", counted(users.len()));
            change.record(Event::act("imported", title));
            Ok(())
        })
    }

    fn edit(&self, id: &UserId, profile: &Profile, by: &AuditContext) -> Result<User> {
        let edited = self.change(by, |change| change.edit(id, profile, by.at))?;
        self.opened.note_order(by.at.as_second());
        Ok(edited)
    }

    fn session(&self, key: &SessionKey) -> Result<Option<Session>> {
        self.rows(|rows| rows.session(key))
    }

    fn sessions_of(&self, user: &UserId) -> Result<Vec<(SessionKey, Session)>> {
        let mut sessions = Vec::new();
        self.each_session(|rows, key, session| {
            if session.user == *user && rows.may_go_on(&session)? {
                sessions.push((key, session));
            }
            Ok(())
        })?;
        sessions.sort_by_key(|(key, session)| (Reverse(session.created_at), *key));
        Ok(sessions)
    }

    fn count_signed_in(&self, rules: SessionRules, now: Timestamp) -> Result<u64> {
        let mut users = HashSet::new();
        self.each_session(|rows, _, session| {
            if !rows.is_dead(&session, rules, now)? {
                users.insert(session.user);
            }
            Ok(())
        })?;
        Ok(users.len() as u64)
    }

    fn end_session(&self, key: &SessionKey, by: &AuditContext) -> Result<()> {
        self.change(by, |change| change.end_session(key))
    }

    fn note_sessions_seen(&self, seen: &[(SessionKey, i64)]) -> Result<()> {
        self.change_unrecorded(|change| change.note_sessions_seen(seen))
    }

    fn prune_sessions(&self, rules: SessionRules, now: Timestamp) -> Result<u64> {
        let mut dead = Vec::new();
        self.each_session(|rows, key, session| {
            if rows.is_dead(&session, rules, now)? {
                dead.push(key);
            }
            Ok(())
        })?;
        let mut pruned = 0;
        for some in dead.chunks(PRUNED_AT_ONCE) {
            pruned += self.change_unrecorded(|change| change.prune_sessions(some, rules, now))?;
        }
        Ok(pruned)
    }

    fn suspend(&self, id: &UserId, by: &AuditContext) -> Result<User> {
        self.change(by, |change| change.suspend(id))
    }

    fn reactivate(&self, id: &UserId, by: &AuditContext) -> Result<User> {
        self.change(by, |change| change.reactivate(id))
    }

    fn sign_out(&self, id: &UserId, by: &AuditContext) -> Result<User> {
        self.change(by, |change| change.sign_out(id))
    }

    fn remove(&self, id: &UserId, by: &AuditContext) -> Result<()> {
        let removed_at = self.change(by, |change| change.remove(id, by.at))?;
        self.opened.note_order(removed_at);
        Ok(())
    }

    fn link_made(&self, claims: &Claims, by: &AuditContext) -> Result<()> {
        self.change(by, |change| change.link_made(claims))
    }

    fn link_shown(&self, claims: &Claims, by: &AuditContext) -> Result<()> {
        self.change(by, |change| {
            if change.note_link(claims)? {
                change.leave_unrecorded();
            }
            Ok(())
        })
    }

    fn times_ahead(&self, now: Timestamp) -> Result<Vec<TimeAhead>> {
        let now = now.as_second();
        let latest: Option<i64> = self.rows(|rows| rows.read(keys::LATEST_TIME))?;
        if latest.is_none_or(|latest| !time::is_ahead(latest, now)) {
            return Ok(Vec::new());
        }
        self.opened
            .with(|State { journal, .. }| order::times_ahead(journal.checkpointed()?, now))
    }

    fn correct_times(&self, by: &AuditContext) -> Result<u64> {
        let mut corrected = 0;
        loop {
            let found = self.times_ahead(by.at)?;
            let more = self.change(by, |change| change.correct_times(&found, by))?;
            corrected += more;
            if more == 0 || found.len() < MAX_TIMES {
                return Ok(corrected);
            }
        }
    }

    fn revoke_link(&self, link: &str, by: &AuditContext) -> Result<()> {
        self.change(by, |change| change.revoke_link(link))
    }

    fn seats(&self) -> Result<Seats> {
        self.rows(|rows| Ok(rows.counters()?.seats()))
    }

    fn set_seat_limit(&self, limit: Option<u64>, by: &AuditContext) -> Result<Seats> {
        self.change(by, |change| {
            if change.counters.seat_limit != limit {
                let words = |limit: Option<u64>| limit.map_or("none".to_owned(), |n| n.to_string());
                let (was, is) = (words(change.counters.seat_limit), words(limit));
                change.counters.seat_limit = limit;
                let event = Event::act("seat_limit_set", format!("Seat limit: {is}"));
                change.record(event.with(format!("seat limit: {was} → {is}")));
            }
            Ok(change.counters.seats())
        })
    }

    fn count(&self) -> Result<u64> {
        self.rows(|rows| Ok(rows.counters()?.users))
    }

    fn record(&self, event: Event, by: &AuditContext) -> Result<()> {
        self.changes(|changes| {
            self.counting(changes, by, |change| {
                change.record(event);
                Ok(())
            })
        })
        .flatten()
    }

    fn record_counted(&self, now: Timestamp) -> Result<()> {
        self.opened.with(|state| {
            state.journal.wake_stuck_flush();
            Ok(())
        })?;
        if self.opened.room().is_ample() {
            self.record_counted_until(Some(now.as_second()))
        } else {
            Ok(())
        }
    }

    fn prune(&self, retention: Retention, now: Timestamp) -> Result<bool> {
        self.opened.with(|State { journal, .. }| {
            let known = *self.kept_refusals();
            let kept = known.map_or_else(|| journal.count_refusals(), Ok)?;
            let pruned = journal.prune(retention, kept, now)?;
            // The first count may miss refusals that are recorded at the same time.
            let mut known = self.kept_refusals();
            let kept = known.unwrap_or(kept);
            *known = Some(kept.saturating_sub(pruned.refusals));
            Ok(pruned.entries > 0)
        })
    }

    fn record_outbox(&self, acts: &[OutboxEntry]) -> Result<()> {
        for act in acts {
            self.change_as(
                |_| Some(EntryRecord::of_act(act)),
                |change| change.take_act(act),
            )?;
        }
        Ok(())
    }

    fn activity(
        &self,
        query: &ActivityQuery,
        before: Option<u64>,
        limit: usize,
    ) -> Result<ActivityPage> {
        let before = before.unwrap_or(u64::MAX);
        self.opened.with(|State { journal, .. }| {
            let Some(subject) = &query.subject else {
                return page(journal.entries(before), query, limit);
            };
            let mut names = vec![subject.clone()];
            // A user is found by the e-mail address, too.
            if let Ok(email) = Email::parse(subject, "subject") {
                let user = Rows::new(journal.view()).user_by_email(&email)?;
                names.extend(user.map(|user| user.id.as_str().to_owned()));
                names.dedup();
            }
            page(journal.entries_about(&names, before), query, limit)
        })
    }
}

/// A page of those entries that answer `query`.
fn page(
    entries: impl Iterator<Item = Result<(u64, EntryRecord)>>,
    query: &ActivityQuery,
    limit: usize,
) -> Result<ActivityPage> {
    let mut page = ActivityPage::default();
    for (looked_at, entry) in entries.enumerate() {
        let (number, entry) = entry?;
        if page.entries.len() >= limit || looked_at >= LOOKED_AT {
            page.before = Some(number + 1);
            break;
        }
        let entry = entry.into_entry(number);
        if query.matches(&entry) {
            page.entries.push(entry);
        }
    }
    Ok(page)
}

fn counted(users: usize) -> String {
    format!("{users} user{}", if users == 1 { "" } else { "s" })
}

fn damaged() -> Error {
    Error::new(
        ErrorCode::DamagedFile,
        "A row of the directory cannot be read. Restore it from a backup.",
    )
}

fn storage(cause: sled::Error) -> Error {
    Error::new(
        ErrorCode::Storage,
        format!("The directory could not be read or written: {cause}."),
    )
    .because(cause)
}
