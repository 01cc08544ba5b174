//! The local socket on Windows: a named pipe. This file is not tested.

use std::path::{Path, PathBuf};

use latchkey_core::Result;

use super::short_name;

/// Name of the pipe that this process makes. Windows removes it with its last handle.
#[derive(Debug)]
pub struct SocketFile {
    path: PathBuf,
}

impl SocketFile {
    /// Chooses the name of the pipe of the instance in `folder`.
    pub fn make(folder: &Path) -> Result<Self> {
        Ok(Self { path: name(folder) })
    }

    /// Returns the name.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Returns the name of the pipe of the instance in `folder`. There may be no such pipe.
#[must_use]
pub fn socket(folder: &Path) -> Option<PathBuf> {
    Some(name(folder))
}

fn name(folder: &Path) -> PathBuf {
    PathBuf::from(format!(r"\\.\pipe\latchkey-{}", short_name(folder)))
}
