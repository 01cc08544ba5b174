//! The audience of a code (`aud`).

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::link::BaseUrl;
use crate::protocol::code::CodeRefusal;
use crate::{Error, ErrorCode, Result};

/// Maximum length of an audience, in bytes.
const MAX_BYTES: usize = 255;
/// Maximum number of audiences of an instance, besides its URL.
pub const MAX_AUDIENCES: usize = 20;

/// Returns whether a character is not allowed in a text without line breaks: a control character, a line
/// or paragraph separator, or one that changes the direction of text.
pub(crate) fn breaks_line(sign: char) -> bool {
    let is_bidi_control = matches!(
        sign,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    );
    sign.is_control() || matches!(sign, '\u{2028}' | '\u{2029}') || is_bidi_control
}

/// An audience that an instance accepts besides its URL: 1 to 255 bytes without white space.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Audience(String);

impl Audience {
    /// Parses an audience as an administrator enters it.
    pub fn parse(text: &str) -> Result<Self> {
        if text.contains(breaks_line) {
            return Err(refused());
        }
        Self::stored(text)
    }

    /// Parses a stored audience. Earlier versions accepted characters that change the direction of
    /// text.
    fn stored(text: &str) -> Result<Self> {
        let is_refused = |sign: char| sign.is_control() || sign.is_whitespace();
        if text.is_empty() || text.len() > MAX_BYTES || text.chars().any(is_refused) {
            return Err(refused());
        }
        Ok(Self(text.to_owned()))
    }

    /// Parses the audiences of an instance, which has the audiences `current`. Each of those may
    /// stay.
    ///
    /// Fails with [`ErrorCode::InvalidSetting`] for more than [`MAX_AUDIENCES`].
    pub fn parse_all<'a>(
        texts: impl IntoIterator<Item = &'a str>,
        current: &[Self],
    ) -> Result<Vec<Self>> {
        let parse = |text: &str| {
            let kept = current.iter().find(|audience| audience.0 == text);
            kept.map_or_else(|| Self::parse(text), |kept| Ok(kept.clone()))
        };
        let audiences: Vec<Self> = texts.into_iter().map(parse).collect::<Result<_>>()?;
        if audiences.len() > MAX_AUDIENCES {
            let message = format!("An instance has at most {MAX_AUDIENCES} audiences.");
            return Err(Error::new(ErrorCode::InvalidSetting, message).about("audiences"));
        }
        Ok(audiences)
    }

    /// Returns the text, which `aud` must equal.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Audience {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<Audience> for String {
    fn from(audience: Audience) -> Self {
        audience.0
    }
}

impl TryFrom<String> for Audience {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        Self::stored(&text)
    }
}

fn refused() -> Error {
    let message = format!(
        "An audience has 1 to {MAX_BYTES} bytes, without white space, control characters and characters that change the direction of text."
    );
    Error::new(ErrorCode::InvalidSetting, message).about("audiences")
}

/// All audiences that an instance accepts.
#[derive(Clone, Copy, Debug)]
pub struct Audiences<'a> {
    /// URL of the instance.
    pub url: &'a BaseUrl,
    /// Audiences that are set besides the URL.
    pub others: &'a [Audience],
}

impl Audiences<'_> {
    /// Judges the `aud` of a code: a text or a list of texts (RFC 7519 §4.1.3), one of which must
    /// be accepted. A code without `aud` is accepted.
    pub(crate) fn check(&self, claims: &Map<String, Value>) -> Result<(), CodeRefusal> {
        let Some(aud) = claims.get("aud") else {
            return Ok(());
        };
        let named = match aud {
            Value::Array(all) => all.as_slice(),
            one => std::slice::from_ref(one),
        };
        let Some(named) = named.iter().map(Value::as_str).collect::<Option<Vec<_>>>() else {
            let reason = "It is neither a text nor a list of texts.";
            return Err(CodeRefusal::member("aud", reason));
        };
        if named.into_iter().any(|name| self.accepts(name)) {
            Ok(())
        } else {
            Err(CodeRefusal::WrongAudience {
                expected: self.url.at("").to_string(),
            })
        }
    }

    /// Returns whether a text is a set audience, or the URL without query, fragment and final
    /// slash.
    fn accepts(&self, name: &str) -> bool {
        let without_slash = |url: &BaseUrl| url.at("").as_str().trim_end_matches('/').to_owned();
        self.others.iter().any(|other| other.as_str() == name)
            || BaseUrl::parse(name).is_ok_and(|url| without_slash(&url) == without_slash(self.url))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_audience_is_on_one_line_in_one_direction() {
        for text in ["a b", "a\nb", "a\u{2028}b", "a\u{202e}b", "a\u{2069}b"] {
            let refused = Audience::parse(text).unwrap_err();
            assert_eq!(refused.field.as_deref(), Some("audiences"), "{text:?}");
        }
        assert!(Audience::parse("urn:a:b").is_ok());
    }

    #[test]
    fn a_stored_audience_with_a_direction_control_is_read_and_may_stay() {
        let stored: Audience = serde_json::from_str("\"a\u{202e}b\"").unwrap();
        let current = [stored.clone()];
        let kept = Audience::parse_all(["a\u{202e}b", "c"], &current).unwrap();
        assert_eq!(kept.first(), Some(&stored));
        assert!(Audience::parse_all(["a\u{202e}b"], &[]).is_err());
        assert!(Audience::parse_all(["c\u{202e}d"], &current).is_err());
        assert!(serde_json::from_str::<Audience>("\"a b\"").is_err());
    }
}
