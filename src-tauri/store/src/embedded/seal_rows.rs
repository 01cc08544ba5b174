//! Rows of the seals. The journal writes the seal of each batch in the row of the batch, so every
//! acknowledged entry is sealed, without another sync. A checkpoint stores the seal at that time in a
//! row of its own, by which a fault is located.
//!
//! | row | content |
//! |---|---|
//! | `m:sealing` | [`Sealing`]: the last seal |
//! | `h:` and a number | [`SealRow`](latchkey_core::activity::SealRow): the seal of the entry with that number |
//! | `m:removed` | [`Removed`]: the oldest entries, which the retention has removed |

use latchkey_core::Result;
use latchkey_core::activity::{Removed, Sealing};
use serde::de::DeserializeOwned;
use sled::IVec;

use super::blocks::{Entries, read_block, rows_of};
use super::errors::storage;
use super::keys;
use super::record::EntryRecord;
use super::rows::{decoded, encoded, write_rows};

/// Reads a row of the tree.
pub(super) fn read<T: DeserializeOwned>(tree: &sled::Db, key: &[u8]) -> Result<Option<T>> {
    let row = tree.get(key).map_err(storage)?;
    row.map(|bytes| decoded(&bytes)).transpose()
}

/// Returns the keys of the seals up to a number.
pub(super) fn seals_through(tree: &sled::Db, number: u64) -> Result<Vec<Vec<u8>>> {
    let keys = tree.range(keys::seal(0)..=keys::seal(number)).keys();
    keys.map(|key| Ok(key.map_err(storage)?.to_vec())).collect()
}

/// Returns the rows that store the last seal, unless it is stored. The rows of the tree must have
/// it already.
pub(super) fn rows_to_store(tree: &sled::Db) -> Result<Vec<(Vec<u8>, Option<IVec>)>> {
    let sealing: Option<Sealing> = read(tree, keys::SEALING)?;
    let Some(mut sealing) = sealing else {
        return Ok(Vec::new());
    };
    let Some(row) = sealing.store() else {
        return Ok(Vec::new());
    };
    Ok(vec![
        (keys::seal(row.seal.number), Some(encoded(&row)?.into())),
        (keys::SEALING.to_vec(), Some(encoded(&sealing)?.into())),
    ])
}

/// Stores the last seal, and finishes a removal that was noted when the program ended.
pub(super) fn recover(tree: &sled::Db) -> Result<()> {
    write_rows(tree, rows_to_store(tree)?)?;
    let (sealing, removed) = (read(tree, keys::SEALING)?, read(tree, keys::REMOVED)?);
    let (Some(sealing), Some(removed)): (Option<Sealing>, Option<Removed>) = (sealing, removed)
    else {
        return Ok(());
    };
    let old = seals_through(tree, removed.through())?;
    write_rows(tree, old.into_iter().map(|key| (key, None)))?;
    for through in [removed.others.through, removed.refusals.through] {
        let mut blocks = tree.range(keys::block(0)..=keys::block(through));
        let Some(row) = blocks.next_back() else {
            continue;
        };
        let (first, entries) = read_block(row)?;
        let count = entries.len();
        let is_kept = |number: u64, entry: &EntryRecord| {
            let chain = if entry.is_refusal() {
                &removed.refusals
            } else {
                &removed.others
            };
            number <= sealing.after || number > chain.through
        };
        let kept = entries.into_iter();
        let kept: Entries = kept
            .filter(|(number, entry)| is_kept(*number, entry))
            .collect();
        if kept.len() < count {
            write_rows(tree, rows_of(first, &kept)?)?;
        }
    }
    Ok(())
}
