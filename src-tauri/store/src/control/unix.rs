//! The local socket on Unix: a file that only its owner can open.

use std::fs;
use std::path::{Path, PathBuf};

use super::short_name;
use crate::files;
use latchkey_core::{Error, ErrorCode, Result};

/// Name of the socket in the folder of an instance.
const SOCKET: &str = "control.sock";
/// Name of the file with the path of a socket that is elsewhere.
const ELSEWHERE: &str = "control.path";
/// Maximum length of the path of a socket, in bytes. Linux allows 107, and macOS 103.
const MAX_PATH: usize = 103;

/// File of a socket that this process binds. It is removed when this is dropped.
#[derive(Debug)]
pub struct SocketFile {
    path: PathBuf,
}

impl SocketFile {
    /// Chooses the path of the socket of the instance in `folder`, and removes a socket that a
    /// killed process left there. The socket is in the folder. If its path would be too long, it is
    /// in the runtime folder of this user, and a file in `folder` says where.
    ///
    /// Fails with [`ErrorCode::Storage`], or with [`ErrorCode::InvalidDataFolder`] if another user
    /// has the folder in the runtime folder.
    pub fn make(folder: &Path) -> Result<Self> {
        let own = folder.join(SOCKET);
        let path = if own.as_os_str().len() <= MAX_PATH {
            own
        } else {
            let path = elsewhere(folder)?;
            let text = path.as_os_str().as_encoded_bytes();
            files::replace(&folder.join(ELSEWHERE), text)?;
            path
        };
        match fs::remove_file(&path) {
            Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => {
                Err(files::storage("removed", &path, cause))
            }
            _ => Ok(Self { path }),
        }
    }

    /// Returns the path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.path);
    }
}

/// Returns the path of the socket of the instance in `folder`, if there is one.
#[must_use]
pub fn socket(folder: &Path) -> Option<PathBuf> {
    let own = folder.join(SOCKET);
    if own.as_os_str().len() <= MAX_PATH {
        return own.exists().then_some(own);
    }
    let text = files::read(&folder.join(ELSEWHERE)).ok()??;
    let path = PathBuf::from(String::from_utf8(text).ok()?);
    path.exists().then_some(path)
}

/// Returns a short path for the socket of the instance in `folder`, below a folder that only this
/// user can enter.
fn elsewhere(folder: &Path) -> Result<PathBuf> {
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let runtime = runtime
        .filter(|folder| folder.is_absolute() && folder.is_dir())
        .unwrap_or_else(std::env::temp_dir);
    let private = runtime.join(format!("latchkey-{}", nix::unistd::geteuid()));
    files::create_private_dir(&private)?;
    require_private(&private)?;
    Ok(private.join(format!("{}.sock", short_name(folder))))
}

/// Fails unless a folder is this user's, and nobody else's to enter.
fn require_private(folder: &Path) -> Result<()> {
    use std::os::unix::fs::MetadataExt as _;

    let found =
        fs::symlink_metadata(folder).map_err(|cause| files::storage("read", folder, cause))?;
    let is_own = found.is_dir() && found.uid() == nix::unistd::geteuid().as_raw();
    if is_own && found.mode().trailing_zeros() >= 6 {
        return Ok(());
    }
    Err(Error::new(
        ErrorCode::InvalidDataFolder,
        format!(
            "{} is not a folder that only this user can enter, so the local socket cannot be there. Remove it, or use a data folder with a shorter path.",
            folder.display()
        ),
    ))
}
