//! Orders of rows, and pages of an order. `B` names the fields by which rows can be sorted.

mod search;

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

pub use search::{Search, folded};

use crate::{Error, ErrorCode, Result};

/// Order of rows. Rows without a value come last in both directions. Equal rows are in the order of
/// their IDs, byte by byte.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Sort<B> {
    /// Field to sort by.
    pub by: B,
    /// Whether the order is reversed.
    pub descending: bool,
}

/// Value of the field that a [`Sort`] compares.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SortKey<'a> {
    /// Folded text.
    Text(Cow<'a, str>),
    /// Time in Unix seconds.
    Time(i64),
}

/// Position of a row in an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position<'a> {
    key: Option<SortKey<'a>>,
    id: Cow<'a, str>,
}

impl<'a> Position<'a> {
    /// Returns the position of a row with an ID. `key` is the value of the field to sort by.
    #[must_use]
    pub const fn new(key: Option<SortKey<'a>>, id: &'a str) -> Self {
        Self {
            key,
            id: Cow::Borrowed(id),
        }
    }
}

impl Position<'_> {
    /// Returns the position with texts of its own.
    #[must_use]
    pub fn into_owned(self) -> Position<'static> {
        Position {
            key: self.key.map(|key| match key {
                SortKey::Text(text) => SortKey::Text(text.into_owned().into()),
                SortKey::Time(time) => SortKey::Time(time),
            }),
            id: self.id.into_owned().into(),
        }
    }
}

impl<B> Sort<B> {
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

/// End of a page. It stays valid when rows are added or removed: the next page begins with the
/// next row in the order, so that no row is shown twice or skipped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor<B> {
    sort: Sort<B>,
    position: Position<'static>,
}

impl<B: Copy + PartialEq> Cursor<B> {
    /// Creates the cursor after a position in an order.
    #[must_use]
    pub fn new(sort: Sort<B>, position: &Position<'_>) -> Self {
        Self {
            sort,
            position: position.clone().into_owned(),
        }
    }

    /// Returns the position in an order. Fails if the cursor belongs to another order.
    pub fn position(&self, sort: Sort<B>) -> Result<&Position<'static>> {
        if sort == self.sort {
            Ok(&self.position)
        } else {
            Err(invalid_cursor())
        }
    }
}

/// Writes an opaque text in base64url.
impl<B: Serialize> fmt::Display for Cursor<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = (&self.sort.by, self.sort.descending, &self.position);
        let json = serde_json::to_vec(&parts).map_err(|_| fmt::Error)?;
        f.write_str(&BASE64_URL_SAFE_NO_PAD.encode(json))
    }
}

/// Fails with [`ErrorCode::InvalidCursor`].
impl<B: DeserializeOwned> FromStr for Cursor<B> {
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
pub enum PageStart<B> {
    /// The first row.
    #[default]
    First,
    /// The position after an earlier page.
    After(Cursor<B>),
    /// Approximately the row with this number, counted from 0. Used when a scroll bar was moved.
    /// The following pages use cursors.
    Row(u64),
}
