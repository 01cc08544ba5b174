//! The embedded engine: stores a directory in a tree of sled. One process at a time can open a
//! directory. A change is first written as a row of the [`journal`], which is on the disk before the
//! call reports success. The numbers of users and changes have a row of their own, because sled's
//! `len()` reads all rows.
//!
//! | concern | module |
//! |---|---|
//! | a change: one thread decides, writes and syncs | [`writer`] |
//! | facts that a decision needs | [`facts`] |
//! | rows for the effects of a decision | [`effects`], [`record`], [`keys`] |
//! | rows and journal | [`journal`], [`blocks`], [`disk`] |
//! | opening, also of old directories | [`open`], [`lock`], [`state`] |
//! | rows of older formats | [`migrate`], [`single_entries`] |
//! | damaged files | [`inspect`], [`snapshot`], [`rollback`], [`watermark`], [`closed`] |
//! | searching and sorting users and links | [`catalogue`], [`load`], [`ranges`] |
//! | issued links, and those that are no longer kept | [`ledger`], [`prune_links`] |
//! | open requests for new links | [`requests`] |
//! | seals of the activity | [`seals`], [`seal_rows`] |
//! | sessions, and the activity that is no longer kept | [`sessions`], [`session_index`], [`prune`] |
//! | a full disk | [`room`] |
//! | reading and loading a whole directory | [`row_snapshot`], [`kept_rows`], [`loading`] |

mod blocks;
mod catalogue;
mod closed;
mod disk;
mod effects;
mod errors;
mod event_record;
mod facts;
#[cfg(test)]
mod full_disk;
mod inspect;
mod journal;
mod kept_rows;
mod keys;
mod ledger;
mod link_owners;
mod load;
mod loading;
mod lock;
mod migrate;
mod open;
mod prune;
mod prune_clock;
mod prune_links;
mod ranges;
mod record;
mod requests;
mod rollback;
mod room;
mod row_snapshot;
mod rows;
mod seal_rows;
#[cfg(test)]
mod sealed;
mod seals;
mod session_index;
mod sessions;
mod shared;
mod single_entries;
mod sled_log;
mod snapshot;
mod state;
mod times;
mod watermark;
mod writer;

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use blocking::unblock;
use jiff::Timestamp;
use latchkey_core::activity::{ActivityPage, ActivityQuery, AuditContext, Mark, Verification};
use latchkey_core::directory::query::{PageStart, Sort, UserPage, UserQuery};
use latchkey_core::directory::{
    Command, Counts, Directory, DueScan, Facts, Lookup, OnChange, Outcome, Redemption, SharedEmail,
    Snapshot, TimeAhead, User, askable, verdict,
};
use latchkey_core::instance::Retention;
use latchkey_core::ledger::{
    Asking, LinkCounts, LinkPage, LinkPageStart, LinkQuery, LinkSort, ListedLink, NewLinkRequest,
    ShortLink,
};
use latchkey_core::link::short_code::ShortCodeHash;
use latchkey_core::protocol::claims::Claims;
use latchkey_core::protocol::email::Email;
use latchkey_core::protocol::user_id::UserId;
use latchkey_core::session::{
    Session, SessionHandle, SessionKey, SessionPage, SessionQuery, SessionRules, unknown_session,
};
use latchkey_core::verdict::Verdict;
use latchkey_core::{Result, time};

use self::blocks::About;
use self::catalogue::{Catalogue, Users};
use self::journal::View;
use self::open::Opened;
use self::record::EntryRecord;
use self::row_snapshot::EmbeddedSnapshot;
use self::shared::Shared;
use self::state::State;
use self::writer::Writer;

pub use self::loading::Loading;

/// Format of the rows. A program cannot read rows of a newer format.
pub const ROWS_FORMAT: u32 = open::FORMAT;

/// Maximum number of entries that are read for one page of the activity, which takes some tens of
/// milliseconds.
const LOOKED_AT: usize = 20_000;

/// A directory in a folder. One process at a time can hold it.
pub struct EmbeddedDirectory {
    /// Ends before the tree is closed, because fields are dropped in order.
    writer: Writer,
    shared: Arc<Shared>,
}

