//! Replacing of an instance as a whole. A new instance is made in a folder beside the old one, and
//! then renamed into its place. After a crash at any moment, [`Instances::finish_replacing`] leaves
//! the old instance or the new one.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{BACKUPS, CERTIFICATE, DIRECTORY, FILE, Instances, file, refuse_link, refuse_taken};
use crate::files;
use latchkey_core::instance::{Instance, InstanceId, Name};
use latchkey_core::{Error, ErrorCode, Result};

/// Name of the folder of an instance that is not whole.
const UNFINISHED: &str = ".restoring";
/// Beginning of the name of a whole instance that is about to be renamed.
const WHOLE: &str = ".restored-";
/// Beginning of the name of an instance that was replaced.
const REPLACED: &str = ".replaced-";
/// Name of the file that the process which replaces an instance has locked.
const LOCK: &str = ".restoring.lock";

/// Folder of a new instance. It is removed when this is dropped.
#[derive(Debug)]
pub struct Staging {
    folder: PathBuf,
    _lock: fs::File,
}

impl Staging {
    /// Returns the folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns the folder of the directory.
    #[must_use]
    pub fn directory(&self) -> PathBuf {
        self.folder.join(DIRECTORY)
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // The next start removes what is left.
        let _ = remove(&self.folder);
    }
}

impl Instances {
    /// Makes a folder for a new instance.
    ///
    /// Fails with [`ErrorCode::Busy`] if another process is restoring an instance.
    pub fn stage(&self) -> Result<Staging> {
        files::create_private_dir(&self.root)?;
        let Some(lock) = files::try_lock(&self.root.join(LOCK))? else {
            let message = "Another program is restoring an instance. Try again when it is done.";
            return Err(Error::new(ErrorCode::Busy, message));
        };
        let folder = self.root.join(UNFINISHED);
        remove(&folder).map_err(|cause| files::storage("removed", &folder, cause))?;
        files::create_private_dir(&folder)?;
        Ok(Staging {
            folder,
            _lock: lock,
        })
    }

    /// Returns the instance with a name, or with that name as its ID, if there is one.
    ///
    /// Fails if an instance that cannot be read may be it.
    pub fn named(&self, name: &Name) -> Result<Option<Instance>> {
        match self.find(name.as_str()) {
            Ok(found) => Ok(Some(found)),
            // An instance whose settings are damaged is replaced by its ID.
            Err(_) => self.read(&InstanceId::like(name.as_str())),
        }
    }

    /// Puts a whole instance into its place. `replaces` is the ID of the instance that it replaces,
    /// whose automatic backups and certificate stay. Without it, the ID is chosen. Everything in the
    /// staging folder is on the disk.
    pub fn put_in(
        &self,
        staging: Staging,
        mut instance: Instance,
        replaces: Option<&InstanceId>,
    ) -> Result<Instance> {
        let _lock = self.lock()?;
        let mut others = self.list()?.instances;
        others.retain(|other| Some(&other.id) != replaces);
        refuse_taken(&instance.settings.name, &others)?;
        instance.id = match replaces {
            Some(id) => id.clone(),
            None => self.free_id(instance.id, &others),
        };
        let id = &instance.id;
        let folder = self.folder(id);
        if replaces.is_some() {
            refuse_link(&folder)?;
            refuse_link(&self.directory_folder(id))?;
        }
        file::write(&staging.folder.join(FILE), &instance)?;
        let swap = || -> io::Result<()> {
            files::sync_dir(&staging.folder)?;
            let (whole, old) = (self.beside(WHOLE, id), self.beside(REPLACED, id));
            remove(&whole)?;
            remove(&old)?;
            self.rename(&staging.folder, &whole)?;
            if replaces.is_some() {
                self.rename(&folder, &old)
                    .inspect_err(|_| drop(remove(&whole)))?;
            }
            if let Err(cause) = self.rename(&whole, &folder) {
                if replaces.is_some() {
                    self.rename(&old, &folder)?;
                }
                return Err(cause);
            }
            Ok(())
        };
        swap().map_err(|cause| files::storage("replaced", &folder, cause))?;
        // The new instance counts from here on. The next start does what is left.
        if let Err(cause) = self.drop_replaced(id) {
            tracing::warn!(%cause, "files of the replaced instance were not removed");
        }
        drop(staging);
        Ok(instance)
    }

    /// Finishes or undoes what an interrupted restoring has left.
    pub fn finish_replacing(&self) -> Result<()> {
        let left = |name: &str| {
            name == UNFINISHED || name.starts_with(WHOLE) || name.starts_with(REPLACED)
        };
        let names: Vec<String> = fs::read_dir(&self.root)
            .into_iter()
            .flatten()
            .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
            .filter(|name| left(name))
            .collect();
        if names.is_empty() {
            return Ok(());
        }
        // The process that holds this lock is restoring, and still needs the folders.
        let Some(_restoring) = files::try_lock(&self.root.join(LOCK))? else {
            return Ok(());
        };
        let _lock = self.lock()?;
        let finish = |name: &str| -> io::Result<()> {
            let path = self.root.join(name);
            if name == UNFINISHED {
                return remove(&path);
            }
            let id = name.strip_prefix(WHOLE).or(name.strip_prefix(REPLACED));
            let Some(Ok(id)) = id.map(InstanceId::parse) else {
                return Ok(());
            };
            if self.path(&id).exists() {
                // Either the old instance was not moved away, or the new one is in its place.
                remove(&self.beside(WHOLE, &id))?;
                return self.drop_replaced(&id);
            }
            let folder = self.folder(&id);
            for kind in [WHOLE, REPLACED] {
                let path = self.beside(kind, &id);
                if path.join(FILE).exists() && !self.path(&id).exists() {
                    // Another process may have begun an empty directory there.
                    remove(&folder)?;
                    self.rename(&path, &folder)?;
                }
            }
            self.drop_replaced(&id)
        };
        for name in &names {
            finish(name)
                .map_err(|cause| files::storage("restored", &self.root.join(name), cause))?;
        }
        Ok(())
    }

    /// Moves the automatic backups and the certificate of a replaced instance to the new one, and
    /// removes the rest.
    fn drop_replaced(&self, id: &InstanceId) -> io::Result<()> {
        let (replaced, folder) = (self.beside(REPLACED, id), self.folder(id));
        if !replaced.exists() {
            return Ok(());
        }
        let (old, new) = (replaced.join(BACKUPS), folder.join(BACKUPS));
        if old.is_dir() && !new.exists() {
            fs::rename(&old, &new)?;
        }
        for file in fs::read_dir(&old).into_iter().flatten() {
            let name = file?.file_name();
            if !new.join(&name).exists() {
                fs::rename(old.join(&name), new.join(&name))?;
            }
        }
        let (old, new) = (replaced.join(CERTIFICATE), folder.join(CERTIFICATE));
        if old.exists() && !new.exists() {
            fs::rename(&old, &new)?;
        }
        files::sync_dir(&folder)?;
        remove(&replaced)
    }

    fn beside(&self, kind: &str, id: &InstanceId) -> PathBuf {
        self.root.join(format!("{kind}{id}"))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)?;
        files::sync_dir(&self.root)
    }
}

fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => Err(cause),
        _ => Ok(()),
    }
}
