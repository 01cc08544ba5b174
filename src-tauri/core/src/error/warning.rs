//! Something to know before a link is given out. It works all the same.

use serde::Serialize;
use utoipa::ToSchema;

/// A warning: a stable code, and a sentence for a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Warning {
    /// For callers to switch on: `short_key`.
    pub code: &'static str,
    /// For a person.
    pub message: String,
}

impl Warning {
    /// A warning with its code and sentence.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }
}
