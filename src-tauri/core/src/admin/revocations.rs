//! Requests to revoke links.

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::ledger::{Revocation, RevocationScope};
use crate::protocol::user_id::UserId;
use crate::{Error, ErrorCode, Result, time};

/// Links to revoke: exactly one of `link`, `user`, `before` and `key`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS), ts(optional_fields))]
#[serde(deny_unknown_fields)]
pub struct RevocationRequest {
    /// ID of a link.
    #[serde(
        default,
        deserialize_with = "super::some",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(nullable = false, min_length = 1, max_length = 1024)]
    pub link: Option<String>,
    /// ID or address of a person, all of whose links until now are revoked.
    #[serde(
        default,
        deserialize_with = "super::some",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(nullable = false, min_length = 1, max_length = 255)]
    pub user: Option<String>,
    /// Time before which all revoked links were issued. It is not in the future. In the window it may
    /// be a time of this computer's zone, such as `2026-11-29T23:10`.
    #[serde(
        default,
        deserialize_with = "super::some",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(nullable = false, format = DateTime)]
    pub before: Option<String>,
    /// ID of a signing key, all of whose links until now are revoked.
    #[serde(
        default,
        deserialize_with = "super::some",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(nullable = false, min_length = 1, max_length = 255)]
    pub key: Option<String>,
    /// Whether sessions that the links began end at the next request.
    #[serde(default)]
    pub end_sessions: bool,
    /// Whether the link may be one that is not in the ledger, such as the code of another system
    /// before its first use.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[cfg_attr(feature = "ts", ts(optional, as = "Option<bool>"))]
    pub unknown: bool,
}

/// How a link is revoked that the path of the request names.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkRevocationRequest {
    /// Whether sessions that the link began end at the next request.
    #[serde(default)]
    pub end_sessions: bool,
}

impl LinkRevocationRequest {
    /// Returns the revocation of a link of the ledger.
    #[must_use]
    pub fn of(self, link: String) -> Revocation {
        Revocation {
            scope: RevocationScope::Link(link),
            ends_sessions: self.end_sessions,
            allows_unknown: false,
        }
    }
}

impl From<&Revocation> for RevocationRequest {
    fn from(revocation: &Revocation) -> Self {
        let mut request = Self {
            end_sessions: revocation.ends_sessions,
            unknown: revocation.allows_unknown,
            ..Self::default()
        };
        match &revocation.scope {
            RevocationScope::Link(id) => request.link = Some(id.clone()),
            RevocationScope::Person(user) => request.user = Some(user.as_str().to_owned()),
            RevocationScope::Before(at) => request.before = Some(time::exact(*at)),
            RevocationScope::Key(key) => request.key = Some(key.clone()),
        }
        request
    }
}

impl RevocationRequest {
    /// Checks the members. A time without an offset is one of `zone`.
    pub fn parse(self, zone: &TimeZone) -> Result<Revocation> {
        let scope = match (self.link, self.user, self.before, self.key) {
            (Some(link), None, None, None) => RevocationScope::Link(link),
            (None, Some(user), None, None) => {
                RevocationScope::Person(UserId::parse(&user, "user")?)
            }
            (None, None, Some(before), None) => {
                RevocationScope::Before(time::parse(&before, zone, "before")?.as_second())
            }
            (None, None, None, Some(key)) => RevocationScope::Key(key),
            _ => {
                let message = "Name one of 'link', 'user', 'before' and 'key'.";
                return Err(Error::new(ErrorCode::InvalidRequest, message).about("link"));
            }
        };
        Ok(Revocation {
            scope,
            ends_sessions: self.end_sessions,
            allows_unknown: self.unknown,
        })
    }
}
