use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Error, ErrorCode, Result};

/// Kind of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "ts", ts(rename = "ActivityKind"))]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A sign-in.
    SignIn,
    /// A refusal of a code or an API key.
    Refusal,
    /// A change by an administrator or by another system with an API key, a sign-out, or a request
    /// for a new link.
    Act,
}

impl Kind {
    /// Returns the stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SignIn => "sign_in",
            Self::Refusal => "refusal",
            Self::Act => "act",
        }
    }
}

impl std::str::FromStr for Kind {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "sign_in" => Ok(Self::SignIn),
            "refusal" => Ok(Self::Refusal),
            "act" => Ok(Self::Act),
            _ => Err(Error::new(
                ErrorCode::InvalidSetting,
                "What happened is a 'sign_in', a 'refusal' or an 'act'.",
            )
            .about("kind")),
        }
    }
}
