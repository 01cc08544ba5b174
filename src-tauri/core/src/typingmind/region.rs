use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::link::BaseUrl;
use crate::{Error, ErrorCode, Result};

/// Region of a TypingMind account, which decides the address of its API.
///
/// As text it is `us`, `eu`, or the URL of a proxy in front of the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Region {
    /// United States.
    Us,
    /// Europe.
    Eu,
    /// A proxy in front of the API, by `https`, or by `http` on this computer.
    Proxy(BaseUrl),
}

impl Region {
    /// Returns the URL of the API, without a slash at its end.
    #[must_use]
    pub fn api_url(&self) -> &str {
        match self {
            Self::Us => "https://api.typingmind.com/api",
            Self::Eu => "https://api.eu.typingmind.com/api",
            Self::Proxy(url) => url.as_str().trim_end_matches('/'),
        }
    }

    /// Returns host and port of the API, for display.
    #[must_use]
    pub fn host(&self) -> &str {
        match self {
            Self::Us => "api.typingmind.com",
            Self::Eu => "api.eu.typingmind.com",
            Self::Proxy(url) => url.authority(),
        }
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Us => "us",
            Self::Eu => "eu",
            Self::Proxy(_) => self.api_url(),
        })
    }
}

impl FromStr for Region {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let refuse = |message: String| {
            Err(Error::new(ErrorCode::InvalidSetting, message).about("typingmind_region"))
        };
        match text.trim() {
            "us" => return Ok(Self::Us),
            "eu" => return Ok(Self::Eu),
            other if !other.contains("://") => {
                return refuse(
                    "The region of TypingMind is us, eu, or the https URL of a proxy in front of its API.".into(),
                );
            }
            _ => {}
        }
        let url = BaseUrl::parse(text).map_err(|refused| refused.about("typingmind_region"))?;
        if url.is_exposed() {
            return refuse(format!(
                "The API key would cross the network to {} unencrypted. Use https.",
                url.authority()
            ));
        }
        if url.as_str().contains(['?', '#']) {
            return refuse(
                "The URL of the API has no query and no fragment. Remove what begins with ? or #."
                    .into(),
            );
        }
        Ok(Self::Proxy(url))
    }
}

impl Serialize for Region {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Region {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
