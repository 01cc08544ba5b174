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
    /// Another code was inspected since.
    StaleInspection,
    /// The clipboard cannot be read or written.
    ClipboardUnavailable,
    /// The clipboard holds nothing to read.
    ClipboardEmpty,
}

/// Code of an error, for the UI to switch on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, TS)]
#[serde(untagged)]
pub enum ProblemCode {
    /// An error of core.
    Core(ErrorCode),
    /// An error of Studio.
    Studio(StudioErrorCode),
}

/// An error as it crosses the boundary. It differs from [`Error`] in that its cause stays in the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct Problem {
    /// For the UI to switch on.
    pub code: ProblemCode,
    /// For a person.
    pub message: String,
    /// The member that it is about.
    pub field: Option<String>,
}

impl Problem {
    /// A problem of Studio itself.
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
