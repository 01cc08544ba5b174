//! The writer: the one thread that changes a directory. It takes a batch of queued commands,
//! decides and stages them one after the other, writes them as one row of the journal, syncs the
//! disk once, and answers all of them.

use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use jiff::Timestamp;
use latchkey_core::activity::{AuditContext, Counted, Kind, Refusals};
use latchkey_core::directory::{Changed, Command, Decision, Outcome, decide};
use latchkey_core::instance::Retention;
use latchkey_core::ledger::NewLinkRequest;
use latchkey_core::{Error, Result};
use tokio::sync::{mpsc, oneshot};

use super::catalogue::Totals;
use super::effects::{Updates, Written, rows_of};
use super::facts;
use super::journal::{Change, Journal};
use super::prune_links::LinkPass;
use super::record::EntryRecord;
use super::row_snapshot::Begun;
use super::seals::SealedPart;
use super::shared::Shared;
use super::state::State;
use crate::files;
use crate::wait::Wait as _;

/// Maximum number of queued commands. Further callers wait for space in the queue.
const QUEUE: usize = 1024;
/// Maximum number of commands that one sync of the disk makes durable. It limits the waiting time
/// of later commands.
const BATCH: usize = 64;

/// Channel for the answer to a request.
type Answer<T> = oneshot::Sender<Result<T>>;

/// A request to the writer.
enum Request {
    Execute(Box<(Command, AuditContext)>, Answer<Outcome>),
    /// Records the refusals that were counted in periods that ended by a time. `None` records all
    /// of them.
    RecordCounted(Option<i64>, Answer<()>),
    /// Removes entries of the activity, links and requests. Returns whether there may be more to remove.
    Prune(Retention, Timestamp, Answer<bool>),
    /// Writes everything that is pending into the rows.
    Checkpoint(Answer<()>),
    /// Begins a snapshot.
    Snapshot(Answer<Begun>),
    /// Begins a verification of the activity.
    Sealed(Answer<SealedPart>),
    #[cfg(test)]
    Panic(Answer<()>),
}

/// The writer of a directory. Dropping it ends the thread after the queued requests.
pub(super) struct Writer {
    queue: Option<mpsc::Sender<Request>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread.
    pub(super) fn start(shared: Arc<Shared>) -> Result<Self> {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let folder = shared.opened.folder().to_owned();
        let work = Work {
            shared,
            refusals: Refusals::default(),
            kept_refusals: None,
            link_pass: LinkPass::default(),
            removal_is_pending: false,
            checkpoint_failed: false,
        };
        let thread = thread::Builder::new()
            .name("directory".to_owned())
            .spawn(move || work.run(waiting))
            .map_err(|cause| files::storage("opened", &folder, cause))?;
        Ok(Self {
            queue: Some(queue),
            thread: Some(thread),
        })
    }

    /// Makes a change, which is on the disk when this returns.
    pub(super) async fn execute(&self, command: Command, by: AuditContext) -> Result<Outcome> {
        let asked = Box::new((command, by));
        self.ask(|answer| Request::Execute(asked, answer)).await
    }

    pub(super) async fn record_counted(&self, now: Option<i64>) -> Result<()> {
        self.ask(|answer| Request::RecordCounted(now, answer)).await
    }

    pub(super) async fn prune(&self, retention: Retention, now: Timestamp) -> Result<bool> {
        self.ask(|answer| Request::Prune(retention, now, answer))
            .await
    }

    pub(super) async fn checkpoint(&self) -> Result<()> {
        self.ask(Request::Checkpoint).await
    }

    pub(super) async fn begin_snapshot(&self) -> Result<Begun> {
        self.ask(Request::Snapshot).await
    }

    pub(super) async fn sealed_part(&self) -> Result<SealedPart> {
        self.ask(Request::Sealed).await
    }

    async fn ask<T>(&self, request: impl FnOnce(Answer<T>) -> Request) -> Result<T> {
        let (answer, answered) = oneshot::channel();
        let queue = self.queue.as_ref().ok_or_else(went_wrong)?;
        queue
            .send(request(answer))
            .await
            .map_err(|_| went_wrong())?;
        answered.await.unwrap_or_else(|_| Err(went_wrong()))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if let Err(cause) = self.record_counted(None).wait() {
            tracing::warn!(error = ?cause, "refusals that were counted are not recorded");
        }
        self.queue = None;
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the writer of the directory panicked");
        }
    }
}

