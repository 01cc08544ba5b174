//! Changes that are decided, and not yet on the disk.

use latchkey_core::Result;
use latchkey_core::activity::{AuditContext, Counted};
use latchkey_core::directory::{Command, Outcome};

use super::super::catalogue::Totals;
use super::super::effects::Updates;
use super::super::journal::{Change, Journal};

/// A requested change.
pub(super) enum Item {
    Command(Box<(Command, AuditContext)>),
    /// Counted refusals that become one entry.
    Counted(Box<Counted>),
}

/// A decided change, as consecutive changes of the journal.
pub(super) struct Staged {
    /// Number of the first.
    pub(super) number: u64,
    pub(super) changes: Vec<Change>,
    pub(super) updates: Updates,
    pub(super) totals: Totals,
    pub(super) order: Option<i64>,
}

/// Changes that are made durable together.
#[derive(Default)]
pub(super) struct Batch {
    pub(super) outcomes: Vec<Result<Outcome>>,
    /// Indexes of the outcomes whose changes are written.
    pub(super) written: Vec<usize>,
    /// Number of the first change.
    pub(super) first: u64,
    /// Totals after the last change, if there is one.
    pub(super) totals: Option<Totals>,
    pub(super) changes: Vec<Change>,
    pub(super) updates: Updates,
    pub(super) order: Option<i64>,
}

impl Batch {
    pub(super) fn note(&mut self, staged: Staged) {
        if self.totals.is_none() {
            self.first = staged.number;
        }
        self.totals = Some(staged.totals);
        self.changes.extend(staged.changes);
        self.updates.append(staged.updates);
        self.order = self.order.max(staged.order);
    }

    /// Adds the seal of all entries to the last change.
    pub(super) fn seal(&mut self, journal: &Journal) -> Result<()> {
        let seal = journal.sealed(self.first, &self.changes)?;
        if let (Some(seal), Some(last)) = (seal, self.changes.last_mut()) {
            journal.stage_row(&seal);
            last.writes.push(seal);
        }
        Ok(())
    }
}
