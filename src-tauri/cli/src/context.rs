//! The data folder of a command, and the files that its arguments name.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use latchkey_core::instance::Instance;
use latchkey_core::{Error, ErrorCode};
use latchkey_store::files::{self, Replacement};
use latchkey_store::home::Home;
use latchkey_store::keys::KeychainUse;

use crate::environment::variable;
use crate::failure::Failure;
use crate::input;
use crate::named_file::NamedFile;

/// Context of a command. Commands reach the data folder and the operator's files only through it.
#[derive(Debug)]
pub(crate) struct Context {
    /// The data folder, or the reason why there is none, which is an error only for a command that
    /// needs it.
    data_dir: latchkey_core::Result<PathBuf>,
    /// Files that were opened before the process gave up root.
    opened: RefCell<HashMap<PathBuf, io::Result<File>>>,
    standard_input_taken: Cell<bool>,
}

impl Context {
    /// Enters the data folder. If another user owns it, root opens the files in `named` and then
    /// becomes that user.
    pub(crate) fn enter(data_dir: Option<PathBuf>, named: Vec<NamedFile>) -> Result<Self, Failure> {
        #[cfg_attr(not(unix), expect(unused_mut, reason = "only Unix has root"))]
        let mut context = Self::without_folder(data_dir);
        #[cfg(unix)]
        if let Ok(folder) = &context.data_dir {
            match crate::privileges::plan(folder) {
                Ok(None) => {}
                Ok(Some(owner)) => {
                    let opened = named
                        .into_iter()
                        .filter(|file| !owner.steers(file.path()).unwrap_or(true))
                        .map(|file| (file.path().to_owned(), file.open()));
                    context.opened = RefCell::new(opened.collect());
                    owner.assume(folder)?;
                }
                Err(refused) => context.data_dir = Err(refused),
            }
        }
        #[cfg(not(unix))]
        drop(named);
        Ok(context)
    }

    /// Returns the context of a command that uses no data folder.
    pub(crate) fn without_folder(data_dir: Option<PathBuf>) -> Self {
        Self {
            data_dir: files::data_dir(data_dir),
            opened: RefCell::default(),
            standard_input_taken: Cell::default(),
        }
    }

    /// Opens the data folder with its instances and keys. Creates it if it is missing.
    pub(crate) fn home_or_new(&self) -> Result<Home, Failure> {
        let keychain = KeychainUse::from_setting(variable("LATCHKEY_KEYCHAIN").as_deref());
        Ok(Home::open(self.data_dir.clone()?, keychain)?)
    }

    /// Opens the data folder with its instances and keys. Returns `None` if it is missing.
    pub(crate) fn home_if_any(&self) -> Result<Option<Home>, Failure> {
        let folder = self.data_dir.as_ref().map_err(Error::clone)?;
        match fs::metadata(folder) {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok(None),
            Ok(found) if !found.is_dir() => {
                let message = format!(
                    "{} is a file, and data is kept in a folder. Name a folder.",
                    folder.display()
                );
                return Err(Error::new(ErrorCode::InvalidDataFolder, message).into());
            }
            _ => {}
        }
        self.home_or_new().map(Some)
    }

    /// Opens the data folder with its instances and keys.
    ///
    /// Fails if the folder is missing, because then there is no instance either.
    pub(crate) fn home(&self) -> Result<Home, Failure> {
        self.home_if_any()?.ok_or_else(|| {
            let folder = self.data_dir.as_deref().unwrap_or(Path::new(""));
            let message = format!(
                "There is no instance, because there is no folder {}. Add an instance, or name another folder.",
                folder.display()
            );
            Error::new(ErrorCode::UnknownInstance, message)
                .about("instance")
                .into()
        })
    }

    /// Opens the data folder and finds the instance that the option `--instance` names. Fails if the
    /// option is missing.
    pub(crate) fn instance(&self, name: Option<&str>) -> Result<(Home, Instance), Failure> {
        let Some(name) = name else {
            return Err(Failure::usage("Name the instance: --instance NAME.").about("instance"));
        };
        let home = self.home()?;
        let instance = home.instances().find(name)?;
        Ok((home, instance))
    }

    /// Claims standard input. Fails the second time, because it can be read only once.
    pub(crate) fn take_standard_input(&self) -> Result<(), Failure> {
        if self.standard_input_taken.replace(true) {
            return Err(Failure::usage(
                "Standard input can be read only once. Give the other input by a file.",
            ));
        }
        Ok(())
    }