/// Returns the error for a request that panicked.
fn went_wrong() -> Error {
    Error::internal("the writer of the directory did not answer")
}

/// State of the writer thread.
struct Work {
    shared: Arc<Shared>,
    /// Refusals that are counted and not recorded.
    refusals: Refusals,
    /// Number of refusals in the activity, after they were counted once.
    kept_refusals: Option<u64>,
    /// Progress of the removal of links.
    link_pass: LinkPass,
    /// Whether entries, links or requests were removed and their removal is not known to be on the disk.
    removal_is_pending: bool,
    /// Whether the last checkpoint could not be made, which is logged once.
    checkpoint_failed: bool,
}

impl Work {
    fn run(mut self, mut waiting: mpsc::Receiver<Request>) {
        while let Some(first) = waiting.blocking_recv() {
            let mut requests = vec![first];
            while requests.len() < BATCH
                && let Ok(next) = waiting.try_recv()
            {
                requests.push(next);
            }
            // A panic drops the requests, which is an error for their callers.
            let done = panic::catch_unwind(AssertUnwindSafe(|| self.serve(requests)));
            if done.is_err() {
                tracing::error!("a change of the directory panicked");
                self.shared.opened.mark_broken();
            }
        }
    }

    /// Serves requests in their order. Consecutive commands are made durable together.
    fn serve(&mut self, requests: Vec<Request>) {
        let mut batch = Vec::new();
        for request in requests {
            match request {
                Request::Execute(asked, answer) => {
                    batch.push((Item::Command(asked), answer));
                }
                other => {
                    self.make(std::mem::take(&mut batch));
                    self.serve_alone(other);
                }
            }
        }
        self.make(batch);
    }

    fn serve_alone(&mut self, request: Request) {
        match request {
            Request::Execute(..) => {}
            Request::RecordCounted(now, answer) => {
                let _ = answer.send(self.record_counted(now));
            }
            Request::Prune(retention, now, answer) => {
                let _ = answer.send(self.prune(retention, now));
            }
            Request::Checkpoint(answer) => {
                let opened = &self.shared.opened;
                let _ = answer.send(opened.with(|State { journal, .. }| journal.checkpoint()));
            }
            Request::Snapshot(answer) => {
                let opened = &self.shared.opened;
                let order = opened.order();
                let _ = answer.send(opened.with(|State { journal, .. }| journal.begin(order)));
            }
            Request::Sealed(answer) => {
                let opened = &self.shared.opened;
                let _ = answer.send(opened.with(|State { journal, .. }| journal.sealed_part()));
            }
            #[cfg(test)]
            Request::Panic(_answer) => panic!("as sled does"),
        }
    }

    /// Makes changes. Answers when they are on the disk.
    fn make(&mut self, items: Vec<(Item, Answer<Outcome>)>) {
        if items.is_empty() {
            return;
        }
        let (items, answers): (Vec<Item>, Vec<_>) = items.into_iter().unzip();
        let outcomes = self.outcomes(items);
        for (answer, outcome) in answers.into_iter().zip(outcomes) {
            // An error is ignored, because the caller may be gone.
            let _ = answer.send(outcome);
        }
        let checkpoint = self.shared.opened.with(|State { journal, .. }| {
            journal.checkpoint_if_much();
            Ok(())
        });
        // On a full disk each change would log it.
        if let Err(cause) = &checkpoint
            && !self.checkpoint_failed
        {
            tracing::warn!(error = ?cause, "no checkpoint was made");
        }
        self.checkpoint_failed = checkpoint.is_err();
    }

    /// Returns the outcomes of changes when they are on the disk.
    fn outcomes(&mut self, items: Vec<Item>) -> Vec<Result<Outcome>> {
        let count = items.len();
        let shared = Arc::clone(&self.shared);
        let made = shared.opened.with(|state| {
            let mut batch = Batch::default();
            for item in items {
                self.stage(&state.journal, item, &mut batch);
            }
            self.commit(state, &mut batch);
            Ok(batch.outcomes)
        });
        made.unwrap_or_else(|cause| vec![Err(cause); count])
    }

    /// Decides a change and makes it visible.
    fn stage(&mut self, journal: &Journal, item: Item, batch: &mut Batch) {
        let outcome = self.decided(journal, item).map(|(outcome, staged)| {
            if let Some(staged) = staged {
                journal.stage(staged.number, &staged.changes);
                batch.note(staged);
                batch.written.push(batch.outcomes.len());
            }
            outcome
        });
        batch.outcomes.push(outcome);
    }

