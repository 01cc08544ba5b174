//! Files that are whole or not there: written beside, flushed, then renamed into place.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use directories::ProjectDirs;

use crate::{Error, ErrorCode, Result};

/// The data folder: what `override_with` says, else the platform's own.
///
/// Faces pass the value of `LATCHKEY_DATA_DIR` or of a flag.
pub fn data_dir(override_with: Option<PathBuf>) -> Result<PathBuf> {
    if let Some(folder) = override_with.filter(|folder| !folder.as_os_str().is_empty()) {
        return Ok(folder);
    }
    ProjectDirs::from("app", "Latchkey", "Latchkey")
        .map(|dirs| dirs.data_dir().to_owned())
        .ok_or_else(|| {
            Error::new(
                ErrorCode::Storage,
                "This user has no home folder to keep data in. Name one with LATCHKEY_DATA_DIR.",
            )
        })
}

/// Makes a folder that only its owner can enter, with those above it.
pub fn create_private_dir(folder: &Path) -> Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .create(folder)
        .map_err(|cause| storage("made", folder, cause))
}

/// Replaces a file by `contents`, which only its owner can read. When this returns, the file would
/// survive a power cut; if it fails, the old one is as it was.
pub fn replace(path: &Path, contents: &[u8]) -> Result<()> {
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    let written = || -> io::Result<()> {
        // Made with mode 0600.
        let mut file = tempfile::Builder::new()
            .prefix(".latchkey-")
            .tempfile_in(folder)?;
        file.write_all(contents)?;
        leave_to_owner(file.as_file(), path)?;
        file.as_file().sync_all()?;
        file.persist(path)?;
        sync_dir(folder)
    };
    written().map_err(|cause| storage("written", path, cause))
}

/// Reads a file, if it is there.
pub fn read(path: &Path) -> Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(contents) => Ok(Some(contents)),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(storage("read", path, cause)),
    }
}

/// Holds a lock file until it is dropped, so that Studio and the CLI do not change the same
/// settings at once. Waits for whoever holds it; nobody does for longer than a write.
pub fn lock(path: &Path) -> Result<File> {
    // Only one that is made here is given away: what is there already may be a link to root's own files.
    let made = OpenOptions::new().create_new(true).write(true).open(path);
    let file = match made {
        Ok(file) => leave_to_owner(&file, path).map(|()| file),
        Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => {
            OpenOptions::new().write(true).open(path)
        }
        Err(cause) => Err(cause),
    };
    let file = file.map_err(|cause| storage("opened", path, cause))?;
    file.lock()
        .map_err(|cause| storage("locked", path, cause))?;
    Ok(file)
}

/// Lets a file that root has just made belong to whom its folder belongs to: a gateway that runs as a
/// user of its own has to read it.
#[cfg(unix)]
fn leave_to_owner(file: &File, path: &Path) -> io::Result<()> {
    use std::os::unix::fs::{MetadataExt as _, fchown};

    let folder = fs::metadata(path.parent().unwrap_or_else(|| Path::new(".")))?;
    let owner = (folder.uid(), folder.gid());
    let written = file.metadata()?;
    if written.uid() == 0 && owner.0 != 0 {
        fchown(file, Some(owner.0), Some(owner.1))?;
    }
    Ok(())
}

/// Windows has no such user.
#[cfg(not(unix))]
fn leave_to_owner(_: &File, _: &Path) -> io::Result<()> {
    Ok(())
}

/// Flushes a folder, so that a renamed or removed entry survives a power cut.
pub fn sync_dir(folder: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// The error for what the operating system refused.
#[must_use]
pub fn storage(done: &str, path: &Path, cause: io::Error) -> Error {
    Error::new(
        ErrorCode::Storage,
        format!("{} could not be {done}: {cause}.", path.display()),
    )
    .because(cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_only_its_owner_reads_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/er");
        create_private_dir(&path).unwrap();
        let file = path.join("file");
        replace(&file, b"one").unwrap();
        replace(&file, b"two").unwrap();
        assert_eq!(read(&file).unwrap().as_deref(), Some(b"two".as_slice()));
        assert_eq!(
            fs::read_dir(&path).unwrap().count(),
            1,
            "nothing is left behind"
        );
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode(&file), 0o600);
            assert_eq!(mode(&path), 0o700);
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::{MetadataExt as _, chown};
            // Only root can give a folder away, and only what root writes goes along.
            if chown(&path, Some(65534), Some(65534)).is_ok() {
                replace(&file, b"three").unwrap();
                drop(lock(&path.join("lock")).unwrap());
                for name in ["file", "lock"] {
                    let written = fs::metadata(path.join(name)).unwrap();
                    assert_eq!((written.uid(), written.gid()), (65534, 65534), "{name}");
                }
                // What a folder's owner has put there as a link stays root's.
                let roots = folder.path().join("roots");
                fs::write(&roots, "root's").unwrap();
                std::os::unix::fs::symlink(&roots, path.join("link")).unwrap();
                drop(lock(&path.join("link")).unwrap());
                replace(&path.join("link"), b"four").unwrap();
                assert_eq!(fs::metadata(&roots).unwrap().uid(), 0);
                assert_eq!(fs::read(&roots).unwrap(), b"root's");
            }
        }
        assert!(read(&path.join("absent")).unwrap().is_none());
        assert!(replace(&folder.path().join("absent/file"), b"x").is_err());
    }
}
