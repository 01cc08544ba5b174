//! Which users are asked for, in which order, and where a page of them begins.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::{Origin, User};
use crate::verdict::Status;
use crate::{Error, ErrorCode, Result};

/// Which users are asked for. Without any wish, all of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserQuery {
    /// What is to occur in the user.
    pub search: Search,
    /// Only those of this status.
    pub status: Option<Status>,
    /// Only those who came in this way.
    pub origin: Option<Origin>,
}

/// Words, each of which is to occur in a user's id, address or name, in whatever case.
///
/// Names are the texts among the metadata whose member's name has `name` in it ([`is_name`](crate::protocol::metadata::is_name)).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Search(Vec<String>);

impl Search {
    /// Takes what a person typed.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let mut words: Vec<String> = text
            .split(|sign: char| sign.is_whitespace() || sign.is_control())
            .filter(|word| !word.is_empty())
            .map(|word| folded(word).collect())
            .collect();
        // The longest is the rarest, as a rule, and is looked for first.
        words.sort_by_key(|word| std::cmp::Reverse(word.len()));
        words.dedup();
        Self(words)
    }

    /// The words, the longest first; none where everybody is asked for.
    #[must_use]
    pub fn words(&self) -> &[String] {
        &self.0
    }
}

/// What two texts have in common that differ by case only.
pub fn folded(text: &str) -> impl Iterator<Item = char> + '_ {
    text.chars().flat_map(char::to_lowercase)
}

/// What users are ordered by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum SortBy {
    /// The id, without regard to case.
    #[default]
    Id,
    /// The address, without regard to case.
    Email,
    /// When they came in.
    Created,
    /// When they last signed in.
    LastSignIn,
}

/// The order of users. Whoever has no address, or has never signed in, comes last in either
/// direction; users who are alike in what is sorted by stand in the order of their ids, byte by byte.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Sort {
    /// What by.
    pub by: SortBy,
    /// From the greatest to the least.
    pub descending: bool,
}

/// What a [`Sort`] looks at.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum SortKey<'a> {
    Text(Cow<'a, str>),
    Time(i64),
}

/// Where a user stands in an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position<'a> {
    key: Option<SortKey<'a>>,
    id: Cow<'a, str>,
}

/// What of a user an order depends on; the texts are folded, but for the id.
#[derive(Clone, Copy)]
pub struct Sortable<'a> {
    /// The id, as written.
    pub id: &'a str,
    /// The [folded] id.
    pub folded_id: &'a str,
    /// The [folded] address.
    pub folded_email: Option<&'a str>,
    /// When the user came in, in Unix seconds.
    pub created_at: i64,
    /// The last sign-in, in Unix seconds.
    pub last_sign_in: Option<i64>,
}

impl Sort {
    /// Where a user stands in this order.
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

    /// Compares the places of two users in this order.
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

/// Where a page ended. It stays good whoever comes or goes meanwhile: the next page begins with
/// whoever comes after, so nobody is shown twice or passed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    sort: Sort,
    position: Position<'static>,
}

impl Cursor {
    /// The place after a position in an order.
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

    /// Where it is in an order; refused where it was made for another one.
    pub fn position(&self, sort: Sort) -> Result<&Position<'static>> {
        if sort == self.sort {
            Ok(&self.position)
        } else {
            Err(invalid_cursor())
        }
    }
}

/// An opaque text in base64url.
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
        "This is not where a page of this order ended. Begin with the first page.",
    )
    .about("after")
}

/// Where a page begins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum PageStart {
    /// At the first user.
    #[default]
    First,
    /// Where another page ended.
    After(Cursor),
    /// At about this user, counted from 0: where the thumb of a scroll bar was let go. From there it
    /// goes on by cursors.
    Row(u64),
}

/// Some of the users that were asked for, in order.
#[derive(Clone, Debug, PartialEq)]
pub struct UserPage {
    /// They.
    pub users: Vec<User>,
    /// Which of all the first one is, counted from 0.
    pub first_row: u64,
    /// How many answer the query.
    pub total: u64,
    /// Where the next page begins, if there is one.
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
