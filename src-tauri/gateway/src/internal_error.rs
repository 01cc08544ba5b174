use latchkey_core::{Error, ErrorCode};

/// Error for a task that panicked.
pub(crate) fn went_wrong() -> Error {
    let message = "Something went wrong inside Latchkey, and nothing was done.";
    Error::new(ErrorCode::Storage, message)
}
