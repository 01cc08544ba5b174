//! Links that depend on a signing key.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::directory::Directory;
use crate::ledger::{LinkPageStart, LinkQuery, LinkSort, LinkSortBy};
use crate::{Result, time};

/// Links in the ledger that work now and that a signing key has signed. They stop when the key
/// retires.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct KeyLinks {
    /// Number of links.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub count: u64,
    /// Whether some of them never expire.
    pub some_never_expire: bool,
    /// Time when the last of the others expires. Null if there are no others.
    #[serde(with = "time::rfc3339_if_any")]
    #[schema(required, value_type = Option<String>, format = DateTime)]
    #[cfg_attr(feature = "ts", ts(type = "string | null"))]
    pub last_expires_at: Option<i64>,
}

impl KeyLinks {
    /// Counts the links of a key.
    pub async fn of(directory: &dyn Directory, key: &str, now: Timestamp) -> Result<Self> {
        let query = LinkQuery {
            works: Some(true),
            key: Some(key.to_owned()),
            now: now.as_second(),
            ..LinkQuery::default()
        };
        let sort = LinkSort {
            by: LinkSortBy::Expires,
            descending: true,
        };
        let first = LinkPageStart::First;
        let page = directory.links(&query, sort, &first, 1).await?;
        let Some(latest) = page.links.first() else {
            return Ok(Self::default());
        };
        // Links that never expire come last.
        let last = LinkPageStart::Row(page.total.saturating_sub(1));
        let last = directory.links(&query, sort, &last, 1).await?;
        let mut last = last.links.iter();
        Ok(Self {
            count: page.total,
            some_never_expire: last.any(|last| last.link.expires_at.is_none()),
            last_expires_at: latest.link.expires_at,
        })
    }

    /// Says how many links depend on the key and until when, such as `3 links, the last until
    /// 2026-12-24T12:00:00Z`.
    #[must_use]
    pub fn words(&self) -> String {
        let count = match self.count {
            0 => return "no link".to_owned(),
            1 => "1 link".to_owned(),
            count => format!("{count} links"),
        };
        match (self.some_never_expire, self.last_expires_at) {
            (true, _) => format!("{count}, and not all of them expire"),
            (false, Some(at)) => format!("{count}, the last until {}", time::exact(at)),
            (false, None) => count,
        }
    }
}
