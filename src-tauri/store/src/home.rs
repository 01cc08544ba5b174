//! The data folder with its instances and keys, and what an administrator does with them.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

use crate::embedded::EmbeddedDirectory;
use crate::files;
use crate::instances::Instances;
use crate::keys::{KeychainUse, Keys};
use crate::wait::Wait as _;
use latchkey_core::activity::{AuditContext, Event};
use latchkey_core::directory::Directory;
use latchkey_core::inspect::diagnosis::OtherInstance;
use latchkey_core::instance::api_key::ApiKey;
use latchkey_core::instance::{Hosted, Instance, InstanceId, Settings};
use latchkey_core::protocol::claims::Claims;
use latchkey_core::secret::{KeyLocation, KeyOrigin, KeyRecord};
use latchkey_core::secret::{Secret, SecretEncoding, SigningKey, require_strength};
use latchkey_core::{Error, ErrorCode, Result};

/// Name of the file that allows an instance to begin without its old directory.
const ANEW: &str = "anew";

/// Name under which `latchkey serve` holds the directory of its instance.
pub const GATEWAY_HOLDER: &str = "latchkey serve";

/// Returns whether the process with this name runs the gateway of the instance whose directory it
/// holds. Other commands hold a directory for some milliseconds.
#[must_use]
pub fn is_gateway(holder: &str) -> bool {
    holder.starts_with(GATEWAY_HOLDER)
}

/// Source of a signing key.
#[derive(Debug)]
pub enum SecretSource {
    /// A new generated key.
    Generate,
    /// The existing secret of the application.
    Paste {
        /// The pasted secret.
        secret: Secret,
        /// Encoding of the secret.
        encoding: SecretEncoding,
    },
}

/// Result of a start with new keys.
#[derive(Debug)]
pub struct NewKeys {
    /// Instances that need their secret again.
    pub without_secret: Vec<Instance>,
    /// New path of the old file, if there was one.
    pub kept_file: Option<PathBuf>,
}

/// A data folder with its instances and keys.
#[derive(Debug)]
pub struct Home {
    data_dir: PathBuf,
    instances: Instances,
    keys: Keys,
    /// Keys that were read, so that a preview does not ask the keychain at each keystroke.
    read: Mutex<HashMap<String, SigningKey>>,
}

impl Home {
    /// Opens a data folder, creates it if it is missing, and finds out where its keys are. From
    /// then on, other users cannot read the files that the process creates.
    ///
    /// Fails if another user owns the folder, even for root.
    pub fn open(data_dir: PathBuf, keychain: KeychainUse) -> Result<Self> {
        files::open_data_dir(&data_dir)?;
        let instances = Instances::new(&data_dir);
        let records = key_records(&instances)?;
        Ok(Self {
            keys: Keys::open(&data_dir, keychain, &records),
            instances,
            data_dir,
            read: Mutex::default(),
        })
    }

    /// Returns the data folder.
    #[must_use]
    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// Returns the instances.
    #[must_use]
    pub fn instances(&self) -> &Instances {
        &self.instances
    }

    /// Returns the keys.
    #[must_use]
    pub fn keys(&self) -> &Keys {
        &self.keys
    }

    /// Tries the keychain again.
    pub fn retry_keys(&self) -> Result<()> {
        self.keys.retry(&key_records(&self.instances)?);
        Ok(())
    }

    /// Returns the instances whose signing keys are in the sealed file. They need their secrets
    /// again if it is lost.
    pub fn sealed(&self) -> Result<Vec<Instance>> {
        let is_sealed = |key: &KeyRecord| key.kept == KeyLocation::SealedFile;
        let mut instances = self.instances.list()?.instances;
        instances.retain(|instance| instance.key.as_ref().is_some_and(is_sealed));
        Ok(instances)
    }

