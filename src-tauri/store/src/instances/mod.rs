//! Storage of instances: a folder for each, with an `instance.json`. [`Home`](crate::Home) adds and
//! removes their keys, too.

pub(crate) mod file;
mod replacing;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::time::SystemTime;
use std::{fs, iter};

use crate::files;
use jiff::Timestamp;
use latchkey_core::activity::{AuditContext, Event, EventData};
use latchkey_core::admin::Connection;
use latchkey_core::instance::{
    Hosted, Instance, InstanceId, Name, Outbox, Settings, events_between,
};
use latchkey_core::secret::KeyRecord;
use latchkey_core::{Error, ErrorCode, Result};

pub use replacing::Staging;

pub(crate) use file::FORMAT as SETTINGS_FORMAT;

/// Name of the file in the folder of an instance.
const FILE: &str = "instance.json";
/// Name of the file with the certificate that the gateway of an instance has made itself.
pub const CERTIFICATE: &str = "self-signed.pem";
/// Name of the folder of automatic backups in the folder of an instance.
const BACKUPS: &str = "backups";
/// Name of the folder of the directory in the folder of an instance.
const DIRECTORY: &str = "directory";

/// The instances of a data folder.
#[derive(Debug)]
pub struct Instances {
    root: PathBuf,
}

/// State of a file: its time, its size and, on Unix, its number on the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileStamp {
    modified: SystemTime,
    bytes: u64,
    number: u64,
}

impl FileStamp {
    fn of(path: &Path) -> Option<Self> {
        let known = fs::metadata(path).ok()?;
        #[cfg(unix)]
        let number = std::os::unix::fs::MetadataExt::ino(&known);
        #[cfg(not(unix))]
        let number = 0;
        Some(Self {
            modified: known.modified().ok()?,
            bytes: known.len(),
            number,
        })
    }
}

/// All readable instances in the order of their names, and the errors of the others.
#[derive(Debug, Default)]
pub struct Listing {
    /// Readable instances.
    pub instances: Vec<Instance>,
    /// One error for each instance that cannot be read.
    pub problems: Vec<Error>,
}

impl Instances {
    /// Returns the instances below `data_dir`.
    #[must_use]
    pub fn new(data_dir: &Path) -> Self {
        Self {
            root: data_dir.join("instances"),
        }
    }

    /// Returns the folder of an instance, which also has its directory.
    #[must_use]
    pub fn folder(&self, id: &InstanceId) -> PathBuf {
        self.root.join(id.as_str())
    }

    /// Returns the folder of the directory of an instance.
    #[must_use]
    pub fn directory_folder(&self, id: &InstanceId) -> PathBuf {
        self.folder(id).join(DIRECTORY)
    }

    /// Returns the folder of the automatic backups of an instance.
    #[must_use]
    pub fn backups_folder(&self, id: &InstanceId) -> PathBuf {
        self.folder(id).join(BACKUPS)
    }

