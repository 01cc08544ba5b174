//! The keys in a backup.

use latchkey_core::secret::{KeyOrigin, KeyRecord, Secret, SecretEncoding, SigningKey};
use latchkey_core::{Error, ErrorCode, Result};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::damaged;
use crate::keys::sealing::{Fault, Sealed, SealingKey};

/// Keys of an instance, sealed with a passphrase.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct SealedKeys(Sealed);

/// Keys of an instance.
#[derive(Default, Serialize, Deserialize)]
pub(crate) struct BackupKeys {
    pub(crate) signing_key: Option<SigningKeyRecord>,
    /// Retiring signing keys.
    #[serde(default)]
    pub(crate) retiring: Vec<RetiringKeyRecord>,
    /// Certificate and key of the gateway, if it has made them itself, in PEM.
    pub(crate) certificate: Option<Zeroizing<String>>,
}

/// A signing key that retires.
#[derive(Serialize, Deserialize)]
pub(crate) struct RetiringKeyRecord {
    #[serde(flatten)]
    pub(crate) key: SigningKeyRecord,
    /// Time at which the key retires, in Unix seconds.
    pub(crate) retires_at: i64,
}

/// A signing key, and what is known of it.
#[derive(Serialize, Deserialize)]
pub(crate) struct SigningKeyRecord {
    /// ID by which links name the key. Backups of format 5 and older do not have it.
    #[serde(default)]
    pub(crate) id: Option<String>,
    secret: Zeroizing<String>,
    encoding: SecretEncoding,
    pub(crate) origin: KeyOrigin,
    /// Time when the key was set, in Unix seconds.
    pub(crate) set_at: i64,
    pub(crate) revealed: bool,
}

impl SigningKeyRecord {
    /// Describes a key with its record.
    pub(crate) fn new(key: &SigningKey, record: &KeyRecord) -> Self {
        Self {
            id: Some(record.key_id().to_owned()),
            secret: Zeroizing::new(key.secret().expose().to_owned()),
            encoding: key.encoding(),
            origin: record.origin,
            set_at: record.set_at,
            revealed: record.revealed,
        }
    }

    pub(crate) fn key(&self) -> Result<SigningKey> {
        SigningKey::kept(Secret::new(self.secret.as_str().to_owned()), self.encoding)
    }
}

impl BackupKeys {
    pub(crate) fn seal(&self, passphrase: &Secret) -> Result<SealedKeys> {
        let plain = serde_json::to_vec(self).map_err(Error::internal)?;
        let plain = Zeroizing::new(plain);
        SealingKey::new(passphrase)?.seal(&plain).map(SealedKeys)
    }
}

impl SealedKeys {
    /// Opens the keys.
    ///
    /// Fails with [`ErrorCode::WrongPassphrase`].
    pub(crate) fn open(&self, passphrase: &Secret) -> Result<BackupKeys> {
        let opened = SealingKey::derive(&self.0.header, passphrase);
        let plain = opened.and_then(|key| key.open(&self.0));
        let plain = plain.map_err(|fault| match fault {
            Fault::Newer => Error::new(
                ErrorCode::NewerFormat,
                "The keys in the backup were sealed by a newer Latchkey. Use that one. Nothing was changed.",
            ),
            Fault::Damaged(_) => damaged("the keys in it are not what was sealed"),
            Fault::WrongPassphrase => Error::new(
                ErrorCode::WrongPassphrase,
                "The passphrase does not open the keys in the backup. Try again; nothing was changed.",
            )
            .about("passphrase"),
        })?;
        serde_json::from_slice(&plain)
            .map_err(|_| damaged("what is sealed in it is not a list of keys"))
    }
}
