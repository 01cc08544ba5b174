//! Backups of instances, and restoring them.

use std::fs::File;
use std::io::{BufWriter, Read, Seek as _, Write};
use std::path::Path;

use jiff::Timestamp;
use zeroize::Zeroizing;

use super::{Home, require_here};
use crate::backup::{
    self, BackupKeys, BackupReader, BackupWriter, Header, Part, RetiringKeyRecord,
    SigningKeyRecord, Summary,
};
use crate::embedded::{EmbeddedDirectory, Loading};
use crate::files;
use crate::instances::{CERTIFICATE, file, note};
use crate::wait::Wait as _;
use latchkey_core::activity::{AuditContext, EventData};
use latchkey_core::directory::{Directory, Snapshot};
use latchkey_core::instance::{Hosted, Instance, InstanceId, Name};
use latchkey_core::secret::{KeyRecord, RetiringKey, Secret};
use latchkey_core::{Error, ErrorCode, Result};
use serde_json::Value;

/// Number of attempts to read settings and directory while nobody changes the settings.
const ATTEMPTS: u32 = 20;

/// Function that is called with the number of rows so far. An error of it ends the work.
pub type Progress<'a> = &'a mut dyn FnMut(u64) -> Result<()>;

/// Choices for restoring a backup.
#[derive(Debug, Default)]
pub struct RestoreOptions<'a> {
    /// Name of the restored instance. By default it is that of the backup.
    pub name: Option<Name>,
    /// Whether an instance with that name is replaced. Only the one with the ID of the backup is.
    pub replace: bool,
    /// Passphrase of the keys in the backup. Without it, they are not restored.
    pub passphrase: Option<&'a Secret>,
}

/// A restored instance.
#[derive(Debug)]
pub struct Restored {
    /// The instance.
    pub instance: Instance,
    /// Contents of the backup.
    pub summary: Summary,
    /// Whether it has replaced an instance.
    pub has_replaced: bool,
}

impl Home {
    /// Writes a backup of an instance while it is in use. `directory` is its directory, or its
    /// [`ledger`](Self::ledger) if it is hosted elsewhere. The keys are in the backup only if there
    /// is a `passphrase`, which seals them.
    ///
    /// Fails with [`ErrorCode::WeakPassphrase`], or if the key cannot be read.
    pub fn back_up(
        &self,
        id: &InstanceId,
        directory: &dyn Directory,
        passphrase: Option<&Secret>,
        now: Timestamp,
        out: impl Write,
        progress: Progress<'_>,
    ) -> Result<Summary> {
        if let Some(passphrase) = passphrase {
            crate::keys::require_strong(passphrase)?;
        }
        let (mut instance, mut snapshot) = self.read_together(id, directory)?;
        let keys = passphrase
            .map(|passphrase| self.keys_of(&instance, now)?.seal(passphrase))
            .transpose()?;
        // A pairing code that is used after the backup must not work again.
        instance.pairings.clear();
        // The records say where the keys are on this computer.
        instance.key = None;
        instance.retiring.clear();
        instance.dropped.clear();
        if let Some(typingmind) = &mut instance.typingmind {
            typingmind.key = None;
        }
        let mut holds = vec![Part::Settings];
        holds.extend(keys.as_ref().map(|_| Part::Keys));
        holds.push(Part::Directory);
        let settings = file::contents(&instance)?;
        let settings: Value = serde_json::from_slice(&settings).map_err(Error::internal)?;
        let (name, hosted) = (&instance.settings.name, instance.settings.hosted);
        let header = Header::new(id, name, hosted, now, holds);
        let mut writer = BackupWriter::begin(out, header, settings, keys)?;
        let mut count = 0;
        while let Some(rows) = snapshot.next().wait()? {
            for row in &rows {
                writer.put(row)?;
            }
            count += rows.len() as u64;
            progress(count)?;
        }
        writer.finish()
    }

    /// Writes a backup to a file, reads the file again, and records the backup in the activity.
    ///
    /// Fails like [`back_up`](Self::back_up), and if the file differs from what was written.
    pub fn back_up_to(
        &self,
        id: &InstanceId,
        directory: &dyn Directory,
        passphrase: Option<&Secret>,
        by: &AuditContext,
        file: &mut File,
        progress: Progress<'_>,
    ) -> Result<Summary> {
        let made = self.back_up_verified(id, directory, passphrase, by.at, file, progress)?;
        let event = EventData::BackedUp {
            keys: made.header.holds(Part::Keys),
        };
        self.instances.note(id, event.into(), by)?;
        self.recorded(id, directory)?;
        Ok(made)
    }

    /// Writes a backup to a file, and reads the file again.
    pub(super) fn back_up_verified(
        &self,
        id: &InstanceId,
        directory: &dyn Directory,
        passphrase: Option<&Secret>,
        now: Timestamp,
        file: &mut File,
        progress: Progress<'_>,
    ) -> Result<Summary> {
        let mut out = BufWriter::new(&mut *file);
        let made = self.back_up(id, directory, passphrase, now, &mut out, progress)?;
        let flushed = out.flush();
        drop(out);
        flushed
            .and_then(|()| file.rewind())
            .map_err(|cause| files::storage("written", Path::new("The backup"), cause))?;
        if backup::verify(&mut *file)? != made {
            return Err(Error::internal("a backup differs from what was written"));
        }
        Ok(made)
    }

