use serde::{Deserialize, Serialize};

use super::{SecretEncoding, short_key};
use crate::error::Warning;
use crate::protocol::code::Algorithm;

/// Where a key came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum KeyOrigin {
    /// Made here.
    Generated,
    /// Brought by the administrator.
    Pasted,
}

/// Where a key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyLocation {
    /// In the operating system's keychain.
    Keychain,
    /// In the sealed file of the data folder.
    SealedFile,
}

/// The record of a signing key, which does not contain the key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRecord {
    /// The name under which it is kept: random, so that a replaced key never overwrites another.
    pub id: String,
    /// Origin of the key.
    pub origin: KeyOrigin,
    /// Location of the key.
    pub kept: KeyLocation,
    /// When it was set, in Unix seconds.
    pub set_at: i64,
    /// Its length in bytes, up to 64; enough to warn of a short one.
    pub bytes: usize,
    /// How the secret is turned into the key.
    #[serde(default, skip_serializing_if = "SecretEncoding::is_text")]
    pub encoding: SecretEncoding,
    /// Whether it has been shown since it was set. It is shown once.
    pub revealed: bool,
}

impl KeyRecord {
    /// The warning for a key that is shorter than `algorithm` asks for.
    #[must_use]
    pub fn short_for(&self, algorithm: Algorithm) -> Option<Warning> {
        short_key(self.bytes, algorithm)
    }
}
