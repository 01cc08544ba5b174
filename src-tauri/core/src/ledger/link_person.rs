//! The person of a link.

use serde::{Deserialize, Serialize};

use crate::protocol::email::Email;
use crate::protocol::user_id::UserId;

/// Person to whom the claims of a link belong.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkPerson {
    /// A user, or the ID of a user who does not exist yet.
    User(UserId),
    /// An address that nobody had when the link was given out.
    Email(Email),
}
