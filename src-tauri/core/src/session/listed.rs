//! The list of a user's sessions, as people see it.

use std::cmp::Reverse;
use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use utoipa::ToSchema;

use super::browser_name::browser_name;
use super::handle::SessionHandle;
use super::id::SessionKey;
use super::record::{SEEN_SECS, Session, SessionScope};
use super::rules::SessionRules;
use crate::directory::User;
use crate::instance::Policy;
use crate::protocol::user_id::UserId;
use crate::time;
use crate::{Error, ErrorCode};

/// Sessions to list.
#[derive(Clone, Debug)]
pub struct SessionQuery {
    /// User whose sessions are listed.
    pub user: UserId,
    /// Policy of the instance.
    pub policy: Policy,
    /// Rules of the instance for the length of sessions.
    pub rules: SessionRules,
    /// Position after which the page begins. `None` for the first page.
    pub after: Option<SessionCursor>,
    /// Maximum number of sessions.
    pub limit: usize,
}

/// A session in which a user is signed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UserSession {
    /// Name of the session among those of its user. It cannot be used to sign in.
    pub id: SessionHandle,
    /// Short name of the browser, such as `iPhone, Safari`.
    #[schema(required)]
    pub browser: Option<String>,
    /// Name of the browser as the browser sent it (`User-Agent`). It is unverified text.
    #[schema(required)]
    pub user_agent: Option<String>,
    /// Address from which the link was opened.
    #[schema(required, value_type = Option<String>)]
    pub address: Option<IpAddr>,
    /// Time when the session began.
    #[serde(with = "time::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub created_at: i64,
    /// Time of the last use. It is written at most every 5 minutes.
    #[serde(with = "time::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub last_seen: i64,
    /// Time when the session ends unless it is used again. With an idle time-out, it counts from the
    /// latest use that may not be written yet.
    #[serde(with = "time::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub ends_at: i64,
    /// Scope in which the session is valid.
    pub scope: SessionScope,
    /// ID of the link that began the session: the `jti` of its code, or a hash of it (`sha256-…`).
    #[schema(required)]
    pub link: Option<String>,
}

/// A page of a user's sessions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SessionPage {
    /// The sessions, the latest first.
    pub sessions: Vec<UserSession>,
    /// Number of all sessions in which the user is signed in.
    pub total: u64,
    /// Beginning of the next page, if there is one.
    #[schema(required, value_type = Option<String>)]
    pub next: Option<SessionCursor>,
}

/// Position in a list of sessions: the session before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SessionCursor {
    created_at: Reverse<i64>,
    id: SessionHandle,
}

impl SessionQuery {
    /// Returns the page of those `sessions` in which the user is signed in now.
    #[must_use]
    pub fn page(
        &self,
        user: &User,
        sessions: impl IntoIterator<Item = (SessionKey, Session)>,
        now: Timestamp,
    ) -> SessionPage {
        let mut working: Vec<UserSession> = sessions
            .into_iter()
            .filter_map(|(key, session)| {
                let ends_at = self.end_if_good(&session, user, now)?;
                Some(UserSession::listed(key, session, ends_at))
            })
            .collect();
        working.sort_by_key(UserSession::position);
        let total = working.len().try_into().unwrap_or(u64::MAX);
        let mut rest = working
            .into_iter()
            .filter(|session| self.after.is_none_or(|after| session.position() > after));
        let sessions: Vec<UserSession> = rest.by_ref().take(self.limit).collect();
        let has_more = rest.next().is_some();
        let last = sessions.last().map(UserSession::position);
        SessionPage {
            sessions,
            total,
            next: last.filter(|_| has_more),
        }
    }

    /// Returns the time when a session ends unless it is used again, in Unix seconds. `None` if it
    /// does not work. With an idle time-out, its last use may be up to [`SEEN_SECS`] later than the
    /// recorded one.
    fn end_if_good(&self, session: &Session, user: &User, now: Timestamp) -> Option<i64> {
        let latest = session.last_seen.saturating_add(SEEN_SECS);
        let session = Session {
            last_seen: session.last_seen.max(latest.min(now.as_second())),
            ..session.clone()
        };
        let is_good = session.is_good(user, self.policy, self.rules, now);
        is_good.then(|| self.rules.ends_at(&session))
    }
}

impl UserSession {
    fn listed(key: SessionKey, session: Session, ends_at: i64) -> Self {
        Self {
            id: key.handle(),
            browser: session.browser.as_deref().and_then(browser_name),
            ends_at,
            user_agent: session.browser,
            address: session.address,
            created_at: session.created_at,
            last_seen: session.last_seen,
            scope: session.place,
            link: session.link,
        }
    }

    fn position(&self) -> SessionCursor {
        SessionCursor {
            created_at: Reverse(self.created_at),
            id: self.id,
        }
    }
}

impl fmt::Display for SessionCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.created_at.0, self.id)
    }
}

/// Fails with [`ErrorCode::InvalidCursor`].
impl FromStr for SessionCursor {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let parts = text.split_once('.').and_then(|(created_at, id)| {
            Some(Self {
                created_at: Reverse(created_at.parse().ok()?),
                id: id.parse().ok()?,
            })
        });
        parts.ok_or_else(|| {
            let message =
                "This position does not belong to a list of sessions. Begin with the first page.";
            Error::new(ErrorCode::InvalidCursor, message).about("after")
        })
    }
}

impl Serialize for SessionCursor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SessionCursor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse()
            .map_err(|_| de::Error::custom("it is not a position in a list of sessions"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_read_as_it_was_written() {
        let cursor = SessionCursor {
            created_at: Reverse(1_800_000_000),
            id: SessionKey::from_bytes(&[7; 40]).unwrap().handle(),
        };
        assert_eq!(cursor.to_string().parse::<SessionCursor>().unwrap(), cursor);
        for no_cursor in ["", "x", "1", "1.", ".3f09c2a1b4d7", "1.3f09"] {
            let refused = no_cursor.parse::<SessionCursor>().unwrap_err();
            assert_eq!(refused.code, ErrorCode::InvalidCursor);
        }
    }
}
