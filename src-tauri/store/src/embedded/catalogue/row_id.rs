//! Index of a row in the catalogue.

/// Index of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::embedded) struct RowId(u32);

impl RowId {
    pub(super) fn index(self) -> usize {
        self.0 as usize
    }

    pub(super) fn new(index: usize) -> Self {
        // Cannot overflow, because 2^32 rows do not fit into memory.
        Self(u32::try_from(index).unwrap_or(u32::MAX))
    }
}
