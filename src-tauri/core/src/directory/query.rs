//! Filter and order of users, and the beginning of a page.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Origin, User};
use crate::verdict::Status;

pub use crate::paging::{Search, folded};

/// Filter of users. By default it matches all users.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserQuery {
    /// Words that must all occur in the ID, the address or a name of the user, in any case. Names are
    /// the texts in the metadata whose member has `name` in its own name
    /// ([`is_name`](crate::protocol::metadata::is_name)).
    pub search: Search,
    /// Only users with this status.
    pub status: Option<Status>,
    /// Only users who were created in this way.
    pub origin: Option<Origin>,
}

/// Field by which users are sorted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum SortBy {
    /// ID, in folded case.
    #[default]
    Id,
    /// E-mail address, in folded case.
    Email,
    /// Time when the user was created.
    Created,
    /// Time of the last sign-in.
    LastSignIn,
}

impl SortBy {
    /// Returns the stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Email => "email",
            Self::Created => "created",
            Self::LastSignIn => "last_sign_in",
        }
    }
}

/// Order of users. Users without an address, or without a sign-in, come last in both directions.
/// Equal users are in the order of their IDs, byte by byte.
pub type Sort = crate::paging::Sort<SortBy>;

/// End of a page of users.
pub type Cursor = crate::paging::Cursor<SortBy>;

/// Beginning of a page of users.
pub type PageStart = crate::paging::PageStart<SortBy>;

/// A page of users.
#[derive(Clone, Debug, PartialEq)]
pub struct UserPage {
    /// Users in the requested order.
    pub users: Vec<User>,
    /// Row of the first user, counted from 0.
    pub first_row: u64,
    /// Number of users who match the query.
    pub total: u64,
    /// Beginning of the next page, if there is one.
    pub next: Option<Cursor>,
}

impl UserPage {
    /// Gives the users the statuses of a time.
    pub fn set_statuses(&mut self, now: Timestamp) {
        for user in &mut self.users {
            user.status = user.status_at(now.as_second());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorCode;
    use crate::paging::{Position, SortKey};

    #[test]
    fn a_cursor_is_read_as_it_was_written_and_for_its_own_order_only() {
        let sort = Sort {
            by: SortBy::Email,
            descending: true,
        };
        let position = Position::new(Some(SortKey::Text("ada@b.cd".into())), "Ada");
        let cursor = Cursor::new(sort, &position);
        let read: Cursor = cursor.to_string().parse().unwrap();
        assert_eq!(read, cursor);
        assert!(read.position(sort).is_ok());
        for refused in [
            "x".parse::<Cursor>().unwrap_err(),
            "e30".parse::<Cursor>().unwrap_err(),
            read.position(Sort::default()).unwrap_err(),
        ] {
            assert_eq!(refused.code, ErrorCode::InvalidCursor);
        }
    }
}
