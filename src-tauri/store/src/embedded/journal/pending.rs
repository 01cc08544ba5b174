//! Changes that are in the journal and not in the rows.

use std::collections::HashMap;

use sled::IVec;

use super::super::blocks::Entries;

/// Changes that are in the journal and not in the rows.
#[derive(Default)]
pub(super) struct Pending {
    pub(super) rows: HashMap<Vec<u8>, Option<IVec>>,
    pub(super) entries: Entries,
    /// Numbers in the keys of the journal's rows.
    pub(super) journaled: Vec<u64>,
    /// Number of pending changes.
    pub(super) changes: usize,
}
