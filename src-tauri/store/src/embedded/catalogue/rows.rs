//! The rows of the catalogue in memory, in columns.

use std::cmp::Ordering;

use hashbrown::HashTable;

use super::kind::{Kind, Part};
use super::row::Row;
use super::row_id::RowId;
use super::text_hash::TextHash;
use super::written::Written;
use latchkey_core::paging::{Position, Sort, SortKey, folded};

/// Separates the searchable texts of a row. No search can contain it.
const BETWEEN: u8 = 0x1f;

/// Rows in columns, so that a search reads only texts, and a filter only fields of fixed size. A row
/// whose texts have changed gets a new row, and the old row is dead. Other changes are made in the
/// row.
pub(in crate::embedded) struct Rows<K: Kind> {
    /// Folded texts of each row.
    text: Vec<u8>,
    columns: Vec<Columns<K::Fields>>,
    written: Written,
    /// Hash of each ID.
    hashes: Vec<TextHash>,
    by_id: HashTable<RowId>,
    /// Dead rows in the order in which they died.
    dead: Vec<RowId>,
    /// Number of rows at the beginning that are in the order of their IDs.
    in_order: usize,
    /// Number of changes in a row after which other queries match it.
    changed: u64,
    shared: K::Shared,
}

impl<K: Kind> Default for Rows<K> {
    fn default() -> Self {
        Self {
            text: Vec::new(),
            columns: Vec::new(),
            written: Written::default(),
            hashes: Vec::new(),
            by_id: HashTable::new(),
            dead: Vec::new(),
            in_order: 0,
            changed: 0,
            shared: K::Shared::default(),
        }
    }
}

/// Fields of a row that have a fixed size.
#[derive(Clone, Copy)]
struct Columns<F> {
    text_end: usize,
    fields: F,
    /// Length of the folded ID.
    folded_id: u16,
    /// Length of the folded text for sorting.
    folded_text: u16,
    /// Whether the folded ID equals the ID.
    is_folded: bool,
    is_dead: bool,
}

/// Row that [`Rows::put`] has changed.
pub(super) enum Changed<F> {
    /// The texts are new, and so is the row.
    Texts,
    /// The row had these fields.
    Fields(RowId, F),
}

impl<K: Kind> Rows<K> {
    /// Creates an empty table with space for a number of rows, which are added in the order of
    /// their IDs.
    pub(super) fn with_capacity(rows: usize) -> Self {
        let mut empty = Self {
            columns: Vec::with_capacity(rows),
            hashes: Vec::with_capacity(rows),
            ..Self::default()
        };
        // An empty table has nothing to hash again.
        empty.by_id.reserve(rows, |_| 0);
        empty
    }

    /// Adds a row, or replaces the row with its ID.
    pub(super) fn put(&mut self, row: &Row<'_, K>) -> Changed<K::Fields> {
        let start = self.text.len();
        let (folded_id, folded_text) = self.push_texts(row);
        let known = self.find(&row.id);
        if let Some(known) = known
            && self.text_of(known) == self.text.get(start..).unwrap_or_default()
        {
            self.text.truncate(start);
            let fields = K::fields(&row.values, &mut self.shared);
            if let Some(columns) = self.columns.get_mut(known.index()) {
                let before = std::mem::replace(&mut columns.fields, fields);
                self.changed += u64::from(!K::is_alike(&before, &fields));
                K::touch(&mut self.shared, known);
                return Changed::Fields(known, before);
            }
        }
        if known.is_some() {
            self.tombstone(&row.id);
        }
        let new = self.push_columns(row, start, folded_id, folded_text);
        self.index(new);
        K::touch(&mut self.shared, new);
        Changed::Texts
    }

    /// Appends loaded rows.
    pub(super) fn append(&mut self, loaded: Self) {
        let (first, text) = (self.columns.len(), self.text.len());
        let goes_on = match (self.all().next_back(), loaded.all().next()) {
            (Some(last), Some(next)) => self.id(last) < loaded.id(next),
            _ => true,
        };
        if self.in_order == first && goes_on {
            self.in_order += loaded.in_order;
        }
        self.text.extend_from_slice(&loaded.text);
        self.written.append(first, &loaded.written);
        self.hashes.extend_from_slice(&loaded.hashes);
        let joined = K::join(&mut self.shared, &loaded.shared);
        self.columns
            .extend(loaded.columns.into_iter().map(|columns| Columns {
                text_end: text + columns.text_end,
                fields: joined(columns.fields),
                ..columns
            }));
        for row in self.from(first) {
            self.index(row);
        }
    }

    /// Adds a row that cannot be found by its ID until it is [appended](Self::append) to other
    /// rows.
    pub(super) fn load(&mut self, row: &Row<'_, K>) {
        let start = self.text.len();
        let (folded_id, folded_text) = self.push_texts(row);
        self.push_columns(row, start, folded_id, folded_text);
    }

