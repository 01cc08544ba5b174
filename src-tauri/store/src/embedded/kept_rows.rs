//! The previous values of changed rows, for snapshots of the whole tree while changes go on.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use latchkey_core::{Error, ErrorCode, Result};
use sled::IVec;

use super::errors::storage;

/// Maximum size of the previous rows that are kept for a snapshot, in bytes. A slower reader loses it.
const MAX_KEPT_BYTES: usize = 64 * 1024 * 1024;

/// Snapshots that are being read.
#[derive(Default)]
pub(super) struct Snapshots(Mutex<Vec<Kept>>);

/// Number of snapshots that this process has begun. A tree that was opened again does not have the snapshots
/// of before.
static BEGUN: AtomicU64 = AtomicU64::new(0);

/// Previous rows for one snapshot.
struct Kept {
    id: u64,
    /// Key from which rows are not read yet.
    from: Vec<u8>,
    rows: BTreeMap<Vec<u8>, Option<IVec>>,
    bytes: usize,
}

impl Snapshots {
    /// Keeps the value of a row that is about to be changed, for each snapshot that has not read it.
    pub(super) fn keep(&self, tree: &sled::Db, key: &[u8]) -> Result<()> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if open.is_empty() {
            return Ok(());
        }
        let before = tree.get(key).map_err(storage)?;
        let size = key.len() + before.as_ref().map_or(0, |row| row.len());
        for kept in &mut *open {
            if key >= kept.from.as_slice() && !kept.rows.contains_key(key) {
                kept.rows.insert(key.to_vec(), before.clone());
                kept.bytes += size;
            }
        }
        open.retain(|kept| kept.bytes <= MAX_KEPT_BYTES);
        Ok(())
    }

    /// Begins a snapshot, and returns its ID.
    pub(super) fn begin(&self) -> u64 {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let id = BEGUN.fetch_add(1, Ordering::Relaxed);
        open.push(Kept {
            id,
            from: Vec::new(),
            rows: BTreeMap::new(),
            bytes: 0,
        });
        id
    }

    /// Ends a snapshot.
    pub(super) fn end(&self, id: u64) {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|kept| kept.id != id);
    }

    /// Returns the previous rows up to a key, and forgets them.
    pub(super) fn take(&self, id: u64, to: &[u8]) -> Result<Vec<(Vec<u8>, Option<IVec>)>> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = open.iter_mut().find(|kept| kept.id == id);
        let kept = kept.ok_or_else(given_up)?;
        let later = kept.rows.split_off(to);
        let rows = std::mem::replace(&mut kept.rows, later);
        let sizes = rows
            .iter()
            .map(|(key, row)| key.len() + row.as_ref().map_or(0, |row| row.len()));
        kept.bytes = kept.bytes.saturating_sub(sizes.sum());
        to.clone_into(&mut kept.from);
        Ok(rows.into_iter().collect())
    }
}

/// Returns the error for a snapshot that does not exist any more.
pub(super) fn given_up() -> Error {
    Error::new(
        ErrorCode::Busy,
        "The directory was closed while it was read, or has changed faster than it was read. Try again.",
    )
}
