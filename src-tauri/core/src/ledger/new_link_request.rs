//! Requests for new links, by people whose link does not work any more.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::link_person::LinkPerson;
use crate::last_field::last_field;
use crate::protocol::claims::Claims;
use crate::protocol::code::{AskableCode, VerifiedCode};
use crate::protocol::lifetime::Lifetime;
use crate::protocol::user_id::UserId;
use crate::verdict::Policy;
use crate::{Error, ErrorCode, Result};

/// Maximum number of open requests in a directory.
pub const MAX_REQUESTS: usize = 1000;

/// Time for which a new link can be asked for after the old one has expired, and for which a
/// request stays open, in seconds.
pub const REQUEST_SECS: i64 = 30 * 86_400;

/// Reason why a link does not work any more, for which its person may ask for a new one. The order
/// is part of the stored format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum RequestReason {
    /// Its time is over.
    Expired,
    /// It has no uses left.
    UsedUp,
    /// A later link of the same person has replaced it.
    Superseded,
}

impl RequestReason {
    /// Returns the reason in words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Expired => "expired",
            Self::UsedUp => "used up",
            Self::Superseded => "superseded",
        }
    }
}

/// End of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestEnd {
    /// The administrator has made the new link.
    Granted,
    /// The administrator makes no new link.
    Dismissed,
    /// The link by which somebody asked was revoked.
    Revoked,
}

/// An open request for a new link. A person has at most one.
///
/// The order of the fields is part of the stored format.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NewLinkRequest {
    /// Number of the request. Later requests have higher numbers.
    pub number: u64,
    /// Person whom the link signs in.
    pub person: LinkPerson,
    /// Display name in the payload or the directory.
    pub name: Option<String>,
    /// ID of the link that does not work any more.
    pub link: String,
    /// Reason why it does not work any more.
    pub reason: RequestReason,
    /// Time of the request, in Unix seconds.
    pub asked_at: i64,
    /// Address of the visitor.
    pub address: Option<IpAddr>,
    /// Name of the browser (`User-Agent`). It is unverified text.
    pub browser: Option<String>,
    /// Claims of the link.
    #[serde(with = "json_text")]
    pub claims: Map<String, Value>,
    /// ID of the key that has signed the link, if it is known. Rows of earlier versions end before
    /// it.
    #[serde(default, deserialize_with = "last_field")]
    pub key: Option<String>,
}

impl NewLinkRequest {
    /// Returns the user ID or the address of the person.
    #[must_use]
    pub fn subject(&self) -> &str {
        match &self.person {
            LinkPerson::User(user) => user.as_str(),
            LinkPerson::Email(email) => email.as_str(),
        }
    }

    /// Returns the user. `None` for an address that nobody has.
    #[must_use]
    pub const fn user(&self) -> Option<&UserId> {
        match &self.person {
            LinkPerson::User(user) => Some(user),
            LinkPerson::Email(_) => None,
        }
    }

    /// Returns the name by which commands refer to the request.
    #[must_use]
    pub fn reference(&self) -> RequestRef {
        RequestRef {
            person: self.person.clone(),
            number: self.number,
        }
    }

    /// Returns the claims of the link that does not work any more.
    ///
    /// Fails with [`ErrorCode::InvalidPayload`] if they break a rule of the protocol.
    pub fn old_claims(&self) -> Result<Claims> {
        Claims::from_signed(&self.claims)
    }

    /// Returns the code of the link that does not work any more, to judge its person again at a
    /// time, in Unix seconds.
    ///
    /// Fails like [`old_claims`](Self::old_claims).
    pub(crate) fn old_code(&self, now: i64) -> Result<VerifiedCode> {
        let claims = self.old_claims()?;
        Ok(VerifiedCode {
            payload: claims.payload,
            registered: claims.registered,
            members: self.claims.clone(),
            judged_at: now,
            key_id: self.key.clone(),
            link: self.link.clone(),
            is_made_here: false,
        })
    }

    /// Returns the time before which requests are too old to stay open, in Unix seconds.
    /// `retention` is that of the links in the ledger.
    #[must_use]
    pub fn open_since(retention: Lifetime, now: i64) -> i64 {
        let secs = match retention {
            Lifetime::Secs(secs) => secs.min(REQUEST_SECS),
            Lifetime::Never => REQUEST_SECS,
        };
        now.saturating_sub(secs)
    }
}

/// A request by its person and its number.
#[derive(Clone, Debug, PartialEq)]
pub struct RequestRef {
    /// Person whom the link signs in.
    pub person: LinkPerson,
    /// Number of the request.
    pub number: u64,
}

/// A visitor's attempt to ask for a new link.
#[derive(Clone, Debug)]
pub struct Asking {
    /// Code of the link that the visitor has.
    pub code: AskableCode,
    /// The policy of the instance.
    pub policy: Policy,
    /// Name of the browser (`User-Agent`).
    pub browser: Option<String>,
}

/// Returns the error for a request that is not open.
#[must_use]
pub fn unknown_request() -> Error {
    let message = "There is no such open request. It was answered already, its link was revoked, the account of its person was suspended, has ended or was removed, or nobody has the address any more by which the link names the person.";
    Error::new(ErrorCode::UnknownRequest, message).about("number")
}

/// JSON as a text, because the rows of an engine cannot store JSON values.
mod json_text {
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};
    use serde_json::{Map, Value};

    pub(super) fn serialize<S: Serializer>(
        members: &Map<String, Value>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let json = serde_json::to_string(members).map_err(serde::ser::Error::custom)?;
        serializer.serialize_str(&json)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Map<String, Value>, D::Error> {
        let json = String::deserialize(deserializer)?;
        serde_json::from_str(&json).map_err(D::Error::custom)
    }
}