    /// Adds the folded texts of a row. Returns the lengths of the ID and of the text for sorting.
    fn push_texts(&mut self, row: &Row<'_, K>) -> (u16, u16) {
        let start = self.text.len();
        self.push_folded(&row.id);
        let folded_id = length(self.text.len() - start);
        self.text.push(BETWEEN);
        let start = self.text.len();
        self.push_folded(row.text.as_deref().unwrap_or_default());
        let folded_text = length(self.text.len() - start);
        for other in row.others.iter().flatten() {
            self.text.push(BETWEEN);
            self.push_folded(other);
        }
        self.text.push(b'\n');
        (folded_id, folded_text)
    }

    /// Adds the columns of a row whose texts begin at `start`.
    fn push_columns(
        &mut self,
        row: &Row<'_, K>,
        start: usize,
        folded_id: u16,
        folded_text: u16,
    ) -> RowId {
        let texts = self.text.get(start..).unwrap_or_default();
        let is_folded = texts.get(..folded_id.into()) == Some(row.id.as_bytes());
        let id = RowId::new(self.columns.len());
        let goes_on = id
            .index()
            .checked_sub(1)
            .is_none_or(|last| self.id(RowId::new(last)) < &*row.id);
        if self.in_order == id.index() && goes_on {
            self.in_order += 1;
        }
        if !is_folded {
            self.written.push(id, &row.id);
        }
        let fields = K::fields(&row.values, &mut self.shared);
        self.hashes.push(TextHash::of(&row.id));
        self.columns.push(Columns {
            text_end: self.text.len(),
            fields,
            folded_id,
            folded_text,
            is_folded,
            is_dead: false,
        });
        id
    }

    fn push_folded(&mut self, text: &str) {
        if text.is_ascii() {
            // Gives the same result faster.
            self.text.extend(
                text.bytes()
                    .map(|byte| printable(byte.to_ascii_lowercase())),
            );
            return;
        }
        let mut utf8 = [0; 4];
        for sign in folded(text) {
            let bytes = sign.encode_utf8(&mut utf8).bytes();
            self.text.extend(bytes.map(printable));
        }
    }

    fn index(&mut self, row: RowId) {
        let hashes = &self.hashes;
        let hash_of = |row: &RowId| hashes.get(row.index()).map_or(0, |hash| hash.spread());
        self.by_id.insert_unique(hash_of(&row), row, hash_of);
    }

    /// Marks the row of an ID as dead, if there is one.
    pub(super) fn tombstone(&mut self, id: &str) {
        let hash = TextHash::of(id);
        let mut by_id = std::mem::take(&mut self.by_id);
        if let Ok(found) = by_id.find_entry(hash.spread(), |row| self.has_id(*row, id, hash)) {
            let (row, _) = found.remove();
            if let Some(columns) = self.columns.get_mut(row.index()) {
                columns.is_dead = true;
            }
            self.dead.push(row);
            K::touch(&mut self.shared, row);
        }
        self.by_id = by_id;
    }

    /// Changes a value that rows share.
    pub(super) fn note(&mut self, note: K::Note) {
        K::note(&mut self.shared, note);
    }

    fn find(&self, id: &str) -> Option<RowId> {
        let hash = TextHash::of(id);
        let is_it = |row: &RowId| self.has_id(*row, id, hash);
        self.by_id.find(hash.spread(), is_it).copied()
    }

    /// Returns whether a row has an ID. Compares the hashes first, because the IDs are far apart in
    /// memory.
    fn has_id(&self, row: RowId, id: &str, hash: TextHash) -> bool {
        self.hashes.get(row.index()) == Some(&hash) && self.id(row) == id
    }

    pub(super) const fn shared(&self) -> &K::Shared {
        &self.shared
    }

    pub(super) const fn shared_mut(&mut self) -> &mut K::Shared {
        &mut self.shared
    }

    /// Returns the living rows.
    pub(super) fn living(&self) -> impl Iterator<Item = (RowId, &K::Fields)> {
        let rows = self.all().zip(&self.columns);
        let living = rows.filter(|(_, columns)| !columns.is_dead);
        living.map(|(row, columns)| (row, &columns.fields))
    }

    /// Returns the number of rows, dead ones included.
    pub(super) fn len(&self) -> usize {
        self.columns.len()
    }

    /// Returns the dead rows in the order in which they died.
    pub(super) fn dead(&self) -> &[RowId] {
        &self.dead
    }

    /// Returns a number that grows with each change.
    pub(super) fn changes(&self) -> u64 {
        count(self.columns.len() + self.dead.len()) + self.changed
    }

    pub(super) fn all(&self) -> impl DoubleEndedIterator<Item = RowId> + use<K> {
        (0..self.columns.len()).map(RowId::new)
    }

    pub(super) fn from(&self, first: usize) -> impl Iterator<Item = RowId> + use<K> {
        (first..self.columns.len()).map(RowId::new)
    }

    pub(super) fn is_dead(&self, row: RowId) -> bool {
        self.columns
            .get(row.index())
            .is_none_or(|columns| columns.is_dead)
    }

    pub(super) fn fields(&self, row: RowId) -> Option<&K::Fields> {
        let columns = self.columns.get(row.index());
        columns.map(|columns| &columns.fields)
    }

