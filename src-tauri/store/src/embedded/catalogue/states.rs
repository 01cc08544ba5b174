//! States of the links in the catalogue. A state follows from the link, the cutoffs and the time.
//!
//! Judging a million links takes longer than a page may. Therefore only links that may have another
//! state are judged again.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet};

use super::interned::TextId;
use super::row_id::RowId;
use latchkey_core::ledger::{InstanceCutoffs, LinkCounts, LinkStatus};

/// Seconds after which all links are judged again. Only links that expire before are noted with
/// their time.
const HORIZON_SECS: i64 = 3600;

/// States of all links at a time.
pub(super) struct States {
    /// States by row. A dead row has none.
    pub(super) of: Vec<Option<LinkStatus>>,
    pub(super) counts: LinkCounts,
    pub(super) instance: InstanceCutoffs,
    /// First time for which they are valid, in Unix seconds.
    pub(super) from: i64,
    /// First time for which they are not valid any more, in Unix seconds.
    pub(super) until: i64,
    /// Links that expire before `until`, with the time. Some may not work any more.
    expiring: BinaryHeap<Reverse<(i64, RowId)>>,
    /// Rows that have changed since.
    pub(super) touched: Vec<RowId>,
    /// People whose cutoffs have changed since.
    pub(super) cut_off: HashSet<TextId>,
}

impl States {
    pub(super) fn new(instance: &InstanceCutoffs, now: i64) -> Self {
        let horizon = now.saturating_add(HORIZON_SECS);
        Self {
            of: Vec::new(),
            counts: LinkCounts::default(),
            instance: instance.clone(),
            from: now,
            // All links of a key change their state when it retires.
            until: instance
                .next_retirement(now)
                .unwrap_or(horizon)
                .min(horizon),
            expiring: BinaryHeap::new(),
            touched: Vec::new(),
            cut_off: HashSet::new(),
        }
    }

    pub(super) fn of(&self, row: RowId) -> Option<LinkStatus> {
        self.of.get(row.index()).copied().flatten()
    }

    /// Notes that a row has changed. Returns whether judging all links now takes less time than
    /// judging those that have changed.
    pub(super) fn touch(&mut self, row: RowId) -> bool {
        self.touched.push(row);
        self.touched.len() > self.of.len()
    }

    /// Notes that the cutoffs of a person have changed.
    pub(super) fn cut_off(&mut self, person: TextId) {
        self.cut_off.insert(person);
    }

    /// Sets the state of a row, which ends at `over_at` if the link expires. Returns whether the
    /// state has changed.
    pub(super) fn set(
        &mut self,
        row: RowId,
        status: Option<LinkStatus>,
        over_at: Option<i64>,
    ) -> bool {
        // A link that was revoked by a clock that was ahead may still expire first.
        if let Some(over_at) = over_at
            && over_at > self.from
            && over_at < self.until
            && status.is_some_and(|status| !status.ended_by_itself())
        {
            self.expiring.push(Reverse((over_at, row)));
        }
        if self.of.len() <= row.index() {
            self.of.resize(row.index() + 1, None);
        }
        let Some(known) = self.of.get_mut(row.index()) else {
            return false;
        };
        let before = std::mem::replace(known, status);
        if let Some(before) = before {
            self.counts.uncount(before);
        }
        if let Some(status) = status {
            self.counts.count(status);
        }
        before != status
    }

    /// Takes the rows whose links expire up to a time.
    pub(super) fn expired(&mut self, now: i64) -> Vec<RowId> {
        let mut expired = Vec::new();
        while let Some(Reverse((over_at, row))) = self.expiring.peek().copied()
            && over_at <= now
        {
            self.expiring.pop();
            expired.push(row);
        }
        expired
    }
}
