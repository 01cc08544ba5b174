//! The users of the catalogue in memory, in columns.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::hash::{BuildHasher as _, RandomState};

use hashbrown::HashTable;

use latchkey_core::directory::Origin;
use latchkey_core::directory::query::{Sortable, folded};
use latchkey_core::protocol::email::searchable;
use latchkey_core::verdict::Status;

/// Fields of a user in the catalogue.
pub(in crate::embedded) struct Row<'a> {
    pub(in crate::embedded) id: Cow<'a, str>,
    pub(in crate::embedded) email: Option<Cow<'a, str>>,
    /// Texts of the metadata that hold names.
    pub(in crate::embedded) names: Cow<'a, str>,
    pub(in crate::embedded) status: Status,
    pub(in crate::embedded) origin: Origin,
    pub(in crate::embedded) created_at: i64,
    pub(in crate::embedded) last_sign_in: Option<i64>,
}

impl Row<'_> {
    pub(in crate::embedded) fn into_owned(self) -> Row<'static> {
        Row {
            id: self.id.into_owned().into(),
            email: self.email.map(|email| email.into_owned().into()),
            names: self.names.into_owned().into(),
            ..self
        }
    }
}

/// Index of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RowId(u32);

impl RowId {
    pub(super) fn index(self) -> usize {
        self.0 as usize
    }

    fn new(index: usize) -> Self {
        // Cannot overflow, because 2^32 users do not fit into memory.
        Self(u32::try_from(index).unwrap_or(u32::MAX))
    }
}

/// Separates the searchable texts of a row. No search can contain it.
const BETWEEN: u8 = 0x1f;

/// Users in columns, so that a search reads only texts, and a filter only one byte per user. A
/// changed user gets a new row, and the old row is dead. Only the time of the last sign-in changes
/// in its row.
#[derive(Default)]
pub(super) struct Rows {
    /// Folded ID, address and names of each row.
    text: Vec<u8>,
    columns: Vec<Columns>,
    written: Written,
    by_id: HashTable<RowId>,
    hasher: RandomState,
    /// Dead rows in the order in which they died.
    dead: Vec<RowId>,
    /// Number of rows at the beginning that are in the order of their IDs.
    in_order: usize,
}

/// Fields of a row that have a fixed size.
struct Columns {
    text_end: usize,
    created_at: i64,
    /// Time of the last sign-in, or [`NEVER`].
    last_sign_in: i64,
    /// Length of the folded ID.
    folded_id: u16,
    /// Length of the folded address.
    folded_email: u16,
    /// Whether the folded ID equals the ID.
    is_folded: bool,
    status: Status,
    origin: Origin,
    is_dead: bool,
}

/// Stands for no time, because an `Option` would double the size.
const NEVER: i64 = i64::MIN;

/// IDs that differ from their folded form, as written.
#[derive(Default)]
struct Written {
    ids: String,
    /// End of each ID, in the order of the rows.
    ends: Vec<(RowId, usize)>,
}

impl Written {
    /// Adds the ID of a row after all others.
    fn push(&mut self, row: RowId, id: &str) {
        self.ids.push_str(id);
        self.ends.push((row, self.ids.len()));
    }

    fn id(&self, row: RowId) -> Option<&str> {
        let at = self.ends.binary_search_by_key(&row, |(row, _)| *row).ok()?;
        let before = at.checked_sub(1).and_then(|before| self.ends.get(before));
        let start = before.map_or(0, |(_, end)| *end);
        self.ids.get(start..self.ends.get(at)?.1)
    }

    /// Appends the IDs of other rows, the first of which becomes the row `first`.
    fn append(&mut self, first: usize, other: &Self) {
        let before = self.ids.len();
        self.ids.push_str(&other.ids);
        let ends = other.ends.iter();
        self.ends
            .extend(ends.map(|(row, end)| (RowId::new(first + row.index()), before + end)));
    }
}

impl Rows {
    /// Creates an empty table with space for a number of rows, which are added in the order of
    /// their IDs.
    pub(super) fn with_capacity(rows: usize) -> Self {
        let mut empty = Self {
            columns: Vec::with_capacity(rows),
            ..Self::default()
        };
        // An empty table has nothing to hash again.
        empty.by_id.reserve(rows, |_| 0);
        empty
    }

    pub(super) fn push(&mut self, row: &Row<'_>) {
        let id = self.load(row);
        self.index(id);
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
        self.columns
            .extend(loaded.columns.into_iter().map(|columns| Columns {
                text_end: text + columns.text_end,
                ..columns
            }));
        for row in self.from(first) {
            self.index(row);
        }
    }

