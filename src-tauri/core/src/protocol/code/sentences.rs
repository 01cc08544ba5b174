use std::borrow::Cow;
use std::fmt;

/// Sentences about a refusal. An entry or a forecast has a title that says the fact, so it shows
/// only the detail beside it. `Display` writes all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sentences {
    /// The fact as a sentence. Empty if the detail says it in other words than the title.
    fact: Cow<'static, str>,
    /// The reason, and what to do.
    pub(crate) detail: Cow<'static, str>,
}

impl Sentences {
    pub(crate) fn new(
        fact: impl Into<Cow<'static, str>>,
        detail: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            fact: fact.into(),
            detail: detail.into(),
        }
    }

    /// Adds a sentence to the detail.
    pub(crate) fn and(mut self, sentence: &str) -> Self {
        let separator = if self.detail.is_empty() { "" } else { " " };
        self.detail = format!("{}{separator}{sentence}", self.detail).into();
        self
    }
}

impl fmt::Display for Sentences {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let separator = if self.fact.is_empty() || self.detail.is_empty() {
            ""
        } else {
            " "
        };
        write!(f, "{}{separator}{}", self.fact, self.detail)
    }
}
