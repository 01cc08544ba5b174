//! States of the links in the catalogue. A state follows from the link, the cutoffs and the time.
//!
//! Judging a million links takes longer than a page may. Therefore only links that may have another
//! state are judged again.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashSet};

use super::Catalogue;
use super::interned::TextId;
use super::links::Links;
use super::row_id::RowId;
use latchkey_core::ledger::{InstanceCutoffs, LinkCounts, LinkStatus};

/// Seconds after which all links are judged again. Only links that expire before are noted with
/// their time.
const HORIZON_SECS: i64 = 3600;

/// States of all links at a time.
pub(super) struct States {
    /// States by row. A dead row has none.
    of: Vec<Option<LinkStatus>>,
    counts: LinkCounts,
    instance: InstanceCutoffs,
    /// First time for which they are valid, in Unix seconds.
    from: i64,
    /// First time for which they are not valid any more, in Unix seconds.
    until: i64,
    /// Links that expire before `until`, with the time. Some may not work any more.
    expiring: BinaryHeap<Reverse<(i64, RowId)>>,
    /// Rows that have changed since.
    touched: Vec<RowId>,
    /// Users whose cutoffs have changed since.
    cut_off: HashSet<TextId>,
}

impl States {
    fn new(instance: &InstanceCutoffs, now: i64) -> Self {
        Self {
            of: Vec::new(),
            counts: LinkCounts::default(),
            instance: instance.clone(),
            from: now,
            until: now.saturating_add(HORIZON_SECS),
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

    /// Notes that the cutoffs of a user have changed.
    pub(super) fn cut_off(&mut self, user: TextId) {
        self.cut_off.insert(user);
    }

    /// Sets the state of a row, which ends at `over_at` if the link expires. Returns whether the
    /// state has changed.
    fn set(&mut self, row: RowId, status: Option<LinkStatus>, over_at: Option<i64>) -> bool {
        if let Some(over_at) = over_at
            && over_at < self.until
            && status.is_some_and(LinkStatus::works)
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
    fn expired(&mut self, now: i64) -> Vec<RowId> {
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

impl Catalogue<Links> {
    /// Judges the states of the links at a time, in Unix seconds, which queries for a state depend
    /// on. Returns their numbers.
    pub(in crate::embedded) fn judge(
        &mut self,
        instance: &InstanceCutoffs,
        now: i64,
    ) -> LinkCounts {
        let known = self.rows.shared_mut().states.take();
        let is_valid = |known: &States| {
            known.instance == *instance && (known.from..known.until).contains(&now)
        };
        let (states, has_changed) = match known {
            Some(known) if is_valid(&known) => self.judge_changed(known, now),
            known => {
                let states = self.judge_all(instance, now);
                let has_changed = known.is_none_or(|known| known.of != states.of);
                (states, has_changed)
            }
        };
        let counts = states.counts;
        let shared = self.rows.shared_mut();
        shared.version += u64::from(has_changed);
        shared.states = Some(states);
        counts
    }

    fn judge_all(&self, instance: &InstanceCutoffs, now: i64) -> States {
        let mut states = States::new(instance, now);
        states.of.reserve(self.rows.len());
        for row in self.rows.all() {
            self.judge_row(&mut states, row, now);
        }
        states
    }

    /// Judges the links that may have another state. Returns whether one has.
    fn judge_changed(&self, mut states: States, now: i64) -> (States, bool) {
        let mut rows = std::mem::take(&mut states.touched);
        rows.extend(states.expired(now));
        let cut_off = std::mem::take(&mut states.cut_off);
        if !cut_off.is_empty() {
            let living = self.rows.living();
            let cut_off = living.filter(|(_, link)| cut_off.contains(&link.user()));
            rows.extend(cut_off.map(|(row, _)| row));
        }
        if !rows.is_empty() {
            // Before this time, the state of such a link may be another.
            states.from = now;
        }
        let mut has_changed = false;
        for row in rows {
            has_changed |= self.judge_row(&mut states, row, now);
        }
        (states, has_changed)
    }

    fn judge_row(&self, judged: &mut States, row: RowId, now: i64) -> bool {
        let shared = self.rows.shared();
        let link = self.rows.fields(row).filter(|_| !self.rows.is_dead(row));
        let status = link.map(|link| shared.status(link, &judged.instance, now));
        let over_at = link.and_then(|link| shared.terms(link).over_at());
        judged.set(row, status, over_at)
    }
}
