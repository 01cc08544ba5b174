//! The signing keys of instances.

use std::path::PathBuf;
use std::sync::{MutexGuard, PoisonError};

use jiff::Timestamp;

use super::{Home, ReadKeys, secrets_of, stored_secrets};
use latchkey_core::activity::AuditContext;
use latchkey_core::admin::Connection;
use latchkey_core::instance::{Hosted, Instance, InstanceId, Name, Settings};
use latchkey_core::secret::{
    DroppedKey, KeyLocation, KeyOrigin, KeyRecord, KeySet, RetiringKey, Secret, SecretSource,
    SigningKey, StoredSecret, require_strength,
};
use latchkey_core::{Error, ErrorCode, Result};

/// Result of a start with new keys.
#[derive(Debug)]
pub struct NewKeys {
    /// Instances that need their secret again.
    pub without_secret: Vec<Instance>,
    /// New path of the old file, if there was one.
    pub kept_file: Option<PathBuf>,
}

impl Home {
    /// Tries the keychain again.
    pub fn retry_keys(&self) -> Result<()> {
        self.keys.retry(&stored_secrets(&self.instances)?);
        Ok(())
    }

    /// Returns the instances whose keys are in the sealed file. They need their secrets again if it
    /// is lost, and those on a gateway must be connected again.
    pub fn sealed(&self) -> Result<Vec<Instance>> {
        let is_sealed = |secret: &StoredSecret| secret.kept == KeyLocation::SealedFile;
        let mut instances = self.instances.list()?.instances;
        instances.retain(|instance| secrets_of(instance).iter().any(is_sealed));
        Ok(instances)
    }

    /// Begins a new sealed file, because the old one is lost or damaged or its passphrase is
    /// forgotten. The instances keep everything but their keys.
    ///
    /// Fails like [`Keys::create`](crate::keys::Keys::create), and if the keys can be read or the
    /// passphrase opens them.
    pub fn start_with_new_keys(&self, passphrase: &Secret, by: &AuditContext) -> Result<NewKeys> {
        let lost = self.sealed()?;
        let kept_file = self.keys.start_anew(passphrase, by.at)?;
        self.read_keys().keys.clear();
        let without_secret = lost.into_iter().map(|instance| {
            self.instances.update(&instance.id, by, |instance| {
                instance.key = None;
                // Those in the keychain are out of reach, and are deleted when it is used again.
                for retiring in std::mem::take(&mut instance.retiring) {
                    instance.drop_key(retiring.key, false);
                }
                let in_keychain = |key: &DroppedKey| key.key.kept == KeyLocation::Keychain;
                instance.dropped.retain(in_keychain);
                if let Some(connection) = &mut instance.connection {
                    connection.key = None;
                }
                if let Some(typingmind) = &mut instance.typingmind {
                    typingmind.key = None;
                }
                Ok(())
            })
        });
        Ok(NewKeys {
            without_secret: without_secret.collect::<Result<_>>()?,
            kept_file,
        })
    }

    /// Shows the secret of an instance, once. The record of showing it is on the disk first.
    ///
    /// Fails with [`ErrorCode::SecretConcealed`] the second time.
    pub fn reveal(&self, id: &InstanceId, by: &AuditContext) -> Result<Secret> {
        let key = self.signing_key(&self.instances.get(id)?)?;
        self.instances.update(id, by, |instance| {
            let name = &instance.settings.name;
            let record = instance.key.as_mut().ok_or_else(|| no_key(name))?;
            if record.revealed {
                return Err(Error::new(
                    ErrorCode::SecretConcealed,
                    "The secret was shown once already. Where it is lost, replace it.",
                )
                .about("secret"));
            }
            record.revealed = true;
            Ok(())
        })?;
        Ok(key.secret().clone())
    }

    /// Returns the key that signs for an instance.
    ///
    /// Fails with [`ErrorCode::NoSigningKey`] if it has none, with [`ErrorCode::OnGateway`] if a
    /// gateway on another computer has it, with [`ErrorCode::WeakSecret`], or
    /// with the errors of [`Keys::read`](crate::keys::Keys::read).
    pub fn signing_key(&self, instance: &Instance) -> Result<SigningKey> {
        let name = &instance.settings.name;
        if let Some(connection) = &instance.connection {
            return Err(key_stays_there(name, connection));
        }
        let record = instance.key.as_ref().ok_or_else(|| no_key(name))?;
        require_strength(record.bytes, &instance.settings.url)?;
        let mut read = self.read_keys();
        let read = read.keys.entry(instance.id.clone()).or_default();
        if let Some(Some(key)) = read.get(&record.id) {
            return Ok(key.clone());
        }
        let key = self.keys.read(record)?;
        read.insert(record.id.clone(), Some(key.clone()));
        Ok(key)
    }

