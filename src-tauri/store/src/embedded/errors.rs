//! Errors of the embedded engine.

use std::path::Path;

use latchkey_core::{Error, ErrorCode};

/// Returns the error for a damaged directory in a folder.
pub(super) fn damaged_folder(folder: &Path, why: &str) -> Error {
    let folder = folder.display();
    Error::new(
        ErrorCode::DamagedFile,
        format!("The directory in {folder} is damaged: {why}. Restore it from a backup."),
    )
}

/// Returns the error for a directory that is not opened because its files in `tree` are damaged.
pub(super) fn damaged_untouched(folder: &Path, tree: &Path, why: &str) -> Error {
    let (folder, tree) = (folder.display(), tree.display());
    Error::new(
        ErrorCode::DamagedFile,
        format!(
            "The directory in {folder} is damaged: {why}. Restore it from a backup. The files in {tree} are as they were found."
        ),
    )
}

/// Returns the error for a row that cannot be decoded.
pub(super) fn damaged() -> Error {
    Error::new(
        ErrorCode::DamagedFile,
        "A row of the directory cannot be read. Restore it from a backup.",
    )
}

/// Returns the error for a failed operation of sled.
pub(super) fn storage(cause: sled::Error) -> Error {
    Error::new(
        ErrorCode::Storage,
        format!("The directory could not be read or written: {cause}."),
    )
    .because(cause)
}
