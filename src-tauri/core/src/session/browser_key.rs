use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Minimum length of the text that identifies a browser: 128 random bits in base64.
const MIN_BYTES: usize = 22;

/// SHA-256 of the random text in a cookie that identifies a browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BrowserKey(#[serde(with = "crate::hash")] [u8; 32]);

impl BrowserKey {
    /// Returns the key for the value of a cookie. `None` if the value is too short to be random.
    #[must_use]
    pub fn of(value: &[u8]) -> Option<Self> {
        (value.len() >= MIN_BYTES).then(|| Self(Sha256::digest(value).into()))
    }
}
