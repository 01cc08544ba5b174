//! Taking links back.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::protocol::user_id::UserId;

/// Links that are revoked together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RevocationScope {
    /// The link with an ID.
    Link(String),
    /// All links of a person until now, by an ID or an address. Somebody must have it, or links must
    /// have been given out for it.
    #[schema(value_type = String)]
    Person(UserId),
    /// All links that were issued before a time, in Unix seconds, which is not in the future.
    Before(i64),
    /// All links that were signed with a key until now, by the ID of the key.
    Key(String),
}

/// Revocation of links.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// The links.
    pub scope: RevocationScope,
    /// Whether sessions that the links began end at the next request.
    pub ends_sessions: bool,
    /// Whether a link that is not in the ledger may be revoked, such as the code of another system
    /// before its first use.
    pub allows_unknown: bool,
}
