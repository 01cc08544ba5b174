//! Text search over all rows. A million users have about 60 MB of text. Reading all of it takes
//! less time than painting a frame, so an index is not worth its memory.

use memchr::memmem::Finder;

use super::kind::Kind;
use super::row_id::RowId;
use super::rows::Rows;

/// A set of rows, with one bit each.
pub(super) struct RowSet(Vec<u64>);

impl RowSet {
    pub(super) fn empty(rows: usize) -> Self {
        Self(vec![0; rows.div_ceil(64)])
    }

    pub(super) fn insert(&mut self, row: RowId) {
        if let Some(word) = self.0.get_mut(row.index() / 64) {
            *word |= 1 << (row.index() % 64);
        }
    }

    pub(super) fn contains(&self, row: RowId) -> bool {
        self.0
            .get(row.index() / 64)
            .is_some_and(|word| word & (1 << (row.index() % 64)) != 0)
    }
}

/// Returns the living rows that match `query`.
pub(super) fn matching<K: Kind>(rows: &Rows<K>, query: &K::Query) -> RowSet {
    let (first, others) = match K::search(query).words() {
        [] => (None, &[][..]),
        [first, others @ ..] => (Some(first), others),
    };
    let others: Vec<Finder<'_>> = others.iter().map(Finder::new).collect();
    let filter = K::filter(query, rows.shared());
    let mut matching = RowSet::empty(rows.len());
    let mut take = |row: RowId| {
        let wanted = !rows.is_dead(row)
            && rows.fields(row).is_some_and(|fields| filter(row, fields))
            && others
                .iter()
                .all(|word| word.find(rows.text_of(row)).is_some());
        if wanted {
            matching.insert(row);
        }
    };
    match first {
        None => rows.all().for_each(take),
        Some(word) => {
            // One pass over the whole text, from match to match. After a match, the rest of the row
            // is skipped.
            let (word, text) = (Finder::new(word), rows.text());
            let mut ahead = rows.all();
            let mut from = 0;
            while let Some(found) = text.get(from..).and_then(|text| word.find(text)) {
                let at = from + found;
                let Some(row) = ahead.find(|row| rows.text_end(*row) > at) else {
                    break;
                };
                take(row);
                from = rows.text_end(row);
            }
        }
    }
    matching
}
