use latchkey_core::Error;

/// Error for a task that ended without an answer.
pub(crate) fn went_wrong() -> Error {
    Error::internal("a task ended without an answer")
}
