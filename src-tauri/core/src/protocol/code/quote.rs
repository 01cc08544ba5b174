//! A text that may come from an unverified code, and must not reach a record or a log.

use std::fmt;

/// Text that may quote an unverified code. It has no `Display`, and `Debug` hides it, so that it
/// reaches no record and no log. Only [`expose`](Self::expose) returns it.
#[derive(Clone, PartialEq, Eq)]
pub struct Quote(String);

impl Quote {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the text, for a face that escapes what it shows.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Quote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[unverified]")
    }
}
