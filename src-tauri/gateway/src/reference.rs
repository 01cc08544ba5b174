//! A short text on an error page, by which the administrator finds what happened.

use std::fmt;

/// Digits and letters that nobody takes for one another.
const ALPHABET: &[u8; 31] = b"23456789abcdefghjkmnpqrstuvwxyz";

/// Eight of them: 39 random bits.
#[derive(Clone, Debug)]
pub(crate) struct Reference(String);

impl Reference {
    pub(crate) fn new() -> Self {
        let mut bytes = [0_u8; 8];
        // Without randomness it names nothing; the page is shown all the same.
        let _ = getrandom::fill(&mut bytes);
        let signs = bytes.iter().map(|byte| {
            let sign = ALPHABET.get(usize::from(*byte) % ALPHABET.len()).copied();
            char::from(sign.unwrap_or(b'2'))
        });
        Self(signs.collect())
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
