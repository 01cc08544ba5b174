//! Warnings. Unlike an error, a warning stops nothing.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A warning: a stable code, and a sentence for a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Warning {
    /// Code for callers to match on, such as `short_key`.
    #[schema(value_type = String)]
    pub code: Cow<'static, str>,
    /// Message for a person.
    pub message: String,
}

impl Warning {
    /// Creates a warning.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            message: message.into(),
        }
    }
}
