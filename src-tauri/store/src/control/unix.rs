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
        let folder = &real(folder);
        let own = folder.join(SOCKET);
        let pointer = folder.join(ELSEWHERE);
        // A path of an earlier process must lead nobody to a socket of another user.
        remove(&pointer)?;
        let path = if own.as_os_str().len() <= MAX_PATH {
            own
        } else {
            let path = elsewhere(folder)?;
            let text = path.as_os_str().as_encoded_bytes();
            files::replace(&pointer, text)?;
            path
        };
        remove(&path)?;
        Ok(Self { path })
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

/// Returns the path of the socket of the instance in `folder`, if there is one. A socket outside of
/// the folder counts only if no other user can have made it.
#[must_use]
pub fn socket(folder: &Path) -> Option<PathBuf> {
    let folder = &real(folder);
    let own = folder.join(SOCKET);
    if own.as_os_str().len() <= MAX_PATH {
        return own.exists().then_some(own);
    }
    let text = files::read(&folder.join(ELSEWHERE)).ok()??;
    let path = PathBuf::from(String::from_utf8(text).ok()?);
    require_private(path.parent()?).ok()?;
    path.exists().then_some(path)
}

/// Returns the folder without symbolic links, so that every spelling of it leads to one socket.
fn real(folder: &Path) -> PathBuf {
    fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned())
}

fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(cause) if cause.kind() != std::io::ErrorKind::NotFound => {
            Err(files::storage("removed", path, cause))
        }
        _ => Ok(()),
    }
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

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    use super::*;

    /// Returns a folder whose path is too long for a socket.
    fn long() -> (tempfile::TempDir, PathBuf) {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("long".repeat(30));
        fs::create_dir(&folder).unwrap();
        (parent, folder)
    }

    #[test]
    fn a_socket_elsewhere_counts_only_in_a_folder_of_this_user() {
        let (parent, folder) = long();
        let open = parent.path().join("open");
        fs::create_dir(&open).unwrap();
        let planted = open.join("x.sock");
        fs::write(&planted, "").unwrap();
        fs::write(folder.join(ELSEWHERE), planted.to_str().unwrap()).unwrap();
        for (mode, counts) in [(0o700, true), (0o755, false), (0o1777, false)] {
            fs::set_permissions(&open, fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(socket(&folder).is_some(), counts, "{mode:o}");
        }
    }

    #[test]
    fn every_spelling_of_a_folder_leads_to_the_same_socket() {
        let (parent, folder) = long();
        let short = parent.path().join("short");
        symlink(&folder, &short).unwrap();
        let file = SocketFile::make(&short).unwrap();
        fs::write(file.path(), "").unwrap();
        let found = socket(&folder).unwrap();
        assert_eq!(found, file.path());
        assert_eq!(socket(&short).unwrap(), found);
    }

    #[test]
    fn a_place_that_an_earlier_process_has_noted_is_forgotten() {
        let (_parent, folder) = long();
        fs::write(folder.join(ELSEWHERE), "/nonexistent/x.sock").unwrap();
        let file = SocketFile::make(&folder).unwrap();
        let noted = fs::read_to_string(folder.join(ELSEWHERE)).unwrap();
        assert_eq!(noted, file.path().to_str().unwrap());
    }
}
