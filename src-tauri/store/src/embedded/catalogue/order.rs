//! All rows in one sort order.

use std::cmp::Ordering;

use super::kind::Kind;
use super::row_id::RowId;
use super::rows::Rows;
use super::scan::RowSet;
use super::sort::sorted;
use latchkey_core::paging::Sort;

/// Maximum number of changes that are inserted one by one. More changes are merged in one pass.
const FEW: usize = 32;

/// All living rows in an order, as of the last [`follow`](Self::follow).
pub(super) struct Order<K: Kind> {
    sort: Sort<K::By>,
    rows: Vec<RowId>,
    /// Number of rows at that time.
    seen: usize,
    /// Number of dead rows at that time.
    buried: usize,
    /// Rows whose position has changed since.
    moved: Vec<RowId>,
}

impl<K: Kind> Order<K> {
    pub(super) fn new(rows: &Rows<K>, sort: Sort<K::By>) -> Self {
        let living = rows.all().filter(|row| !rows.is_dead(*row));
        Self {
            sort,
            rows: sorted(rows, sort, living.collect()),
            seen: rows.len(),
            buried: rows.dead().len(),
            moved: Vec::new(),
        }
    }

    pub(super) fn sort(&self) -> Sort<K::By> {
        self.sort
    }

    /// Returns the rows in order, as of the last [`follow`](Self::follow).
    pub(super) fn rows(&self) -> &[RowId] {
        &self.rows
    }

    /// Notes that the position of a row has changed.
    pub(super) fn move_row(&mut self, row: RowId) {
        self.moved.push(row);
    }

    /// Returns the number of moves since the last [`follow`](Self::follow).
    pub(super) fn moves(&self) -> usize {
        self.moved.len()
    }

    /// Applies the changes since the last call.
    pub(super) fn follow(&mut self, rows: &Rows<K>) {
        let died = rows.dead().get(self.buried..).unwrap_or_default();
        let born = rows.from(self.seen).filter(|row| !rows.is_dead(*row));
        let mut born: Vec<RowId> = born.collect();
        if self.moved.is_empty() && died.len() + born.len() <= FEW {
            for row in died {
                // A row that was added and removed since is not in the order.
                if let Ok(at) = self.find(rows, *row) {
                    self.rows.remove(at);
                }
            }
            for row in born {
                if let Err(at) = self.find(rows, row) {
                    self.rows.insert(at, row);
                }
            }
        } else {
            // A row that has moved cannot be found by its position.
            let mut gone = RowSet::empty(rows.len());
            for row in died {
                gone.insert(*row);
            }
            for row in std::mem::take(&mut self.moved) {
                if row.index() < self.seen && !gone.contains(row) {
                    gone.insert(row);
                    born.push(row);
                }
            }
            self.rows.retain(|row| !gone.contains(*row));
            self.merge(rows, born);
        }
        self.seen = rows.len();
        self.buried = rows.dead().len();
    }

    /// Inserts rows at their positions.
    fn merge(&mut self, rows: &Rows<K>, mut added: Vec<RowId>) {
        // Searching each position would take longer than sorting.
        if added.len() > self.rows.len() / 8 {
            self.rows.append(&mut added);
            self.rows = sorted(rows, self.sort, std::mem::take(&mut self.rows));
            return;
        }
        let mut merged = Vec::with_capacity(self.rows.len() + added.len());
        let mut rest = self.rows.as_slice();
        for row in sorted(rows, self.sort, added) {
            let at = rest.partition_point(|other| self.compare(rows, *other, row).is_lt());
            let (before, after) = rest.split_at(at);
            merged.extend_from_slice(before);
            merged.push(row);
            rest = after;
        }
        merged.extend_from_slice(rest);
        self.rows = merged;
    }

    /// Returns the index of a row, or the index at which it belongs. A dead row keeps its position.
    fn find(&self, rows: &Rows<K>, row: RowId) -> Result<usize, usize> {
        let is_before = |other: &RowId| self.compare(rows, *other, row).is_lt();
        let at = self.rows.partition_point(is_before);
        if self.rows.get(at) == Some(&row) {
            Ok(at)
        } else {
            Err(at)
        }
    }

    fn compare(&self, rows: &Rows<K>, a: RowId, b: RowId) -> Ordering {
        let position = |row| rows.position(self.sort, row);
        self.sort.compare(&position(a), &position(b))
    }
}
