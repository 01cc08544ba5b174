use std::fmt;
use std::net::IpAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::reference::Reference;
use crate::protocol::claims::Claims;
use crate::protocol::code::VerifiedCode;
use crate::protocol::user_id::UserId;
use crate::verdict::{Refusal, Verdict};
use crate::{Error, ErrorCode, Result};

/// Stable code of the event that an API key was refused.
pub(super) const API_KEY_REFUSED: &str = "api_key_refused";
/// Code of [`Event::link_made`].
pub const LINK_MADE: &str = "link_made";

/// Who does something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// A visitor who opens a link.
    Visitor,
    /// The administrator, in the window.
    Studio,
    /// The administrator, on the command line.
    CommandLine,
    /// Another system, by the name of its API key.
    ApiKey(String),
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Visitor => f.write_str("A visitor"),
            Self::Studio => f.write_str("Studio"),
            Self::CommandLine => f.write_str("The command line"),
            Self::ApiKey(name) => write!(f, "API key {name}"),
        }
    }
}

/// Who does something, when and from where: what is recorded beside the change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditContext {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: Actor,
    /// From where, if it came over a network.
    pub address: Option<IpAddr>,
    /// Reference on the error page of a visitor who is refused. The entry is found by it.
    pub reference: Option<Reference>,
}

impl AuditContext {
    /// Something that is done on this computer.
    #[must_use]
    pub const fn new(actor: Actor, at: Timestamp) -> Self {
        Self {
            at,
            actor,
            address: None,
            reference: None,
        }
    }
}

/// Kind of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[cfg_attr(feature = "ts", ts(rename = "ActivityKind"))]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Somebody signed in.
    SignIn,
    /// A code or an API key was refused.
    Refusal,
    /// An administrator changed something, or another system did with a key, or somebody signed out.
    Act,
}

impl std::str::FromStr for Kind {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "sign_in" => Ok(Self::SignIn),
            "refusal" => Ok(Self::Refusal),
            "act" => Ok(Self::Act),
            _ => Err(Error::new(
                ErrorCode::InvalidSetting,
                "What happened is a 'sign_in', a 'refusal' or an 'act'.",
            )
            .about("kind")),
        }
    }
}

/// An event of the activity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// The kind.
    pub kind: Kind,
    /// The stable code: that of the verdict, or of the act.
    pub code: String,
    /// In a few words.
    pub title: String,
    /// Why, and what to do about it, or what exactly.
    pub detail: Option<String>,
    /// The user: an id, or the address that a code named.
    pub subject: Option<String>,
    /// The code's `jti`.
    pub link: Option<String>,
}

impl Event {
    /// The verdict on a code. The event of a code that does not verify has fixed words and nothing of the
    /// code.
    #[must_use]
    pub fn verdict(verdict: &Verdict, code: Option<&VerifiedCode>) -> Self {
        let subject = verdict.user().map_or_else(
            || code.map(|code| code.payload.subject().to_owned()),
            |user| Some(user.as_str().to_owned()),
        );
        let (kind, title, detail) = match verdict {
            Verdict::SignedIn { .. } => (Kind::SignIn, "Signed in".to_owned(), None),
            Verdict::Provisioned { .. } => (Kind::SignIn, "Created by a link".to_owned(), None),
            Verdict::Refused(refusal) => refused(refusal),
        };
        Self {
            kind,
            code: verdict.code().to_owned(),
            title,
            detail,
            subject,
            link: code.and_then(|code| code.registered.id.clone()),
        }
    }

    /// The act of making a link and giving it out.
    #[must_use]
    pub fn link_made(claims: &Claims) -> Self {
        Self {
            subject: Some(claims.payload.subject().to_owned()),
            link: claims.registered.id.clone(),
            ..Self::act(LINK_MADE, "Link made")
        }
    }

    /// Something that an administrator did.
    #[must_use]
    pub fn act(code: &str, title: impl Into<String>) -> Self {
        Self {
            kind: Kind::Act,
            code: code.to_owned(),
            title: title.into(),
            detail: None,
            subject: None,
            link: None,
        }
    }

    /// A request without an API key, or with a key that the instance does not have.
    #[must_use]
    pub fn refused_api_key() -> Self {
        let detail = "The request had no API key of this instance. Compare the key with the one that was made for that system.";
        Self {
            kind: Kind::Refusal,
            ..Self::act(API_KEY_REFUSED, "Refused: no API key of this instance").with(detail)
        }
    }

    /// Adds the user.
    #[must_use]
    pub fn of(mut self, user: &UserId) -> Self {
        self.subject = Some(user.as_str().to_owned());
        self
    }

    /// Adds details.
    #[must_use]
    pub fn with(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }
}

fn refused(refusal: &Refusal) -> (Kind, String, Option<String>) {
    let title = format!("Refused: {}", refusal.title());
    (Kind::Refusal, title, Some(refusal.to_string()))
}

/// An act on the settings of an instance. They are kept apart from its directory, which another
/// program may hold: the act waits beside them until that program records it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutboxEntry {
    /// Number of the act. An act is recorded once.
    pub number: u64,
    /// When, in Unix seconds.
    pub at: i64,
    /// Who.
    pub actor: Actor,
    /// The event.
    pub event: Event,
}
