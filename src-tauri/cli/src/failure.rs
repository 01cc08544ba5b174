use latchkey_core::Error;

/// Why nothing was done.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A rule, or the computer, refused it: exit code 1.
    Refused(Error),
    /// It was done, and the answer could not be written: exit code 1.
    Unwritten(Error),
    /// It was asked for wrongly: exit code 2.
    Usage(String),
    /// The arguments cannot be read: exit code 2.
    Arguments {
        /// One line.
        message: String,
        /// The argument.
        field: Option<String>,
        /// The message with the usage, for people.
        details: String,
    },
}

impl Failure {
    /// Adds to an answer that could not be written that the command's changes are made.
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
