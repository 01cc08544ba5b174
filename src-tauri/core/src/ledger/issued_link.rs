//! A link in the ledger.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::terms::LinkTerms;
use crate::activity::Actor;
use crate::last_field::last_field;
use crate::protocol::user_id::UserId;
use crate::protocol::uses::Uses;
use crate::session::{BrowserKey, LinkUse, REPEAT_SECS};

/// Maximum number of recorded ways in which one link was given out. Further ways are not recorded.
const MAX_GIVEN: usize = 16;

/// Maximum number of uses that the same browser may still repeat.
const MAX_RECENT: usize = 32;

/// Way in which a link was given out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum GivenAs {
    /// As a URL.
    Link,
    /// As a code.
    Code,
    /// As a picture of a QR code.
    QrCode,
    /// As a widget tag.
    Widget,
    /// In a message.
    Message,
    /// In a file.
    File,
}

impl GivenAs {
    /// Returns the stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Link => "link",
            Self::Code => "code",
            Self::QrCode => "qr_code",
            Self::Widget => "widget",
            Self::Message => "message",
            Self::File => "file",
        }
    }

    /// Returns the way in words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Link => "as a link",
            Self::Code => "as a code",
            Self::QrCode => "as a QR code",
            Self::Widget => "as a widget",
            Self::Message => "as a message",
            Self::File => "as a file",
        }
    }
}

/// One time that a link was given out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct GivenOut {
    /// Way.
    pub given: GivenAs,
    /// Time, in Unix seconds.
    pub at: i64,
    /// Actor.
    pub by: Actor,
}

/// How a link came into the ledger. The order is part of the stored format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum LinkOrigin {
    /// Latchkey has given it out.
    Taken,
    /// Latchkey has shown it, and somebody has scanned it from the screen.
    Scanned,
    /// Another system has made the code.
    Foreign,
}

impl LinkOrigin {
    /// Returns the stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Scanned => "scanned",
            Self::Foreign => "foreign",
        }
    }
}

/// A sign-in by a link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Use {
    /// Time, in Unix seconds.
    pub at: i64,
    /// Address of the visitor.
    #[schema(required, value_type = Option<String>)]
    pub address: Option<IpAddr>,
    /// Name of the browser (`User-Agent`). It is unverified text.
    #[schema(required)]
    pub browser: Option<String>,
}

/// An issued link. It has neither the code nor the payload. Times are in Unix seconds.
///
/// The order of the fields is part of the stored format.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IssuedLink {
    /// ID: the `jti` of the code, or a [hash](crate::protocol::link_id::id_of_code) of it.
    pub id: String,
    /// User whom the link signs in. `None` for an address that nobody has.
    pub user: Option<UserId>,
    /// Address or ID in the payload. `None` after the user was removed, and for codes of others.
    pub subject: Option<String>,
    /// Display name in the payload or the directory when the link was given out.
    pub name: Option<String>,
    /// Note of the administrator.
    pub note: Option<String>,
    /// Origin of the link.
    pub origin: LinkOrigin,
    /// Times that it was given out, the earliest first.
    pub given: Vec<GivenOut>,
    /// ID of the signing key, if it is known.
    pub key: Option<String>,
    /// Time when it came into the ledger.
    pub entered_at: i64,
    /// `iat` of the code.
    pub issued_at: Option<i64>,
    /// `nbf` of the code.
    pub not_before: Option<i64>,
    /// `exp` of the code.
    pub expires_at: Option<i64>,
    /// Number of sign-ins for which it works.
    pub uses: Uses,
    /// Number of sign-ins so far.
    pub used: u64,
    /// First sign-in.
    pub first_use: Option<Use>,
    /// Last sign-in.
    pub last_use: Option<Use>,
    /// Time when it was revoked by itself.
    pub revoked_at: Option<i64>,
    /// Whether sessions that it began ended with that.
    pub revoked_ends_sessions: bool,
    /// Number of the change that gave it out, or of the first sign-in by a link that was scanned
    /// from the screen, by which its order among others is known. `None` for a link that Latchkey
    /// has not made.
    pub taken_in: Option<u64>,
    /// Uses that the same browser may still repeat.
    pub recent: Vec<LinkUse>,
    /// Whether it also has a short link.
    #[serde(default, deserialize_with = "last_field")]
    pub has_short: bool,
}