    /// Returns all instances. An unreadable instance does not hide the others.
    pub fn list(&self) -> Result<Listing> {
        let mut listing = Listing::default();
        let entries = match fs::read_dir(&self.root) {
            Ok(entries) => entries,
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Ok(listing),
            Err(cause) => return Err(files::storage("read", &self.root, cause)),
        };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let Some(Ok(id)) = name.to_str().map(InstanceId::parse) else {
                continue;
            };
            match self.read(&id) {
                Ok(Some(instance)) => listing.instances.push(instance),
                Ok(None) => {}
                Err(problem) => listing.problems.push(problem),
            }
        }
        listing
            .instances
            .sort_by_key(|instance| instance.settings.name.as_str().to_lowercase());
        Ok(listing)
    }

    /// Returns path, time and size of each instance's file, without reading it. The list changes
    /// when an instance is added, changed or removed.
    #[must_use]
    pub fn files(&self) -> Vec<(PathBuf, SystemTime, u64)> {
        let entries = fs::read_dir(&self.root).into_iter().flatten().flatten();
        let mut files: Vec<_> = entries
            .filter_map(|entry| {
                let path = entry.path().join(FILE);
                let known = fs::metadata(&path).ok()?;
                Some((path, known.modified().ok()?, known.len()))
            })
            .collect();
        files.sort();
        files
    }

    /// Returns the state of an instance's file, without reading the file. It changes with each
    /// change of the instance. `None` if the file is missing.
    #[must_use]
    pub fn stamp(&self, id: &InstanceId) -> Option<FileStamp> {
        FileStamp::of(&self.path(id))
    }

    /// Returns the instance with an ID.
    pub fn get(&self, id: &InstanceId) -> Result<Instance> {
        self.read(id)?.ok_or_else(|| {
            Error::new(
                ErrorCode::UnknownInstance,
                format!("There is no instance '{id}'."),
            )
        })
    }

    /// Returns the instance with an ID or a name. An exact ID wins, because scripts rely on it.
    /// Names are compared in any case.
    ///
    /// Fails with [`ErrorCode::UnknownInstance`], or with the error of an instance that cannot be read,
    /// because that one may be meant.
    pub fn find(&self, name: &str) -> Result<Instance> {
        if let Ok(id) = InstanceId::parse(name)
            && let Some(instance) = self.read(&id)?
        {
            return Ok(instance);
        }
        let mut listing = self.list()?;
        let named = |instance: &Instance| instance.settings.name.matches(name);
        if let Some(at) = listing.instances.iter().position(named) {
            return Ok(listing.instances.swap_remove(at));
        }
        // An unreadable instance may be the wanted one.
        let unreadable = listing.problems.into_iter().next();
        let known: Vec<String> = listing
            .instances
            .iter()
            .map(|instance| format!("'{}'", instance.settings.name.as_str()))
            .collect();
        let problem = unreadable.as_ref();
        let code = problem.map_or(ErrorCode::UnknownInstance, |problem| problem.code);
        let known = match (unreadable, known.as_slice()) {
            (Some(problem), _) => format!("One cannot be read: {}", problem.message),
            (None, []) => "There is none yet. Add one.".to_owned(),
            (None, known) => format!("There is {}.", known.join(", ")),
        };
        let message = format!("There is no instance '{name}'. {known}");
        Err(Error::new(code, message).about("instance"))
    }

    /// Adds an instance. Its ID resembles its name, and is not the name of another instance.
    ///
    /// Fails with [`ErrorCode::InstanceExists`] if the name is taken, or is the ID of another
    /// instance or resembles that of an unreadable one.
    pub fn add(
        &self,
        settings: Settings,
        key: Option<KeyRecord>,
        by: &AuditContext,
    ) -> Result<Instance> {
        self.add_one(settings, key, None, by)
    }

    /// Adds an instance that is on a gateway.
    ///
    /// Fails like [`add`](Self::add).
    pub fn add_connected(
        &self,
        settings: Settings,
        connection: Connection,
        by: &AuditContext,
    ) -> Result<Instance> {
        let settings = Settings {
            hosted: Hosted::Gateway,
            ..settings
        };
        self.add_one(settings, None, Some(connection), by)
    }

    /// Fails with [`ErrorCode::InstanceExists`] if a name is taken.
    pub fn require_free(&self, name: &Name) -> Result<()> {
        refuse_taken(name, &self.list()?.instances)
    }

    /// Fails with [`ErrorCode::InstanceExists`] if another instance has the name.
    pub(crate) fn require_free_for(&self, id: &InstanceId, name: &Name) -> Result<()> {
        let mut others = self.list()?.instances;
        others.retain(|other| other.id != *id);
        refuse_taken(name, &others)
    }

    fn add_one(
        &self,
        settings: Settings,
        key: Option<KeyRecord>,
        connection: Option<Connection>,
        by: &AuditContext,
    ) -> Result<Instance> {
        let _lock = self.lock()?;
        let others = self.list()?.instances;
        refuse_taken(&settings.name, &others)?;
        let wanted = InstanceId::like(settings.name.as_str());
        if let Err(unreadable) = self.read(&wanted) {
            let (name, why) = (settings.name.as_str(), &unreadable.message);
            let message = format!("'{name}' may be an instance that cannot be read: {why}");
            return Err(Error::new(ErrorCode::InstanceExists, message).about("name"));
        }
        let id = self.free_id(wanted, &others);
        let mut instance = Instance {
            id,
            settings,
            key,
            retiring: Vec::new(),
            dropped: Vec::new(),
            typingmind: None,
            api_keys: Vec::new(),
            pairings: Vec::new(),
            outbox: Outbox::default(),
            connection,
        };
        note(&mut instance, vec![EventData::InstanceMade.into()], by);
        file::write(&self.path(&instance.id), &instance).inspect_err(|_| {
            // An empty folder would keep the ID taken.
            let _ = fs::remove_dir(self.folder(&instance.id));
        })?;
        Ok(instance)
    }

    /// Returns an ID, or the ID with a number if a folder has it or it is the name of another
    /// instance.
    fn free_id(&self, wanted: InstanceId, others: &[Instance]) -> InstanceId {
        let is_free = |id: &InstanceId| {
            let named = |other: &Instance| other.settings.name.matches(id.as_str());
            !self.folder(id).exists() && !others.iter().any(named)
        };
        let numbered = (2..1000).map(|number| wanted.numbered(number));
        iter::once(wanted.clone())
            .chain(numbered)
            .find(is_free)
            .unwrap_or(wanted)
    }

    /// Changes an instance. `change` gets its current state, and nothing is written if it fails.
    /// The change waits beside the settings to be recorded in the activity.
    pub fn update(
        &self,
        id: &InstanceId,
        by: &AuditContext,
        change: impl FnOnce(&mut Instance) -> Result<()>,
    ) -> Result<Instance> {
        let _lock = self.lock()?;
        let before = self.get(id)?;
        let mut instance = before.clone();
        change(&mut instance)?;
        if instance.settings.name != before.settings.name {
            self.require_free_for(id, &instance.settings.name)?;
        }
        let events = events_between(&before, &instance, by.at);
        note(&mut instance, events, by);
        file::write(&self.path(&instance.id), &instance)?;
        Ok(instance)
    }

    /// Adds an event that waits to be recorded in the activity of an instance. Returns its number.
    pub(crate) fn note(&self, id: &InstanceId, event: Event, by: &AuditContext) -> Result<u64> {
        let _lock = self.lock()?;
        let mut instance = self.get(id)?;
        note(&mut instance, vec![event], by);
        file::write(&self.path(&instance.id), &instance)?;
        Ok(instance.outbox.last())
    }

    /// Replaces or drops an event, as [`Outbox::amend`] does.
    pub(crate) fn amend(
        &self,
        id: &InstanceId,
        number: u64,
        event: Option<Event>,
        by: &AuditContext,
    ) -> Result<()> {
        let _lock = self.lock()?;
        let mut instance = self.get(id)?;
        instance.outbox.amend(number, event, by);
        file::write(&self.path(&instance.id), &instance)
    }

    /// Notes uses of API keys: the ID of each key, and the time in Unix seconds.
    pub(crate) fn note_key_uses(&self, id: &InstanceId, uses: &[(String, i64)]) -> Result<()> {
        let _lock = self.lock()?;
        let mut instance = self.get(id)?;
        if instance.note_key_uses(uses) {
            file::write(&self.path(&instance.id), &instance)?;
        }
        Ok(())
    }

    /// Drops the signing keys whose retirement dates have passed. Returns the instance.
    pub(crate) fn drop_retired(&self, id: &InstanceId, now: Timestamp) -> Result<Instance> {
        let _lock = self.lock()?;
        let mut instance = self.get(id)?;
        if instance.drop_retired(now) {
            file::write(&self.path(&instance.id), &instance)?;
        }
        Ok(instance)
    }

    /// Removes dropped signing keys from the record, because their secrets are deleted.
    pub(crate) fn forget_dropped(&self, id: &InstanceId, deleted: &[String]) -> Result<()> {
        let _lock = self.lock()?;
        let mut instance = self.get(id)?;
        let known = instance.dropped.len();
        let dropped = &mut instance.dropped;
        dropped.retain(|dropped| !deleted.contains(&dropped.key.id));
        if dropped.len() < known {
            file::write(&self.path(&instance.id), &instance)?;
        }
        Ok(())
    }

    /// Drops the waiting events up to a number, which are recorded.
    pub(crate) fn shorten_outbox(&self, id: &InstanceId, up_to: u64) -> Result<()> {
        let _lock = self.lock()?;
        let mut instance = self.get(id)?;
        instance.outbox.recorded(up_to);
        file::write(&self.path(&instance.id), &instance)
    }

    /// Removes an instance with everything in its folder, even if its settings are damaged.
    ///
    /// Fails if its folder or that of its directory is a symbolic link, because the users would stay
    /// where it leads.
    pub fn remove(&self, id: &InstanceId) -> Result<()> {
        let _lock = self.lock()?;
        match self.get(id) {
            Err(refused) if refused.code != ErrorCode::DamagedFile => return Err(refused),
            _ => {}
        }
        let folder = self.folder(id);
        refuse_link(&folder)?;
        refuse_link(&self.directory_folder(id))?;
        // The folder is renamed first, in one step, so that an interruption leaves garbage and not
        // half an instance.
        let leaving = self.root.join(format!(".removing-{id}"));
        if leaving.exists() {
            fs::remove_dir_all(&leaving)
                .map_err(|cause| files::storage("removed", &leaving, cause))?;
        }
        fs::rename(&folder, &leaving)
            .and_then(|()| files::sync_dir(&self.root))
            .map_err(|cause| files::storage("removed", &folder, cause))?;
        fs::remove_dir_all(&leaving).map_err(|cause| files::storage("removed", &leaving, cause))
    }

    /// Reads an instance, if it is there.
    ///
    /// Fails with [`ErrorCode::DamagedFile`] if only its directory is there.
    fn read(&self, id: &InstanceId) -> Result<Option<Instance>> {
        let path = self.path(id);
        let instance = file::read(&path, id)?;
        let directory = self.directory_folder(id);
        if instance.is_none() && fs::symlink_metadata(&directory).is_ok() {
            let message = format!(
                "{} is missing. With it the settings of the instance '{id}' are lost, and which keys it uses. Its users and \
                 activity are still in {}. Restore the file from a backup, or remove the instance '{id}' with all \
                 that is kept for it.",
                path.display(),
                directory.display()
            );
            return Err(Error::new(ErrorCode::DamagedFile, message));
        }
        Ok(instance)
    }

    fn lock(&self) -> Result<fs::File> {
        files::create_private_dir(&self.root)?;
        files::lock(&self.root.join(".lock"))
    }

    fn path(&self, id: &InstanceId) -> PathBuf {
        self.folder(id).join(FILE)
    }
}

