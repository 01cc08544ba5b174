use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::browser_key::BrowserKey;
use super::id::SessionKey;
use crate::protocol::user_id::UserId;

/// Maximum age of the recorded last use, in seconds. A later use is written when it is older.
pub const SEEN_SECS: i64 = 300;

/// Maximum length of a stored browser name, in bytes.
const MAX_BROWSER_BYTES: usize = 256;

/// Scope in which a session is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SessionScope {
    /// The gateway's own pages, and the applications behind it.
    Page,
    /// The frame of the widget in a page of another site.
    Frame,
}

/// A session in a directory. Times are in Unix seconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Session {
    /// User who is signed in.
    #[schema(value_type = String)]
    pub user: UserId,
    /// [`User::generation`](crate::directory::User::generation) when the session began.
    pub generation: u64,
    /// Scope in which the session is valid.
    pub place: SessionScope,
    /// ID of the link that began the session: the `jti` of its code, or a hash of it (`sha256-…`).
    #[schema(required)]
    pub link: Option<String>,
    /// Name of the browser (`User-Agent`). It is unverified text.
    #[schema(required)]
    pub browser: Option<String>,
    /// Address from which the link was opened.
    #[schema(required, value_type = Option<String>)]
    pub address: Option<IpAddr>,
    /// Time when the session began.
    pub created_at: i64,
    /// Time of the last use. It is written at most every [`SEEN_SECS`].
    pub last_seen: i64,
    /// Time when the code that began the session expires.
    #[schema(required)]
    pub code_expires_at: Option<i64>,
}

/// Session that begins if a code signs a user in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSession {
    /// Key of the session in the directory.
    pub key: SessionKey,
    /// Scope in which the session is valid.
    pub place: SessionScope,
    /// Name of the browser (`User-Agent`).
    pub browser: Option<String>,
    /// Key that identifies the browser, if it has one.
    pub browser_key: Option<BrowserKey>,
    /// Session of the same browser that the new one replaces and ends.
    pub replaces: Option<SessionKey>,
}

/// Returns the stored part of a browser's name: its beginning, without control characters.
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
