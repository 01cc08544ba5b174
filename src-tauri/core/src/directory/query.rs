//! Filter and order of users, and the beginning of a page.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Origin, User};
use crate::verdict::Status;
use crate::{Error, ErrorCode, Result};

/// Filter of users. By default it matches all users.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserQuery {
    /// Words that the user must contain.
    pub search: Search,
    /// Only users with this status.
    pub status: Option<Status>,
    /// Only users who were created in this way.
    pub origin: Option<Origin>,
}

/// Words that must all occur in the ID, the address or a name of a user, in any case.
///
/// Names are the texts in the metadata whose member has `name` in its own name
/// ([`is_name`](crate::protocol::metadata::is_name)).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Search(Vec<String>);

impl Search {
    /// Splits a typed text into words.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let mut words: Vec<String> = text
            .split(|sign: char| sign.is_whitespace() || sign.is_control())
            .filter(|word| !word.is_empty())
            .map(|word| folded(word).collect())
            .collect();
        // The longest word is usually the rarest, so it is searched first.
        words.sort_by_key(|word| std::cmp::Reverse(word.len()));
        words.dedup();
        Self(words)
    }

    /// Returns the words, the longest first. Without words, all users match.
    #[must_use]
    pub fn words(&self) -> &[String] {
        &self.0
    }
}

/// Returns the text in folded case, so that two texts that differ only by case are equal.
pub fn folded(text: &str) -> impl Iterator<Item = char> + '_ {
    text.chars().flat_map(char::to_lowercase)
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
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Sort {
    /// Field to sort by.
    pub by: SortBy,
    /// Whether the order is reversed.
    pub descending: bool,
}

/// Value of the field that a [`Sort`] compares.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum SortKey<'a> {
    Text(Cow<'a, str>),
    Time(i64),
}

/// Position of a user in an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position<'a> {
    key: Option<SortKey<'a>>,
    id: Cow<'a, str>,
}

/// Fields of a user that orders depend on. All texts but the ID are folded.
#[derive(Clone, Copy)]
pub struct Sortable<'a> {
    /// ID as written.
    pub id: &'a str,
    /// [Folded](folded) ID.
    pub folded_id: &'a str,
    /// [Folded](folded) address.
    pub folded_email: Option<&'a str>,
    /// Time when the user was created, in Unix seconds.
    pub created_at: i64,
    /// Time of the last sign-in, in Unix seconds.
    pub last_sign_in: Option<i64>,
}

impl Sort {
    /// Returns the position of a user in this order.
    #[must_use]
    pub fn position(self, user: Sortable<'_>) -> Position<'_> {
        let key = match self.by {
            SortBy::Id => Some(SortKey::Text(user.folded_id.into())),
            SortBy::Email => user.folded_email.map(|email| SortKey::Text(email.into())),
            SortBy::Created => Some(SortKey::Time(user.created_at)),
            SortBy::LastSignIn => user.last_sign_in.map(SortKey::Time),
        };
        Position {
            key,
            id: user.id.into(),
        }
    }

    /// Compares two positions in this order.
    #[must_use]
    pub fn compare(self, a: &Position<'_>, b: &Position<'_>) -> Ordering {
        let by_key = match (&a.key, &b.key) {
            (Some(a), Some(b)) if self.descending => b.cmp(a),
            (Some(a), Some(b)) => a.cmp(b),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => Ordering::Equal,
        };
        by_key.then_with(|| a.id.cmp(&b.id))
    }
}

/// End of a page. It stays valid when users are added or removed: the next page begins with the
/// next user in the order, so that no user is shown twice or skipped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    sort: Sort,
    position: Position<'static>,
}

impl Cursor {
    /// Creates the cursor after a position in an order.
    #[must_use]
    pub fn new(sort: Sort, position: &Position<'_>) -> Self {
        let key = position.key.as_ref().map(|key| match key {
            SortKey::Text(text) => SortKey::Text(text.clone().into_owned().into()),
            SortKey::Time(time) => SortKey::Time(*time),
        });
        Self {
            sort,
            position: Position {
                key,
                id: position.id.clone().into_owned().into(),
            },
        }
    }

    /// Returns the position in an order. Fails if the cursor belongs to another order.
    pub fn position(&self, sort: Sort) -> Result<&Position<'static>> {
        if sort == self.sort {
            Ok(&self.position)
        } else {
            Err(invalid_cursor())
        }
    }
}

/// Writes an opaque text in base64url.
impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = (self.sort.by, self.sort.descending, &self.position);
        let json = serde_json::to_vec(&parts).map_err(|_| fmt::Error)?;
        f.write_str(&BASE64_URL_SAFE_NO_PAD.encode(json))
    }
}

/// Fails with [`ErrorCode::InvalidCursor`].
impl FromStr for Cursor {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let json = BASE64_URL_SAFE_NO_PAD
            .decode(text)
            .map_err(|cause| invalid_cursor().because(cause))?;
        let (by, descending, position) =
            serde_json::from_slice(&json).map_err(|cause| invalid_cursor().because(cause))?;
        Ok(Self {
            sort: Sort { by, descending },
            position,
        })
    }
}

fn invalid_cursor() -> Error {
    Error::new(
        ErrorCode::InvalidCursor,
        "This position does not belong to a page of this order. Begin with the first page.",
    )
    .about("after")
}

/// Beginning of a page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum PageStart {
    /// The first user.
    #[default]
    First,
    /// The position after an earlier page.
    After(Cursor),
    /// Approximately the row with this number, counted from 0. Used when a scroll bar was moved.
    /// The following pages use cursors.
    Row(u64),
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_is_words_in_any_case_the_longest_first() {
        assert_eq!(
            Search::new("  Ada LOVELACE\t\u{1f}x ").words(),
            ["lovelace", "ada", "x"]
        );
        assert_eq!(Search::new(" \n "), Search::default());
    }

    #[test]
    fn a_cursor_is_read_as_it_was_written_and_for_its_own_order_only() {
        let sort = Sort {
            by: SortBy::Email,
            descending: true,
        };
        let user = Sortable {
            id: "Ada",
            folded_id: "ada",
            folded_email: Some("ada@b.cd"),
            created_at: 1,
            last_sign_in: None,
        };
        let cursor = Cursor::new(sort, &sort.position(user));
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
