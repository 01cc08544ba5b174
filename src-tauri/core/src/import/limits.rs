//! Maxima of a file to import, and the errors of a file that cannot be imported.

use crate::{Error, ErrorCode};

/// Maximum size of a file, in bytes.
pub const MAX_FILE_BYTES: u64 = 64 * 1024 * 1024;

/// Maximum number of rows of a file.
pub const MAX_ROWS: usize = 100_000;

/// Maximum size of a row of CSV, in bytes. A user has at most 8 KiB of metadata.
pub const MAX_ROW_BYTES: usize = 64 * 1024;

/// Maximum number of columns of CSV.
pub const MAX_COLUMNS: usize = 200;

/// Returns the error for a file that is larger than [`MAX_FILE_BYTES`].
#[must_use]
pub fn too_large() -> Error {
    let message = format!(
        "The file is larger than {} MiB, which is the maximum. Split it.",
        MAX_FILE_BYTES / (1024 * 1024)
    );
    Error::new(ErrorCode::InputTooLarge, message).about("file")
}

/// Returns the error for a file that cannot be read.
pub(super) fn unreadable(message: impl Into<String>) -> Error {
    Error::new(ErrorCode::InvalidImport, message).about("file")
}

/// Returns the error for a file with more than [`MAX_ROWS`] rows.
pub(super) fn too_many_rows() -> Error {
    let message =
        format!("The file has more than {MAX_ROWS} users, which is the maximum. Split it.");
    Error::new(ErrorCode::InputTooLarge, message).about("file")
}