impl EmbeddedDirectory {
    /// Opens the directory in `folder`, or creates one. `holder` is the name of this process for
    /// others that want the directory.
    ///
    /// Fails with [`ErrorCode::DirectoryHeld`](latchkey_core::ErrorCode::DirectoryHeld) if another
    /// process holds it, with [`ErrorCode::NewerFormat`](latchkey_core::ErrorCode::NewerFormat), or
    /// with [`DamagedFile`](latchkey_core::ErrorCode::DamagedFile) if rows are missing.
    pub fn open(folder: &Path, holder: &str) -> Result<Self> {
        Self::over(Opened::new(folder, holder)?)
    }

    fn over(opened: Opened) -> Result<Self> {
        let shared = Arc::new(Shared::new(opened));
        Ok(Self {
            writer: Writer::start(Arc::clone(&shared))?,
            shared,
        })
    }

    /// Returns whether there is a directory in `folder`.
    #[must_use]
    pub fn is_in(folder: &Path) -> bool {
        open::is_in(folder)
    }

    /// Fails with [`ErrorCode::DirectoryHeld`](latchkey_core::ErrorCode::DirectoryHeld) if a
    /// process holds the directory in `folder`.
    pub fn require_free(folder: &Path) -> Result<()> {
        lock::require_free(folder)
    }

    /// Locks the directory in `folder` without opening it, so that nobody opens it until the returned
    /// file is dropped. `None` if there is no such folder.
    ///
    /// Fails with [`ErrorCode::DirectoryHeld`](latchkey_core::ErrorCode::DirectoryHeld).
    pub fn hold_closed(folder: &Path, holder: &str) -> Result<Option<std::fs::File>> {
        let exists = folder.is_dir();
        exists.then(|| lock::hold(folder, holder)).transpose()
    }

    /// Returns the name of the process that holds the directory in `folder`. `None` if none does.
    #[must_use]
    pub fn holder(folder: &Path) -> Option<String> {
        lock::holder(folder)
    }

    /// Reads a few rows on the current thread, because they are mostly in memory.
    fn view<T>(&self, work: impl FnOnce(&View<'_>) -> Result<T>) -> Result<T> {
        let opened = &self.shared.opened;
        opened.with(|state| work(&state.journal.view()))
    }

    /// Reads many rows on a thread that may block.
    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&State) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let shared = Arc::clone(&self.shared);
        unblock(move || shared.opened.with(work)).await
    }
}

#[async_trait]
impl Directory for EmbeddedDirectory {
    async fn execute(&self, command: Command, by: &AuditContext) -> Result<Outcome> {
        self.writer.execute(command, by.clone()).await
    }

    async fn dry_run_of(&self, redemption: &Redemption, now: Timestamp) -> Result<Verdict> {
        self.view(|view| {
            let facts = facts::of_redemption(view, redemption, now.as_second())?;
            Ok(verdict(redemption, &facts, now))
        })
    }

    async fn user(&self, id: &UserId) -> Result<Option<User>> {
        self.view(|view| facts::user(view, id))
    }

    async fn user_by_email(&self, email: &Email) -> Result<Option<User>> {
        self.view(|view| user_by_email(view, email))
    }

    async fn look_up(&self, lookup: &Lookup, now: Timestamp) -> Result<Facts> {
        self.view(|view| facts::of_lookup(view, lookup, now.as_second()))
    }

    async fn shared_emails(&self) -> Result<Vec<SharedEmail>> {
        self.view(facts::shared_emails)
    }

    async fn users(
        &self,
        query: &UserQuery,
        sort: Sort,
        place: &PageStart,
        limit: usize,
    ) -> Result<UserPage> {
        let (query, place) = (query.clone(), place.clone());
        self.read(move |state| {
            let read = || load::read_users(&state.journal);
            let find = |all: &mut Catalogue<Users>| all.find(&query, sort, &place, limit);
            let page = state.users.with(read, find)?;
            let view = state.journal.view();
            let users = page
                .ids
                .iter()
                .filter_map(|id| user_of(&view, id).transpose());
            Ok(UserPage {
                users: users.collect::<Result<_>>()?,
                first_row: page.first_row,
                total: page.total,
                next: page.next,
            })
        })
        .await
    }