    /// Reads the settings and begins a snapshot of the directory, so that no change of the settings
    /// is between them.
    fn read_together(
        &self,
        id: &InstanceId,
        directory: &dyn Directory,
    ) -> Result<(Instance, Box<dyn Snapshot>)> {
        require_on_this_computer(&self.instances.get(id)?)?;
        for _ in 0..ATTEMPTS {
            // The waiting changes are then in the directory.
            self.recorded(id, directory)?;
            let instance = self.instances.get(id)?;
            let snapshot = directory.snapshot().wait()?;
            let after = self.instances.get(id)?;
            if file::contents(&instance)? == file::contents(&after)? {
                return Ok((instance, snapshot));
            }
        }
        let message =
            "The settings of the instance change all the time, so no backup was made. Try again.";
        Err(Error::new(ErrorCode::Busy, message))
    }

    fn keys_of(&self, instance: &Instance, now: Timestamp) -> Result<BackupKeys> {
        let signing_key = match &instance.key {
            Some(record) => Some(SigningKeyRecord::new(&self.signing_key(instance)?, record)),
            None => None,
        };
        let retiring = instance.retiring.iter();
        let retiring = retiring.filter(|retiring| now.as_second() < retiring.retires_at);
        let retiring = retiring.filter_map(|retiring| {
            let key = self.retiring_key(&instance.id, &retiring.key)?;
            Some(RetiringKeyRecord {
                key: SigningKeyRecord::new(&key, &retiring.key),
                retires_at: retiring.retires_at,
            })
        });
        let path = self.instances.folder(&instance.id).join(CERTIFICATE);
        let certificate = files::read(&path)?.and_then(|pem| String::from_utf8(pem).ok());
        Ok(BackupKeys {
            signing_key,
            retiring: retiring.collect(),
            certificate: certificate.map(Zeroizing::new),
        })
    }

    /// Restores an instance from a backup. Nothing is replaced before the whole backup was read and
    /// checked, and its directory is on the disk. If that is interrupted at any moment, the data
    /// folder has the old instance or the new one.
    ///
    /// Without the keys of the backup, a replaced instance keeps its signing key.
    ///
    /// Fails with [`ErrorCode::InstanceExists`] if there is such an instance and it shall not be
    /// replaced or is not that of the backup, with [`ErrorCode::DirectoryHeld`] if a process uses it, with
    /// [`ErrorCode::WrongPassphrase`], and with the errors of [`BackupReader`].
    pub fn restore<R: Read>(
        &self,
        mut backup: BackupReader<R>,
        options: &RestoreOptions<'_>,
        by: &AuditContext,
        progress: Progress<'_>,
    ) -> Result<Restored> {
        let mut instance = instance_in(&backup)?;
        let restored = EventData::Restored {
            made_at: made_at(backup.header())?,
        };
        let id = instance.id.clone();
        if let Some(name) = &options.name {
            instance.settings.name = name.clone();
            instance.id = InstanceId::like(name.as_str());
        }
        let existing = self.instances.named(&instance.settings.name)?;
        if let Some(existing) = &existing {
            require_replaceable(existing, &id, options.replace)?;
        }
        let keys = match (&backup.keys, options.passphrase) {
            (Some(keys), Some(passphrase)) => keys.open(passphrase)?,
            _ => BackupKeys::default(),
        };
        let holder = "latchkey restore";
        let replaced = existing.as_ref().map(|existing| &existing.id);
        // Nobody opens the directory while it is replaced.
        let held =
            replaced.map(|id| EmbeddedDirectory::hold_closed(&self.users_folder(id), holder));
        let held = held.transpose()?;
        let staging = self.instances.stage()?;
        load(&mut backup, &staging.directory(), progress)?;
        if let Some(certificate) = &keys.certificate {
            let path = staging.folder().join(CERTIFICATE);
            files::replace(&path, certificate.as_bytes())?;
        }
        let stored = self.restore_keys(&keys, existing.as_ref(), &mut instance, by.at)?;
        let known = existing.as_ref().and_then(|one| one.typingmind.as_ref());
        if let (Some(restored), Some(known)) = (&mut instance.typingmind, known) {
            restored.key.clone_from(&known.key);
        }
        note(&mut instance, vec![restored.into()], by);
        let instance = self
            .instances
            .put_in(staging, instance, replaced)
            .inspect_err(|_| {
                for stored in &stored {
                    self.forget(stored);
                }
            })?;
        drop(held);
        Ok(Restored {
            instance: self.delete_dropped(instance),
            summary: backup.summary(),
            has_replaced: existing.is_some(),
        })
    }

