//! The journal. Changes that are made together are first written as one row of the journal. They
//! are durable when that row is on the disk. sled's own transaction would write each row twice and
//! take almost twice as long. A batch of rows would not be atomic if the end of the log is damaged.
//!
//! Changes that are in the journal and not yet in the rows are pending. They are also in memory,
//! and reads look there first. A checkpoint writes them into the rows.
//!
//! One thread writes, and any thread reads.

use std::collections::{BTreeSet, HashMap};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use sled::IVec;

use super::blocks::{self, About, Entries, refusals};
use super::disk::Disk;
use super::errors::{damaged, storage};
use super::kept_rows::Snapshots;
use super::keys;
use super::record::EntryRecord;
use super::rows::{Write, decoded, decoded_first, encoded_onto, write_rows};
use super::seal_rows;
use latchkey_core::Result;

/// Number of pending changes, or of pending rows, from which a checkpoint is made.
const CHANGES: usize = 64;
const ROWS: usize = 250;
/// A change in the journal. A row of the journal has one or more changes, with consecutive numbers
/// from the number in its key.
#[derive(Serialize, Deserialize)]
pub(super) struct Change<E = Option<EntryRecord>> {
    pub(super) writes: Vec<Write>,
    /// Entry in the activity, if the change has one.
    pub(super) entry: E,
}

impl Change {
    /// Returns the changes that write `writes` and `entries` together. Each has one entry at most,
    /// because the number of a change is also that of its entry.
    pub(super) fn all(writes: Vec<Write>, entries: Vec<EntryRecord>) -> Vec<Self> {
        let mut entries = entries.into_iter().map(Some);
        let first = Self {
            writes,
            entry: entries.next().flatten(),
        };
        let others = entries.map(|entry| Self {
            writes: Vec::new(),
            entry,
        });
        std::iter::once(first).chain(others).collect()
    }
}

/// A tree, and the changes that are not in its rows yet.
pub(super) struct Journal {
    tree: sled::Db,
    disk: Disk,
    pending: RwLock<Pending>,
    snapshots: Snapshots,
    /// Held by verifications, which read entries, and by the removal of entries.
    pruning: RwLock<()>,
}

/// Changes that are in the journal and not in the rows.
#[derive(Default)]
struct Pending {
    rows: HashMap<Vec<u8>, Option<IVec>>,
    entries: Entries,
    /// Numbers in the keys of the journal's rows.
    journaled: Vec<u64>,
    /// Number of pending changes.
    changes: usize,
}

/// A view of the current rows. They do not change while it is held.
pub(super) struct View<'a> {
    tree: &'a sled::Db,
    pending: RwLockReadGuard<'a, Pending>,
}

impl Journal {
    /// Opens the journal of a tree. Makes a checkpoint of the changes in it.
    pub(super) fn open(tree: sled::Db, disk: Disk) -> Result<Self> {
        checkpoint_all::<Option<EntryRecord>>(&tree, blocks::append)?;
        seal_rows::recover(&tree)?;
        Ok(Self {
            tree,
            disk,
            pending: RwLock::default(),
            snapshots: Snapshots::default(),
            pruning: RwLock::default(),
        })
    }

    pub(super) fn tree(&self) -> &sled::Db {
        &self.tree
    }

    pub(super) const fn snapshots(&self) -> &Snapshots {
        &self.snapshots
    }

    pub(super) const fn pruning(&self) -> &RwLock<()> {
        &self.pruning
    }

    /// Writes rows in the given order. Only the writer may call it.
    pub(super) fn write(
        &self,
        rows: impl IntoIterator<Item = (Vec<u8>, Option<IVec>)>,
    ) -> Result<()> {
        for row in rows {
            self.snapshots.keep(&self.tree, &row.0)?;
            write_rows(&self.tree, [row])?;
        }
        Ok(())
    }

    /// Returns the number of refusals that are not in the rows yet.
    pub(super) fn pending_refusals(&self) -> u64 {
        let view = self.view();
        refusals(view.pending.entries.iter().map(|(_, entry)| entry))
    }

    /// Wakes threads that wait for a flush of a broken tree, because sled does not.
    pub(super) fn wake_flushes(&self) {
        if let Err(cause) = self.tree.flush() {
            tracing::warn!(%cause, "the directory could not be flushed");
        }
    }

