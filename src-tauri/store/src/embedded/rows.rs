//! Rows as bytes, encoded with postcard, because a catalogue decodes a million rows.

use latchkey_core::Result;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sled::IVec;

use super::errors::{damaged, storage};

/// Number of rows in one batch of sled. sled holds all of them and their pages in memory.
pub(super) const BATCH: usize = 250;

/// Key of a row and its new value. `None` removes the row.
pub(super) type Write = (Vec<u8>, Option<Vec<u8>>);

/// Writes rows, one batch at a time.
pub(super) fn write_rows(
    tree: &sled::Db,
    rows: impl Iterator<Item = (Vec<u8>, Option<IVec>)>,
) -> Result<()> {
    let (mut batch, mut count) = (sled::Batch::default(), 0);
    for (key, value) in rows {
        match value {
            Some(value) => batch.insert(key, value),
            None => batch.remove(key),
        }
        count += 1;
        if count == BATCH {
            tree.apply_batch(std::mem::take(&mut batch))
                .map_err(storage)?;
            count = 0;
        }
    }
    tree.apply_batch(batch).map_err(storage)
}

pub(super) fn encoded(value: &(impl Serialize + ?Sized)) -> Result<Vec<u8>> {
    postcard::to_allocvec(value).map_err(|cause| damaged().because(cause))
}

pub(super) fn decoded<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    postcard::from_bytes(bytes).map_err(|cause| damaged().because(cause))
}

pub(super) fn decoded_first<T: DeserializeOwned>(bytes: &[u8]) -> Result<(T, &[u8])> {
    postcard::take_from_bytes(bytes).map_err(|cause| damaged().because(cause))
}
