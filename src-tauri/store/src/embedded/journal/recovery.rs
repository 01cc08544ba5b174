//! The checkpoint that a process makes when it opens a tree.

use serde::de::DeserializeOwned;
use sled::IVec;

use super::super::blocks::Entries;
use super::super::errors::{damaged, storage};
use super::super::keys;
use super::super::record::EntryRecord;
use super::super::rows::{decoded_first, write_rows};
use super::Change;
use latchkey_core::Result;

/// Makes a checkpoint of the journal that the last process left. `E` is the format of its entries,
/// and `keep` writes them into their rows.
pub(in crate::embedded) fn checkpoint_all<E>(
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