    pub(super) fn view(&self) -> View<'_> {
        View {
            tree: &self.tree,
            pending: self.pending(),
        }
    }

    /// Makes changes visible together. They are durable after the next [`commit`](Self::commit).
    /// `first` is the number of the first change, and the others follow without a gap.
    pub(super) fn stage(&self, first: u64, changes: &[Change]) {
        let mut pending = self.pending_mut();
        for (number, change) in (first..).zip(changes) {
            let rows = change.writes.iter();
            let rows = rows.map(|(key, value)| (key.clone(), value.as_deref().map(IVec::from)));
            pending.rows.extend(rows);
            let entry = change.entry.clone();
            pending.entries.extend(entry.map(|entry| (number, entry)));
        }
        pending.changes += changes.len();
    }

    /// Makes a row visible that belongs to the staged changes.
    pub(super) fn stage_row(&self, (key, value): &Write) {
        let value = value.as_deref().map(IVec::from);
        self.pending_mut().rows.insert(key.clone(), value);
    }

    /// Writes staged changes into one row of the journal. Returns when they are on the disk.
    /// `first` is the number of the first change, and the others follow without a gap.
    pub(super) fn commit(&self, first: u64, changes: &[Change]) -> Result<()> {
        let mut bytes = Vec::new();
        for change in changes {
            bytes = encoded_onto(bytes, change)?;
        }
        self.tree
            .insert(keys::change(first), bytes)
            .map_err(storage)?;
        self.pending_mut().journaled.push(first);
        self.flush()
    }

    /// Returns when everything that was written is on the disk.
    pub(super) fn flush(&self) -> Result<()> {
        self.tree.flush().map_err(storage)?;
        self.disk.sync()
    }

    /// Returns the position in the log up to which it is on the disk, and the length of its file.
    pub(super) fn synced(&self) -> (u64, u64) {
        self.disk.synced()
    }

    /// Makes a checkpoint if many changes or rows are pending. If that fails, they stay in the
    /// journal until the next one.
    pub(super) fn checkpoint_if_much(&self) {
        let is_much = {
            let pending = self.pending();
            pending.changes >= CHANGES || pending.rows.len() >= ROWS
        };
        if is_much && let Err(cause) = self.checkpoint() {
            tracing::warn!(error = ?cause, "changes stay in the journal");
        }
    }

    /// Writes the pending changes into the rows, and then removes them from the journal. sled's log
    /// keeps this order.
    pub(super) fn checkpoint(&self) -> Result<()> {
        let known = self.pending();
        let rows = known
            .rows
            .iter()
            .map(|(key, value)| (key.clone(), value.clone()));
        self.write(rows)?;
        blocks::append(&self.tree, &known.entries)?;
        self.write(seal_rows::rows_to_store(&self.tree)?)?;
        let journaled = known.journaled.iter();
        write_rows(
            &self.tree,
            journaled.map(|number| (keys::change(*number), None)),
        )?;
        drop(known);
        *self.pending_mut() = Pending::default();
        Ok(())
    }

    fn pending(&self) -> RwLockReadGuard<'_, Pending> {
        self.pending.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn pending_mut(&self) -> RwLockWriteGuard<'_, Pending> {
        self.pending.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the entries of the activity before a number, newest first.
    pub(super) fn entries(&self, before: u64) -> impl Iterator<Item = Result<(u64, EntryRecord)>> {
        let (pending, before) = self.pending_entries(before, |_| true);
        let carried = blocks::before(&self.tree, before);
        pending.into_iter().map(Ok).chain(carried)
    }

    /// Returns the entries about something before a number, newest first.
    pub(super) fn entries_about(
        &self,
        about: About,
        before: u64,
    ) -> impl Iterator<Item = Result<(u64, EntryRecord)>> {
        let (pending, before) = self.pending_entries(before, |entry| about.has(entry));
        let carried = blocks::about(&self.tree, about, before);
        pending.into_iter().map(Ok).chain(carried)
    }

    /// Returns the pending entries before a number, newest first, and the number before which all
    /// other entries are. An entry that a checkpoint writes in the meantime is not found twice.
    fn pending_entries(
        &self,
        before: u64,
        is_wanted: impl Fn(&EntryRecord) -> bool,
    ) -> (Entries, u64) {
        let view = self.view();
        let pending = view.pending.entries.iter();
        let wanted = pending
            .clone()
            .rev()
            .filter(|(number, entry)| *number < before && is_wanted(entry));
        let first = pending.map(|(number, _)| *number).next();
        (
            wanted.cloned().collect(),
            before.min(first.unwrap_or(before)),
        )
    }
}

