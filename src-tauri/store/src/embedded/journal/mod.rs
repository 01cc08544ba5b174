//! The journal. Changes that are made together are first written as one row of the journal. They
//! are durable when that row is on the disk. sled's own transaction would write each row twice and
//! take almost twice as long. A batch of rows would not be atomic if the end of the log is damaged.
//!
//! Changes that are in the journal and not yet in the rows are pending. They are also in memory,
//! and reads look there first. A checkpoint writes them into the rows.
//!
//! One thread writes, and any thread reads.

mod change;
mod entries;
mod pending;
mod recovery;
#[cfg(test)]
mod tests;
mod view;

use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use sled::IVec;

use super::blocks;
use super::disk::Disk;
use super::errors::storage;
use super::kept_rows::Snapshots;
use super::keys;
use super::record::EntryRecord;
use super::rows::{Write, encoded_onto, write_rows};
use super::seal_rows;
use latchkey_core::Result;

use pending::Pending;

pub(super) use change::Change;
pub(super) use recovery::checkpoint_all;
pub(super) use view::View;

/// Number of pending changes, or of pending rows, from which a checkpoint is made.
const CHANGES: usize = 64;
const ROWS: usize = 250;

/// A tree, and the changes that are not in its rows yet.
pub(super) struct Journal {
    tree: sled::Db,
    disk: Disk,
    pending: RwLock<Pending>,
    snapshots: Snapshots,
    /// Held by verifications, which read entries, and by the removal of entries.
    pruning: RwLock<()>,
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
}