    async fn counts(&self, now: Timestamp) -> Result<Counts> {
        self.view(|view| {
            let counts = facts::counters(view)?.counts();
            let due = facts::due(view, now.as_second(), DueScan::Counted)?;
            Ok(counts.without(due.count))
        })
    }

    async fn session(&self, key: &SessionKey) -> Result<Option<Session>> {
        self.view(|view| facts::session(view, key))
    }

    async fn sessions_of(&self, query: &SessionQuery, now: Timestamp) -> Result<SessionPage> {
        let query = query.clone();
        self.read(move |state| {
            let Some(user) = facts::user(&state.journal.view(), &query.user)? else {
                return Ok(SessionPage::default());
            };
            let sessions = sessions::sessions_of(
                &state.journal,
                &state.sessions,
                &query.user,
                now.as_second(),
            )?;
            Ok(query.page(&user, sessions, now))
        })
        .await
    }

    async fn end_session_of(
        &self,
        user: &UserId,
        session: SessionHandle,
        by: &AuditContext,
    ) -> Result<()> {
        let (of, now) = (user.clone(), by.at.as_second());
        let sessions = self.read(
            move |State {
                      journal, sessions, ..
                  }| sessions::sessions_of(journal, sessions, &of, now),
        );
        let sessions = sessions.await?;
        let found = sessions.iter().find(|(key, _)| key.handle() == session);
        let (key, _) = found.ok_or_else(|| unknown_session(user, session))?;
        self.end_session(key, by).await
    }

    async fn ended_sessions(&self, rules: SessionRules, now: Timestamp) -> Result<Vec<SessionKey>> {
        let mut ended = Vec::new();
        self.read(move |State { journal, .. }| {
            journal.each_session(|view, key, session| {
                let goes_on = sessions::goes_on(view, &session, now.as_second())?;
                if session.is_over(rules, now) || !goes_on {
                    ended.push(key);
                }
                Ok(())
            })?;
            Ok(ended)
        })
        .await
    }

    async fn count_signed_in(&self, rules: SessionRules, now: Timestamp) -> Result<u64> {
        let mut users = HashSet::new();
        self.read(move |State { journal, .. }| {
            journal.each_session(|view, _, session| {
                let goes_on = sessions::goes_on(view, &session, now.as_second())?;
                if goes_on && !session.is_over(rules, now) {
                    users.insert(session.user);
                }
                Ok(())
            })?;
            Ok(users.len() as u64)
        })
        .await
    }

    async fn is_ended_with_link(&self, session: &Session) -> Result<bool> {
        self.view(|view| sessions::is_ended_with_link(view, session))
    }

    async fn links(
        &self,
        query: &LinkQuery,
        sort: LinkSort,
        place: &LinkPageStart,
        limit: usize,
    ) -> Result<LinkPage> {
        let (query, place) = (query.clone(), place.clone());
        self.read(move |State { journal, links, .. }| {
            let read = || load::read_links(journal);
            let page = links.with(read, |all| {
                let view = journal.view();
                let owners = query
                    .user
                    .as_ref()
                    .map(|user| link_owners::names_of(&view, user));
                let instance = ledger::instance_cutoffs(&view)?;
                drop(view);
                all.find_links(&query, owners.transpose()?, &instance, sort, &place, limit)
            })?;
            let view = journal.view();
            let listed = page.ids.iter().filter_map(|id| {
                let listed = ledger::listed(&view, id, query.now);
                listed.transpose()
            });
            Ok(LinkPage {
                links: listed.collect::<Result<_>>()?,
                first_row: page.first_row,
                total: page.total,
                next: page.next,
            })
        })
        .await
    }

    async fn link_counts(&self, now: Timestamp) -> Result<LinkCounts> {
        self.read(move |State { journal, links, .. }| {
            let read = || load::read_links(journal);
            links.with(read, |all| {
                let instance = ledger::instance_cutoffs(&journal.view())?;
                Ok(all.judge(&instance, now.as_second()))
            })
        })
        .await
    }

