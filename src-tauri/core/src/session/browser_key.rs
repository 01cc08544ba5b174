use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// The shortest text that tells a browser from others: 128 random bits in base64.
const MIN_BYTES: usize = 22;

/// The SHA-256 of a random text that one browser has in a cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BrowserKey([u8; 32]);

impl BrowserKey {
    /// The key for the value of a cookie; `None` if the value is too short to be random.
    #[must_use]
    pub fn of(value: &[u8]) -> Option<Self> {
        (value.len() >= MIN_BYTES).then(|| Self(Sha256::digest(value).into()))
    }
}
