//! Files that arguments and environment variables name.

use std::path::{Path, PathBuf};
#[cfg(unix)]
use std::{fs::File, io};

/// A file that an argument or an environment variable names.
#[derive(Debug)]
pub(crate) enum NamedFile {
    /// A file to read.
    Read(PathBuf),
    /// A file to write.
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
            // The file is truncated only when there is something to write.
            Self::Write(path) => File::options()
                .write(true)
                .create(true)
                .truncate(false)
                .mode(0o600)
                .open(path),
        }
    }
}