    /// Adds a row that cannot be found by its ID until it is [appended](Self::append) to other
    /// rows.
    pub(super) fn load(&mut self, row: &Row<'_>) -> RowId {
        let start = self.text.len();
        self.push_folded(&row.id);
        let folded_id = self.text.get(start..).unwrap_or_default();
        let is_folded = folded_id == row.id.as_bytes();
        let folded_len = length(folded_id.len());
        self.text.push(BETWEEN);
        let email = self.text.len();
        self.push_folded(&searchable(row.email.as_deref().unwrap_or_default()));
        let folded_email = length(self.text.len() - email);
        self.text.push(BETWEEN);
        self.push_folded(&row.names);
        self.text.push(b'\n');
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
        self.columns.push(Columns {
            text_end: self.text.len(),
            created_at: row.created_at,
            last_sign_in: row.last_sign_in.unwrap_or(NEVER),
            folded_id: folded_len,
            folded_email,
            is_folded,
            status: row.status,
            origin: row.origin,
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
        let hash = self.hasher.hash_one(self.id(row));
        let mut by_id = std::mem::take(&mut self.by_id);
        by_id.insert_unique(hash, row, |row| self.hasher.hash_one(self.id(*row)));
        self.by_id = by_id;
    }

    /// Marks the row of an ID as dead, if there is one.
    pub(super) fn tombstone(&mut self, id: &str) {
        let hash = self.hasher.hash_one(id);
        let mut by_id = std::mem::take(&mut self.by_id);
        if let Ok(found) = by_id.find_entry(hash, |row| self.id(*row) == id) {
            let (row, _) = found.remove();
            if let Some(columns) = self.columns.get_mut(row.index()) {
                columns.is_dead = true;
            }
            self.dead.push(row);
        }
        self.by_id = by_id;
    }

    /// Sets the time of the last sign-in of a user. Returns the user's row, if there is one.
    pub(super) fn sign_in(&mut self, id: &str, at: i64) -> Option<RowId> {
        let hash = self.hasher.hash_one(id);
        let row = *self.by_id.find(hash, |row| self.id(*row) == id)?;
        self.columns.get_mut(row.index())?.last_sign_in = at;
        Some(row)
    }

    /// Returns the number of users, and of those who take a seat.
    pub(super) fn totals(&self) -> (u64, u64) {
        let living = || self.columns.iter().filter(|columns| !columns.is_dead);
        let active = living().filter(|columns| columns.status == Status::Active);
        (count(living().count()), count(active.count()))
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
        count(self.columns.len() + self.dead.len())
    }

    pub(super) fn all(&self) -> impl DoubleEndedIterator<Item = RowId> + use<> {
        (0..self.columns.len()).map(RowId::new)
    }

    pub(super) fn from(&self, first: usize) -> impl Iterator<Item = RowId> + use<> {
        (first..self.columns.len()).map(RowId::new)
    }

    pub(super) fn is_dead(&self, row: RowId) -> bool {
        self.columns
            .get(row.index())
            .is_none_or(|columns| columns.is_dead)
    }

    pub(super) fn status(&self, row: RowId) -> Option<Status> {
        self.columns.get(row.index()).map(|columns| columns.status)
    }

    pub(super) fn origin(&self, row: RowId) -> Option<Origin> {
        self.columns.get(row.index()).map(|columns| columns.origin)
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
        last.index() < self.in_order && self.written.ends.is_empty()
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
        let length = |columns: &Columns| columns.folded_id.into();
        let length = self.columns.get(row.index()).map_or(0, length);
        self.text_of(row).get(..length).unwrap_or_default()
    }

    /// Returns the folded address of a row. It is empty if the user has none.
    pub(super) fn folded_email(&self, row: RowId) -> &[u8] {
        let Some(columns) = self.columns.get(row.index()) else {
            return &[];
        };
        let start = usize::from(columns.folded_id) + 1;
        let end = start + usize::from(columns.folded_email);
        self.text_of(row).get(start..end).unwrap_or_default()
    }

    pub(super) fn created_at(&self, row: RowId) -> i64 {
        let columns = self.columns.get(row.index());
        columns.map_or(0, |columns| columns.created_at)
    }

    pub(super) fn last_sign_in(&self, row: RowId) -> Option<i64> {
        let columns = self.columns.get(row.index());
        let last_sign_in = columns.map(|columns| columns.last_sign_in);
        last_sign_in.filter(|time| *time != NEVER)
    }

    pub(super) fn sortable(&self, row: RowId) -> Sortable<'_> {
        let text = |bytes| std::str::from_utf8(bytes).unwrap_or_default();
        Sortable {
            id: self.id(row),
            folded_id: text(self.folded_id(row)),
            folded_email: Some(text(self.folded_email(row))).filter(|email| !email.is_empty()),
            created_at: self.created_at(row),
            last_sign_in: self.last_sign_in(row),
        }
    }

    fn before(&self, row: RowId) -> Option<&Columns> {
        self.columns.get(row.index().checked_sub(1)?)
    }

    pub(super) fn is_mostly_dead(&self) -> bool {
        /// Number of dead rows below which compacting is not worth it.
        const FEW: usize = 4096;
        self.dead.len() > FEW.max(self.columns.len() / 2)
    }

    /// Returns the living rows in the order of their IDs.
    pub(super) fn compacted(&self) -> Self {
        let mut living: Vec<RowId> = self.all().filter(|row| !self.is_dead(*row)).collect();
        living.sort_unstable_by_key(|row| self.id(*row));
        let mut compacted = Self::default();
        for row in living {
            let Some(columns) = self.columns.get(row.index()) else {
                continue;
            };
            compacted.text.extend_from_slice(self.text_of(row));
            let id = RowId::new(compacted.columns.len());
            if !columns.is_folded {
                compacted.written.push(id, self.id(row));
            }
            compacted.columns.push(Columns {
                text_end: compacted.text.len(),
                ..*columns
            });
            compacted.index(id);
        }
        compacted.in_order = compacted.columns.len();
        compacted
    }
}

/// Converts a number to 64 bits. A `usize` has no more.
pub(super) fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// Converts a length in a row. IDs and addresses are much shorter than the maximum.
fn length(bytes: usize) -> u16 {
    u16::try_from(bytes).unwrap_or(u16::MAX)
}

/// Replaces bytes that separate texts.
fn printable(byte: u8) -> u8 {
    if byte.is_ascii_control() { b' ' } else { byte }
}