    /// Decides a change. Returns `None` if it writes nothing.
    fn decided(&mut self, journal: &Journal, item: Item) -> Result<(Outcome, Option<Staged>)> {
        let view = journal.view();
        let (outcome, effects, entries, number) = match item {
            Item::Counted(counted) => {
                let number = facts::counters(&view)?.changes + 1;
                let entry = EntryRecord::counted(&counted);
                (Outcome::Done, Vec::new(), vec![entry], number)
            }
            Item::Command(asked) => {
                let (command, by) = *asked;
                let facts = facts::of_command(&view, &command, by.at.as_second())?;
                let number = facts.change;
                let Decision {
                    outcome,
                    effects,
                    entries,
                } = decide(&command, facts, &by)?;
                let entries = entries.into_iter().filter(|entry| {
                    let may_record = entry.event.data.kind() != Kind::Refusal
                        || self.shared.opened.room().is_ample();
                    let may_repeat = matches!(command, Command::Redeem(_) | Command::Record(_));
                    !may_repeat || self.refusals.admit(&entry.event, &by, may_record)
                });
                let entries = entries.map(|entry| {
                    let context = entry.context(&by).into_owned();
                    let user = entry.user.map(|user| user.as_str().to_owned());
                    EntryRecord::new(entry.event, &context).of(user)
                });
                let entries = entries.collect();
                (outcome, effects, entries, number)
            }
        };
        if effects.is_empty() && entries.is_empty() {
            return Ok((outcome, None));
        }
        self.shared.opened.room().require()?;
        let last = number + (entries.len() as u64).saturating_sub(1);
        let written = rows_of(&view, last, effects)?;
        let Written {
            rows: writes,
            updates,
            totals,
            order,
        } = written;
        let staged = Staged {
            number,
            changes: Change::all(writes, entries),
            updates,
            totals,
            order,
        };
        Ok((outcome, Some(staged)))
    }

    /// Makes staged changes durable. If that fails, all of them fail.
    fn commit(&mut self, state: &State, batch: &mut Batch) {
        let Some(totals) = batch.totals else {
            return;
        };
        let opened = &self.shared.opened;
        let committed = batch.seal(&state.journal);
        let committed = committed.and_then(|()| state.journal.commit(batch.first, &batch.changes));
        if let Err(cause) = committed {
            opened.mark_broken();
            for written in &batch.written {
                if let Some(outcome) = batch.outcomes.get_mut(*written) {
                    *outcome = Err(cause.clone());
                }
            }
            return;
        }
        opened.note(totals.changes, state.journal.synced());
        if let Some(at) = batch.order {
            opened.note_order(at);
        }
        let entries = batch
            .changes
            .iter()
            .filter_map(|change| change.entry.as_ref());
        let is_limit_set = entries.clone().any(EntryRecord::sets_seat_limit);
        let refusals = entries.filter(|entry| entry.is_refusal()).count() as u64;
        if let Some(kept) = &mut self.kept_refusals {
            *kept += refusals;
        }
        let effect = Changed {
            activity: batch.changes.iter().any(|change| change.entry.is_some()),
            users: is_limit_set || !batch.updates.users.is_empty(),
        };
        let Updates {
            users,
            links,
            sessions,
        } = std::mem::take(&mut batch.updates);
        state.users.enqueue(users, totals);
        state.links.enqueue(links, totals);
        state.sessions.apply(&sessions);
        self.shared.tell(effect);
    }

    fn record_counted(&mut self, now: Option<i64>) -> Result<()> {
        if now.is_some() && !self.shared.opened.room().is_ample() {
            return Ok(());
        }
        let counted = self.refusals.take_ended(now);
        let mut failed = None;
        for some in counted.chunks(BATCH) {
            let items = some
                .iter()
                .map(|counted| Item::Counted(Box::new(counted.clone())))
                .collect();
            for (counted, outcome) in some.iter().zip(self.outcomes(items)) {
                if let Err(cause) = outcome {
                    self.refusals.put_back(vec![counted.clone()]);
                    failed = Some(cause);
                }
            }
        }
        failed.map_or(Ok(()), Err)
    }

