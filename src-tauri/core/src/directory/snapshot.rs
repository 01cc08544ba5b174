//! Snapshots: all rows of a directory at one moment, in a form that every engine can write and load. Backups
//! contain them, and an instance moves to another engine by them.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::user::{SharedEmail, User};
use crate::Result;
use crate::activity::{EntryRow, Removed, SealRow, Sealing};
use crate::ledger::{
    InstanceCutoffs, IssuedLink, LinkPerson, LinkRecord, NewLinkRequest, PersonCutoffs,
};
use crate::link::short_code::ShortCodeHash;
use crate::protocol::email::Email;
use crate::protocol::user_id::UserId;
use crate::session::{Session, SessionKey};
use crate::time;

/// A row of a snapshot. The order of rows has no meaning, with two exceptions: the totals are the first row,
/// and entries and seals are in the order of their numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Row {
    /// Totals of the directory.
    Totals(Totals),
    /// A user.
    User(User),
    /// The last removal of a user with an ID. Another user may have the ID now.
    Removal {
        /// ID of the removed user.
        user: UserId,
        /// Time of the removal.
        #[serde(with = "time::rfc3339")]
        at: i64,
    },
    /// Former users of an e-mail address.
    FormerUsers {
        /// [Key](crate::protocol::email::Email::key) of the address.
        email: String,
        /// Users, each with the time until which the user had the address, in Unix seconds. The latest is last.
        users: Vec<(UserId, i64)>,
    },
    /// Links that were made for a user since an edit. There is a row, even without links, if the profile was
    /// last edited and not set by a code.
    LinksSinceEdit {
        /// ID of the user.
        user: UserId,
        /// `jti` of each link.
        links: Vec<String>,
    },
    /// Links that were made for a user since a removal of the ID, a move of the address or a cutoff.
    RecentLinks {
        /// ID of the user.
        user: UserId,
        /// `jti` of each link.
        links: Vec<String>,
    },
    /// A link that was used or revoked, in backups of formats before 10.
    Link {
        /// `jti` of the link.
        link: String,
        /// State of the link.
        state: LinkRecord,
    },
    /// A link in the ledger.
    IssuedLink(IssuedLink),
    /// The claims of a link in the ledger.
    Claims {
        /// Person whom the claims name.
        person: LinkPerson,
        /// ID of the link.
        link: String,
        /// The claims.
        claims: Map<String, Value>,
    },
    /// The short link of a link in the ledger.
    ShortLink {
        /// ID of the link.
        link: String,
        /// Hash of its code.
        code: ShortCodeHash,
    },
    /// An open request for a new link.
    LinkRequest(NewLinkRequest),
    /// The cutoffs for the links of a person.
    Cutoffs {
        /// ID of the person.
        user: UserId,
        /// The cutoffs.
        cutoffs: PersonCutoffs,
    },
    /// The cutoffs for the links that were given out for an address when nobody had it.
    EmailCutoffs {
        /// The address.
        email: Email,
        /// The cutoffs.
        cutoffs: PersonCutoffs,
    },
    /// A session.
    Session {
        /// Key of the session, which cannot be used to sign in.
        key: SessionKey,
        /// The session.
        session: Session,
    },
    /// An entry of the activity.
    Entry(EntryRow),
    /// A seal of the activity.
    Seal(SealRow),
}

impl Row {
    /// Kinds of rows, as files name them.
    pub const KINDS: [&str; 16] = [
        "totals",
        "user",
        "removal",
        "former_users",
        "links_since_edit",
        "recent_links",
        "link",
        "issued_link",
        "claims",
        "short_link",
        "link_request",
        "cutoffs",
        "email_cutoffs",
        "session",
        "entry",
        "seal",
    ];

    /// Returns the kind, as files name it.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Totals(_) => "totals",
            Self::User(_) => "user",
            Self::Removal { .. } => "removal",
            Self::FormerUsers { .. } => "former_users",
            Self::LinksSinceEdit { .. } => "links_since_edit",
            Self::RecentLinks { .. } => "recent_links",
            Self::Link { .. } => "link",
            Self::IssuedLink(_) => "issued_link",
            Self::Claims { .. } => "claims",
            Self::ShortLink { .. } => "short_link",
            Self::LinkRequest(_) => "link_request",
            Self::Cutoffs { .. } => "cutoffs",
            Self::EmailCutoffs { .. } => "email_cutoffs",
            Self::Session { .. } => "session",
            Self::Entry(_) => "entry",
            Self::Seal(_) => "seal",
        }
    }
}

/// Totals of a directory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Number of the last change. Generations of users and entries have no higher number.
    pub changes: u64,
    /// Number of all users.
    pub users: u64,
    /// Number of users who take a seat.
    pub active: u64,
    /// Number of seats. `None` for no limit.
    pub seat_limit: Option<u64>,
    /// Number of the last recorded change of the settings.
    pub last_outbox_entry: u64,
    /// Latest time of all removals and profiles, to within a minute, in Unix seconds.
    pub latest_time: Option<i64>,
    /// Time of the last removal or edit, in Unix seconds.
    pub order: Option<i64>,
    /// Addresses that several users have.
    pub shared_emails: Vec<SharedEmail>,
    /// Sealing of the activity. `None` before the first sealed entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealing: Option<Sealing>,
    /// Sealed entries that the retention has removed, if there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removed: Option<Removed>,
    /// Cutoffs for the links of the instance.
    #[serde(default)]
    pub cutoffs: InstanceCutoffs,
}

/// Contents of a directory at one moment. It has no later changes. Dropping it ends it.
#[async_trait]
pub trait Snapshot: Send {
    /// Returns the next rows, at least one. `None` after the last.
    ///
    /// Fails if the directory was closed, or if the snapshot was read so slowly that the engine gave it up.
    async fn next(&mut self) -> Result<Option<Vec<Row>>>;
}
