use serde::{Deserialize, Serialize};

use crate::{Error, ErrorCode, Result};

/// Kind of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "ts", ts(rename = "ActivityKind"))]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Somebody signed in.
    SignIn,
    /// A code or an API key was refused.
    Refusal,
    /// An administrator changed something, or another system did with a key, or somebody signed out.
    Act,
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
