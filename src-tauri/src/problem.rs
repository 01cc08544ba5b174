use latchkey_core::Error;
use latchkey_core::error::Warning;
use serde::Serialize;
use ts_rs::TS;

/// An error, or a warning, as it crosses the boundary. The cause stays in the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, TS)]
pub struct Problem {
    /// For the UI to switch on.
    pub code: String,
    /// For a person.
    pub message: String,
    /// The member that it is about.
    pub field: Option<String>,
}

impl Problem {
    /// A problem about no member in particular.
    #[must_use]
    pub fn new(code: &str, message: &str) -> Self {
        Self {
            code: code.to_owned(),
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
        let code = serde_json::to_value(error.code)
            .ok()
            .and_then(|code| code.as_str().map(str::to_owned));
        Self {
            code: code.unwrap_or_default(),
            message: error.message,
            field: error.field,
        }
    }
}

impl From<Warning> for Problem {
    fn from(warning: Warning) -> Self {
        Self::new(warning.code, &warning.message)
    }
}
