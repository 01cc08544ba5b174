//! The stored record of a signing key: where the key is, and what is known of it. It is not secret.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{SecretEncoding, short_key};
use crate::error::Warning;
use crate::protocol::code::Algorithm;

/// Origin of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum KeyOrigin {
    /// Latchkey generated the key.
    Generated,
    /// The administrator entered the key.
    Pasted,
}

/// Location of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum KeyLocation {
    /// Keychain of the operating system.
    Keychain,
    /// Sealed file of the data folder.
    SealedFile,
}

/// Name and location of a secret that is kept in the keychain or in the sealed file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredSecret {
    /// Name in its store. It is random, so a new secret never overwrites another.
    pub id: String,
    /// Location.
    pub kept: KeyLocation,
}

/// The record of a signing key, which does not contain the key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyRecord {
    /// Name of the key in its store. It is random, so a new key never overwrites another.
    pub id: String,
    /// ID by which links name a key that was restored from a backup. It is the ID that the key had
    /// before. Links name every other key by `id`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public_id: Option<String>,
    /// Origin of the key.
    pub origin: KeyOrigin,
    /// Location of the key.
    pub kept: KeyLocation,
    /// Time when the key was set, in Unix seconds.
    pub set_at: i64,
    /// Length of the key in bytes, at most 64, which is enough to warn of a short one.
    pub bytes: usize,
    /// Encoding of the secret.
    #[serde(default, skip_serializing_if = "SecretEncoding::is_text")]
    pub encoding: SecretEncoding,
    /// Whether the key was shown since it was set. It can be shown only once.
    pub revealed: bool,
}

impl KeyRecord {
    /// Returns the name and the location of the key.
    #[must_use]
    pub fn stored(&self) -> StoredSecret {
        StoredSecret {
            id: self.id.clone(),
            kept: self.kept,
        }
    }

    /// Returns the ID by which links and administrators name the key. It is not secret, and stays
    /// the same when the key is restored from a backup.
    #[must_use]
    pub fn key_id(&self) -> &str {
        self.public_id.as_deref().unwrap_or(&self.id)
    }

    /// Returns the warning for a key that is shorter than `algorithm` requires.
    #[must_use]
    pub fn short_for(&self, algorithm: Algorithm) -> Option<Warning> {
        short_key(self.bytes, algorithm)
    }
}

/// A key that was replaced and still verifies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RetiringKey {
    /// Record of the key.
    #[serde(flatten)]
    pub key: KeyRecord,
    /// Time from which it does not verify any more, in Unix seconds.
    pub retires_at: i64,
}

/// Returns whether a link works longer than the key that signs it. Both times are in Unix seconds.
#[must_use]
pub fn outlives(expires_at: Option<i64>, retires_at: i64) -> bool {
    expires_at.is_none_or(|end| end > retires_at)
}

/// A key that no longer verifies, and whose secret is still to be deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DroppedKey {
    /// Record of the key.
    #[serde(flatten)]
    pub key: KeyRecord,
    /// Whether others may know the key.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub leaked: bool,
}