impl View<'_> {
    pub(super) fn read<T: DeserializeOwned>(&self, key: &[u8]) -> Result<Option<T>> {
        let bytes = match self.pending.rows.get(key) {
            Some(bytes) => bytes.clone(),
            None => self.tree.get(key).map_err(storage)?,
        };
        bytes.map(|bytes| decoded(&bytes)).transpose()
    }

    /// Returns whether a row is pending.
    pub(super) fn is_pending(&self, key: &[u8]) -> bool {
        self.pending.rows.contains_key(key)
    }

    /// Returns the pending rows whose keys begin with `prefix`. A removed row has no value.
    pub(super) fn pending_rows(
        &self,
        prefix: &[u8],
    ) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
        let rows = self.pending.rows.iter();
        let found = rows.filter(move |(key, _)| key.starts_with(prefix));
        found.map(|(key, value)| (key.as_slice(), value.as_deref()))
    }

    /// Returns the keys that begin with `prefix` of rows that are not pending as removed.
    pub(super) fn carried_keys(&self, prefix: &[u8]) -> impl Iterator<Item = Result<Vec<u8>>> {
        let keys = self.tree.scan_prefix(prefix).keys();
        let keys = keys.map(|key| key.map(|key| key.to_vec()).map_err(storage));
        keys.filter(|key| match key {
            Ok(key) => self.pending.rows.get(key).is_none_or(Option::is_some),
            Err(_) => true,
        })
    }

    /// Returns all keys that begin with `prefix`.
    pub(super) fn all_keys(&self, prefix: &[u8]) -> Result<BTreeSet<Vec<u8>>> {
        let mut found: BTreeSet<Vec<u8>> = self.pending_keys(prefix).map(<[u8]>::to_vec).collect();
        for key in self.carried_keys(prefix) {
            found.insert(key?);
        }
        Ok(found)
    }

    /// Returns the keys of pending rows that begin with `prefix`.
    pub(super) fn pending_keys(&self, prefix: &[u8]) -> impl Iterator<Item = &[u8]> {
        let rows = self.pending.rows.iter();
        let there = rows.filter(move |(key, value)| value.is_some() && key.starts_with(prefix));
        there.map(|(key, _)| key.as_slice())
    }
}

