//! The signing keys of instances.

use std::path::PathBuf;
use std::sync::PoisonError;

use jiff::Timestamp;

use super::{Home, secrets_of, stored_secrets};
use latchkey_core::activity::AuditContext;
use latchkey_core::admin::Connection;
use latchkey_core::instance::{Instance, InstanceId, Name, Settings, SettingsChange};
use latchkey_core::secret::{
    KeyLocation, KeyOrigin, KeyRecord, Secret, SecretSource, SigningKey, StoredSecret,
    require_strength,
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
        self.read
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
        let without_secret = lost.into_iter().map(|instance| {
            self.instances.update(&instance.id, by, |instance| {
                instance.key = None;
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

    /// Replaces the key of an instance. Links that were signed with the old key stop working. For
    /// an instance hosted elsewhere they do so when the key is replaced there, too. The key of an
    /// instance on a gateway is replaced there.
    pub fn replace_secret(
        &self,
        id: &InstanceId,
        secret: SecretSource,
        by: &AuditContext,
    ) -> Result<Instance> {
        self.change_settings(id, &SettingsChange::default(), Some(secret), by)
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
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = read.get(&record.id) {
            return Ok(key.clone());
        }
        let key = self.keys.read(record)?;
        read.insert(record.id.clone(), key.clone());
        Ok(key)
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
        self.read
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&record.id);
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
