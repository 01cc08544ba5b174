//! Files that only their owner can read, and that are replaced as a whole: the new content is written
//! under another name, synced and renamed.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use directories::ProjectDirs;

use latchkey_core::{Error, ErrorCode, Result};

/// Maximum size of a state file in bytes. The files that Latchkey writes are far smaller.
const MAX_BYTES: u64 = 16 * 1024 * 1024;

/// Returns the data folder: `override_with`, or else that of the platform.
///
/// Faces pass the value of `LATCHKEY_DATA_DIR` or of an option.
pub fn data_dir(override_with: Option<PathBuf>) -> Result<PathBuf> {
    if let Some(folder) = override_with.filter(|folder| !folder.as_os_str().is_empty()) {
        return Ok(folder);
    }
    ProjectDirs::from("app", "Latchkey", "Latchkey")
        .map(|dirs| dirs.data_dir().to_owned())
        .ok_or_else(|| {
            Error::new(
                ErrorCode::InvalidDataFolder,
                "This user has no home folder to keep data in. Name a data folder.",
            )
        })
}

/// Creates a folder and its parents. Only their owner can enter them.
pub fn create_private_dir(folder: &Path) -> Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .create(folder)
        .map_err(|cause| storage("made", folder, cause))
}

/// Opens the data folder for this process, and creates it if it is missing. Sets the process's
/// umask, so that other users can read nothing that the process creates later. The umask at the
/// start of the process does not count.
///
/// Fails if this user does not own the folder, even for root, because the owner could lead root
/// to other files by symbolic links. A program that runs as root must become the owner first.
pub fn open_data_dir(folder: &Path) -> Result<()> {
    #[cfg(unix)]
    nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(0o077));
    if fs::metadata(folder).is_ok_and(|found| !found.is_dir()) {
        return Err(Error::new(
            ErrorCode::InvalidDataFolder,
            format!("{} is not a folder. Name another one.", folder.display()),
        ));
    }
    create_private_dir(folder)?;
    #[cfg(unix)]
    require_own(folder)?;
    Ok(())
}

#[cfg(unix)]
fn require_own(folder: &Path) -> Result<()> {
    use std::os::unix::fs::MetadataExt as _;

    use nix::unistd::{AccessFlags, User, access, geteuid};

    let found = fs::metadata(folder).map_err(|cause| storage("opened", folder, cause))?;
    let in_full = AccessFlags::R_OK | AccessFlags::W_OK | AccessFlags::X_OK;
    let is_own = found.uid() == geteuid().as_raw();
    // Some file systems have one owner for everything, so only root must be the owner.
    if is_own || (!geteuid().is_root() && access(folder, in_full).is_ok()) {
        return Ok(());
    }
    let account = User::from_uid(found.uid().into()).ok().flatten();
    let owner = account.map_or_else(|| format!("#{}", found.uid()), |account| account.name);
    Err(Error::new(
        ErrorCode::InvalidDataFolder,
        format!(
            "{} belongs to another user, {owner}. Run this as that user, or name another data folder.",
            folder.display()
        ),
    ))
}

/// Replaces the content of a file, which only its owner can read. When this returns, the file
/// survives a power cut. If it fails, the old file is unchanged.
pub fn replace(path: &Path, contents: &[u8]) -> Result<()> {
    let mut replacement = Replacement::new(path)?;
    replacement.write(contents)?;
    replacement.finish()
}

/// New content of a file, which only its owner can read. The old file stays until
/// [`finish`](Self::finish), also if the process ends.
#[derive(Debug)]
pub struct Replacement {
    path: PathBuf,
    folder: PathBuf,
    file: tempfile::NamedTempFile,
}

impl Replacement {
    /// Begins new content for a file that a person has named.
    ///
    /// Fails if there is a device, a pipe or a link at the path, which a file would replace.
    pub fn begin(path: &Path) -> Result<Self> {
        let found = fs::symlink_metadata(path).map(|found| found.file_type());
        if found.is_ok_and(|found| !found.is_file() && !found.is_dir()) {
            return Err(Error::new(
                ErrorCode::Storage,
                format!(
                    "{} is a device, a pipe or a link. Name a file.",
                    path.display()
                ),
            ));
        }
        Self::new(path)
    }

    fn new(path: &Path) -> Result<Self> {
        let folder = path
            .parent()
            .filter(|parent| !parent.as_os_str().is_empty());
        let folder = folder.unwrap_or_else(|| Path::new("."));
        // Temporary files have mode 0600.
        let file = tempfile::Builder::new()
            .prefix(".latchkey-")
            .tempfile_in(folder)
            .map_err(|cause| storage("written", path, cause))?;
        Ok(Self {
            path: path.to_owned(),
            folder: folder.to_owned(),
            file,
        })
    }

    /// Returns the file with the new content.
    pub fn file(&mut self) -> &mut File {
        self.file.as_file_mut()
    }

