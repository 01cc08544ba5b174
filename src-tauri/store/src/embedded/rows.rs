//! Rows as bytes, encoded with postcard, because a catalogue decodes a million rows.

use latchkey_core::Result;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sled::IVec;

use super::errors::{damaged, storage};

/// Upper bound of the size of most rows, in bytes. It saves growing the buffer.
const ROW_BYTES: usize = 256;

/// Key of a row and its new value. `None` removes the row.
pub(super) type Write = (Vec<u8>, Option<Vec<u8>>);

/// Writes rows in the given order. After a power cut the disk has the first of them, because sled's
/// log keeps the order.
///
/// This is no batch of sled: a batch is not atomic where the end of the log is damaged, and each
/// batch makes sled write its log to the disk two more times.
pub(super) fn write_rows(
    tree: &sled::Db,
    rows: impl IntoIterator<Item = (Vec<u8>, Option<IVec>)>,
) -> Result<()> {
    for (key, value) in rows {
        match value {
            Some(value) => tree.insert(key, value),
            None => tree.remove(key),
        }
        .map_err(storage)?;
    }
    Ok(())
}

pub(super) fn encoded(value: &(impl Serialize + ?Sized)) -> Result<Vec<u8>> {
    encoded_onto(Vec::with_capacity(ROW_BYTES), value)
}

/// Encodes a value behind what is in `bytes`.
pub(super) fn encoded_onto(bytes: Vec<u8>, value: &(impl Serialize + ?Sized)) -> Result<Vec<u8>> {
    postcard::to_extend(value, bytes).map_err(|cause| damaged().because(cause))
}

pub(super) fn decoded<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    postcard::from_bytes(bytes).map_err(|cause| damaged().because(cause))
}

pub(super) fn decoded_first<T: DeserializeOwned>(bytes: &[u8]) -> Result<(T, &[u8])> {
    postcard::take_from_bytes(bytes).map_err(|cause| damaged().because(cause))
}
