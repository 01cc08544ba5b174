use std::cmp::Ordering;

use super::rows::{RowId, Rows};
use latchkey_core::directory::query::Sort;

/// More changes than this are merged in one pass; fewer are put in their places one by one.
const FEW: usize = 32;

/// All living rows in an order, as of some number of changes.
pub(super) struct Order {
    sort: Sort,
    rows: Vec<RowId>,
    /// How many rows there were.
    seen: usize,
    /// How many had died.
    buried: usize,
}

impl Order {
    pub(super) fn new(rows: &Rows, sort: Sort) -> Self {
        let living = rows.all().filter(|row| !rows.is_dead(*row));
        Self {
            sort,
            rows: sorted(rows, sort, living.collect()),
            seen: rows.len(),
            buried: rows.dead().len(),
        }
    }

    /// The rows in order, as of the last [`follow`](Self::follow).
    pub(super) fn rows(&self) -> &[RowId] {
        &self.rows
    }

    /// Takes in what has changed.
    pub(super) fn follow(&mut self, rows: &Rows) {
        let died: Vec<RowId> = rows.dead().iter().skip(self.buried).copied().collect();
        let born: Vec<RowId> = rows
            .from(self.seen)
            .filter(|row| !rows.is_dead(*row))
            .collect();
        if died.len() + born.len() <= FEW {
            for row in died {
                // One that was born and died since was never here.
                if let Ok(at) = self.find(rows, row) {
                    self.rows.remove(at);
                }
            }
            for row in born {
                if let Err(at) = self.find(rows, row) {
                    self.rows.insert(at, row);
                }
            }
        } else {
            self.rows.retain(|row| !rows.is_dead(*row));
            let born = sorted(rows, self.sort, born);
            self.rows = merged(rows, self.sort, &self.rows, &born);
        }
        self.seen = rows.len();
        self.buried = rows.dead().len();
    }

    /// Where a row is, or where it belongs. A dead one still has the place it had.
    fn find(&self, rows: &Rows, row: RowId) -> Result<usize, usize> {
        let position = self.sort.position(rows.sortable(row));
        let at = self.rows.partition_point(|other| {
            self.sort
                .compare(&self.sort.position(rows.sortable(*other)), &position)
                .is_lt()
        });
        if self.rows.get(at) == Some(&row) {
            Ok(at)
        } else {
            Err(at)
        }
    }
}

fn compare(rows: &Rows, sort: Sort, a: RowId, b: RowId) -> Ordering {
    let (a_rank, b_rank) = (sort.rank(rows.sortable(a)), sort.rank(rows.sortable(b)));
    a_rank
        .cmp(&b_rank)
        .then_with(|| compare_alike(rows, sort, a, b))
}

/// For rows of one rank.
fn compare_alike(rows: &Rows, sort: Sort, a: RowId, b: RowId) -> Ordering {
    if sort.rank_is_all() {
        return rows.compare_ids(a, b);
    }
    let position = |row| sort.position(rows.sortable(row));
    sort.compare(&position(a), &position(b))
}

fn sorted(rows: &Rows, sort: Sort, some: Vec<RowId>) -> Vec<RowId> {
    let mut ranked: Vec<(u128, RowId)> = some
        .into_iter()
        .map(|row| (sort.rank(rows.sortable(row)), row))
        .collect();
    // The rank decides nearly always, and lies beside the row instead of far away among the texts.
    ranked.sort_unstable_by(|(a_rank, a), (b_rank, b)| {
        a_rank
            .cmp(b_rank)
            .then_with(|| compare_alike(rows, sort, *a, *b))
    });
    ranked.into_iter().map(|(_, row)| row).collect()
}

fn merged(rows: &Rows, sort: Sort, a: &[RowId], b: &[RowId]) -> Vec<RowId> {
    let mut merged = Vec::with_capacity(a.len() + b.len());
    let (mut a, mut b) = (a.iter().copied().peekable(), b.iter().copied().peekable());
    while let (Some(first), Some(second)) = (a.peek(), b.peek()) {
        let next = if compare(rows, sort, *first, *second).is_le() {
            a.next()
        } else {
            b.next()
        };
        merged.extend(next);
    }
    merged.extend(a);
    merged.extend(b);
    merged
}