impl IssuedLink {
    /// Returns the record of a link that is not known.
    #[must_use]
    pub fn new(id: String, origin: LinkOrigin, entered_at: i64) -> Self {
        Self {
            id,
            user: None,
            subject: None,
            name: None,
            note: None,
            origin,
            given: Vec::new(),
            key: None,
            entered_at,
            issued_at: None,
            not_before: None,
            expires_at: None,
            uses: Uses::UNLIMITED,
            used: 0,
            first_use: None,
            last_use: None,
            revoked_at: None,
            revoked_ends_sessions: false,
            taken_in: None,
            recent: Vec::new(),
            has_short: false,
        }
    }

    /// Returns the fields that decide what became of the link.
    #[must_use]
    pub fn terms(&self) -> LinkTerms<'_> {
        LinkTerms {
            key: self.key.as_deref(),
            issued_at: self.issued_at,
            expires_at: self.expires_at,
            uses: self.uses,
            used: self.used,
            last_use: self.last_use.as_ref().map(|last| last.at),
            revoked_at: self.revoked_at,
            revoked_ends_sessions: self.revoked_ends_sessions,
            taken_in: self.taken_in,
            has_short: self.has_short,
        }
    }

    /// Returns whether the link is for another person than a code with its ID, which another system
    /// may have made. `subject` is the ID or the address in the code, and `user` the user whom it
    /// names. A link of which only the revocation is known is for any person.
    #[must_use]
    pub fn is_for_another(&self, subject: &str, user: Option<&UserId>) -> bool {
        if self.subject.as_deref() == Some(subject) {
            return false;
        }
        match &self.user {
            Some(known) => user.is_some_and(|user| user != known),
            None => self.subject.is_some() && user.is_some(),
        }
    }

    /// Notes that the link was given out.
    pub fn give_out(&mut self, given: GivenOut) {
        if self.given.len() < MAX_GIVEN {
            self.given.push(given);
        }
    }

    /// Returns the use that a browser may repeat at a time, so that it is no second use.
    #[must_use]
    pub fn repeatable_use(&self, browser: Option<BrowserKey>, now: i64) -> Option<LinkUse> {
        let mut recent = self.recent.iter();
        let found = recent.find(|used| used.may_be_repeated(browser, now));
        found.copied()
    }

    /// Notes a sign-in. `repeats` is the use that it repeats.
    pub fn sign_in(&mut self, new: Use, used: LinkUse, repeats: Option<LinkUse>) {
        let now = new.at;
        if repeats.is_none() || !self.uses.is_limited() {
            self.used = self.used.saturating_add(1);
            self.first_use.get_or_insert_with(|| new.clone());
            self.last_use = Some(new);
        }
        if !self.uses.is_limited() {
            return;
        }
        self.recent.retain(|old| {
            let age = now.saturating_sub(old.at);
            Some(*old) != repeats && (0..REPEAT_SECS).contains(&age)
        });
        if self.recent.len() >= MAX_RECENT {
            self.recent.remove(0);
        }
        // A repeated use keeps the first time.
        let at = repeats.map_or(used.at, |first| first.at);
        self.recent.push(LinkUse { at, ..used });
    }

    /// Removes what the ledger knows of a user who is removed, but for the ID, and the short link.
    pub fn forget_person(&mut self, user: &UserId) {
        // A link for an address may not have been used since the user has it.
        self.user.get_or_insert_with(|| user.clone());
        self.subject = None;
        self.name = None;
        self.note = None;
        self.has_short = false;
    }
}

/// State of a link in formats before 10. The order of the variants is part of these formats.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LinkRecord {
    /// The link was not used.
    #[default]
    Open,
    /// The link was used. The browser is unknown.
    Used,
    /// The administrator revoked the link.
    Revoked,
    /// The link was used. The value says by which browser.
    UsedBy(LinkUse),
}

impl LinkRecord {
    /// Returns the record of the link in the current format. Only links that work once were
    /// recorded as used, and the time of a revocation was not.
    #[must_use]
    pub fn into_link(self, id: String) -> IssuedLink {
        let mut link = IssuedLink::new(id, LinkOrigin::Foreign, 0);
        match self {
            Self::Open => {}
            Self::Used => {
                link.uses = Uses::ONCE;
                link.used = 1;
            }
            Self::Revoked => link.revoked_at = Some(0),
            Self::UsedBy(used) => {
                let sign_in = Use {
                    at: used.at,
                    address: None,
                    browser: None,
                };
                link.uses = Uses::ONCE;
                link.entered_at = used.at;
                link.sign_in(sign_in, used, None);
            }
        }
        link
    }
}
