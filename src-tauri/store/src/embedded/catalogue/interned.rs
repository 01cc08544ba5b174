//! Texts that many rows share, each kept once.

use std::hash::{BuildHasher as _, RandomState};

use hashbrown::HashTable;

/// Number of a text.
pub(super) type TextId = u32;

/// Texts with numbers that count up from 0.
#[derive(Default)]
pub(super) struct Interned {
    texts: String,
    /// End of each text.
    ends: Vec<usize>,
    by_text: HashTable<TextId>,
    hasher: RandomState,
}

impl Interned {
    /// Returns the number of a text, which is added if it is new.
    pub(super) fn intern(&mut self, text: &str) -> TextId {
        if let Some(known) = self.find(text) {
            return known;
        }
        // Cannot overflow, because 2^32 texts do not fit into memory.
        let new = TextId::try_from(self.ends.len()).unwrap_or(TextId::MAX);
        self.texts.push_str(text);
        self.ends.push(self.texts.len());
        let hash = self.hasher.hash_one(text);
        let mut by_text = std::mem::take(&mut self.by_text);
        by_text.insert_unique(hash, new, |id| self.hasher.hash_one(self.get(*id)));
        self.by_text = by_text;
        new
    }

    pub(super) fn find(&self, text: &str) -> Option<TextId> {
        let hash = self.hasher.hash_one(text);
        let is_it = |id: &TextId| self.get(*id) == text;
        self.by_text.find(hash, is_it).copied()
    }

    pub(super) fn get(&self, id: TextId) -> &str {
        let at = id as usize;
        let end = self.ends.get(at).copied().unwrap_or_default();
        let before = at.checked_sub(1).and_then(|before| self.ends.get(before));
        let start = before.copied().unwrap_or_default();
        self.texts.get(start..end).unwrap_or_default()
    }

    /// Adds all texts of another table. Returns their numbers here.
    pub(super) fn join(&mut self, other: &Self) -> Vec<TextId> {
        let ids = (0..).take(other.ends.len());
        ids.map(|id| self.intern(other.get(id))).collect()
    }
}
