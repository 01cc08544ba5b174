//! Why a code by itself is refused, without any text of the code, for records and logs.

use std::fmt;

use serde::{Deserialize, Serialize};

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

    /// Returns the name of the part that the fixed words omit, because it would quote the code.
    const fn left_out(self) -> Option<&'static str> {
        match self {
            Self::MalformedCode | Self::AmbiguousPayload => Some("why"),
            Self::UnsupportedAlgorithm => Some("which"),
            Self::InvalidPayload => Some("which, and why"),
            _ => None,
        }
    }

    /// Describes the fault without quoting the code.
    pub(super) const fn fixed_words(self) -> &'static str {
        match self {
            Self::MalformedCode => "What was opened is not a well-formed code.",
            Self::UnsupportedAlgorithm => {
                "The code is signed with another algorithm than the instance's own."
            }
            Self::WrongType => {
                "The header's 'typ' says that this is another kind of token. It must be 'JWT' or left out."
            }
            Self::WrongAudience => {
                "'aud' names another application than this instance. Leave it out, or add what it names to the audiences of the instance."
            }
            Self::BadSignature => {
                "The signature does not match: the code was signed with another secret, or changed afterwards. \
                 Compare the secret of the instance with the one of whoever made the code."
            }
            Self::Expired => "The code has expired. Make a new link.",
            Self::NotYetValid => "The code is not valid yet. Wait, or make a new link.",
            Self::ExpiryRequired => {
                "The code never expires, and this instance requires an expiry. Make a link with one, or change the policy."
            }
            Self::InvalidPayload => "A member of the payload is refused.",
            Self::AmbiguousPayload => "The payload may name two people.",
        }
    }
}

/// Writes the sentence for records and logs, in fixed words: what is wrong, and what to do.
impl fmt::Display for CodeFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.fixed_words())?;
        match self.left_out() {
            Some(left_out) => write!(f, " Inspect the link to see {left_out}."),
            None => Ok(()),
        }
    }
}
