//! Giving a link out, which enters it in the ledger.

use jiff::Timestamp;

use super::issued_link::GivenAs;
use super::new_link_request::RequestRef;
use crate::error::Warning;
use crate::link::short_code::ShortCodeHash;
use crate::protocol::claims::Claims;
use crate::{Error, ErrorCode, Result, time};

/// Maximum length of a note, in characters.
pub const MAX_NOTE_CHARS: usize = 200;

/// A link that is given out.
#[derive(Clone, Debug)]
pub struct TakenLink {
    /// Signed claims.
    pub claims: Claims,
    /// ID of the signing key.
    pub key: Option<String>,
    /// Way in which it is given out.
    pub given: GivenAs,
    /// Note of the administrator. `None` keeps an earlier note.
    pub note: Option<String>,
    /// Whether older links of the person stop working.
    pub supersedes: bool,
    /// Hash of the code of its short link. `None` keeps an earlier short link.
    pub short: Option<ShortCodeHash>,
    /// Request that the link grants. It must be open, and is closed with the entry of the link.
    pub grants: Option<RequestRef>,
}

impl TakenLink {
    /// Returns a link that is given out as a URL, without a note.
    #[must_use]
    pub const fn new(claims: Claims, key: Option<String>) -> Self {
        Self {
            claims,
            key,
            given: GivenAs::Link,
            note: None,
            supersedes: false,
            short: None,
            grants: None,
        }
    }

    /// Returns the warning about a link that replaces older ones before it works itself.
    #[must_use]
    pub fn replaces_early(&self, now: Timestamp) -> Option<Warning> {
        let works_from = self.claims.registered.not_before;
        let works_from = works_from.filter(|at| self.supersedes && *at > now.as_second());
        works_from.map(|at| {
            Warning::new(
                "replaces_early",
                format!(
                    "Older links of the person stop working now, and this one works only from {}. Until then the person has no link that works.",
                    time::exact(at)
                ),
            )
        })
    }
}

/// Parses a note. An empty text is no note.
///
/// Fails with [`ErrorCode::InvalidPayload`] about `field` for a text that is too long or has control
/// characters.
pub fn note(text: &str, field: &str) -> Result<Option<String>> {
    let text = text.trim();
    if text.chars().count() > MAX_NOTE_CHARS || text.chars().any(char::is_control) {
        let message = format!(
            "A note has at most {MAX_NOTE_CHARS} characters, on one line and without control characters such as a tab."
        );
        return Err(Error::new(ErrorCode::InvalidPayload, message).about(field));
    }
    Ok(Some(text.to_owned()).filter(|text| !text.is_empty()))
}

/// Returns the error for a link that is not in the ledger.
#[must_use]
pub fn unknown_link() -> Error {
    let message = "The ledger has no such link. Look its ID up in the list of links.";
    Error::new(ErrorCode::UnknownLink, message).about("id")
}

/// Returns the error for the ID of a link that is not in the ledger, so that nothing was revoked.
#[must_use]
pub fn not_revoked(id: &str) -> Error {
    let message = format!(
        "The ledger has no link with the ID '{id}', so nothing was revoked. Look the ID up in the list of links. The code of another system can be revoked before its first use, if the request allows unknown links."
    );
    Error::new(ErrorCode::UnknownLink, message).about("link")
}

/// Says in an error that a link was not given out because it could not be entered in the ledger, or
/// because it is not known whether it was entered.
#[must_use]
pub fn not_entered(mut refused: Error) -> Error {
    let what = if refused.is_in_doubt() {
        "The link was not given out. If it is in the list of links, it can be copied from there."
    } else {
        "The link was not given out, because it could not be entered in the list of links."
    };
    refused.message = format!("{what} {}", refused.message);
    refused
}
