//! Open requests for new links.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::ledger::{LinkPerson, NewLinkRequest, RequestReason};
use crate::protocol::email::Email;
use crate::protocol::user_id::UserId;
use crate::{Error, Result, time};

/// An open request for a new link. Unlike [`NewLinkRequest`], it has its time as a text.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = NewLinkRequest)]
pub struct RequestRecord {
    /// Number of the request, by which it is granted or dismissed.
    pub number: u64,
    /// User whom the link signs in. Null for an address that nobody has.
    #[schema(required, value_type = Option<String>)]
    pub user: Option<UserId>,
    /// Address that nobody has. Null for a user.
    #[schema(required)]
    pub email: Option<String>,
    /// Display name.
    #[schema(required)]
    pub name: Option<String>,
    /// ID of the link that does not work any more.
    pub link: String,
    /// Reason why it does not work any more.
    pub reason: RequestReason,
    /// Time of the request.
    #[serde(with = "time::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub asked_at: i64,
    /// Address of the visitor.
    #[schema(required, value_type = Option<String>)]
    pub address: Option<IpAddr>,
    /// Name of the browser (`User-Agent`). It is unverified text.
    #[schema(required)]
    pub browser: Option<String>,
    /// Claims of the link that does not work any more.
    #[schema(value_type = Object)]
    pub claims: Map<String, Value>,
    /// ID of the key that has signed that link, if it is known.
    #[serde(default)]
    #[schema(required)]
    pub key: Option<String>,
}

impl From<NewLinkRequest> for RequestRecord {
    fn from(request: NewLinkRequest) -> Self {
        let (user, email) = match request.person {
            LinkPerson::User(user) => (Some(user), None),
            LinkPerson::Email(email) => (None, Some(email.as_str().to_owned())),
        };
        Self {
            number: request.number,
            user,
            email,
            name: request.name,
            link: request.link,
            reason: request.reason,
            asked_at: request.asked_at,
            address: request.address,
            browser: request.browser,
            claims: request.claims,
            key: request.key,
        }
    }
}

impl TryFrom<RequestRecord> for NewLinkRequest {
    type Error = Error;

    fn try_from(record: RequestRecord) -> Result<Self> {
        let person = match (record.user, record.email) {
            (Some(user), _) => LinkPerson::User(user),
            (None, Some(email)) => LinkPerson::Email(Email::from_kept(&email)),
            (None, None) => return Err(Error::member("user", "The request names nobody.")),
        };
        Ok(Self {
            number: record.number,
            person,
            name: record.name,
            link: record.link,
            reason: record.reason,
            asked_at: record.asked_at,
            address: record.address,
            browser: record.browser,
            claims: record.claims,
            key: record.key,
        })
    }
}

/// The open requests.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct RequestList {
    /// Requests, the newest first, at most 1,000.
    pub requests: Vec<RequestRecord>,
}
