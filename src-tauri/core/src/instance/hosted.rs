use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Error, ErrorCode, Result};

/// Place that decides about sign-ins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Hosted {
    /// The gateway of this Latchkey decides, by its directory.
    #[default]
    Here,
    /// The application's own server decides.
    Elsewhere,
}

impl Hosted {
    /// Returns the stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Here => "here",
            Self::Elsewhere => "elsewhere",
        }
    }
}

impl FromStr for Hosted {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "here" => Ok(Self::Here),
            "elsewhere" => Ok(Self::Elsewhere),
            _ => Err(Error::new(
                ErrorCode::InvalidSetting,
                "An instance is hosted 'here' or 'elsewhere'.",
            )
            .about("hosted")),
        }
    }
}
