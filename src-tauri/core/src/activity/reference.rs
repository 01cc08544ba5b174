use std::fmt;

use serde::{Deserialize, Serialize};

/// Digits and letters that nobody takes for one another.
const ALPHABET: &[u8; 31] = b"23456789abcdefghjkmnpqrstuvwxyz";

/// A short text on an error page, by which the administrator finds what happened: eight signs, 39
/// random bits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Reference(String);

impl Reference {
    /// One that nobody has seen.
    #[must_use]
    pub fn random() -> Self {
        let mut bytes = [0_u8; 8];
        // Without randomness it names nothing; the page is shown all the same.
        let _ = getrandom::fill(&mut bytes);
        let signs = bytes.iter().map(|byte| {
            let sign = ALPHABET.get(usize::from(*byte) % ALPHABET.len()).copied();
            char::from(sign.unwrap_or(b'2'))
        });
        Self(signs.collect())
    }

    /// The text.
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
