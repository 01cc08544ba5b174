//! The lock of a directory. sled's own lock does not say who holds it.

use std::fs::File;
use std::path::Path;

use crate::files;
use latchkey_core::{Error, ErrorCode, Result};

/// Name of the file that the process which holds the directory has locked.
const LOCK: &str = "lock";
/// Name of the file with the name of the last process that held the directory.
const HOLDER: &str = "holder";

/// Fails if another process holds the directory.
pub(super) fn require_free(folder: &Path) -> Result<()> {
    if folder.is_dir() {
        hold(folder, "a program that removes it").map(drop)
    } else {
        Ok(())
    }
}

/// Returns the name of the process that holds the directory. `None` if none does.
pub(super) fn holder(folder: &Path) -> Option<String> {
    let is_held = folder.is_dir() && matches!(files::try_lock(&folder.join(LOCK)), Ok(None));
    is_held.then(|| noted_holder(folder))
}

fn noted_holder(folder: &Path) -> String {
    let noted = files::read(&folder.join(HOLDER)).ok().flatten();
    let noted = noted.unwrap_or_default();
    match String::from_utf8_lossy(&noted).trim() {
        "" => "another process".to_owned(),
        noted => noted.to_owned(),
    }
}

/// Locks the directory. sled's own lock does not say who holds it.
pub(super) fn hold(folder: &Path, holder: &str) -> Result<File> {
    let (path, named) = (folder.join(LOCK), folder.join(HOLDER));
    let Some(lock) = files::try_lock(&path)? else {
        let other = noted_holder(folder);
        return Err(Error::new(
            ErrorCode::DirectoryHeld,
            format!(
                "The directory is in use by {other}. End that program, or close the instance there, and try again."
            ),
        ));
    };
    let text = format!("{holder} (process {})", std::process::id());
    files::note(&named, text.as_bytes())?;
    Ok(lock)
}
