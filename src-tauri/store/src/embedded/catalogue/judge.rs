//! Judging the links of the catalogue.

use super::Catalogue;
use super::links::Links;
use super::row_id::RowId;
use super::states::States;
use latchkey_core::ledger::{InstanceCutoffs, LinkCounts};

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
            let cut_off = living.filter(|(_, link)| cut_off.contains(&link.owner()));
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
