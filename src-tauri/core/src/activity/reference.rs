//! The reference on an error page, by which an administrator finds the entry and the log lines.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Digits and letters that look different from each other.
const ALPHABET: &[u8; 31] = b"23456789abcdefghjkmnpqrstuvwxyz";

/// Number of characters of a reference.
const LENGTH: usize = 8;

/// Short text on an error page, by which the administrator finds the reason: eight characters, 39
/// random bits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Reference(String);

impl Reference {
    /// Generates a new reference.
    #[must_use]
    pub fn random() -> Self {
        let mut bytes = [0_u8; LENGTH];
        // Without random bytes the reference is useless, but the page is still shown.
        let _ = getrandom::fill(&mut bytes);
        let signs = bytes.iter().map(|byte| {
            let sign = ALPHABET.get(usize::from(*byte) % ALPHABET.len()).copied();
            char::from(sign.unwrap_or(b'2'))
        });
        Self(signs.collect())
    }

    /// Returns whether the text has the form of a reference. One that was stored may have any text.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.0.len() == LENGTH && self.0.bytes().all(|sign| ALPHABET.contains(&sign))
    }

    /// Returns the reference as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
