//! Reasons why a command of `latchkey` fails, each with its exit code.

use latchkey_core::{Error, ErrorCode};

/// Reason why a command failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A rule or the computer refused it: exit code 1.
    Refused(Error),
    /// The command succeeded, but its answer could not be written: exit code 1.
    Unwritten(Error),
    /// The command was used wrongly: exit code 2.
    Usage {
        /// Message.
        message: String,
        /// Name of the option or argument.
        field: Option<String>,
    },
    /// The arguments cannot be read: exit code 2.
    Arguments {
        /// Message in one line.
        message: String,
        /// Name of the argument.
        field: Option<String>,
        /// The message with the usage, for people.
        details: String,
    },
}

impl Failure {
    /// Creates the failure for wrong usage that is about no single option.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::Usage {
            message: message.into(),
            field: None,
        }
    }

    /// Sets the option or argument that it is about, unless it names one.
    #[must_use]
    pub(crate) fn about(mut self, option: &str) -> Self {
        match &mut self {
            Self::Refused(Error { field, .. })
            | Self::Usage { field, .. }
            | Self::Arguments { field, .. } => {
                field.get_or_insert_with(|| option.to_owned());
            }
            Self::Unwritten(_) => {}
        }
        self
    }

    /// Returns the error behind it, for a caller that stops because of it.
    #[must_use]
    pub(crate) fn error(&self) -> Error {
        match self {
            Self::Refused(error) | Self::Unwritten(error) => error.clone(),
            Self::Usage { message, .. } | Self::Arguments { message, .. } => {
                Error::new(ErrorCode::Storage, message.clone())
            }
        }
    }

    /// Adds to an unwritten answer that the changes of the command are made.
    #[must_use]
    pub(crate) fn after_changes(self) -> Self {
        match self {
            Self::Unwritten(mut error) => {
                error.message +=
                    " What the command has changed is kept: check before you repeat it.";
                Self::Unwritten(error)
            }
            other => other,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}