    /// Opens the new content to read it from its beginning.
    pub fn reopen(&self) -> Result<File> {
        let opened = self.file.reopen();
        opened.map_err(|cause| storage("read", &self.path, cause))
    }

    /// Adds to the content.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let written = self.file.write_all(bytes);
        written.map_err(|cause| storage("written", &self.path, cause))
    }

    /// Replaces the file. When this returns, the file survives a power cut.
    pub fn finish(self) -> Result<()> {
        let Self { path, folder, file } = self;
        let replaced = || -> io::Result<()> {
            file.as_file().sync_all()?;
            file.persist(&path)?;
            sync_dir(&folder)
        };
        replaced().map_err(|cause| storage("written", &path, cause))
    }
}

/// Makes a file without a name in a folder. It is gone when it is closed.
pub fn nameless(folder: &Path) -> Result<File> {
    tempfile::tempfile_in(folder).map_err(|cause| storage("written", folder, cause))
}

/// Opens a regular file of the data folder. Fails at once for other files: a pipe or a device would
/// block or never end, and a symbolic link may lead to any file.
fn open(path: &Path, options: &mut OpenOptions) -> io::Result<File> {
    #[cfg(unix)]
    {
        use nix::fcntl::OFlag;

        let flags = OFlag::O_NONBLOCK | OFlag::O_NOFOLLOW | OFlag::O_NOCTTY;
        std::os::unix::fs::OpenOptionsExt::custom_flags(options, flags.bits());
    }
    let file = options.open(path).map_err(|cause| {
        // The error is `ELOOP` for a link and `ENXIO` for a pipe without a reader.
        match fs::symlink_metadata(path) {
            Ok(found) if !found.is_file() && !found.is_dir() => no_file(),
            _ => cause,
        }
    })?;
    let found = file.metadata()?;
    if found.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if !found.is_file() {
        return Err(no_file());
    }
    Ok(file)
}

/// Checks that a folder and everything in it are plain folders and regular files. A library that
/// opens them would follow links and wait for a pipe.
pub(crate) fn require_plain(folder: &Path) -> Result<()> {
    let check = |path: &Path| match fs::symlink_metadata(path) {
        Ok(found) if !found.is_file() && !found.is_dir() => Err(storage("opened", path, no_file())),
        Ok(found) => Ok(found.is_dir()),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(cause) => Err(storage("opened", path, cause)),
    };
    if !check(folder)? {
        return Ok(());
    }
    let files = fs::read_dir(folder).map_err(|cause| storage("read", folder, cause))?;
    for file in files {
        let file = file.map_err(|cause| storage("read", folder, cause))?;
        check(&file.path())?;
    }
    Ok(())
}

/// Cause of an error for a file that Latchkey did not write.
#[derive(Debug, thiserror::Error)]
enum Foreign {
    #[error("it is a link, a pipe or a device. Put the file that belongs there in its place")]
    NoFile,
    #[error("it is longer than {mib} MiB, which Latchkey never writes. Restore it from a backup")]
    TooLong { mib: u64 },
}

fn no_file() -> io::Error {
    io::Error::other(Foreign::NoFile)
}

/// Reads a file of the data folder, if it exists.
///
/// Fails unless it is a regular file of at most 16 MiB.
pub fn read(path: &Path) -> Result<Option<Vec<u8>>> {
    read_up_to(path, MAX_BYTES)
}

/// Reads a file like [`read`], with another maximum size.
pub(crate) fn read_up_to(path: &Path, max_bytes: u64) -> Result<Option<Vec<u8>>> {
    match read_limited(path, max_bytes) {
        Ok(contents) => Ok(Some(contents)),
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(storage("read", path, cause)),
    }
}

fn read_limited(path: &Path, max_bytes: u64) -> io::Result<Vec<u8>> {
    let file = open(path, OpenOptions::new().read(true))?;
    let mut contents = Vec::new();
    file.take(max_bytes + 1).read_to_end(&mut contents)?;
    if contents.len() as u64 > max_bytes {
        let mib = max_bytes / (1024 * 1024);
        return Err(io::Error::other(Foreign::TooLong { mib }));
    }
    Ok(contents)
}

/// Writes a file without waiting for the disk. A torn or lost write of it must be harmless.
///
/// Fails if the path is not a regular file.
pub fn note(path: &Path, contents: &[u8]) -> Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    open(path, &mut options)
        .and_then(|mut file| file.write_all(contents))
        .map_err(|cause| storage("written", path, cause))
}

/// Locks a file until the returned handle is dropped, so that Studio and the command line do not
/// change the same settings at once. Waits for the other process, which holds the lock only for one
/// write.
pub fn lock(path: &Path) -> Result<File> {
    let file = open_to_write(path)?;
    file.lock()
        .map_err(|cause| storage("locked", path, cause))?;
    Ok(file)
}

