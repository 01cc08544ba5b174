//! A user in a directory.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::protocol::email::Email;
use crate::protocol::metadata::Metadata;
use crate::protocol::payload::NewUser;
use crate::protocol::user_id::UserId;
use crate::session::Session;
use crate::time;
use crate::verdict::Status;
use crate::{Error, ErrorCode};

/// Way in which a user was created.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// A redeemed code named the user.
    Link,
    /// An administrator added the user by hand.
    Added,
    /// The user was imported.
    Import,
}

impl Origin {
    /// Returns the stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::Added => "added",
            Self::Import => "import",
        }
    }
}

/// A user in a directory. Times are in Unix seconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = DirectoryUser)]
pub struct User {
    /// ID: the administrator's own key for the person.
    #[schema(value_type = String)]
    pub id: UserId,
    /// E-mail address as written.
    #[schema(required, value_type = Option<String>)]
    pub email: Option<Email>,
    /// All other members.
    #[schema(value_type = Object)]
    pub metadata: Metadata,
    /// Whether the user may sign in.
    pub status: Status,
    /// Way in which the user was created.
    pub origin: Origin,
    /// Time when the user was created.
    #[serde(with = "time::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub created_at: i64,
    /// Time of the last sign-in.
    #[serde(with = "time::rfc3339_if_any")]
    #[schema(required, value_type = Option<String>, format = DateTime)]
    pub last_sign_in: Option<i64>,
    /// Number of sign-ins.
    pub sign_ins: u64,
    /// Time when the profile was last set: `iat` of the code that did, or the time of adding or
    /// editing the user.
    #[serde(with = "time::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub profile_as_of: i64,
    /// Number of the change that created the user or last ended all sessions. A session is valid
    /// only in the generation in which it began. A generation is never used twice for an ID.
    pub generation: u64,
    /// Time when the account ends or has ended. `None` if it has no end.
    #[serde(
        default,
        with = "time::rfc3339_if_any",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Option<String>, format = DateTime, nullable = false)]
    pub ends_at: Option<i64>,
}

/// A user to add by hand or by an import.
#[derive(Clone, Debug, PartialEq)]
pub struct Newcomer {
    /// The user.
    pub user: NewUser,
    /// Time when the account ends, in Unix seconds. `None` if it has no end.
    pub ends_at: Option<i64>,
}

impl From<NewUser> for Newcomer {
    fn from(user: NewUser) -> Self {
        Self {
            user,
            ends_at: None,
        }
    }
}

/// An address that several users have. A code that names only the address signs none of them in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SharedEmail {
    /// [Key](Email::key) of the address.
    pub email: String,
    /// Users in the order in which they were created.
    #[schema(value_type = Vec<String>)]
    pub users: Vec<UserId>,
}

impl fmt::Display for SharedEmail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let users: Vec<&str> = self.users.iter().map(UserId::as_str).collect();
        write!(
            f,
            "{} have one email, {}. Links by this email are refused until all of them but one have another.",
            users.join(" and "),
            self.email
        )
    }
}

/// A recorded time that lies in the future, because the clock was wrong. Until that time codes
/// count as older than the removal, the revocation or the profile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TimeAhead {
    /// ID of the user, or an address for which links were revoked.
    #[schema(value_type = String)]
    pub user: UserId,
    /// Whether it is the time of a removal.
    pub is_removal: bool,
    /// Whether it is the time at which links of the person were revoked or superseded. If it is
    /// neither this nor that of a removal, it is that of a profile.
    #[serde(default)]
    #[schema(required)]
    pub is_cutoff: bool,
    /// The time, in Unix seconds.
    #[serde(with = "time::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub at: i64,
}

/// A profile as somebody has seen it before a change of it.
#[derive(Clone, Debug, PartialEq)]
pub struct SeenProfile {
    /// Address.
    pub email: Option<Email>,
    /// Metadata.
    pub metadata: Metadata,
}

impl SeenProfile {
    /// Returns whether a user still has the profile.
    #[must_use]
    pub fn is_of(&self, user: &User) -> bool {
        let text = |email: &Option<Email>| email.as_ref().map(|email| email.as_str().to_owned());
        text(&self.email) == text(&user.email) && self.metadata == user.metadata
    }
}

impl From<&User> for SeenProfile {
    fn from(user: &User) -> Self {
        Self {
            email: user.email.clone(),
            metadata: user.metadata.clone(),
        }
    }
}

/// Changes of a user's profile. `None` and missing members change nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Profile {
    /// New address. `Some(None)` removes it.
    pub email: Option<Option<Email>>,
    /// Members of the metadata to replace. `null` removes a member (RFC 7396).
    pub members: Map<String, Value>,
}

impl Profile {
    /// Returns the changes that turn one e-mail address and metadata into others. What is equal is
    /// left out, so that a change which somebody else makes to it in the meantime stays.
    #[must_use]
    pub fn between(
        before: (Option<&Email>, &Metadata),
        after: (Option<&Email>, &Metadata),
    ) -> Self {
        let (old, new) = (before.1.members(), after.1.members());
        let removed = old.keys().filter(|name| !new.contains_key(*name));
        let removed = removed.map(|name| (name.clone(), Value::Null));
        let set = new
            .iter()
            .filter(|(name, value)| old.get(*name) != Some(*value))
            .map(|(name, value)| (name.clone(), value.clone()));
        let is_other = before.0.map(Email::as_str) != after.0.map(Email::as_str);
        Self {
            email: is_other.then(|| after.0.cloned()),
            members: removed.chain(set).collect(),
        }
    }
}

impl User {
    /// Notes a sign-in at a time, in Unix seconds.
    pub(super) fn sign_in(&mut self, now: i64) {
        self.last_sign_in = Some(now);
        self.sign_ins += 1;
    }

    /// Returns the latest time at which the user is known to have existed.
    pub(super) fn last_known_at(&self) -> i64 {
        self.created_at.max(self.last_sign_in.unwrap_or_default())
    }

    /// Returns whether the user may sign in at a time, in Unix seconds. An account ends at its time,
    /// also if no engine has written that yet.
    #[must_use]
    pub fn status_at(&self, now: i64) -> Status {
        match self.due_at() {
            Some(at) if at <= now => Status::Ended,
            _ => self.status,
        }
    }

    /// Returns the user with the status of a time, in Unix seconds.
    #[must_use]
    pub fn as_of(mut self, now: i64) -> Self {
        self.status = self.status_at(now);
        self
    }

    /// Returns the time when the account of an active user ends, if it does.
    #[must_use]
    pub fn due_at(&self) -> Option<i64> {
        self.ends_at.filter(|_| self.status == Status::Active)
    }

    /// Returns whether a session of the user goes on: it is of the current generation, and the
    /// account has not ended by `now`, in Unix seconds.
    #[must_use]
    pub fn has_session(&self, session: &Session, now: i64) -> bool {
        self.generation == session.generation && self.status_at(now) != Status::Ended
    }

    /// Returns the display name: a name, else the address, else the ID.
    #[must_use]
    pub fn display_name(&self) -> &str {
        let email = self.email.as_ref().map(Email::as_str);
        let name = self.metadata.display_name().or(email);
        name.unwrap_or(self.id.as_str())
    }
}

/// Returns the error for an ID without a user.
#[must_use]
pub fn unknown_user(id: &UserId) -> Error {
    Error::new(ErrorCode::UnknownUser, format!("There is no user {id}.")).about("id")
}
