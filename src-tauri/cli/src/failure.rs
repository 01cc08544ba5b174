use latchkey_core::Error;

/// Why nothing was done.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A rule, or the computer, refused it: exit code 1.
    Refused(Error),
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

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}
