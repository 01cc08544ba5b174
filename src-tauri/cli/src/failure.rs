use latchkey_core::Error;

/// Why nothing was done.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A rule, or the computer, refused it: exit code 1.
    Refused(Error),
    /// It was asked for wrongly: exit code 2.
    Usage(String),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Refused(error)
    }
}