    fn prune(&mut self, retention: Retention, now: Timestamp) -> Result<bool> {
        let shared = Arc::clone(&self.shared);
        shared.opened.with(|State { journal, links, .. }| {
            let known = self.kept_refusals;
            let kept = known.map_or_else(|| journal.count_refusals(), Ok)?;
            let prune = || journal.prune(retention, kept, now);
            let pruned = journal
                .while_unverified(prune)
                .transpose()?
                .unwrap_or_default();
            self.kept_refusals = Some(kept.saturating_sub(pruned.refusals));
            let mut goes_on = pruned.entries > 0;
            self.removal_is_pending |= goes_on;
            let mut failed = None;
            if !goes_on {
                let pass = &mut self.link_pass;
                match pass.prune(journal, retention.links, now.as_second()) {
                    Ok(Some(slice)) => {
                        goes_on = slice.goes_on();
                        self.removal_is_pending |= !slice.updates.is_empty();
                        let totals = facts::counters(&journal.view())?.totals();
                        links.enqueue(slice.updates, totals);
                    }
                    Ok(None) => {}
                    // A damaged link does not keep the requests.
                    Err(cause) => failed = Some(cause),
                }
            }
            if !goes_on {
                let open_since = NewLinkRequest::open_since(retention.links, now.as_second());
                self.removal_is_pending |= journal.prune_requests(open_since)?;
            }
            // One sync makes all removals durable.
            if !goes_on && self.removal_is_pending {
                let synced = journal.flush();
                synced.inspect_err(|_| shared.opened.mark_broken())?;
                self.removal_is_pending = false;
            }
            failed.map_or(Ok(goes_on), Err)
        })
    }
}

/// A requested change.
enum Item {
    Command(Box<(Command, AuditContext)>),
    /// Counted refusals that become one entry.
    Counted(Box<Counted>),
}

/// A decided change, as consecutive changes of the journal.
struct Staged {
    /// Number of the first.
    number: u64,
    changes: Vec<Change>,
    updates: Updates,
    totals: Totals,
    order: Option<i64>,
}

/// Changes that are made durable together.
#[derive(Default)]
struct Batch {
    outcomes: Vec<Result<Outcome>>,
    /// Indexes of the outcomes whose changes are written.
    written: Vec<usize>,
    /// Number of the first change.
    first: u64,
    /// Totals after the last change, if there is one.
    totals: Option<Totals>,
    changes: Vec<Change>,
    updates: Updates,
    order: Option<i64>,
}

impl Batch {
    fn note(&mut self, staged: Staged) {
        if self.totals.is_none() {
            self.first = staged.number;
        }
        self.totals = Some(staged.totals);
        self.changes.extend(staged.changes);
        self.updates.append(staged.updates);
        self.order = self.order.max(staged.order);
    }

    /// Adds the seal of all entries to the last change.
    fn seal(&mut self, journal: &Journal) -> Result<()> {
        let seal = journal.sealed(self.first, &self.changes)?;
        if let (Some(seal), Some(last)) = (seal, self.changes.last_mut()) {
            journal.stage_row(&seal);
            last.writes.push(seal);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use futures_lite::future::poll_once;
    use latchkey_core::ErrorCode;
    use latchkey_core::activity::{Actor, EventData};
    use latchkey_core::directory::Directory as _;

    use super::super::EmbeddedDirectory;
    use super::*;

    #[test]
    fn a_panic_is_an_error_for_its_callers_and_later_changes_work() {
        let folder = tempfile::tempdir().unwrap();
        let directory = EmbeddedDirectory::open(folder.path(), "a test").unwrap();
        let by = AuditContext::new(Actor::Studio, Timestamp::UNIX_EPOCH);
        let record = || directory.record(EventData::GatewayRecovered.into(), &by);
        record().wait().unwrap();
        let refused = directory.writer.ask(Request::Panic).wait().unwrap_err();
        assert_eq!(refused.code, ErrorCode::Internal);
        // The tree must be opened again first.
        while let Err(refused) = record().wait() {
            assert_eq!(refused.code, ErrorCode::Storage, "{}", refused.message);
        }
    }

    #[test]
    fn a_directory_closes_inside_a_task_that_has_used_up_its_budget() {
        let (closed, is_closed) = std::sync::mpsc::channel();
        // On a thread of its own, because closing would otherwise hang the test.
        thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().build();
            runtime.unwrap().block_on(async {
                let folder = tempfile::tempdir().unwrap();
                let directory = EmbeddedDirectory::open(folder.path(), "a test").unwrap();
                while poll_once(tokio::task::consume_budget()).await.is_some() {}
                drop(directory);
            });
            closed.send(()).unwrap();
        });
        let limit = std::time::Duration::from_secs(30);
        assert!(is_closed.recv_timeout(limit).is_ok(), "closing hangs");
    }
}
