//! The files of a tree. sled passes flushed data to the operating system. On Linux that does not
//! empty the disk's cache (`sync_file_range`), so a power cut could lose the data. [`Disk::sync`]
//! empties the cache.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use super::sled_log::End;
use crate::files;
use latchkey_core::Result;

/// Files that a tree writes.
pub(super) struct Disk {
    log: File,
    path: PathBuf,
    /// Folder of large values. Each has a file that is written once.
    blobs: PathBuf,
    /// Names of the files of large values that are on the disk.
    synced: Mutex<BTreeSet<OsString>>,
    /// End of the log. `None` if the operating system does not let another handle read it.
    end: Mutex<Option<End>>,
    /// Position in the log up to which it is on the disk.
    position: AtomicU64,
}

impl Disk {
    /// Opens the files of the tree in `folder`, which must be open, and syncs them.
    pub(super) fn open(folder: &Path) -> Result<Self> {
        let path = folder.join("db");
        let log = OpenOptions::new().write(true).open(&path);
        let end = File::open(&path).and_then(End::find).unwrap_or_default();
        let disk = Self {
            log: log.map_err(|cause| files::storage("opened", &path, cause))?,
            end: Mutex::new(end),
            position: AtomicU64::new(0),
            path,
            blobs: folder.join("blobs"),
            synced: Mutex::default(),
        };
        disk.sync()?;
        files::sync_dir(folder).map_err(|cause| files::storage("written", folder, cause))?;
        Ok(disk)
    }

    /// Syncs everything that was written. Returns when it is on the disk.
    pub(super) fn sync(&self) -> Result<()> {
        self.sync_blobs()
            .map_err(|cause| files::storage("written", &self.blobs, cause))?;
        let written = self.written();
        self.log
            .sync_data()
            .map_err(|cause| files::storage("written", &self.path, cause))?;
        self.position.fetch_max(written, Ordering::Relaxed);
        Ok(())
    }

    /// Returns the position in the log up to which it is on the disk, and the length of its file.
    pub(super) fn synced(&self) -> (u64, u64) {
        let bytes = self.log.metadata().map_or(0, |log| log.len());
        (self.position.load(Ordering::Relaxed), bytes)
    }

    /// Returns the position up to which the log is written. 0 if it is not known.
    fn written(&self) -> u64 {
        let mut end = self.end.lock().unwrap_or_else(PoisonError::into_inner);
        let position = end.as_mut().and_then(|end| end.advance().ok());
        position.unwrap_or_default()
    }

    fn sync_blobs(&self) -> std::io::Result<()> {
        let mut synced = self.synced.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut there, mut is_new) = (BTreeSet::new(), false);
        for file in fs::read_dir(&self.blobs)? {
            let file = file?;
            let name = file.file_name();
            if !synced.contains(&name) {
                // sled may have deleted the file.
                if let Ok(blob) = OpenOptions::new().write(true).open(file.path()) {
                    blob.sync_data()?;
                }
                is_new = true;
            }
            there.insert(name);
        }
        *synced = there;
        if is_new {
            files::sync_dir(&self.blobs)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_file_of_a_large_value_is_synced_once() {
        let folder = tempfile::tempdir().unwrap();
        let tree = sled::open(folder.path()).unwrap();
        let disk = Disk::open(folder.path()).unwrap();
        let synced = || disk.synced.lock().unwrap().len();
        assert_eq!(synced(), 0);
        tree.insert("large", vec![7; 600_000]).unwrap();
        tree.flush().unwrap();
        disk.sync().unwrap();
        assert_eq!(synced(), 1);
        disk.sync().unwrap();
        assert_eq!(synced(), 1);
    }

    #[test]
    fn a_missing_tree_is_reported_as_missing() {
        let folder = tempfile::tempdir().unwrap();
        let refused = Disk::open(folder.path()).err().unwrap();
        assert!(refused.message.contains("db"), "{}", refused.message);
    }
}
