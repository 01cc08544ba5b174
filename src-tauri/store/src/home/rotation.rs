//! New signing keys, and the retirement of old ones.
//!
//! A change of the keys is one write of the instance's file. A new key is in its store before that
//! write, and an old one is deleted from its store after it. The file names a dropped key until it is
//! deleted, so that an interruption leaves neither a file without its key nor
//! a key that nobody deletes.

use jiff::Timestamp;

use super::Home;
use crate::wait::Wait as _;
use latchkey_core::activity::AuditContext;
use latchkey_core::admin::{RetirementRequest, SigningKeys};
use latchkey_core::directory::Directory;
use latchkey_core::instance::{Hosted, Instance, InstanceId, SettingsChange};
use latchkey_core::secret::{KeyRotation, RetireAfter, SecretSource};
use latchkey_core::{Error, ErrorCode, Result};

/// Time between two attempts to delete retired keys, in seconds.
const TIDY_SECS: i64 = 60;

impl Home {
    /// Makes a new signing key the active one. At an instance that is hosted here, the old one
    /// retires later. For an instance that is hosted elsewhere, the new key must also be set there.
    /// The key of an instance on a gateway is rotated there.
    pub fn rotate(
        &self,
        id: &InstanceId,
        rotation: KeyRotation,
        by: &AuditContext,
    ) -> Result<Instance> {
        self.change_settings(id, &SettingsChange::default(), Some(rotation), by)
    }

    /// Replaces the signing key at once: links that were signed with the old one stop working.
    pub fn replace_secret(
        &self,
        id: &InstanceId,
        secret: SecretSource,
        by: &AuditContext,
    ) -> Result<Instance> {
        self.rotate(id, KeyRotation::at_once(secret), by)
    }

    /// Retires a signing key, sets its retirement date, or gives it up because it has leaked. If the
    /// leaked key is the active one, a generated key becomes active in the same step. A key of an
    /// instance on a gateway is retired there.
    ///
    /// Fails with [`ErrorCode::UnknownSigningKey`], with [`ErrorCode::InvalidSetting`] for the
    /// active key unless it has leaked, or with [`ErrorCode::HostedElsewhere`].
    pub fn retire_key(
        &self,
        id: &InstanceId,
        key: &str,
        request: RetirementRequest,
        by: &AuditContext,
    ) -> Result<Instance> {
        let request = request.require_possible()?;
        let instance = self.instances.get(id)?;
        if instance.connection.is_some() {
            self.gateway(&instance)?.retire_key(key, request).wait()?;
            return Ok(instance);
        }
        require_keys_here(&instance)?;
        if !request.leaked {
            let after = request.retire_after.unwrap_or(RetireAfter::Now);
            let retired = self
                .instances
                .update(id, by, |instance| instance.retire_key(key, after, by.at))?;
            return Ok(self.delete_dropped(retired));
        }
        let is_active = instance
            .key
            .as_ref()
            .is_some_and(|active| active.key_id() == key);
        let new = is_active.then(|| self.store(&instance.settings, SecretSource::Generate, by.at));
        let new = new.transpose()?;
        let changed = self.instances.update(id, by, |instance| {
            instance.give_up_key(key, new.clone(), by.at)
        });
        let active = changed.as_ref().ok().and_then(|now| now.key.as_ref());
        if let Some(new) = new
            && active.is_none_or(|active| active.id != new.id)
        {
            self.forget(&new);
        }
        changed.map(|changed| self.delete_dropped(changed))
    }

    /// Returns the signing keys of an instance that verify, without their secrets, and counts the
    /// links in its directory that depend on them. Those of an instance on a gateway are read there.
    pub fn signing_keys(
        &self,
        instance: &Instance,
        directory: Option<&dyn Directory>,
        now: Timestamp,
    ) -> Result<SigningKeys> {
        if instance.connection.is_some() {
            return self.gateway(instance)?.signing_keys().wait();
        }
        let keys = SigningKeys::new(instance, now);
        match directory {
            Some(directory) => keys.with_links(directory, now).wait(),
            None => Ok(keys),
        }
    }

    /// Deletes the dropped keys of an instance. A key that cannot be deleted now is deleted later.
    /// Returns the instance.
    pub(super) fn delete_dropped(&self, mut instance: Instance) -> Instance {
        let mut deleted = Vec::new();
        let named = |id: &str| {
            let retiring = instance.retiring.iter().map(|retiring| &retiring.key);
            instance.key.iter().chain(retiring).any(|key| key.id == id)
        };
        for dropped in &instance.dropped {
            let key = &dropped.key;
            if let Some(read) = self.read_keys().keys.get_mut(&instance.id) {
                read.remove(&key.id);
            }
            if named(&key.id) || !self.keys.reaches(key.kept) {
                continue;
            }
            match self.keys.forget(key) {
                Ok(()) => deleted.push(key.id.clone()),
                Err(refused) => {
                    tracing::warn!(error = %refused.logged(), key = key.key_id(), "a retired signing key was not deleted yet");
                }
            }
        }
        if deleted.is_empty() {
            return instance;
        }
        if let Err(refused) = self.instances.forget_dropped(&instance.id, &deleted) {
            tracing::warn!(error = %refused.logged(), "deleted signing keys are still noted");
        }
        let is_left = |id: &String| !deleted.contains(id);
        instance.dropped.retain(|dropped| is_left(&dropped.key.id));
        instance
    }

    /// Deletes the keys whose retirement dates have passed, and forgets keys that another process
    /// has retired. After a failure, tries again a minute later.
    pub(super) fn tidy_keys(&self, instance: &Instance, now: Timestamp) {
        let mut read = self.read_keys();
        if let Some(keys) = read.keys.get_mut(&instance.id) {
            let is_named = |id: &str| {
                let retiring = instance.retiring.iter();
                let mut retiring = retiring.filter(|key| now.as_second() < key.retires_at);
                let is_active = instance.key.as_ref().is_some_and(|key| key.id == id);
                is_active || retiring.any(|retiring| retiring.key.id == id)
            };
            keys.retain(|id, _| is_named(id));
        }
        if !instance.has_retired_keys(now) {
            return;
        }
        let last = read.tidied.get(&instance.id).copied();
        if last.is_some_and(|last| (last..last + TIDY_SECS).contains(&now.as_second())) {
            return;
        }
        read.tidied.insert(instance.id.clone(), now.as_second());
        drop(read);
        match self.instances.drop_retired(&instance.id, now) {
            Ok(instance) => {
                let left = self.delete_dropped(instance);
                if left.dropped.is_empty() {
                    self.read_keys().tidied.remove(&left.id);
                }
            }
            Err(refused) => {
                tracing::warn!(error = %refused.logged(), "retired signing keys were not deleted yet");
            }
        }
    }
}

/// Fails with [`ErrorCode::HostedElsewhere`] for an instance whose application decides which keys
/// verify.
fn require_keys_here(instance: &Instance) -> Result<()> {
    if instance.settings.hosted != Hosted::Elsewhere {
        return Ok(());
    }
    let message = format!(
        "'{}' is hosted elsewhere, so no key retires here: {} decides which secret works. Replace the secret there, and then here.",
        instance.settings.name.as_str(),
        instance.settings.url.authority()
    );
    Err(Error::new(ErrorCode::HostedElsewhere, message).about("key"))
}
