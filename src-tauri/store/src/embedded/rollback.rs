//! A copy of a tree's files that is made before an opening which may fail. sled changes its files
//! while it opens them, so they are put back if the opening is refused. The note of the last clean
//! close is copied into the same folder, because opening deletes it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::closed::CLOSED;
use crate::files;
use latchkey_core::Result;

/// Name of the folder of the copy while it is made, and while it is deleted.
const UNFINISHED: &str = "sled.copying";
/// Name of the folder of the whole copy.
const COPY: &str = "sled.before";

/// A whole copy of the folder of a tree.
pub(super) struct Rollback {
    tree: PathBuf,
    copy: PathBuf,
    unfinished: PathBuf,
}

impl Rollback {
    fn of(tree: &Path) -> Self {
        Self {
            copy: tree.with_file_name(COPY),
            unfinished: tree.with_file_name(UNFINISHED),
            tree: tree.to_owned(),
        }
    }

    /// Copies the folder of a tree, which must be closed.
    pub(super) fn begin(tree: &Path) -> Result<Self> {
        let rollback = Self::of(tree);
        let copy = || {
            remove(&rollback.unfinished)?;
            copy(tree, &rollback.unfinished)?;
            let note = tree.with_file_name(CLOSED);
            if note.exists() {
                copy_file(&note, &rollback.unfinished.join(CLOSED))?;
                files::sync_dir(&rollback.unfinished)?;
            }
            fs::rename(&rollback.unfinished, &rollback.copy)?;
            sync_parent(tree)
        };
        copy().map_err(|cause| {
            // A full disk keeps no part of the copy.
            let _ = remove(&rollback.unfinished);
            files::storage("copied", tree, cause)
        })?;
        Ok(rollback)
    }

    /// Returns whether a crash has interrupted the opening of a tree.
    pub(super) fn is_interrupted(tree: &Path) -> bool {
        Self::of(tree).copy.exists()
    }

    /// Puts the files back whose opening a crash has interrupted.
    pub(super) fn finish_interrupted(tree: &Path) -> Result<()> {
        let rollback = Self::of(tree);
        if rollback.copy.exists() {
            return rollback.restore();
        }
        remove(&rollback.unfinished)
            .map_err(|cause| files::storage("removed", &rollback.unfinished, cause))
    }

    /// Puts the copied files back in place of those that sled has changed.
    pub(super) fn restore(self) -> Result<()> {
        let restore = || {
            remove(&self.unfinished)?;
            let note = self.copy.join(CLOSED);
            if note.exists() {
                fs::rename(note, self.tree.with_file_name(CLOSED))?;
            }
            if self.tree.exists() {
                fs::rename(&self.tree, &self.unfinished)?;
            }
            fs::rename(&self.copy, &self.tree)?;
            sync_parent(&self.tree)?;
            remove(&self.unfinished)
        };
        restore().map_err(|cause| files::storage("put back", &self.tree, cause))
    }

    /// Removes the copy. From here on the opened tree counts.
    pub(super) fn discard(self) -> Result<()> {
        let discard = || {
            fs::rename(&self.copy, &self.unfinished)?;
            sync_parent(&self.tree)?;
            remove(&self.unfinished)
        };
        discard().map_err(|cause| files::storage("removed", &self.copy, cause))
    }
}

/// Copies the files of a folder, and syncs them.
fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fs::DirBuilder::new().create(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &to)?;
        } else {
            copy_file(&entry.path(), &to)?;
        }
    }
    files::sync_dir(to)
}

/// Copies a file, and syncs it.
fn copy_file(from: &Path, to: &Path) -> io::Result<()> {
    fs::copy(from, to)?;
    fs::OpenOptions::new().write(true).open(to)?.sync_all()
}

fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => Err(cause),
        _ => Ok(()),
    }
}

fn sync_parent(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), files::sync_dir)
}
