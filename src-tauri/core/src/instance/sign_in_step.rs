use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Error, ErrorCode, Result};

/// Step between opening a link and signing in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum SignInStep {
    /// No step, as in the protocol.
    #[default]
    Automatic,
    /// A click, so that link previews sign nobody in. Single-use links always need it.
    Confirm,
}

impl SignInStep {
    /// Returns the stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Automatic => "automatic",
            Self::Confirm => "confirm",
        }
    }
}

impl FromStr for SignInStep {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "automatic" => Ok(Self::Automatic),
            "confirm" => Ok(Self::Confirm),
            _ => Err(Error::new(
                ErrorCode::InvalidSetting,
                "The step of signing in is 'automatic' or 'confirm'.",
            )
            .about("sign_in")),
        }
    }
}