    pub(super) fn id(&self, row: RowId) -> &str {
        let id = match self.columns.get(row.index()) {
            Some(columns) if columns.is_folded => {
                let id = self.text_of(row).get(..usize::from(columns.folded_id));
                id.and_then(|id| std::str::from_utf8(id).ok())
            }
            _ => self.written.id(row),
        };
        id.unwrap_or_default()
    }

    /// Compares the IDs of two rows byte by byte.
    pub(super) fn compare_ids(&self, a: RowId, b: RowId) -> Ordering {
        if a.index().max(b.index()) < self.in_order {
            // Compares indexes only, because the texts are far apart in memory.
            return a.cmp(&b);
        }
        self.id(a).cmp(self.id(b))
    }

    /// Returns whether the rows up to this one are in the order of their folded IDs, which is so if
    /// their IDs are folded.
    pub(super) fn is_in_order_to(&self, last: RowId) -> bool {
        last.index() < self.in_order && self.written.is_empty()
    }

    /// Returns the searchable text of all rows. Each row ends with a line break.
    pub(super) fn text(&self) -> &[u8] {
        &self.text
    }

    /// Returns the end of a row's text.
    pub(super) fn text_end(&self, row: RowId) -> usize {
        self.columns
            .get(row.index())
            .map_or(self.text.len(), |columns| columns.text_end)
    }

    pub(super) fn text_of(&self, row: RowId) -> &[u8] {
        let start = self.before(row).map_or(0, |columns| columns.text_end);
        self.text.get(start..self.text_end(row)).unwrap_or_default()
    }

    /// Returns the folded ID of a row.
    pub(super) fn folded_id(&self, row: RowId) -> &[u8] {
        let length = |columns: &Columns<K::Fields>| columns.folded_id.into();
        let length = self.columns.get(row.index()).map_or(0, length);
        self.text_of(row).get(..length).unwrap_or_default()
    }

    /// Returns the folded text for sorting. It is empty if the row has none.
    pub(super) fn folded_text(&self, row: RowId) -> &[u8] {
        let Some(columns) = self.columns.get(row.index()) else {
            return &[];
        };
        let start = usize::from(columns.folded_id) + 1;
        let end = start + usize::from(columns.folded_text);
        self.text_of(row).get(start..end).unwrap_or_default()
    }

    /// Returns the time by which a row is sorted, if it has one.
    pub(super) fn time(&self, by: K::By, row: RowId) -> Option<i64> {
        K::time(by, self.fields(row)?)
    }

    /// Returns the position of a row in an order.
    pub(super) fn position(&self, sort: Sort<K::By>, row: RowId) -> Position<'_> {
        let text = |bytes| std::str::from_utf8(bytes).unwrap_or_default();
        let key = match K::part(sort.by) {
            Part::Id => Some(SortKey::Text(text(self.folded_id(row)).into())),
            Part::Text => Some(text(self.folded_text(row)))
                .filter(|text| !text.is_empty())
                .map(|text| SortKey::Text(text.into())),
            Part::Time => self.time(sort.by, row).map(SortKey::Time),
        };
        Position::new(key, self.id(row))
    }

    fn before(&self, row: RowId) -> Option<&Columns<K::Fields>> {
        self.columns.get(row.index().checked_sub(1)?)
    }

    pub(super) fn is_mostly_dead(&self) -> bool {
        /// Number of dead rows below which compacting is not worth it.
        const FEW: usize = 4096;
        self.dead.len() > FEW.max(self.columns.len() / 2)
    }

    /// Returns the living rows in the order of their IDs.
    pub(super) fn compacted(&mut self) -> Self {
        let mut living: Vec<RowId> = self.all().filter(|row| !self.is_dead(*row)).collect();
        living.sort_unstable_by_key(|row| self.id(*row));
        let mut compacted = Self {
            shared: std::mem::take(&mut self.shared),
            changed: self.changes(),
            ..Self::default()
        };
        for row in living {
            let Some(columns) = self.columns.get(row.index()) else {
                continue;
            };
            compacted.text.extend_from_slice(self.text_of(row));
            let id = RowId::new(compacted.columns.len());
            if !columns.is_folded {
                compacted.written.push(id, self.id(row));
            }
            compacted.hashes.extend(self.hashes.get(row.index()));
            compacted.columns.push(Columns {
                text_end: compacted.text.len(),
                ..*columns
            });
            compacted.index(id);
        }
        compacted.in_order = compacted.columns.len();
        K::renumber(&mut compacted.shared);
        compacted
    }
}

/// Converts a number to 64 bits. A `usize` has no more.
pub(super) fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// Converts a length in a row. IDs, addresses and names are much shorter than the maximum.
fn length(bytes: usize) -> u16 {
    u16::try_from(bytes).unwrap_or(u16::MAX)
}

/// Replaces bytes that separate texts.
fn printable(byte: u8) -> u8 {
    if byte.is_ascii_control() { b' ' } else { byte }
}
