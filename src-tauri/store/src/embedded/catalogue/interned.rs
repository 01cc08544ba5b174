//! Texts that many rows share, each kept once.

use hashbrown::HashTable;

use super::text_hash::TextHash;

/// Number of a text.
pub(super) type TextId = u32;

/// Texts with numbers that count up from 0.
#[derive(Default)]
pub(super) struct Interned {
    texts: String,
    /// End of each text.
    ends: Vec<usize>,
    /// Hash of each text.
    hashes: Vec<TextHash>,
    by_text: HashTable<TextId>,
    /// Last text that was added or found, because rows beside each other often share one.
    last: TextId,
}

impl Interned {
    /// Returns the number of a text, which is added if it is new.
    pub(super) fn intern(&mut self, text: &str) -> TextId {
        if !self.ends.is_empty() && self.get(self.last) == text {
            return self.last;
        }
        self.last = self.intern_hashed(text, TextHash::of(text));
        self.last
    }

    fn intern_hashed(&mut self, text: &str, hash: TextHash) -> TextId {
        if let Some(known) = self.find_hashed(text, hash) {
            return known;
        }
        // Cannot overflow, because 2^32 texts do not fit into memory.
        let new = TextId::try_from(self.ends.len()).unwrap_or(TextId::MAX);
        self.texts.push_str(text);
        self.ends.push(self.texts.len());
        self.hashes.push(hash);
        let hashes = &self.hashes;
        let hash_of = |id: &TextId| hashes.get(*id as usize).map_or(0, |hash| hash.spread());
        self.by_text.insert_unique(hash.spread(), new, hash_of);
        new
    }

    pub(super) fn find(&self, text: &str) -> Option<TextId> {
        self.find_hashed(text, TextHash::of(text))
    }

    fn find_hashed(&self, text: &str, hash: TextHash) -> Option<TextId> {
        let is_it =
            |id: &TextId| self.hashes.get(*id as usize) == Some(&hash) && self.get(*id) == text;
        self.by_text.find(hash.spread(), is_it).copied()
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
        let texts = (0..).zip(&other.hashes);
        texts
            .map(|(id, hash)| self.intern_hashed(other.get(id), *hash))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_text_of_several_parts_is_kept_once_and_found_after_the_table_has_grown() {
        let text = |number: usize| format!("person-{number}");
        let mut all = Interned::default();
        for part in 0..10 {
            let mut some = Interned::default();
            // The parts share half of their texts with the next part.
            let texts: Vec<_> = (part * 100..part * 100 + 200).map(text).collect();
            let ids: Vec<_> = texts
                .iter()
                .map(|text| [some.intern(text), some.intern(text)])
                .collect();
            let joined = all.join(&some);
            for (text, [once, again]) in texts.iter().zip(ids) {
                assert_eq!(once, again);
                assert_eq!(all.get(joined[once as usize]), text);
            }
        }
        assert_eq!(all.ends.len(), 1100);
        for number in 0..1100 {
            let id = all.find(&text(number)).unwrap();
            assert_eq!(all.get(id), text(number));
            assert_eq!(all.intern(&text(number)), id);
        }
        assert_eq!(all.find("nobody"), None);
    }
}
