use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::protocol::email::Email;
use crate::protocol::metadata::Metadata;
use crate::protocol::user_id::UserId;
use crate::time;
use crate::verdict::Status;
use crate::{Error, ErrorCode};

/// How a user came into the directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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

/// A user, as a directory keeps it. Times are in Unix seconds.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct User {
    /// The administrator's own key for this person.
    pub id: UserId,
    /// The address, as written.
    pub email: Option<Email>,
    /// Everything else.
    pub metadata: Metadata,
    /// Whether the user may sign in.
    pub status: Status,
    /// How the user came in.
    pub origin: Origin,
    /// When the user came in.
    #[serde(serialize_with = "time::rfc3339")]
    pub created_at: i64,
    /// The last sign-in.
    #[serde(serialize_with = "time::rfc3339_if_any")]
    pub last_sign_in: Option<i64>,
    /// How often the user has signed in.
    pub sign_ins: u64,
    /// When the profile was last set: the `iat` of the code that did, or when the user was added.
    #[serde(serialize_with = "time::rfc3339")]
    pub profile_as_of: i64,
    /// Number of the change that created the user or last ended all sessions. A session is valid only
    /// for the generation in which it began, and no generation of an id comes twice.
    pub generation: u64,
}

/// An address that several users have. A code that names only the address signs none of them in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SharedEmail {
    /// The [key](Email::key) of the address.
    pub email: String,
    /// The users, in the order in which they were created.
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

/// A recorded time that lies in the future because the clock was wrong. Until then codes count as older
/// than the removal or the profile.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TimeAhead {
    /// The user.
    pub user: UserId,
    /// Whether the user was removed at that time; otherwise the profile was set.
    pub is_removal: bool,
    /// The time, in Unix seconds.
    #[serde(serialize_with = "crate::time::rfc3339")]
    pub at: i64,
}

/// What is to be changed of a user; the rest stays.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Profile {
    /// Another address; none, if `Some(None)`.
    pub email: Option<Option<Email>>,
    /// Metadata: each member replaces the one of its name, and `null` removes it (RFC 7396).
    pub members: Map<String, Value>,
}

impl User {
    /// Notes a sign-in at a time, in Unix seconds.
    pub(super) fn sign_in(&mut self, now: i64) {
        self.last_sign_in = Some(now);
        self.sign_ins += 1;
    }

    /// The latest time at which the user surely was there.
    pub(super) fn last_known_at(&self) -> i64 {
        self.created_at.max(self.last_sign_in.unwrap_or_default())
    }

    /// What to call the user: a name, else the address, else the id.
    #[must_use]
    pub fn display_name(&self) -> &str {
        let email = self.email.as_ref().map(Email::as_str);
        let name = self.metadata.display_name().or(email);
        name.unwrap_or(self.id.as_str())
    }
}

/// Error for a user who is not there.
#[must_use]
pub fn unknown_user(id: &UserId) -> Error {
    Error::new(ErrorCode::UnknownUser, format!("There is no user {id}.")).about("id")
}