    /// Returns whether a path names a readable file, or a pipe as in `inspect <(command)`.
    pub(crate) fn is_file(&self, path: &Path) -> bool {
        self.opened.borrow().get(path).map_or_else(
            || path.exists() && !path.is_dir(),
            |opened| {
                let metadata = opened.as_ref().ok().and_then(|file| file.metadata().ok());
                metadata.is_some_and(|metadata| !metadata.is_dir())
            },
        )
    }

    /// Returns the contents of a file, or of standard input for `-`, up to a maximum size in bytes.
    pub(crate) fn read(&self, path: &Path, limit: u64) -> Result<Vec<u8>, Failure> {
        if path == Path::new("-") {
            self.take_standard_input()?;
            return input::limited(io::stdin().lock(), limit, Path::new("standard input"));
        }
        let file = self.open(path)?;
        input::limited(file, limit, path)
    }

    /// Opens a file to read it.
    pub(crate) fn open(&self, path: &Path) -> Result<File, Failure> {
        let opened = self.opened.borrow_mut().remove(path);
        let file = opened.unwrap_or_else(|| File::open(path));
        file.map_err(|cause| {
            if cause.kind() == io::ErrorKind::NotFound {
                let message = format!("There is no file {}.", path.display());
                Error::new(ErrorCode::Storage, message).into()
            } else {
                files::storage("read", path, cause).into()
            }
        })
    }

    /// Writes a file that only its owner can read by `write`. If that fails, the file is unchanged.
    pub(crate) fn write_whole<T>(
        &self,
        path: &Path,
        write: impl FnOnce(&mut File) -> latchkey_core::Result<T>,
    ) -> Result<T, Failure> {
        let opened = self.opened.borrow_mut().remove(path);
        let Some(opened) = opened else {
            let mut replacement = Replacement::begin(path)?;
            let written = write(replacement.file())?;
            replacement.finish()?;
            return Ok(written);
        };
        // The file is in a folder where the process can no longer rename, so it is written at last.
        let data_dir = self.data_dir.as_ref().map_err(Error::clone)?;
        let failed = |cause| files::storage("written", path, cause);
        let mut whole = files::nameless(data_dir)?;
        let written = write(&mut whole)?;
        let copy = |mut file: File| {
            whole.rewind()?;
            file.set_len(0)?;
            io::copy(&mut whole, &mut file)?;
            file.sync_all()
        };
        opened.and_then(copy).map_err(failed)?;
        Ok(written)
    }

    /// Writes a file that only its owner can read.
    pub(crate) fn write(&self, path: &Path, contents: &[u8]) -> Result<(), Failure> {
        let mut written = self.begin(path)?;
        written.write(contents)?;
        Ok(written.finish()?)
    }

    /// Fails like [`begin`](Self::begin) if a file cannot be written. Leaves the file unchanged.
    pub(crate) fn require_writable(&self, path: &Path) -> Result<(), Failure> {
        if !self.opened.borrow().contains_key(path) {
            Replacement::begin(path)?;
        }
        Ok(())
    }

    /// Begins a file that only its owner can read, which is written in pieces.
    pub(crate) fn begin(&self, path: &Path) -> Result<Written, Failure> {
        let opened = self.opened.borrow_mut().remove(path);
        let Some(opened) = opened else {
            return Ok(Written::Replaced(Replacement::begin(path)?));
        };
        // The file was opened before, because its folder is root's, where the process can no longer
        // rename.
        let file = opened.and_then(|file| {
            file.set_len(0)?;
            Ok(file)
        });
        let file = file.map_err(|cause| files::storage("written", path, cause))?;
        Ok(Written::Opened(path.to_owned(), file))
    }
}

/// A file that is being written.
#[derive(Debug)]
pub(crate) enum Written {
    /// New content that replaces the file at the end.
    Replaced(Replacement),
    /// A file that was opened before.
    Opened(PathBuf, File),
}

impl Written {
    /// Adds to the content.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> latchkey_core::Result<()> {
        match self {
            Self::Replaced(replacement) => replacement.write(bytes),
            Self::Opened(path, file) => {
                let written = file.write_all(bytes);
                written.map_err(|cause| files::storage("written", path, cause))
            }
        }
    }

    /// Ends the content. When this returns, the file survives a power cut.
    pub(crate) fn finish(self) -> latchkey_core::Result<()> {
        match self {
            Self::Replaced(replacement) => replacement.finish(),
            Self::Opened(path, file) => file
                .sync_all()
                .map_err(|cause| files::storage("written", &path, cause)),
        }
    }
}
