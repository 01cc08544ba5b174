//! The writer thread: it decides, stages and commits changes, and removes old rows.

use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;

use jiff::Timestamp;
use latchkey_core::Result;
use latchkey_core::activity::{Kind, Refusals};
use latchkey_core::directory::{Changed, Command, Decision, Outcome, decide};
use latchkey_core::instance::Retention;
use latchkey_core::ledger::NewLinkRequest;
use tokio::sync::mpsc;

use super::super::effects::{Updates, Written, rows_of};
use super::super::facts;
use super::super::journal::{Change, Journal};
use super::super::keys;
use super::super::prune_clock::PruneClock;
use super::super::prune_links::LinkPass;
use super::super::record::EntryRecord;
use super::super::rows::encoded;
use super::super::shared::Shared;
use super::super::state::State;
use super::batch::{Batch, Item, Staged};
use super::request::{Answer, Request};

/// Maximum number of commands that one sync of the disk makes durable. It limits the waiting time
/// of later commands.
const BATCH: usize = 64;

/// State of the writer thread.
pub(super) struct Work {
    shared: Arc<Shared>,
    /// Refusals that are counted and not recorded.
    refusals: Refusals,
    /// Number of refusals in the activity, after they were counted once.
    kept_refusals: Option<u64>,
    /// Time as of which the retention removes rows. `None` until it is read or the activity begins.
    prune_clock: Option<PruneClock>,
    /// The clock in the row that was written last.
    written_clock: Option<PruneClock>,
    /// Progress of the removal of links.
    link_pass: LinkPass,
    /// Whether entries, links or requests were removed and their removal is not known to be on the disk.
    removal_is_pending: bool,
    /// Whether the last checkpoint could not be made, which is logged once.
    checkpoint_failed: bool,
}

impl Work {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            refusals: Refusals::default(),
            kept_refusals: None,
            prune_clock: None,
            written_clock: None,
            link_pass: LinkPass::default(),
            removal_is_pending: false,
            checkpoint_failed: false,
        }
    }

    pub(super) fn run(mut self, mut waiting: mpsc::Receiver<Request>) {
        if let Err(cause) = self.read_clock() {
            tracing::warn!(error = ?cause, "the time of the last removal cannot be read");
        }
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

    /// Reads the time as of which rows are removed. In its place, believes the time of the last entry
    /// of the activity, before there are new ones.
    fn read_clock(&mut self) -> Result<()> {
        let read = |State { journal, .. }: &State| {
            let written = journal.view().read(keys::PRUNE_CLOCK)?;
            let last = journal.entries(u64::MAX).next().transpose()?;
            Ok((written, last.map(|(_, entry)| entry.at())))
        };
        let (written, last) = self.shared.opened.with(read)?;
        self.written_clock = written;
        self.prune_clock = written.or_else(|| last.map(PruneClock::new));
        Ok(())
    }

    fn prune(&mut self, retention: Retention, now: Timestamp) -> Result<bool> {
        let shared = Arc::clone(&self.shared);
        let clock = self.prune_clock;
        let clock = clock.unwrap_or_else(|| PruneClock::new(now.as_second()));
        let now = self.prune_clock.insert(clock).advance(now.as_second());
        let (clock, written) = (self.prune_clock, &mut self.written_clock);
        shared.opened.with(|State { journal, links, .. }| {
            if let Some(clock) = clock.filter(|clock| clock.is_due(*written)) {
                journal.write([(keys::PRUNE_CLOCK.to_vec(), Some(encoded(&clock)?.into()))])?;
                *written = Some(clock);
            }
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
                match pass.prune(journal, retention.links, now) {
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
                let open_since = NewLinkRequest::open_since(retention.links, now);
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
