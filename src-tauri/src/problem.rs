//! The error that a command of the window returns.

use latchkey_core::{Error, ErrorCode};
use serde::Serialize;
use ts_rs::TS;

use crate::hints;

/// Code of an error that only Studio has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum StudioErrorCode {
    /// The link has changed since it was shown.
    StalePreview,
    /// Another code was inspected in the meantime.
    StaleInspection,
    /// The clipboard cannot be read or written.
    ClipboardUnavailable,
    /// The clipboard is empty.
    ClipboardEmpty,
}

/// Code of an error, for the UI to match on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(untagged)]
pub enum ProblemCode {
    /// An error of core.
    Core(ErrorCode),
    /// An error of Studio.
    Studio(StudioErrorCode),
}

/// An error for the window. It differs from [`Error`], because its cause stays in the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct Problem {
    /// Code for the UI to match on.
    pub code: ProblemCode,
    /// Message for a person.
    pub message: String,
    /// Field of the request that the error is about.
    pub field: Option<String>,
}

impl Problem {
    /// Creates an error that only Studio has.
    #[must_use]
    pub fn new(code: StudioErrorCode, message: &str) -> Self {
        Self {
            code: ProblemCode::Studio(code),
            message: message.to_owned(),
            field: None,
        }
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        if let Some(cause) = std::error::Error::source(&error) {
            tracing::info!(code = ?error.code, %cause, "a command was refused");
        }
        let message = match hints::about(&error) {
            Some(hint) => format!("{} {hint}", error.message),
            None => error.message,
        };
        Self {
            code: ProblemCode::Core(error.code),
            message,
            field: error.field,
        }
    }
}
