//! A link of the ledger, as the window shows it.

use latchkey_core::ledger::{GivenAs, LinkOrigin, LinkStatus, ListedLink, Use};
use latchkey_core::session::browser_name;
use serde::Serialize;
use ts_rs::TS;

/// One time that a link was given out.
#[derive(Clone, Debug, Serialize, TS)]
pub struct GivenOut {
    /// Way.
    pub given: GivenAs,
    /// Time in Unix seconds.
    #[ts(type = "number")]
    pub at: i64,
    /// Actor in words: `in Studio`, `by the command line`, `by API key CRM`.
    pub by: String,
}

/// A sign-in by a link.
#[derive(Clone, Debug, Serialize, TS)]
pub struct LinkUse {
    /// Time in Unix seconds.
    #[ts(type = "number")]
    pub at: i64,
    /// Address of the visitor.
    pub address: Option<String>,
    /// Short name of the browser, such as `iPhone, Safari`.
    pub browser: Option<String>,
}

/// A link of the ledger. It differs from core's `IssuedLink`: it has its state, its times are in Unix
/// seconds, because the window words them, and actors are worded.
#[derive(Clone, Debug, Serialize, TS)]
pub struct IssuedLink {
    /// ID.
    pub id: String,
    /// State.
    pub status: LinkStatus,
    /// Time when it stopped working, in Unix seconds. Null if it works, or if the time is not known.
    #[ts(type = "number | null")]
    pub ended_at: Option<i64>,
    /// Whether sessions that it began ended with it.
    pub ends_sessions: bool,
    /// ID of the user whom it signs in. Null for an address that nobody has.
    pub user: Option<String>,
    /// Address or ID in the payload.
    pub subject: Option<String>,
    /// Display name when it was given out.
    pub name: Option<String>,
    /// Note of the administrator.
    pub note: Option<String>,
    /// Origin of the link.
    pub origin: LinkOrigin,
    /// Times that it was given out, the earliest first.
    pub given: Vec<GivenOut>,
    /// Time when it came into the ledger, in Unix seconds.
    #[ts(type = "number")]
    pub entered_at: i64,
    /// Time from which it works, in Unix seconds.
    #[ts(type = "number | null")]
    pub not_before: Option<i64>,
    /// Time until which it works, in Unix seconds.
    #[ts(type = "number | null")]
    pub expires_at: Option<i64>,
    /// Number of sign-ins for which it works. Null for no limit.
    #[ts(type = "number | null")]
    pub uses: Option<u64>,
    /// Number of sign-ins so far.
    #[ts(type = "number")]
    pub used: u64,
    /// First sign-in.
    pub first_use: Option<LinkUse>,
    /// Last sign-in.
    pub last_use: Option<LinkUse>,
    /// Whether it also has a short link.
    pub has_short: bool,
}

impl From<ListedLink> for IssuedLink {
    fn from(listed: ListedLink) -> Self {
        let ListedLink { link, standing } = listed;
        let given = link.given.into_iter().map(|given| GivenOut {
            given: given.given,
            at: given.at,
            by: given.by.after_verb(),
        });
        Self {
            id: link.id,
            status: standing.status,
            ended_at: standing.ended_at,
            ends_sessions: standing.ends_sessions,
            user: link.user.map(|user| user.as_str().to_owned()),
            subject: link.subject,
            name: link.name,
            note: link.note,
            origin: link.origin,
            given: given.collect(),
            entered_at: link.entered_at,
            not_before: link.not_before,
            expires_at: link.expires_at,
            uses: link.uses.limit(),
            used: link.used,
            first_use: link.first_use.map(Into::into),
            last_use: link.last_use.map(Into::into),
            has_short: link.has_short,
        }
    }
}

impl From<Use> for LinkUse {
    fn from(sign_in: Use) -> Self {
        Self {
            at: sign_in.at,
            address: sign_in.address.map(|address| address.to_string()),
            browser: sign_in.browser.as_deref().and_then(browser_name),
        }
    }
}
