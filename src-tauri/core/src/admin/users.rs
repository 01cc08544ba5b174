//! Users, seats, sessions and recorded times.

use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::directory::{Newcomer, Profile, SeenProfile, SharedEmail, TimeAhead, User, UserPage};
use crate::protocol::email::Email;
use crate::protocol::metadata::Metadata;
use crate::protocol::payload::NewUser;
use crate::{Error, ErrorCode, Result, time};

/// A page of users.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct UserList {
    /// Users in the requested order.
    pub users: Vec<User>,
    /// Row of the first user, counted from 0.
    pub first_row: u64,
    /// Number of users who match.
    pub total: u64,
    /// Value of `after` for the next page. Null on the last page.
    #[schema(required)]
    pub next: Option<String>,
}

impl From<UserPage> for UserList {
    fn from(page: UserPage) -> Self {
        Self {
            users: page.users,
            first_row: page.first_row,
            total: page.total,
            next: page.next.map(|cursor| cursor.to_string()),
        }
    }
}

impl TryFrom<UserList> for UserPage {
    type Error = crate::Error;

    fn try_from(list: UserList) -> Result<Self> {
        Ok(Self {
            users: list.users,
            first_row: list.first_row,
            total: list.total,
            next: list.next.map(|cursor| cursor.parse()).transpose()?,
        })
    }
}

/// A user to add.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Addition {
    /// ID by which links name the user.
    #[schema(min_length = 1, max_length = 255)]
    pub id: String,
    /// E-mail address.
    #[serde(default)]
    #[schema(min_length = 3, max_length = 254)]
    pub email: Option<String>,
    /// Metadata: members that are neither `id` nor `email`.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub metadata: Map<String, Value>,
    /// Time when the account ends. By default it has no end.
    #[serde(
        default,
        deserialize_with = "super::some",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(format = DateTime, nullable = false)]
    pub ends_at: Option<String>,
}

impl From<&Newcomer> for Addition {
    fn from(newcomer: &Newcomer) -> Self {
        let user = &newcomer.user;
        Self {
            id: user.id.as_str().to_owned(),
            email: user.email.as_ref().map(|email| email.as_str().to_owned()),
            metadata: user.metadata.members().clone(),
            ends_at: newcomer.ends_at.map(time::exact),
        }
    }
}

impl Addition {
    /// Checks the members.
    pub fn parse(self) -> Result<Newcomer> {
        let metadata = Metadata::new(self.metadata, "metadata")?;
        let ends_at = self.ends_at.as_deref().map(end).transpose()?;
        Ok(Newcomer {
            user: NewUser::parse(&self.id, self.email.as_deref(), metadata)?,
            ends_at,
        })
    }
}

fn end(text: &str) -> Result<i64> {
    Ok(time::parse(text, &TimeZone::UTC, "ends_at")?.as_second())
}

/// End of an account to set.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AccountEndChange {
    /// Time when the account ends, which is in the future. Null removes the end.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(required, format = DateTime)]
    pub ends_at: Option<String>,
}

impl AccountEndChange {
    /// Creates a change from a time in Unix seconds.
    #[must_use]
    pub fn new(ends_at: Option<i64>) -> Self {
        Self {
            ends_at: ends_at.map(time::exact),
        }
    }

    /// Checks the time, and returns it in Unix seconds.
    pub fn parse(self) -> Result<Option<i64>> {
        self.ends_at.as_deref().map(end).transpose()
    }
}

/// Users to add, all or none.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Additions {
    /// The users, at most [`MAX_IMPORT`](crate::directory::MAX_IMPORT).
    #[schema(max_items = 250)]
    pub users: Vec<Addition>,
}

/// Changes of a user's profile. Missing members change nothing.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Edit {
    /// New address. Null removes it.
    #[serde(
        default,
        deserialize_with = "super::some",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Option<String>, min_length = 3, max_length = 254)]
    pub email: Option<Option<String>>,
    /// Members of the metadata to replace. Null removes a member.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub metadata: Map<String, Value>,
    /// Address that the user must have. Null stands for none. Needs `if_metadata`.
    #[serde(
        default,
        deserialize_with = "super::some",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Option<String>)]
    pub if_email: Option<Option<String>>,
    /// Metadata that the user must have. Needs `if_email`.
    #[serde(
        default,
        deserialize_with = "super::some",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Object, nullable = false)]
    pub if_metadata: Option<Map<String, Value>>,
}

impl From<&Profile> for Edit {
    fn from(profile: &Profile) -> Self {
        let text = |email: &Email| email.as_str().to_owned();
        Self {
            email: profile.email.as_ref().map(|email| email.as_ref().map(text)),
            metadata: profile.members.clone(),
            ..Self::default()
        }
    }
}

impl Edit {
    /// Returns the edit of a user who still has the `seen` profile.
    #[must_use]
    pub fn of_seen(profile: &Profile, seen: &SeenProfile) -> Self {
        let email = seen.email.as_ref();
        Self {
            if_email: Some(email.map(|email| email.as_str().to_owned())),
            if_metadata: Some(seen.metadata.members().clone()),
            ..Self::from(profile)
        }
    }

    /// Returns the profile that the user must have, if the request names one.
    ///
    /// Fails if the request has one of its members only, or if no user can have it.
    pub fn seen(&self) -> Result<Option<SeenProfile>> {
        let (email, metadata) = match (&self.if_email, &self.if_metadata) {
            (None, None) => return Ok(None),
            (Some(email), Some(metadata)) => (email, metadata),
            (email, _) => {
                let missing = if email.is_none() {
                    "if_email"
                } else {
                    "if_metadata"
                };
                let message = "Send both, the address and the metadata that the user must have.";
                return Err(Error::new(ErrorCode::InvalidPayload, message).about(missing));
            }
        };
        let email = email.as_ref().map(|email| Email::parse(email, "if_email"));
        Ok(Some(SeenProfile {
            email: email.transpose()?,
            metadata: Metadata::new(metadata.clone(), "if_metadata")?,
        }))
    }

    /// Checks the members.
    pub fn parse(self) -> Result<Profile> {
        let parse = |email: Option<String>| {
            let email = email.map(|email| Email::parse(&email, "email"));
            email.transpose()
        };
        Ok(Profile {
            email: self.email.map(parse).transpose()?,
            members: self.metadata,
        })
    }
}

/// Number of seats to set.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SeatLimit {
    /// Number of seats. Null sets no limit.
    #[serde(deserialize_with = "Option::deserialize")]
    #[schema(required)]
    pub limit: Option<u64>,
}

/// Addresses that several users have.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SharedEmails {
    /// The addresses.
    pub shared_emails: Vec<SharedEmail>,
}

/// Recorded times that lie in the future.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Times {
    /// The times.
    pub times: Vec<TimeAhead>,
}

/// Recorded times that lie in the future, and that of a revocation of the links of all people or of a
/// signing key.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct TimesAhead {
    /// The times.
    pub times: Vec<TimeAhead>,
    /// Time up to which links of all people, or of a signing key, count as revoked. Null unless it lies in the future.
    #[serde(default, with = "time::rfc3339_if_any")]
    #[schema(required, value_type = Option<String>, format = DateTime)]
    pub all_links: Option<i64>,
}

/// Number of corrected times.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
pub struct Corrected {
    /// The number.
    pub corrected: u64,
}

/// Number of users who are signed in.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, ToSchema)]
pub struct SignedIn {
    /// The number.
    pub users: u64,
}
