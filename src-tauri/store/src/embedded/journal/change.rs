//! The changes that a row of the journal has.

use serde::{Deserialize, Serialize};

use super::super::record::EntryRecord;
use super::super::rows::Write;

/// A change in the journal. A row of the journal has one or more changes, with consecutive numbers
/// from the number in its key.
#[derive(Serialize, Deserialize)]
pub(in crate::embedded) struct Change<E = Option<EntryRecord>> {
    pub(in crate::embedded) writes: Vec<Write>,
    /// Entry in the activity, if the change has one.
    pub(in crate::embedded) entry: E,
}

impl Change {
    /// Returns the changes that write `writes` and `entries` together. Each has one entry at most,
    /// because the number of a change is also that of its entry.
    pub(in crate::embedded) fn all(writes: Vec<Write>, entries: Vec<EntryRecord>) -> Vec<Self> {
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
