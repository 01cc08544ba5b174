use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::browser_key::BrowserKey;
use super::id::SessionKey;
use crate::protocol::user_id::UserId;

/// How old the recorded last use may become before it is written again, in seconds.
pub const SEEN_SECS: i64 = 300;

/// The longest text that is kept of a browser's name, in bytes.
const MAX_BROWSER_BYTES: usize = 256;

/// The place at which somebody is signed in. A session is valid at one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionScope {
    /// The gateway's own pages, and the applications behind it.
    Page,
    /// The widget's frame, in a page of another site.
    Frame,
}

/// A session, as a directory keeps it. Times are in Unix seconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    /// The user who is signed in.
    pub user: UserId,
    /// The user's [`User::generation`] when the session began.
    pub generation: u64,
    /// The place at which it is valid.
    pub place: SessionScope,
    /// The `jti` of the code that began it.
    pub link: Option<String>,
    /// The browser's own name (`User-Agent`). It is unverified text.
    pub browser: Option<String>,
    /// The address from which the link was opened.
    pub address: Option<IpAddr>,
    /// When it began.
    pub created_at: i64,
    /// When it was last used. Written at most every [`SEEN_SECS`].
    pub last_seen: i64,
    /// When the code that began it expires.
    pub code_expires_at: Option<i64>,
}

/// A session that begins if a code signs somebody in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSession {
    /// The key under which it is kept.
    pub key: SessionKey,
    /// The place at which it is valid.
    pub place: SessionScope,
    /// The browser's own name (`User-Agent`).
    pub browser: Option<String>,
    /// The key that tells the browser from others, if it has one.
    pub browser_key: Option<BrowserKey>,
    /// The session of the same browser that it replaces, which ends.
    pub replaces: Option<SessionKey>,
}

/// The beginning of a browser's name that is kept, without control characters.
#[must_use]
pub fn kept_browser(text: &str) -> Option<String> {
    let mut kept = String::new();
    for character in text.chars().filter(|character| !character.is_control()) {
        if kept.len() + character.len_utf8() > MAX_BROWSER_BYTES {
            break;
        }
        kept.push(character);
    }
    let kept = kept.trim();
    (!kept.is_empty()).then(|| kept.to_owned())
}
