//! Files that arguments and variables name.

use std::path::{Path, PathBuf};
#[cfg(unix)]
use std::{fs::File, io};

/// File that an argument or a variable names.
#[derive(Debug)]
pub(crate) enum NamedFile {
    /// It is read.
    Read(PathBuf),
    /// It is written.
    Write(PathBuf),
}

impl NamedFile {
    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Read(path) | Self::Write(path) => path,
        }
    }

    #[cfg(unix)]
    pub(crate) fn open(&self) -> io::Result<File> {
        use std::os::unix::fs::OpenOptionsExt as _;

        match self {
            Self::Read(path) => File::open(path),
            // Emptied only when there is something to write.
            Self::Write(path) => File::options()
                .write(true)
                .create(true)
                .truncate(false)
                .mode(0o600)
                .open(path),
        }
    }
}