    /// Returns the keys of an instance that verify now: the active one, and the retiring ones of an
    /// instance that is hosted here. Deletes the keys that have retired.
    ///
    /// Fails like [`signing_key`](Self::signing_key). A retiring key that cannot be read, or is too
    /// weak for the URL, is left out.
    pub fn key_set(&self, instance: &Instance, now: Timestamp) -> Result<KeySet> {
        let mut keys = KeySet::from(self.signing_key(instance)?);
        let is_here = instance.settings.hosted == Hosted::Here;
        let verifies = |retiring: &&RetiringKey| {
            let is_strong = require_strength(retiring.key.bytes, &instance.settings.url).is_ok();
            is_here && is_strong && now.as_second() < retiring.retires_at
        };
        for retiring in instance.retiring.iter().filter(verifies) {
            if let Some(key) = self.retiring_key(&instance.id, &retiring.key) {
                keys = keys.with_retiring(key, retiring.retires_at);
            }
        }
        self.tidy_keys(instance, now);
        Ok(keys)
    }

    /// Returns a retiring key, if it can be read. Logs the error otherwise.
    pub(super) fn retiring_key(&self, id: &InstanceId, record: &KeyRecord) -> Option<SigningKey> {
        let mut read = self.read_keys();
        let read = read.keys.entry(id.clone()).or_default();
        if let Some(known) = read.get(&record.id) {
            return known.clone();
        }
        let found = self.keys.read(record);
        if let Err(refused) = &found {
            let key = record.key_id();
            tracing::warn!(error = %refused.logged(), key, "a retiring signing key cannot be read, so its codes are refused");
        }
        match found {
            Ok(key) => read.insert(record.id.clone(), Some(key)),
            Err(refused) if refused.code == ErrorCode::NoSigningKey => {
                read.insert(record.id.clone(), None)
            }
            Err(_) => None,
        };
        read.get(&record.id).cloned().flatten()
    }

    pub(super) fn read_keys(&self) -> MutexGuard<'_, ReadKeys> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Fails if a pasted secret is the active key of an instance, or one that retires. A key that cannot
    /// be read is not compared, because a lost key could otherwise not be replaced or pasted again.
    pub(super) fn require_new_secret(
        &self,
        instance: &Instance,
        source: &SecretSource,
    ) -> Result<()> {
        let SecretSource::Paste { secret, encoding } = source else {
            return Ok(());
        };
        let new = SigningKey::from_encoded(secret, *encoding)?;
        let active = instance.key.iter().map(|record| (record, true));
        let retiring = instance.retiring.iter();
        let retiring = retiring.map(|retiring| (&retiring.key, false));
        for (record, is_active) in active.chain(retiring) {
            if let Ok(known) = self.keys.read(record) {
                new.require_other_than(&known, is_active)?;
            }
        }
        Ok(())
    }

    pub(super) fn store(
        &self,
        settings: &Settings,
        secret: SecretSource,
        now: Timestamp,
    ) -> Result<KeyRecord> {
        let (key, origin) = match secret {
            SecretSource::Generate => (
                SigningKey::generate(settings.algorithm)?,
                KeyOrigin::Generated,
            ),
            SecretSource::Paste { secret, encoding } => (
                SigningKey::from_encoded(&secret, encoding)?,
                KeyOrigin::Pasted,
            ),
        };
        key.require_strength(&settings.url)?;
        self.keys.store(&key, origin, now.as_second())
    }

    /// Deletes a key. An error is only logged, because a key that nothing refers to does no harm.
    pub(super) fn forget(&self, record: &KeyRecord) {
        for keys in self.read_keys().keys.values_mut() {
            keys.remove(&record.id);
        }
        if let Err(refused) = self.keys.forget(record) {
            tracing::warn!(error = %refused.logged(), "a replaced signing key was not removed");
        }
    }
}

fn key_stays_there(name: &Name, connection: &Connection) -> Error {
    let message = format!(
        "'{}' is on the gateway {}, which keeps its signing key and signs its links. The key is not readable here.",
        name.as_str(),
        connection.url.authority()
    );
    Error::new(ErrorCode::OnGateway, message).about("secret")
}

fn no_key(name: &Name) -> Error {
    Error::new(
        ErrorCode::NoSigningKey,
        format!(
            "The instance '{}' has no signing key. Give it one, or generate one.",
            name.as_str()
        ),
    )
    .about("secret")
}
