//! The login link: a code in the instance's URL, and its other forms.

pub mod again;
pub mod anew;
mod base_url;
pub mod compose;
pub mod message;
pub mod qr;
pub mod short_code;
#[cfg(test)]
mod tests;
pub mod widget;

pub use base_url::BaseUrl;
pub(crate) use base_url::with_scheme;

use std::fmt;

use serde::{Deserialize, Serialize};
use url::form_urlencoded;

use crate::protocol::code::ExternalAuthCode;
use crate::{Error, ErrorCode, Result};

/// Query parameter of the protocol.
pub const DEFAULT_PARAMETER: &str = "externalAuthCode";

/// Name of the query parameter that carries the code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Parameter(String);

impl Parameter {
    /// Parses a name: 1 to 64 letters, digits, `-`, `_`, `.` or `~`, which need no encoding in a
    /// URL (RFC 3986 §2.3).
    ///
    /// Fails with [`ErrorCode::InvalidSetting`] about `parameter`.
    pub fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
        if text.is_empty() || text.len() > 64 || !text.bytes().all(unreserved) {
            return Err(Error::new(
                ErrorCode::InvalidSetting,
                "The parameter's name has 1 to 64 letters, digits or the signs - _ . ~ and nothing else.",
            )
            .about("parameter"));
        }
        Ok(Self(text.to_owned()))
    }

    /// Returns the name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<Parameter> for String {
    fn from(parameter: Parameter) -> Self {
        parameter.0
    }
}

impl TryFrom<String> for Parameter {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        Self::parse(&text)
    }
}

impl Default for Parameter {
    fn default() -> Self {
        Self(DEFAULT_PARAMETER.to_owned())
    }
}

/// A login URL in parts. Joined in the order of the members, they are the URL. It contains a code,
/// so `Debug` does not print it.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct LoginLink {
    /// Scheme, as `https://`.
    pub scheme: String,
    /// Host and port, as `chat.yourcompany.com:8443`.
    pub authority: String,
    /// Path and query up to the code, as `/path?a=b&externalAuthCode=`.
    pub before: String,
    /// Header of the code.
    pub header: String,
    /// Claims of the code.
    pub claims: String,
    /// Signature of the code.
    pub signature: String,
    /// Rest of the query and `#fragment`, or an empty text.
    pub after: String,
}

impl LoginLink {
    /// Puts a code into the URL of an instance. Path, fragment and other parameters stay unchanged,
    /// byte for byte. An older `parameter` is replaced.
    #[must_use]
    pub fn new(base: &BaseUrl, parameter: &Parameter, code: &ExternalAuthCode) -> Self {
        let url = &base.0;
        let mut before = url.path().to_owned();
        let kept = url
            .query()
            .unwrap_or_default()
            .split('&')
            .filter(|pair| !pair.is_empty() && !is_parameter(pair, parameter));
        let mut separator = '?';
        for pair in kept {
            before.push(separator);
            before.push_str(pair);
            separator = '&';
        }
        before.push(separator);
        before.push_str(parameter.as_str());
        before.push('=');
        let mut parts = code.expose().splitn(3, '.').map(str::to_owned);
        let mut next = || parts.next().unwrap_or_default();
        Self {
            scheme: format!("{}://", url.scheme()),
            authority: url.authority().to_owned(),
            before,
            header: next(),
            claims: next(),
            signature: next(),
            after: url
                .fragment()
                .map(|fragment| format!("#{fragment}"))
                .unwrap_or_default(),
        }
    }

    /// Takes a URL apart in which the code is known. `None` if the code is not in it.
    #[must_use]
    pub fn of(url: &str, code: &ExternalAuthCode) -> Option<Self> {
        let (start, after) = url.split_once(code.expose())?;
        let (scheme, rest) = start.split_once("://")?;
        let (authority, before) = rest.split_at(rest.find(['/', '?'])?);
        let mut parts = code.expose().splitn(3, '.').map(str::to_owned);
        Some(Self {
            scheme: format!("{scheme}://"),
            authority: authority.to_owned(),
            before: before.to_owned(),
            header: parts.next()?,
            claims: parts.next()?,
            signature: parts.next()?,
            after: after.to_owned(),
        })
    }

    /// Returns the whole URL.
    #[must_use]
    pub fn url(&self) -> String {
        let Self {
            scheme,
            authority,
            before,
            header,
            claims,
            signature,
            after,
        } = self;
        format!("{scheme}{authority}{before}{header}.{claims}.{signature}{after}")
    }
}

impl fmt::Debug for LoginLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginLink")
            .field("authority", &self.authority)
            .finish_non_exhaustive()
    }
}

fn is_parameter(pair: &str, parameter: &Parameter) -> bool {
    form_urlencoded::parse(pair.as_bytes())
        .next()
        .is_some_and(|(name, _)| name == parameter.as_str())
}
