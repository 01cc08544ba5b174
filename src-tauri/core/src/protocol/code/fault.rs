//! Why a code by itself is refused, without any text of the code, for records and logs.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::sentences::Sentences;

/// Fault of a code by itself, without any text of the code. Records and logs have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the variants of CodeRefusal")]
pub enum CodeFault {
    MalformedCode,
    UnsupportedAlgorithm,
    WrongType,
    BadSignature,
    WrongAudience,
    Expired,
    NotYetValid,
    ExpiryRequired,
    InvalidPayload,
    AmbiguousPayload,
}

impl CodeFault {
    /// Returns the stable code of the verdict.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::MalformedCode => "malformed_code",
            Self::UnsupportedAlgorithm => "unsupported_algorithm",
            Self::WrongType => "wrong_type",
            Self::BadSignature => "bad_signature",
            Self::WrongAudience => "wrong_audience",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::ExpiryRequired => "expiry_required",
            Self::InvalidPayload => "invalid_payload",
            Self::AmbiguousPayload => "ambiguous_payload",
        }
    }

    /// Returns a title of a few words.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::MalformedCode => "not a well-formed code",
            Self::UnsupportedAlgorithm => "another algorithm",
            Self::WrongType => "another kind of token",
            Self::BadSignature => "the signature does not match",
            Self::WrongAudience => "meant for another application",
            Self::Expired => "expired",
            Self::NotYetValid => "not valid yet",
            Self::ExpiryRequired => "an expiry is required",
            Self::InvalidPayload => "invalid payload",
            Self::AmbiguousPayload => "it may name two people",
        }
    }

    /// Returns what to find out by inspecting the link, because the fixed words would quote the code.
    const fn to_inspect(self) -> Option<&'static str> {
        match self {
            Self::MalformedCode | Self::AmbiguousPayload => Some("Inspect the link to see why."),
            Self::UnsupportedAlgorithm => Some("Inspect the link to see which."),
            Self::InvalidPayload => Some("Inspect the link to see which member, and why."),
            _ => None,
        }
    }

    /// Describes the fault in fixed words, which do not quote the code.
    pub(super) fn fixed_words(self) -> Sentences {
        let (fact, detail) = match self {
            Self::MalformedCode => ("What was opened is not a well-formed code.", ""),
            Self::UnsupportedAlgorithm => (
                "The code is signed with another algorithm than the instance's own.",
                "",
            ),
            Self::WrongType => (
                "This is another kind of token.",
                "The header's 'typ' must be 'JWT' or left out.",
            ),
            Self::WrongAudience => (
                "The code is meant for another application.",
                "'aud' does not name this instance. Leave it out, or add what it names to the audiences of the instance.",
            ),
            Self::BadSignature => (
                "The signature does not match.",
                "The code was signed with another secret, or changed afterwards. \
                 Compare the secret of the instance with the one of whoever made the code.",
            ),
            Self::Expired => ("The code has expired.", "Make a new link."),
            Self::NotYetValid => ("The code is not valid yet.", "Wait, or make a new link."),
            Self::ExpiryRequired => (
                "An expiry is required.",
                "The code never expires. Make a link that expires, or change the policy.",
            ),
            Self::InvalidPayload => ("The payload is invalid.", ""),
            Self::AmbiguousPayload => ("The payload may name two people.", ""),
        };
        Sentences::new(fact, detail)
    }

    /// Returns the sentences for records and logs, in fixed words.
    pub(crate) fn sentences(self) -> Sentences {
        let sentences = self.fixed_words();
        match self.to_inspect() {
            Some(inspect) => sentences.and(inspect),
            None => sentences,
        }
    }
}

/// Writes the sentences for records and logs, in fixed words: what is wrong, and what to do.
impl fmt::Display for CodeFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.sentences().fmt(f)
    }
}