/// Locks a file until the returned handle is dropped. Returns `None` if another process holds the
/// lock.
pub fn try_lock(path: &Path) -> Result<Option<File>> {
    let file = open_to_write(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(cause)) => Err(storage("locked", path, cause)),
    }
}

/// Opens a file of the data folder to write it, or makes an empty one.
///
/// Fails if the path is not a regular file.
pub(crate) fn open_to_write(path: &Path) -> Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    open(path, &mut options).map_err(|cause| storage("opened", path, cause))
}

/// Syncs a folder, so that a renamed or removed entry survives a power cut.
pub fn sync_dir(folder: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// Returns the error for a failed operation of the operating system: [`ErrorCode::Storage`], or
/// [`ErrorCode::DamagedFile`] for a file in the data folder that Latchkey did not write.
#[must_use]
pub fn storage(done: &str, path: &Path, cause: io::Error) -> Error {
    use io::ErrorKind as Kind;

    let why = match cause.kind() {
        Kind::PermissionDenied => {
            "this user may not. Run this as the user whom it belongs to, or change its permissions"
        }
        Kind::ReadOnlyFilesystem => {
            "its file system is read-only. Make it writable, or name another data folder"
        }
        Kind::StorageFull | Kind::QuotaExceeded => "there is no room left. Make room and try again",
        Kind::NotFound => "there is no such file or folder. Check the path",
        Kind::NotADirectory => "a part of the path is no folder. Check the path",
        Kind::IsADirectory => "it is a folder. Name a file",
        Kind::AlreadyExists => "a file has its name. Move the file away",
        _ => &cause.to_string(),
    };
    let is_foreign = cause
        .get_ref()
        .is_some_and(<dyn std::error::Error + Send + Sync>::is::<Foreign>);
    let code = if is_foreign {
        ErrorCode::DamagedFile
    } else {
        ErrorCode::Storage
    };
    let message = format!("{} could not be {done}: {why}.", path.display());
    Error::new(code, message).because(cause)
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
        assert!(read(&path.join("absent")).unwrap().is_none());
        assert!(replace(&folder.path().join("absent/file"), b"x").is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_named_file_replaces_no_pipe_device_or_link() {
        use std::os::unix::fs::{FileTypeExt as _, symlink};

        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        nix::unistd::mkfifo(&path("pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        fs::write(path("file"), "x").unwrap();
        symlink(path("file"), path("link")).unwrap();
        for name in ["pipe", "link"] {
            let refused = Replacement::begin(&path(name)).unwrap_err();
            assert!(refused.message.contains("Name a file"), "{refused}");
        }
        assert!(
            fs::symlink_metadata(path("pipe"))
                .unwrap()
                .file_type()
                .is_fifo()
        );
        assert!(fs::symlink_metadata(path("link")).unwrap().is_symlink());
        Replacement::begin(&path("file")).unwrap().finish().unwrap();
        Replacement::begin(&path("new")).unwrap().finish().unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn a_state_file_that_is_a_pipe_a_device_a_link_or_endless_is_refused_at_once() {
        use std::os::unix::fs::symlink;

        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        nix::unistd::mkfifo(&path("pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();
        symlink("/dev/zero", path("endless")).unwrap();
        fs::write(path("file"), "x").unwrap();
        symlink(path("file"), path("link")).unwrap();
        symlink(path("absent"), path("leads nowhere")).unwrap();
        for name in ["pipe", "endless", "link", "leads nowhere"] {
            let path = path(name);
            for refused in [
                read(&path).unwrap_err(),
                note(&path, b"y").unwrap_err(),
                lock(&path).unwrap_err(),
                try_lock(&path).unwrap_err(),
            ] {
                assert_eq!(refused.code, ErrorCode::DamagedFile, "{name}");
                assert!(refused.message.contains("a pipe or a device"), "{refused}");
            }
        }
        assert_eq!(fs::read(path("file")).unwrap(), b"x", "a link was followed");
        assert!(!path("absent").exists(), "a link was followed");
        assert!(read(Path::new("/dev/zero")).is_err());
        // A sparse file takes no space.
        let large = File::create(path("large")).unwrap();
        large.set_len(MAX_BYTES).unwrap();
        assert_eq!(
            read(&path("large")).unwrap().unwrap().len() as u64,
            MAX_BYTES
        );
        large.set_len(1 << 40).unwrap();
        let refused = read(&path("large")).unwrap_err();
        assert_eq!(refused.code, ErrorCode::DamagedFile);
        assert!(refused.message.contains("16 MiB"), "{refused}");
        let refused = read(folder.path()).unwrap_err();
        assert_eq!(refused.code, ErrorCode::Storage);
        assert!(refused.message.contains("it is a folder"), "{refused}");
        note(&path("noted"), b"one").unwrap();
        note(&path("noted"), b"2").unwrap();
        assert_eq!(read(&path("noted")).unwrap().unwrap(), b"2");
    }
}