    /// Stores the signing keys of a backup, and names them in the restored instance. Those of a
    /// replaced instance are then dropped. Without signing keys in the backup, the replaced instance
    /// keeps its own. Returns the records of the stored keys.
    fn restore_keys(
        &self,
        keys: &BackupKeys,
        replaced: Option<&Instance>,
        instance: &mut Instance,
        now: Timestamp,
    ) -> Result<Vec<KeyRecord>> {
        if let Some(replaced) = replaced {
            instance.dropped.clone_from(&replaced.dropped);
        }
        let Some(active) = &keys.signing_key else {
            if let Some(replaced) = replaced {
                instance.key.clone_from(&replaced.key);
                instance.retiring.clone_from(&replaced.retiring);
            }
            return Ok(Vec::new());
        };
        let mut stored = Vec::new();
        let mut store = || -> Result<()> {
            let record = self.store_again(active, now)?;
            stored.push(record.clone());
            instance.key = Some(record);
            let retiring = keys.retiring.iter();
            for retiring in retiring.filter(|key| now.as_second() < key.retires_at) {
                let key = self.store_again(&retiring.key, now)?;
                stored.push(key.clone());
                let retires_at = retiring.retires_at;
                instance.retiring.push(RetiringKey { key, retires_at });
            }
            Ok(())
        };
        if let Err(refused) = store() {
            for stored in &stored {
                self.forget(stored);
            }
            return Err(refused);
        }
        if let Some(replaced) = replaced {
            let retiring = replaced.retiring.iter().map(|retiring| &retiring.key);
            for key in replaced.key.iter().chain(retiring) {
                instance.drop_key(key.clone(), false);
            }
        }
        Ok(stored)
    }

    fn store_again(&self, key: &SigningKeyRecord, now: Timestamp) -> Result<KeyRecord> {
        let set_at = key.set_at.min(now.as_second());
        let record = self.keys.store(&key.key()?, key.origin, set_at)?;
        Ok(KeyRecord {
            revealed: key.revealed,
            public_id: key.id.clone(),
            ..record
        })
    }
}

/// Fails with [`ErrorCode::InstanceExists`] unless an instance is replaced by a backup of the
/// instance `id`.
fn require_replaceable(existing: &Instance, id: &InstanceId, replace: bool) -> Result<()> {
    let name = existing.settings.name.as_str();
    let is_same = existing.id == *id && existing.connection.is_none();
    let (field, message) = match (is_same, replace) {
        (true, true) => return Ok(()),
        (true, false) => (
            "replace",
            format!(
                "There is an instance '{name}' already. Replace it, or choose another name. Nothing was changed."
            ),
        ),
        (false, _) => (
            "name",
            format!(
                "There is an instance '{name}' already, and the backup is of another instance, '{id}'. Choose another name, or remove '{name}' first. Nothing was changed."
            ),
        ),
    };
    Err(Error::new(ErrorCode::InstanceExists, message).about(field))
}

/// Fails with [`ErrorCode::OnGateway`] for an instance on a gateway, which has the directory.
fn require_on_this_computer(instance: &Instance) -> Result<()> {
    match instance.settings.hosted {
        Hosted::Here | Hosted::Elsewhere => Ok(()),
        Hosted::Gateway => require_here(instance),
    }
}

/// Returns the time of a backup in Unix seconds.
fn made_at(header: &Header) -> Result<i64> {
    let time: std::result::Result<Timestamp, _> = header.made_at.parse();
    time.map(Timestamp::as_second).map_err(|cause| {
        let message =
            "The time of the backup cannot be read. Nothing was changed. Use another backup.";
        Error::new(ErrorCode::DamagedFile, message).because(cause)
    })
}

/// Returns the instance in a backup.
fn instance_in(backup: &BackupReader<impl Read>) -> Result<Instance> {
    let header = backup.header();
    let damaged = |cause: String| {
        let message = format!(
            "The settings in the backup cannot be used: {cause}. Nothing was changed. Use another backup."
        );
        Error::new(ErrorCode::DamagedFile, message)
    };
    let id = InstanceId::parse(&header.instance).map_err(|refused| damaged(refused.message))?;
    let settings = serde_json::to_vec(&backup.settings).map_err(Error::internal)?;
    let instance = file::parse(&settings, &id, "The backup", damaged)?;
    require_on_this_computer(&instance)?;
    // Earlier backups of instances that are hosted elsewhere have no ledger.
    if instance.settings.hosted == Hosted::Here && !header.holds(Part::Directory) {
        return Err(damaged("it has no directory".to_owned()));
    }
    Ok(instance)
}

/// Loads the rows of a backup into a new directory, and reads the backup to its end.
fn load(backup: &mut BackupReader<impl Read>, folder: &Path, progress: Progress<'_>) -> Result<()> {
    let Some(first) = backup.next()? else {
        return Ok(());
    };
    let mut loading = Loading::begin(folder, first)?;
    let mut count = 1;
    while let Some(row) = backup.next()? {
        loading.put(row)?;
        count += 1;
        if count % 500 == 0 {
            progress(count)?;
        }
    }
    loading.finish()
}