    /// Begins a new sealed file, because the old one is lost or damaged or its passphrase is
    /// forgotten. The instances keep everything but their keys.
    ///
    /// Fails like [`Keys::create`], and if the keys can be read or the passphrase opens them.
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
                Ok(())
            })
        });
        Ok(NewKeys {
            without_secret: without_secret.collect::<Result<_>>()?,
            kept_file,
        })
    }

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

    /// Replaces the key of an instance. Links that were signed with the old key stop working. For
    /// an instance hosted elsewhere they do so when the key is replaced there, too.
    pub fn replace_secret(
        &self,
        id: &InstanceId,
        secret: SecretSource,
        by: &AuditContext,
    ) -> Result<Instance> {
        self.change(id, |_| Ok(()), Some(secret), by)
    }

    /// Changes the settings of an instance and, if there is a `secret`, its key: both or neither.
    ///
    /// `change` may run twice: first on the settings as they are, for which a new key is made, and
    /// then under the lock, so that no change by another program is lost.
    pub fn change(
        &self,
        id: &InstanceId,
        change: impl Fn(&mut Settings) -> Result<()>,
        secret: Option<SecretSource>,
        by: &AuditContext,
    ) -> Result<Instance> {
        let record = match secret {
            Some(secret) => {
                let mut settings = self.instances.get(id)?.settings;
                change(&mut settings)?;
                Some(self.store(&settings, secret, by.at)?)
            }
            None => None,
        };
        let mut replaced = None;
        let written = self.instances.update(id, by, |instance| {
            let url = instance.settings.url.clone();
            change(&mut instance.settings)?;
            if let Some(record) = &record {
                replaced = instance.key.replace(record.clone());
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
        // The key that is no longer referred to.
        let orphan = if written.is_ok() { &replaced } else { &record };
        if let Some(orphan) = orphan {
            self.forget(orphan);
        }
        written
    }

    /// Shows the secret of an instance, once. The record of showing it is on the disk first.
    ///
    /// Fails with [`ErrorCode::SecretConcealed`] the second time.
    pub fn reveal(&self, id: &InstanceId, by: &AuditContext) -> Result<Secret> {
        let key = self.signing_key(&self.instances.get(id)?)?;
        self.instances.update(id, by, |instance| {
            let record = instance.key.as_mut().ok_or_else(no_key)?;
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

    /// Makes an API key for another system. It is shown only once.
    ///
    /// Fails if the name is taken or not valid, or with [`ErrorCode::HostedElsewhere`].
    pub fn make_api_key(
        &self,
        id: &InstanceId,
        name: &str,
        by: &AuditContext,
    ) -> Result<(Instance, Secret)> {
        let (key, secret) = ApiKey::generate(name, by.at)?;
        let instance = self.instances.update(id, by, |instance| {
            require_here(instance)?;
            instance.add_api_key(key)
        })?;
        Ok((instance, secret))
    }

    /// Revokes an API key by its ID or name.
    ///
    /// Fails with [`ErrorCode::UnknownApiKey`].
    pub fn revoke_api_key(
        &self,
        id: &InstanceId,
        key: &str,
        by: &AuditContext,
    ) -> Result<Instance> {
        self.instances
            .update(id, by, |instance| instance.revoke_api_key(key))
    }

    /// Records waiting changes of an instance's settings in its directory.
    pub async fn record_outbox(
        &self,
        instance: &Instance,
        directory: &dyn Directory,
    ) -> Result<()> {
        let Some(last) = instance.acts.waiting.last() else {
            return Ok(());
        };
        directory.record_outbox(&instance.acts.waiting).await?;
        self.instances.shorten_outbox(&instance.id, last.number)
    }

    /// Notes a link that was made by a process which does not hold the directory of the instance.
    /// The holder records the link, and then knows that it is newer than earlier removals and
    /// edits.
    ///
    /// Notes it only within a minute of a removal or an edit. Later, `iat` proves the order.
    pub fn note_link(&self, instance: &Instance, claims: &Claims, by: &AuditContext) -> Result<()> {
        let is_here = instance.settings.hosted == Hosted::Here;
        if is_here && EmbeddedDirectory::needs_order(&self.users_folder(&instance.id), by.at) {
            self.instances
                .note(&instance.id, Event::link_made(claims), by)?;
        }
        Ok(())
    }

    /// Removes an instance with its key and everything in its folder, its users included. Its
    /// settings may be damaged.
    ///
    /// Fails with [`ErrorCode::DirectoryHeld`] if another program uses its directory.
    pub fn remove(&self, id: &InstanceId) -> Result<()> {
        let record = match self.instances.get(id) {
            Ok(instance) => instance.key,
            // The key of a damaged instance is unknown.
            Err(refused) if refused.code == ErrorCode::DamagedFile => None,
            Err(refused) => return Err(refused),
        };
        EmbeddedDirectory::require_free(&self.users_folder(id))?;
        self.instances.remove(id)?;
        if let Some(record) = &record {
            self.forget(record);
        }
        Ok(())
    }

    /// Returns the key that signs for an instance.
    ///
    /// Fails with [`ErrorCode::NoSigningKey`] if it has none, with [`ErrorCode::WeakSecret`], or
    /// with the errors of [`Keys::read`].
    pub fn signing_key(&self, instance: &Instance) -> Result<SigningKey> {
        let record = instance.key.as_ref().ok_or_else(no_key)?;
        require_strength(record.bytes, &instance.settings.url)?;
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = read.get(&record.id) {
            return Ok(key.clone());
        }
        let key = self.keys.read(record)?;
        read.insert(record.id.clone(), key.clone());
        Ok(key)
    }

    /// Opens the directory of an instance that is hosted here. `holder` is the name of this process
    /// for others.
    ///
    /// Fails with [`ErrorCode::HostedElsewhere`], with [`ErrorCode::DamagedFile`] if the instance
    /// had a directory whose folder is missing, or with the errors of [`EmbeddedDirectory::open`].
    pub fn directory(&self, instance: &Instance, holder: &str) -> Result<EmbeddedDirectory> {
        require_here(instance)?;
        let folder = self.users_folder(&instance.id);
        let anew = folder.join(ANEW);
        if instance.acts.were_recorded() && !EmbeddedDirectory::is_in(&folder) && !anew.exists() {
            let message = format!(
                "The directory of '{}' is gone: {} is missing, with the users, the seats and the activity. \
                 Restore it from a backup. To begin without them, make an empty file {}.",
                instance.settings.name.as_str(),
                folder.display(),
                anew.display()
            );
            return Err(Error::new(ErrorCode::DamagedFile, message));
        }
        let directory = EmbeddedDirectory::open(&folder, holder)?;
        // The file is not needed once there is a directory.
        let _ = fs::remove_file(anew);
        self.record_outbox(instance, &directory).wait()?;
        Ok(directory)
    }

    /// Returns the name of the process that holds the directory of an instance, such as `latchkey
    /// serve (process 4711)`. `None` if none does.
    #[must_use]
    pub fn directory_holder(&self, instance: &Instance) -> Option<String> {
        EmbeddedDirectory::holder(&self.users_folder(&instance.id))
    }

    /// Returns all instances but one, with the keys that can be read without a prompt.
    pub fn other_instances(&self, except: Option<&InstanceId>) -> Result<Vec<OtherInstance>> {
        let instances = self.instances.list()?.instances.into_iter();
        let others = instances.filter(|instance| Some(&instance.id) != except);
        Ok(others
            .map(|instance| OtherInstance {
                key: self.signing_key(&instance).ok(),
                name: instance.settings.name.as_str().to_owned(),
                algorithm: instance.settings.algorithm,
                url: instance.settings.url,
                id: instance.id,
            })
            .collect())
    }

    fn users_folder(&self, id: &InstanceId) -> PathBuf {
        self.instances.folder(id).join("directory")
    }

    fn store(
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
    fn forget(&self, record: &KeyRecord) {
        self.read
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&record.id);
        if let Err(refused) = self.keys.forget(record) {
            tracing::warn!(error = %refused.logged(), "a replaced signing key was not removed");
        }
    }
}

/// Fails with [`ErrorCode::HostedElsewhere`] if the instance is hosted elsewhere.
pub fn require_here(instance: &Instance) -> Result<()> {
    if instance.settings.hosted == Hosted::Elsewhere {
        return Err(Error::new(
            ErrorCode::HostedElsewhere,
            format!(
                "'{}' is hosted elsewhere: {} decides who signs in. Its users, seats, sessions and activity are \
                 there, and so is its gateway.",
                instance.settings.name.as_str(),
                instance.settings.url.authority()
            ),
        )
        .about("instance"));
    }
    Ok(())
}

fn key_records(instances: &Instances) -> Result<Vec<KeyRecord>> {
    let all = instances.list()?.instances.into_iter();
    Ok(all.filter_map(|instance| instance.key).collect())
}

fn no_key() -> Error {
    Error::new(
        ErrorCode::NoSigningKey,
        "The instance has no signing key. Paste or generate one.",
    )
    .about("secret")
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::keys::KeysState;
    use latchkey_core::activity::Actor;
    use latchkey_core::instance::{Hosted, Name};
    use latchkey_core::link::BaseUrl;

    fn by() -> AuditContext {
        AuditContext::new(Actor::Studio, Timestamp::UNIX_EPOCH)
    }

    fn home() -> (tempfile::TempDir, Home, Instance) {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::open(folder.path().join("data"), KeychainUse::Never).unwrap();
        let passphrase = Secret::new("correct horse battery staple".into());
        home.keys().create(&passphrase).unwrap();
        let name = Name::parse("Acme").unwrap();
        let url = BaseUrl::parse("https://a.b").unwrap();
        let settings = Settings::new(name, url, Hosted::Here);
        let instance = home.add(settings, SecretSource::Generate, &by()).unwrap();
        (folder, home, instance)
    }

    #[test]
    fn a_concurrent_change_by_another_program_is_kept() {
        let (_folder, home, instance) = home();
        let first = Cell::new(true);
        let change = |settings: &mut Settings| {
            if first.replace(false) {
                // Another program changes the settings between this program's reading and writing.
                home.instances().update(&instance.id, &by(), |other| {
                    other.settings.policy.require_expiry = true;
                    Ok(())
                })?;
            }
            settings.policy.provisioning = false;
            Ok(())
        };
        let changed = home.change(&instance.id, change, Some(SecretSource::Generate), &by());
        let policy = changed.unwrap().settings.policy;
        assert!(policy.require_expiry && !policy.provisioning);
    }

    #[test]
    fn a_refused_change_leaves_the_key_as_it_was() {
        let (_folder, home, instance) = home();
        let before = home.signing_key(&instance).unwrap();
        let refused = home.change(
            &instance.id,
            |_| Err(Error::new(ErrorCode::InvalidSetting, "no")),
            Some(SecretSource::Generate),
            &by(),
        );
        assert_eq!(refused.unwrap_err().code, ErrorCode::InvalidSetting);
        let after = home.instances().get(&instance.id).unwrap();
        assert_eq!(after.key, instance.key);
        let key = home.signing_key(&after).unwrap();
        assert_eq!(key.secret().expose(), before.secret().expose());
    }

    #[test]
    fn a_forgotten_passphrase_costs_only_the_keys() {
        let (folder, home, instance) = home();
        let directory = home.directory(&instance, "a test").unwrap();
        directory.set_seat_limit(Some(7), &by()).wait().unwrap();
        drop(directory);
        let refused = home.start_with_new_keys(&Secret::new("another one 1".into()), &by());
        assert_eq!(
            refused.unwrap_err().code,
            ErrorCode::KeysInUse,
            "it is open"
        );
        drop(home);

        let data = folder.path().join("data");
        let sealed = std::fs::read(data.join("keys.sealed")).unwrap();
        let home = Home::open(data.clone(), KeychainUse::Never).unwrap();
        assert!(matches!(home.keys().state(), KeysState::SealedFileLocked));
        let lost: Vec<InstanceId> = home
            .sealed()
            .unwrap()
            .into_iter()
            .map(|one| one.id)
            .collect();
        assert_eq!(lost, std::slice::from_ref(&instance.id));
        let refused =
            home.start_with_new_keys(&Secret::new("correct horse battery staple".into()), &by());
        let refused = refused.unwrap_err();
        assert_eq!(refused.code, ErrorCode::KeysInUse);
        assert!(
            refused.message.contains("opens the sealed file"),
            "{refused}"
        );
        let refused = home.start_with_new_keys(&Secret::new("short".into()), &by());
        assert_eq!(refused.unwrap_err().code, ErrorCode::WeakPassphrase);
        assert_eq!(std::fs::read(data.join("keys.sealed")).unwrap(), sealed);

        let passphrase = Secret::new("tulips behind nine windmills".into());
        let started = home.start_with_new_keys(&passphrase, &by()).unwrap();
        let changed = started.without_secret;
        assert_eq!(changed.len(), 1);
        assert_eq!(changed[0].key, None);
        assert_eq!(changed[0].settings, instance.settings);
        // The old file is kept.
        let kept = std::fs::read(started.kept_file.unwrap()).unwrap();
        assert_eq!(kept, sealed);
        home.replace_secret(&instance.id, SecretSource::Generate, &by())
            .unwrap();
        let directory = home.directory(&changed[0], "a test").unwrap();
        assert_eq!(directory.seats().wait().unwrap().limit, Some(7));
        drop((directory, home));

        let home = Home::open(data, KeychainUse::Never).unwrap();
        home.keys().unlock(&passphrase).unwrap();
        let instance = home.instances().get(&instance.id).unwrap();
        home.signing_key(&instance).unwrap();
    }

    #[test]
    fn a_missing_sealed_file_is_reported_and_can_be_replaced() {
        let (folder, home, instance) = home();
        drop(home);
        let data = folder.path().join("data");
        let (file, elsewhere) = (data.join("keys.sealed"), folder.path().join("elsewhere"));
        std::fs::rename(&file, &elsewhere).unwrap();
        let home = Home::open(data, KeychainUse::Never).unwrap();
        let KeysState::SealedFileMissing(said) = home.keys().state() else {
            panic!("{:?}", home.keys().state());
        };
        assert_eq!(said.code, ErrorCode::KeysMissing);
        assert!(said.message.contains("keys.sealed"), "{}", said.message);
        let refused = home.signing_key(&instance).unwrap_err();
        assert_eq!(refused.code, ErrorCode::KeysMissing);
        // The file comes back.
        std::fs::rename(&elsewhere, &file).unwrap();
        home.retry_keys().unwrap();
        assert!(matches!(home.keys().state(), KeysState::SealedFileLocked));
        // The file is lost for good.
        std::fs::remove_file(&file).unwrap();
        home.retry_keys().unwrap();
        let passphrase = Secret::new("tulips behind nine windmills".into());
        let lost = home.start_with_new_keys(&passphrase, &by()).unwrap();
        assert_eq!(lost.without_secret[0].id, instance.id);
        assert_eq!(lost.kept_file, None);
        assert!(matches!(home.keys().state(), KeysState::SealedFileReady));
    }

    #[test]
    fn a_weak_secret_is_refused_when_it_is_set_and_when_the_url_leaves_this_computer() {
        let (_folder, home, instance) = home();
        let weak = || {
            Some(SecretSource::Paste {
                secret: Secret::new("short".into()),
                encoding: SecretEncoding::Text,
            })
        };
        let to = |url: &'static str| {
            move |settings: &mut Settings| {
                settings.url = BaseUrl::parse(url)?;
                Ok(())
            }
        };
        let (away, here) = (to("https://a.b"), to("http://localhost:8787"));
        let refused = home.change(&instance.id, away, weak(), &by()).unwrap_err();
        assert_eq!(refused.code, ErrorCode::WeakSecret);
        let local = home.change(&instance.id, here, weak(), &by()).unwrap();
        assert!(home.signing_key(&local).is_ok());
        let refused = home.change(&instance.id, away, None, &by()).unwrap_err();
        assert_eq!(refused.code, ErrorCode::WeakSecret);
        // An earlier version may have left such a secret.
        let mut left = local;
        left.settings.url = BaseUrl::parse("https://a.b").unwrap();
        let refused = home.signing_key(&left).unwrap_err();
        assert_eq!(refused.code, ErrorCode::WeakSecret);
        assert!(refused.message.contains("Replace"), "{}", refused.message);
    }

    #[test]
    fn a_passphrase_that_is_easy_to_guess_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::open(folder.path().join("data"), KeychainUse::Never).unwrap();
        for weak in [
            "",
            "short",
            "12345678",
            "password1",
            "qwertyuiop",
            "aaaaaaaaaaaaaaaa",
        ] {
            let refused = home.keys().create(&Secret::new(weak.into())).unwrap_err();
            assert_eq!(refused.code, ErrorCode::WeakPassphrase, "{weak}");
            assert_eq!(refused.field.as_deref(), Some("passphrase"));
        }
        let long = Secret::new("correct horse battery staple".repeat(1_000));
        home.keys().create(&long).unwrap();
    }

    #[test]
    fn a_secret_is_revealed_once_and_again_after_it_was_replaced() {
        let (_folder, home, instance) = home();
        let secret = home.reveal(&instance.id, &by()).unwrap();
        let refused = home.reveal(&instance.id, &by()).unwrap_err();
        assert_eq!(refused.code, ErrorCode::SecretConcealed);
        home.replace_secret(&instance.id, SecretSource::Generate, &by())
            .unwrap();
        let replaced = home.reveal(&instance.id, &by()).unwrap();
        assert_ne!(replaced.expose(), secret.expose());
    }
}
