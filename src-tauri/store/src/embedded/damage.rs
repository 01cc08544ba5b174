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
