//! Removal of the entries of the activity that the retention does not keep.

use super::blocks::{self, Entries, read_block, read_index, rows_of};
use super::errors::storage;
use super::journal::Journal;
use super::keys;
use super::record::EntryRecord;
use super::rows::decoded;
use latchkey_core::Result;
use latchkey_core::activity::Removal;
use latchkey_core::instance::Retention;
use latchkey_core::protocol::lifetime::Lifetime;

/// Numbers of removed entries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Pruned {
    pub(super) entries: usize,
    pub(super) refusals: u64,
}

impl Journal {
    /// Returns the number of refusals in the activity.
    pub(super) fn count_refusals(&self) -> Result<u64> {
        let pending = self.pending_refusals();
        let indexes = self.tree().scan_prefix(keys::INDEXES);
        indexes
            .map(|row| Ok(read_index(row)?.1.refusals))
            .try_fold(pending, |sum, count: Result<u64>| Ok(sum + count?))
    }

    /// Removes the entries of a block that are too old, or else some of the oldest of the
    /// `refusals` refusals. The removal is durable after the next flush. Entries that are still in
    /// the journal stay.
    pub(super) fn prune(&self, retention: Retention, refusals: u64, now: i64) -> Result<Pruned> {
        if let Lifetime::Secs(secs) = retention.age
            && let Some(row) = self.tree().scan_prefix(keys::BLOCKS).next()
        {
            let before = now.saturating_sub(secs);
            let (first, entries) = read_block(row)?;
            // Only the oldest entries, because the seals cover all that follow.
            let mut is_old = true;
            let pruned = self.remove(first, entries, Removal::Oldest, |entry| {
                is_old &= entry.at() < before;
                is_old
            })?;
            if pruned.entries > 0 {
                return Ok(pruned);
            }
        }
        match refusals.saturating_sub(retention.refusals) {
            0 => Ok(Pruned::default()),
            excess => self.remove_oldest_refusals(excess),
        }
    }

    fn remove_oldest_refusals(&self, mut excess: u64) -> Result<Pruned> {
        for row in self.tree().scan_prefix(keys::INDEXES) {
            let (first, index) = read_index(row)?;
            if index.refusals == 0 {
                continue;
            }
            let block = self.tree().get(keys::block(first)).map_err(storage)?;
            let entries: Option<Entries> = block.map(|block| decoded(&block)).transpose()?;
            let entries = entries.unwrap_or_default();
            if blocks::refusals(entries.iter().map(|(_, entry)| entry)) == 0 {
                // The program ended between the writing of the block and that of its index.
                self.write(rows_of(first, &entries)?)?;
                continue;
            }
            return self.remove(first, entries, Removal::OldestRefusals, |entry| {
                let goes = excess > 0 && entry.is_refusal();
                excess -= u64::from(goes);
                goes
            });
        }
        Ok(Pruned::default())
    }

    /// Removes the entries of a block for which `goes` returns true.
    fn remove(
        &self,
        first: u64,
        entries: Entries,
        removal: Removal,
        mut goes: impl FnMut(&EntryRecord) -> bool,
    ) -> Result<Pruned> {
        let (removed, kept): (Entries, Entries) =
            entries.into_iter().partition(|(_, entry)| goes(entry));
        if !removed.is_empty() {
            self.note_removed(removal, &removed)?;
            self.write(rows_of(first, &kept)?)?;
        }
        Ok(Pruned {
            entries: removed.len(),
            refusals: blocks::refusals(removed.iter().map(|(_, entry)| entry)),
        })
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use latchkey_core::activity::{Actor, AuditContext, EventData};

    use super::super::disk::Disk;
    use super::*;

    #[test]
    fn an_index_that_still_counts_removed_refusals_is_mended_and_hides_none_after_it() {
        let folder = tempfile::tempdir().unwrap();
        let tree = sled::open(folder.path()).unwrap();
        let by = AuditContext::new(Actor::Visitor, Timestamp::UNIX_EPOCH);
        let entries: Entries = (1..=192)
            .map(|number| {
                (
                    number,
                    EntryRecord::new(EventData::ApiKeyRefused.into(), &by),
                )
            })
            .collect();
        blocks::append(&tree, &entries).unwrap();
        let journal = Journal::open(tree, Disk::open(folder.path()).unwrap()).unwrap();
        // As if the program had ended after it wrote the block, before the index.
        journal.tree().remove(keys::block(1)).unwrap();
        let keep = |refusals| Retention {
            age: Lifetime::Never,
            refusals,
            links: Lifetime::Never,
        };
        let counted = journal.count_refusals().unwrap();
        assert_eq!(counted, 192);
        let pruned = journal.prune(keep(100), counted, 0);
        assert_eq!(pruned.unwrap().refusals, 64);
        assert_eq!(journal.count_refusals().unwrap(), 64);
    }
}
