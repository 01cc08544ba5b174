use std::borrow::Cow;
use std::cmp::Ordering;
use std::hash::{BuildHasher as _, RandomState};

use hashbrown::HashTable;

use crate::directory::Origin;
use crate::directory::query::{Sortable, folded};
use crate::verdict::Status;

/// What the catalogue knows of a user.
pub(in crate::directory::sled) struct Row<'a> {
    pub(in crate::directory::sled) id: Cow<'a, str>,
    pub(in crate::directory::sled) email: Option<Cow<'a, str>>,
    /// The texts of the name-like metadata.
    pub(in crate::directory::sled) names: Cow<'a, str>,
    pub(in crate::directory::sled) status: Status,
    pub(in crate::directory::sled) origin: Origin,
    pub(in crate::directory::sled) created_at: i64,
    pub(in crate::directory::sled) last_sign_in: Option<i64>,
}

/// Which row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RowId(u32);

impl RowId {
    pub(super) fn index(self) -> usize {
        self.0 as usize
    }

    fn new(index: usize) -> Self {
        // A directory that fills the memory of any computer has fewer.
        Self(u32::try_from(index).unwrap_or(u32::MAX))
    }
}

/// Between the searchable texts of a row; no search has it in it.
const BETWEEN: u8 = 0x1f;

/// The users column by column, so that a search touches nothing but text and a filter nothing but
/// one byte a user. A row never changes: a changed user is a new row, and the old one is dead.
#[derive(Default)]
pub(super) struct Rows {
    /// Of each row the folded id, address and names.
    text: Vec<u8>,
    columns: Vec<Columns>,
    ids: String,
    by_id: HashTable<RowId>,
    hasher: RandomState,
    /// The rows that died, in the order in which they did.
    dead: Vec<RowId>,
    /// So many rows at the beginning are in the order of their ids.
    in_order: usize,
}

/// What of a row is of one size.
struct Columns {
    text_end: usize,
    id_end: usize,
    created_at: i64,
    last_sign_in: Option<i64>,
    status: Status,
    origin: Origin,
    is_dead: bool,
}

impl Rows {
    /// With room for so many, who come in the order of their ids.
    pub(super) fn with_capacity(rows: usize) -> Self {
        let mut empty = Self {
            columns: Vec::with_capacity(rows),
            ..Self::default()
        };
        // Nothing is in it that would have to be hashed again.
        empty.by_id.reserve(rows, |_| 0);
        empty
    }

    pub(super) fn push(&mut self, row: &Row<'_>) {
        for (part, end) in [
            (row.id.as_ref(), BETWEEN),
            (row.email.as_deref().unwrap_or_default(), BETWEEN),
            (row.names.as_ref(), b'\n'),
        ] {
            self.push_folded(part);
            self.text.push(end);
        }
        let id = RowId::new(self.columns.len());
        let goes_on = id
            .index()
            .checked_sub(1)
            .is_none_or(|last| self.id(RowId::new(last)) < &*row.id);
        if self.in_order == id.index() && goes_on {
            self.in_order += 1;
        }
        self.ids.push_str(&row.id);
        self.columns.push(Columns {
            text_end: self.text.len(),
            id_end: self.ids.len(),
            created_at: row.created_at,
            last_sign_in: row.last_sign_in,
            status: row.status,
            origin: row.origin,
            is_dead: false,
        });
        self.index(id);
    }

    fn push_folded(&mut self, text: &str) {
        if text.is_ascii() {
            // The same, quicker.
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

    /// Lets the row of an id die, if there is one.
    pub(super) fn bury(&mut self, id: &str) {
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

    /// How many rows there are, dead ones too.
    pub(super) fn len(&self) -> usize {
        self.columns.len()
    }

    /// The rows that died, in the order in which they did.
    pub(super) fn dead(&self) -> &[RowId] {
        &self.dead
    }

    /// Grows with each change.
    pub(super) fn changes(&self) -> u64 {
        super::count(self.columns.len() + self.dead.len())
    }

    pub(super) fn all(&self) -> impl Iterator<Item = RowId> + use<> {
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
        let start = self.before(row).map_or(0, |columns| columns.id_end);
        let end = self.columns.get(row.index());
        end.and_then(|columns| self.ids.get(start..columns.id_end))
            .unwrap_or_default()
    }

    /// How the ids of two rows compare, byte by byte.
    pub(super) fn compare_ids(&self, a: RowId, b: RowId) -> Ordering {
        if a.index().max(b.index()) < self.in_order {
            // Without looking at them: they lie far apart.
            return a.cmp(&b);
        }
        self.id(a).cmp(self.id(b))
    }

    /// The searchable text of all rows, each ended by a line break.
    pub(super) fn text(&self) -> &[u8] {
        &self.text
    }

    /// Where the text of a row ends.
    pub(super) fn text_end(&self, row: RowId) -> usize {
        self.columns
            .get(row.index())
            .map_or(self.text.len(), |columns| columns.text_end)
    }

    pub(super) fn text_of(&self, row: RowId) -> &[u8] {
        let start = self.before(row).map_or(0, |columns| columns.text_end);
        self.text.get(start..self.text_end(row)).unwrap_or_default()
    }

    pub(super) fn sortable(&self, row: RowId) -> Sortable<'_> {
        let mut parts = self.text_of(row).split(|byte| *byte == BETWEEN);
        let mut part = || std::str::from_utf8(parts.next().unwrap_or_default()).unwrap_or_default();
        let (folded_id, folded_email) = (part(), part());
        let columns = self.columns.get(row.index());
        Sortable {
            id: self.id(row),
            folded_id,
            folded_email: Some(folded_email).filter(|email| !email.is_empty()),
            created_at: columns.map_or(0, |columns| columns.created_at),
            last_sign_in: columns.and_then(|columns| columns.last_sign_in),
        }
    }

    fn before(&self, row: RowId) -> Option<&Columns> {
        self.columns.get(row.index().checked_sub(1)?)
    }

    pub(super) fn is_mostly_dead(&self) -> bool {
        /// So many do not matter.
        const FEW: usize = 4096;
        self.dead.len() > FEW.max(self.columns.len() / 2)
    }

    /// The same without the dead ones, in the order of their ids.
    pub(super) fn compacted(&self) -> Self {
        let mut living: Vec<RowId> = self.all().filter(|row| !self.is_dead(*row)).collect();
        living.sort_unstable_by_key(|row| self.id(*row));
        let mut compacted = Self::default();
        for row in living {
            let Some(columns) = self.columns.get(row.index()) else {
                continue;
            };
            compacted.text.extend_from_slice(self.text_of(row));
            compacted.ids.push_str(self.id(row));
            let id = RowId::new(compacted.columns.len());
            compacted.columns.push(Columns {
                text_end: compacted.text.len(),
                id_end: compacted.ids.len(),
                ..*columns
            });
            compacted.index(id);
        }
        compacted.in_order = compacted.columns.len();
        compacted
    }
}

/// What separates texts is not in them.
fn printable(byte: u8) -> u8 {
    if byte.is_ascii_control() { b' ' } else { byte }
}