    async fn link(&self, id: &str, now: Timestamp) -> Result<Option<(ListedLink, Option<Claims>)>> {
        self.view(|view| {
            let Some(listed) = ledger::listed(view, id, now.as_second())? else {
                return Ok(None);
            };
            let claims = ledger::claims(view, &listed.link)?;
            Ok(Some((listed, claims)))
        })
    }

    async fn short_link(&self, code: &ShortCodeHash) -> Result<Option<ShortLink>> {
        self.view(|view| ledger::short_link(view, code))
    }

    async fn link_requests(&self, now: Timestamp) -> Result<Vec<NewLinkRequest>> {
        self.read(move |State { journal, .. }| {
            facts::open_requests(&journal.view(), now.as_second())
        })
        .await
    }

    async fn can_ask(&self, asking: &Asking, now: Timestamp) -> Result<bool> {
        self.view(|view| {
            let facts = facts::of_asking(view, asking, now.as_second())?;
            Ok(askable(asking, &facts, now).is_some())
        })
    }

    async fn times_ahead(&self, now: Timestamp) -> Result<Vec<TimeAhead>> {
        let now = now.as_second();
        let latest: Option<i64> = self.view(|view| view.read(keys::LATEST_TIME))?;
        if latest.is_none_or(|latest| !time::is_ahead(latest, now)) {
            return Ok(Vec::new());
        }
        self.writer.checkpoint().await?;
        self.read(move |State { journal, .. }| times::times_ahead(journal.tree(), now))
            .await
    }

    async fn cutoff_ahead(&self, now: Timestamp) -> Result<Option<i64>> {
        let cutoffs = self.view(ledger::instance_cutoffs)?;
        Ok(cutoffs.ahead(now.as_second()))
    }

    async fn record_counted(&self, now: Timestamp) -> Result<()> {
        self.writer.record_counted(Some(now.as_second())).await
    }

    async fn prune(&self, retention: Retention, now: Timestamp) -> Result<bool> {
        self.writer.prune(retention, now).await
    }

    async fn snapshot(&self) -> Result<Box<dyn Snapshot>> {
        let begun = self.writer.begin_snapshot().await?;
        Ok(Box::new(EmbeddedSnapshot::new(&self.shared, begun)))
    }

    fn on_change(&self, call: OnChange) {
        self.shared.on_change(call);
    }

    async fn activity(
        &self,
        query: &ActivityQuery,
        before: Option<u64>,
        limit: usize,
    ) -> Result<ActivityPage> {
        let (query, before) = (query.clone(), before.unwrap_or(u64::MAX));
        self.read(move |State { journal, .. }| {
            let Some(subject) = &query.subject else {
                let Some(link) = &query.link else {
                    return page(journal.entries(before), &query, limit);
                };
                let of_link = About::Link(link.clone());
                return page(journal.entries_about(of_link, before), &query, limit);
            };
            let mut names = vec![subject.clone()];
            // Entries that name a user by address are found, too.
            if let Ok(email) = Email::parse(subject, "subject") {
                let user = user_by_email(&journal.view(), &email)?;
                names.extend(user.map(|user| user.id.as_str().to_owned()));
                names.dedup();
            }
            let about = About::Users(names);
            page(journal.entries_about(about, before), &query, limit)
        })
        .await
    }

    async fn verify_activity(&self, expected: Option<Mark>) -> Result<Verification> {
        let part = self.writer.sealed_part().await?;
        self.read(move |State { journal, .. }| journal.verify(&part, expected))
            .await
    }
}

fn user_of(view: &View<'_>, id: &str) -> Result<Option<User>> {
    facts::user(view, &UserId::parse(id, "id")?)
}

fn user_by_email(view: &View<'_>, email: &Email) -> Result<Option<User>> {
    match facts::owner(view, email)? {
        Some(owner) => facts::user(view, &owner),
        None => Ok(None),
    }
}

/// Returns a page of the entries that match `query`.
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
