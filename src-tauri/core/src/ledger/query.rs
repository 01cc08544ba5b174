//! Filter and order of links, and pages of them.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::issued_link::IssuedLink;
use super::standing::{LinkStatus, Standing};
use crate::paging::{Cursor, Search, Sort};
use crate::protocol::user_id::UserId;

/// Filter of links. By default it matches all links.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinkQuery {
    /// Words that must all occur in the ID, the user, the subject, the name or the note, in any case.
    pub search: Search,
    /// Only links with this state.
    pub status: Option<LinkStatus>,
    /// Only links that work, or only those that do not.
    pub works: Option<bool>,
    /// Only links of the person with this ID or address. The links of a user include those that were
    /// given out for the address before the user had it.
    pub user: Option<UserId>,
    /// Only links that were signed with this key.
    pub key: Option<String>,
    /// Time at which the states are judged, in Unix seconds.
    pub now: i64,
}

/// Field by which links are sorted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
#[schema(as = LinkSortBy)]
pub enum LinkSortBy {
    /// Time when the link came into the ledger.
    #[default]
    Entered,
    /// Time when it expires.
    Expires,
    /// Time of the last sign-in.
    LastUse,
    /// Name, subject or user, in folded case.
    Person,
}

impl LinkSortBy {
    /// Returns the stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Entered => "entered",
            Self::Expires => "expires",
            Self::LastUse => "last_use",
            Self::Person => "person",
        }
    }
}

/// Order of links. Links without a value come last in both directions. Equal links are in the order
/// of their IDs.
pub type LinkSort = Sort<LinkSortBy>;

/// Beginning of a page of links.
pub type LinkPageStart = crate::paging::PageStart<LinkSortBy>;

/// A link with what became of it.
#[derive(Clone, Debug, PartialEq)]
pub struct ListedLink {
    /// The link.
    pub link: IssuedLink,
    /// State of the link.
    pub standing: Standing,
}

impl ListedLink {
    /// Lists a link. Its end is neither before it came into the ledger nor before its last use: a link
    /// works for a minute after its `exp`, and the code of another system may be revoked before it is
    /// known.
    #[must_use]
    pub fn new(link: IssuedLink, standing: Standing) -> Self {
        let last_use = link.last_use.as_ref().map(|last| last.at);
        let earliest = last_use.map_or(link.entered_at, |at| at.max(link.entered_at));
        let ended_at = standing.ended_at.map(|at| at.max(earliest));
        Self {
            link,
            standing: Standing {
                ended_at,
                ..standing
            },
        }
    }
}

/// A page of links.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LinkPage {
    /// Links in the requested order.
    pub links: Vec<ListedLink>,
    /// Row of the first link, counted from 0.
    pub first_row: u64,
    /// Number of links that match the query.
    pub total: u64,
    /// Beginning of the next page, if there is one.
    pub next: Option<Cursor<LinkSortBy>>,
}

/// Numbers of links by state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[expect(missing_docs, reason = "the names are those of the states")]
pub struct LinkCounts {
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub not_used: u64,
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub in_use: u64,
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub used_up: u64,
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub expired: u64,
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub revoked: u64,
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub superseded: u64,
}

impl LinkCounts {
    /// Counts a link.
    pub const fn count(&mut self, status: LinkStatus) {
        *self.of(status) += 1;
    }

    /// Takes back the counting of a link.
    pub const fn uncount(&mut self, status: LinkStatus) {
        let counted = self.of(status);
        *counted = counted.saturating_sub(1);
    }

    const fn of(&mut self, status: LinkStatus) -> &mut u64 {
        match status {
            LinkStatus::NotUsed => &mut self.not_used,
            LinkStatus::InUse => &mut self.in_use,
            LinkStatus::UsedUp => &mut self.used_up,
            LinkStatus::Expired => &mut self.expired,
            LinkStatus::Revoked => &mut self.revoked,
            LinkStatus::Superseded => &mut self.superseded,
        }
    }

    /// Returns the number of all links.
    #[must_use]
    pub const fn all(&self) -> u64 {
        self.not_used + self.in_use + self.used_up + self.expired + self.revoked + self.superseded
    }
}