/// Makes a checkpoint of the journal that the last process left. `E` is the format of its entries,
/// and `keep` writes them into their rows.
pub(super) fn checkpoint_all<E>(
    tree: &sled::Db,
    keep: impl FnOnce(&sled::Db, &[(u64, EntryRecord)]) -> Result<()>,
) -> Result<()>
where
    E: DeserializeOwned + Into<Option<EntryRecord>>,
{
    let (mut journaled, mut entries) = (Vec::new(), Entries::new());
    for row in tree.range(keys::change(0)..=keys::change(u64::MAX)) {
        let (key, bytes) = row.map_err(storage)?;
        let number = keys::number_of(&key).ok_or_else(damaged)?;
        let mut left = &*bytes;
        for number in number.. {
            let (change, others) = decoded_first::<Change<E>>(left)?;
            let Change { writes, entry } = change;
            let rows = writes
                .into_iter()
                .map(|(key, value)| (key, value.map(IVec::from)));
            write_rows(tree, rows)?;
            entries.extend(entry.into().map(|entry| (number, entry)));
            if others.is_empty() {
                break;
            }
            left = others;
        }
        journaled.push(number);
    }
    if journaled.is_empty() {
        return Ok(());
    }
    keep(tree, &entries)?;
    let journaled = journaled.into_iter();
    write_rows(tree, journaled.map(|number| (keys::change(number), None)))?;
    tree.flush().map(drop).map_err(storage)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;
    use std::thread;

    use jiff::Timestamp;

    use super::super::rows::encoded;
    use super::*;
    use latchkey_core::activity::{Actor, AuditContext, EventData};

    fn journal(path: &Path) -> Journal {
        loop {
            // The journal that was dropped may still be closing.
            if let Ok(tree) = sled::open(path) {
                return Journal::open(tree, Disk::open(path).unwrap()).unwrap();
            }
            thread::yield_now();
        }
    }

    fn change(number: u64, writes: Vec<Write>) -> Change {
        let by = AuditContext::new(Actor::Studio, Timestamp::UNIX_EPOCH);
        let entry = EntryRecord::new(EventData::Imported { users: number }.into(), &by);
        Change {
            writes,
            entry: Some(entry),
        }
    }

    /// Makes changes like the writer.
    fn write(journal: &Journal, first: u64, changes: &[Change]) {
        journal.stage(first, changes);
        journal.commit(first, changes).unwrap();
        journal.checkpoint_if_much();
    }

    fn numbers(journal: &Journal, before: u64) -> Vec<u64> {
        journal
            .entries(before)
            .map(|row| {
                let (number, entry) = row.unwrap();
                let data = EventData::Imported { users: number };
                assert_eq!(entry.into_entry(number).event.data, data);
                number
            })
            .collect()
    }

    fn journaled(journal: &Journal) -> usize {
        let all = journal.tree.range(keys::change(0)..=keys::change(u64::MAX));
        all.count()
    }

    /// Returns rows of which some are written often, some once, and some are removed again.
    fn writes(number: u64) -> Vec<(String, Option<u64>)> {
        let mut writes = vec![
            ("u:counter".to_owned(), Some(number)),
            (format!("u:{}", number % 7), Some(number)),
            (format!("e:{number}"), Some(number)),
        ];
        if number.is_multiple_of(3) {
            writes.push((format!("e:{}", number / 2), None));
        }
        writes
    }

    #[test]
    fn rows_are_whole_wherever_the_journal_is_cut() {
        let folder = tempfile::tempdir().unwrap();
        let (mut rows, mut number) = (BTreeMap::new(), 0);
        for (changes, together) in [
            (1, 1),
            (62, 1),
            (1, 1),
            (63, 3),
            (64, 1),
            (66, 2),
            (128, 32),
            (5, 5),
            (0, 1),
            (3, 1),
            (200, 100),
            (7, 7),
        ] {
            let journal = journal(folder.path());
            assert_eq!(journaled(&journal), 0, "all is carried over by opening");
            for _ in 0..changes / together {
                let first = number + 1;
                let mut all = Vec::new();
                for _ in 0..together {
                    number += 1;
                    let written = writes(number);
                    let encode = |value: Option<u64>| value.map(|value| encoded(&value).unwrap());
                    let bytes = written.iter().cloned();
                    let bytes = bytes.map(|(key, value)| (key.into_bytes(), encode(value)));
                    all.push(change(number, bytes.collect()));
                    rows.extend(written);
                }
                write(&journal, first, &all);
                assert!(journaled(&journal) * together < CHANGES);
            }
            journal.flush().unwrap();
            for (key, value) in &rows {
                let read: Option<u64> = journal.view().read(key.as_bytes()).unwrap();
                assert_eq!(read, *value, "{key} after {number}");
            }
            let all: Vec<u64> = (1..=number).rev().collect();
            assert_eq!(numbers(&journal, u64::MAX), all);
            for before in [number, number.saturating_sub(3), 1] {
                let some: Vec<u64> = (1..before).rev().collect();
                assert_eq!(numbers(&journal, before), some);
            }
        }
    }

    #[test]
    fn a_change_of_many_rows_is_checkpointed_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let journal = journal(folder.path());
        let rows = |count: usize| {
            let rows = 0..count;
            rows.map(|row| (format!("u:{row}").into_bytes(), Some(vec![1])))
                .collect()
        };
        let write = |number, rows| super::tests::write(&journal, number, &[change(number, rows)]);
        write(1, rows(ROWS - 1));
        assert_eq!(journaled(&journal), 1);
        write(2, rows(3 * ROWS));
        assert_eq!(journaled(&journal), 0);
        assert_eq!(journal.tree.scan_prefix("u:").count(), 3 * ROWS);
    }

    #[test]
    fn a_view_does_not_change_while_it_is_held() {
        let folder = tempfile::tempdir().unwrap();
        let journal = journal(folder.path());
        let write = |number: u64| {
            let row = (b"u:x".to_vec(), Some(encoded(&number).unwrap()));
            super::tests::write(&journal, number, &[change(number, vec![row])]);
        };
        write(1);
        let view = journal.view();
        thread::scope(|scope| {
            let writer = scope.spawn(|| write(2));
            thread::sleep(std::time::Duration::from_millis(50));
            assert!(!writer.is_finished());
            assert_eq!(view.read::<u64>(b"u:x").unwrap(), Some(1));
            drop(view);
            writer.join().unwrap();
        });
        assert_eq!(journal.view().read::<u64>(b"u:x").unwrap(), Some(2));
    }

    #[test]
    fn a_change_without_an_entry_is_written_and_has_none() {
        let folder = tempfile::tempdir().unwrap();
        let write_one = |journal: &Journal, number: u64, entry: bool| {
            let row = (b"u:x".to_vec(), Some(encoded(&number).unwrap()));
            let mut change = change(number, vec![row]);
            if !entry {
                change.entry = None;
            }
            write(journal, number, &[change]);
        };
        let opened = journal(folder.path());
        for number in 1..=200 {
            write_one(&opened, number, number == 3);
        }
        assert!(journaled(&opened) < CHANGES);
        opened.flush().unwrap();
        drop(opened);
        let opened = journal(folder.path());
        assert_eq!(numbers(&opened, u64::MAX), [3]);
        assert_eq!(opened.view().read::<u64>(b"u:x").unwrap(), Some(200));
    }

    #[test]
    fn a_damaged_change_is_detected() {
        for (key, bytes) in [(keys::change(1), vec![9]), (b"j:short".to_vec(), vec![])] {
            let folder = tempfile::tempdir().unwrap();
            let tree = sled::open(folder.path()).unwrap();
            tree.insert(key, bytes).unwrap();
            let disk = Disk::open(folder.path()).unwrap();
            let refused = Journal::open(tree, disk).err();
            assert_eq!(refused.unwrap().code, latchkey_core::ErrorCode::DamagedFile);
        }
    }
}
