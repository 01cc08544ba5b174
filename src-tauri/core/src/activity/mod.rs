//! The activity of an instance: who did what, when, with what outcome.
//!
//! A directory records each redemption, each refusal and each act of an administrator together with
//! what it changes: either both are on disk or neither is.

mod reference;
mod repeats;
mod retention;

use std::fmt;
use std::net::IpAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use reference::Reference;
pub use repeats::{Counted, Refusals, Repeats};
pub use retention::Retention;

use crate::protocol::claims::Claims;
use crate::protocol::code::VerifiedCode;
use crate::protocol::user_id::UserId;
use crate::verdict::{Refusal, Verdict};
use crate::{Error, ErrorCode, time};

/// Stable code of the event that an API key was refused.
const API_KEY_REFUSED: &str = "api_key_refused";
/// Code of [`Event::link_made`].
pub const LINK_MADE: &str = "link_made";

/// Who does something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// Whoever opens a link.
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
    /// What a visitor who is refused is shown, so that the entry is found by it.
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

/// What kind of thing happened.
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

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// What kind of thing.
    pub kind: Kind,
    /// The stable code: that of the verdict, or of the act.
    pub code: String,
    /// In a few words.
    pub title: String,
    /// Why, and what to do about it, or what exactly.
    pub detail: Option<String>,
    /// Whom it is about: an id, or the address that a code named.
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

    /// Whom it is about.
    #[must_use]
    pub fn of(mut self, user: &UserId) -> Self {
        self.subject = Some(user.as_str().to_owned());
        self
    }

    /// What exactly.
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
/// program may hold: the act waits beside them until whoever holds the directory records it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutboxEntry {
    /// They are numbered, so that each is recorded once.
    pub number: u64,
    /// When, in Unix seconds.
    pub at: i64,
    /// Who.
    pub actor: Actor,
    /// What.
    pub event: Event,
}

/// What is recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// It goes up with time.
    pub number: u64,
    /// When, in Unix seconds.
    #[serde(serialize_with = "time::rfc3339")]
    pub at: i64,
    /// Who.
    pub actor: Actor,
    /// From where.
    pub address: Option<IpAddr>,
    /// What the visitor was shown.
    pub reference: Option<Reference>,
    /// Number, time and references of the refusals, if the entry stands for several.
    pub repeats: Option<Repeats>,
    /// What.
    #[serde(flatten)]
    pub event: Event,
}

/// Which entries are looked for; all, by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ActivityQuery {
    /// Those of a kind.
    pub kind: Option<Kind>,
    /// Those about somebody, by the whole id or e-mail address. Entries that named a user by e-mail are
    /// found by the user's id, too.
    pub subject: Option<String>,
    /// Those in which a text stands, in whatever case: whom it is about, the reference, the stable
    /// code, the address, the name of an API key.
    pub text: String,
}

impl ActivityQuery {
    /// Whether an entry that is about the subject, if there is one, is looked for.
    #[must_use]
    pub fn matches(&self, entry: &Entry) -> bool {
        self.kind.is_none_or(|kind| kind == entry.event.kind) && self.has_text(entry)
    }

    fn has_text(&self, entry: &Entry) -> bool {
        let text = self.text.trim().to_lowercase();
        if text.is_empty() {
            return true;
        }
        let has = |part: &str| part.to_lowercase().contains(&text);
        let event = &entry.event;
        let named = [
            event.subject.as_deref(),
            event.link.as_deref(),
            entry.reference.as_ref().map(Reference::as_str),
        ];
        let repeats = entry.repeats.iter();
        let mut references = repeats.flat_map(|repeats| &repeats.references);
        // The detail of a counted entry names the reasons.
        let reasons = event.detail.as_deref().filter(|_| entry.repeats.is_some());
        named.into_iter().chain([reasons]).flatten().any(has)
            || references.any(|reference| has(reference.as_str()))
            || has(&event.code)
            || has(&event.title)
            || entry
                .address
                .is_some_and(|address| has(&address.to_string()))
            || matches!(&entry.actor, Actor::ApiKey(name) if has(name))
    }
}

/// A part of the activity, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ActivityPage {
    /// The entries. There may be fewer than were asked for, and more further on.
    pub entries: Vec<Entry>,
    /// Entries before this number have not been looked at; all have, if `None`.
    pub before: Option<u64>,
}
