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
    /// A Latchkey gateway on another computer decides. This one is connected to its administration.
    Gateway,
}

impl Hosted {
    /// Returns the stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Here => "here",
            Self::Elsewhere => "elsewhere",
            Self::Gateway => "gateway",
        }
    }

    /// Returns whether a Latchkey decides, so that its users and its rules are known.
    #[must_use]
    pub const fn is_latchkey(self) -> bool {
        match self {
            Self::Here | Self::Gateway => true,
            Self::Elsewhere => false,
        }
    }
}

/// Parses a place that an administrator can choose. An instance on a gateway is connected instead.
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
