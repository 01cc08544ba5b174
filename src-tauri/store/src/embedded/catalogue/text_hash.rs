//! Hashes of texts for the tables of catalogues.

use std::hash::{BuildHasher as _, RandomState};
use std::sync::LazyLock;

/// Hasher of all catalogues, so that a text that was hashed in a part of a catalogue need not be
/// hashed again when the parts are joined. Its keys are random, because people choose some texts.
static HASHER: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// Hash of a text, in four bytes, because a catalogue keeps one for each text in its tables.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct TextHash(u32);

impl TextHash {
    pub(super) fn of(text: &str) -> Self {
        let hash = HASHER.hash_one(text);
        Self(u32::try_from(hash >> 32).unwrap_or_default())
    }

    /// Returns the hash in the form that a table needs, which reads its lowest and its highest bits.
    pub(super) fn spread(self) -> u64 {
        let hash = u64::from(self.0);
        hash << 32 | hash
    }
}
