//! Adding, changing and removing instances with their keys and directories. The files are written by
//! [`Instances`](crate::instances::Instances), which knows no keys.

use jiff::Timestamp;

use super::Home;
use crate::embedded::EmbeddedDirectory;
use crate::wait::Wait as _;
use latchkey_core::activity::AuditContext;
use latchkey_core::inspect::diagnosis::OtherInstance;
use latchkey_core::instance::{Hosted, Instance, InstanceId, Settings, SettingsChange};
use latchkey_core::secret::{KeyRecord, KeyRotation, SecretSource, SigningKey, require_strength};
use latchkey_core::{ErrorCode, Result};

impl Home {
    /// Adds an instance with its key. If one of them cannot be stored, neither is.
    pub fn add(
        &self,
        settings: Settings,
        secret: SecretSource,
        by: &AuditContext,
    ) -> Result<Instance> {
        let record = self.store(&settings, secret, by.at)?;
        self.instances
            .add(settings, Some(record.clone()), by)
            .inspect_err(|_| self.forget(&record))
    }

    /// Changes the settings of an instance and, if there is a `rotation`, its key: both or neither.
    ///
    /// `change` may run twice. The first run is on the settings as they were read, and a new key is made
    /// for its result. The second run is under the lock, so that no change by another program is lost.
    pub fn change(
        &self,
        id: &InstanceId,
        change: impl Fn(&mut Settings) -> Result<()>,
        rotation: Option<KeyRotation>,
        by: &AuditContext,
    ) -> Result<Instance> {
        let record = match rotation {
            Some(KeyRotation {
                source,
                retire_after,
            }) => {
                let instance = self.instances.get(id)?;
                self.require_new_secret(&instance, &source)?;
                let mut settings = instance.settings;
                change(&mut settings)?;
                Some((self.store(&settings, source, by.at)?, retire_after))
            }
            None => None,
        };
        let written = self.instances.update(id, by, |instance| {
            let url = instance.settings.url.clone();
            change(&mut instance.settings)?;
            if let Some((record, retire_after)) = &record {
                instance.set_signing_key(record.clone(), *retire_after, by.at)?;
            }
            match &instance.key {
                // A weak secret that an earlier version accepted does not prevent changes of other
                // settings.
                Some(key) if instance.settings.url != url => {
                    require_strength(key.bytes, &instance.settings.url)
                }
                _ => Ok(()),
            }
        });
        match (written, record) {
            (Ok(instance), Some(_)) => Ok(self.delete_dropped(instance)),
            (Err(refused), Some((orphan, _))) => {
                self.forget(&orphan);
                Err(refused)
            }
            (written, None) => written,
        }
    }

    /// Changes settings of an instance and, if there is a `rotation`, its key. Those of an instance on
    /// a gateway are changed there, except its name here.
    ///
    /// A refused setting or key changes nothing. If the connection to the gateway is lost between
    /// the two, the settings are changed and the key is not.
    pub fn change_settings(
        &self,
        id: &InstanceId,
        change: &SettingsChange,
        rotation: Option<KeyRotation>,
        by: &AuditContext,
    ) -> Result<Instance> {
        let instance = self.instances.get(id)?;
        if instance.settings.hosted != Hosted::Gateway {
            return self.change(id, |settings| change.apply(settings), rotation, by);
        }
        // A change that breaks a rule is refused before the gateway is asked.
        let mut changed = instance.settings.clone();
        change.apply(&mut changed)?;
        self.instances.require_free_for(id, &changed.name)?;
        let source = rotation.as_ref().map(|rotation| &rotation.source);
        if let Some(SecretSource::Paste { secret, encoding }) = source {
            SigningKey::from_encoded(secret, *encoding)?.require_strength(&changed.url)?;
        }
        let there = SettingsChange {
            name: None,
            hosted: None,
            ..change.clone()
        };
        let gateway = self.gateway(&instance)?;
        let mut record = None;
        if !there.is_empty() {
            record = Some(gateway.change(&there).wait()?);
        }
        if let Some(rotation) = rotation {
            gateway.rotate(rotation).wait()?;
        }
        let instance = if changed.name == instance.settings.name {
            instance
        } else {
            self.instances.update(id, by, |instance| {
                instance.settings.name = changed.name;
                Ok(())
            })?
        };
        match record {
            Some(record) => Ok(self.stored(instance, record, by)?.0),
            None => Ok(instance),
        }
    }

    /// Removes an instance with its key and everything in its folder, its users included. Its
    /// settings may be damaged. Of an instance on a gateway only the connection is removed.
    ///
    /// Fails with [`ErrorCode::DirectoryHeld`] if another program uses its directory.
    pub fn remove(&self, id: &InstanceId) -> Result<()> {
        let (records, connection, typingmind) = match self.instances.get(id) {
            Ok(instance) => {
                let records: Vec<KeyRecord> = instance.key_records().cloned().collect();
                (records, instance.connection, instance.typingmind)
            }
            // The keys of a damaged instance are unknown.
            Err(refused) if refused.code == ErrorCode::DamagedFile => (Vec::new(), None, None),
            Err(refused) => return Err(refused),
        };
        EmbeddedDirectory::require_free(&self.users_folder(id))?;
        self.instances.remove(id)?;
        for record in &records {
            self.forget(record);
        }
        self.forget_typingmind_key(typingmind.and_then(|typingmind| typingmind.key).as_ref());
        if let Some(connection) = &connection {
            self.forget_access(connection);
            self.forget_gateway(id);
        }
        Ok(())
    }

    /// Returns all instances but one, with the keys that can be read without a prompt.
    pub fn other_instances(
        &self,
        except: Option<&InstanceId>,
        now: Timestamp,
    ) -> Result<Vec<OtherInstance>> {
        let instances = self.instances.list()?.instances.into_iter();
        let others = instances.filter(|instance| Some(&instance.id) != except);
        Ok(others
            .map(|instance| OtherInstance {
                keys: self.key_set(&instance, now).map_or_else(
                    |_| Vec::new(),
                    |keys| keys.usable(now).into_iter().cloned().collect(),
                ),
                name: instance.settings.name.as_str().to_owned(),
                algorithm: instance.settings.algorithm,
                url: instance.settings.url,
                id: instance.id,
            })
            .collect())
    }
}