/// Adds events that wait to be recorded in the directory. The gateway of a connected instance
/// records its changes itself.
pub(crate) fn note(instance: &mut Instance, events: Vec<Event>, by: &AuditContext) {
    if instance.connection.is_none() {
        instance.outbox.add(events, by);
    }
}

/// Fails if a folder is a symbolic link. A link is followed otherwise, so that an administrator can
/// keep a directory on another disk. Its owner may write wherever it leads, and a program that root
/// runs becomes the owner first.
fn refuse_link(folder: &Path) -> Result<()> {
    let Ok(leads_to) = fs::read_link(folder) else {
        return Ok(());
    };
    let (folder, leads_to) = (folder.display(), leads_to.display());
    Err(Error::new(
        ErrorCode::Storage,
        format!(
            "{folder} is a link to {leads_to}, and is not removed. Delete that folder and the link, and try again."
        ),
    ))
}

/// Fails if a name is the name or the ID of another instance.
fn refuse_taken(name: &Name, others: &[Instance]) -> Result<()> {
    let taken = |other: &&Instance| {
        other.settings.name.matches(name.as_str()) || name.matches(other.id.as_str())
    };
    let Some(other) = others.iter().find(taken) else {
        return Ok(());
    };
    let (name, other_name) = (name.as_str(), other.settings.name.as_str());
    let message = if other.settings.name.matches(name) {
        format!("There is an instance '{other_name}' already. Choose another name.")
    } else {
        format!("'{name}' is the id of the instance '{other_name}'. Choose another name.")
    };
    Err(Error::new(ErrorCode::InstanceExists, message).about("name"))
}
