//! IDs of the catalogue as written.

use super::row_id::RowId;

/// IDs that differ from their folded form, as written.
#[derive(Default)]
pub(super) struct Written {
    ids: String,
    /// End of each ID, in the order of the rows.
    ends: Vec<(RowId, usize)>,
}

impl Written {
    /// Adds the ID of a row after all others.
    pub(super) fn push(&mut self, row: RowId, id: &str) {
        self.ids.push_str(id);
        self.ends.push((row, self.ids.len()));
    }

    pub(super) fn id(&self, row: RowId) -> Option<&str> {
        let at = self.ends.binary_search_by_key(&row, |(row, _)| *row).ok()?;
        let before = at.checked_sub(1).and_then(|before| self.ends.get(before));
        let start = before.map_or(0, |(_, end)| *end);
        self.ids.get(start..self.ends.get(at)?.1)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Appends the IDs of other rows, the first of which becomes the row `first`.
    pub(super) fn append(&mut self, first: usize, other: &Self) {
        let before = self.ids.len();
        self.ids.push_str(&other.ids);
        let ends = other.ends.iter();
        self.ends
            .extend(ends.map(|(row, end)| (RowId::new(first + row.index()), before + end)));
    }
}
