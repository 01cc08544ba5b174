//! Removing entries of the activity that are older or more than an instance keeps.

use jiff::Timestamp;

use super::journal::{Journal, index_of, write_rows};
use super::record::EntryRecord;
use super::{damaged, keys, storage};
use crate::Result;
use crate::instance::Retention;
use crate::lifetime::Lifetime;

/// Maximum number of entries that are removed together. With their index rows they are one batch,
/// which holds up a sign-in for about a millisecond.
const BATCH: usize = 80;

/// Entries that were removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Pruned {
    pub(super) entries: usize,
    pub(super) refusals: u64,
}

impl Journal {
    /// Number of refusals in the activity.
    pub(super) fn count_refusals(&self) -> Result<u64> {
        let pending = self.pending_refusals();
        let carried = self
            .tree()
            .range(keys::refusal(0)..=keys::refusal(u64::MAX));
        carried
            .map(|row| row.map_err(storage))
            .try_fold(pending, |count, row| row.map(|_| count + 1))
    }

    /// Removes some of the entries that are too old, or else some of the oldest refusals, of which
    /// there are `refusals`. It is durable with the next change.
    pub(super) fn prune(
        &self,
        retention: Retention,
        refusals: u64,
        now: Timestamp,
    ) -> Result<Pruned> {
        // An entry that is still in the journal would be written again.
        let end = self.first_pending();
        let mut found = match retention.age {
            Lifetime::Never => Vec::new(),
            Lifetime::Secs(secs) => self.oldest(end, now.as_second().saturating_sub(secs))?,
        };
        if found.is_empty() {
            let excess = refusals.saturating_sub(retention.refusals);
            let excess = usize::try_from(excess).unwrap_or(usize::MAX);
            found = self.oldest_refusals(end, excess.min(BATCH))?;
        }
        let pruned = Pruned {
            entries: found.len(),
            refusals: found.iter().filter(|(_, entry)| entry.is_refusal()).count() as u64,
        };
        let rows = found.iter().flat_map(|(number, entry)| {
            let index = index_of(entry, *number);
            [keys::entry(*number)].into_iter().chain(index)
        });
        write_rows(self.tree(), rows.map(|key| (key, None)))?;
        Ok(pruned)
    }

    fn oldest(&self, end: u64, before: i64) -> Result<Vec<(u64, EntryRecord)>> {
        let rows = self.tree().range(keys::entry(0)..keys::entry(end));
        let entries = rows.take(BATCH).map(|row| {
            let (key, bytes) = row.map_err(storage)?;
            let number = keys::number_of(&key).ok_or_else(damaged)?;
            Ok((number, EntryRecord::decoded(&bytes)?))
        });
        entries
            .filter(|entry| {
                entry
                    .as_ref()
                    .map_or(true, |(_, entry)| entry.at() < before)
            })
            .collect()
    }

    fn oldest_refusals(&self, end: u64, count: usize) -> Result<Vec<(u64, EntryRecord)>> {
        let rows = self.tree().range(keys::refusal(0)..keys::refusal(end));
        let entries = rows.take(count).map(|row| {
            let (key, _) = row.map_err(storage)?;
            let number = keys::number_of(&key).ok_or_else(damaged)?;
            let bytes = self.tree().get(keys::entry(number)).map_err(storage)?;
            let Some(bytes) = bytes else {
                // The index names an entry that is gone.
                self.tree().remove(key).map_err(storage)?;
                return Ok(None);
            };
            Ok(Some((number, EntryRecord::decoded(&bytes)?)))
        });
        entries.filter_map(Result::transpose).collect()
    }
}
