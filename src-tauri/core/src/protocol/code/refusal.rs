//! Why a code by itself is refused, with values of the code for the screen of an administrator.

use std::fmt;

use serde::Serialize;

use crate::protocol::code::Algorithm;
use crate::protocol::code::fault::CodeFault;
use crate::protocol::code::quote::Quote;
use crate::protocol::code::sentences::Sentences;

/// Reason for refusing a code by itself, independent of the directory.
///
/// Anybody can write such a code, so its text must not reach a durable record, a log or a terminal.
/// `Display` and `Debug` use fixed words. Only [`shown`](Self::shown) quotes the code, on the
/// screen of an administrator who inspects it.
///
/// The variants are in the order in which a code is judged.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CodeRefusal {
    /// The code is not a JWT, is too long, or has content that two programs could read differently.
    MalformedCode {
        /// Fault of the code, as a sentence.
        reason: Quote,
    },
    /// The header names another algorithm than that of the instance. The header never chooses.
    UnsupportedAlgorithm {
        /// Value of the header's `alg`, cut to 40 characters.
        found: Quote,
        /// Algorithm of the instance.
        pinned: Algorithm,
    },
    /// `typ` is present and not `JWT`, so this is another kind of token.
    WrongType,
    /// The code was signed with another secret or changed afterwards.
    BadSignature,
    /// `aud` names neither the instance's URL nor an audience that is set for it.
    WrongAudience {
        /// URL of the instance.
        expected: String,
    },
    /// `exp` has passed, leeway included.
    Expired {
        /// Value of `exp`, in Unix seconds.
        at: i64,
    },
    /// `nbf` or `iat` is in the future, leeway included.
    NotYetValid {
        /// Value of the member, in Unix seconds.
        at: i64,
        /// Name of the member: `nbf` or `iat`.
        member: &'static str,
        /// Whether the code expires before that time, so that it never becomes valid.
        never: bool,
    },
    /// There is no `exp`, and the instance requires one.
    ExpiryRequired,
    /// A member breaks a rule.
    InvalidPayload {
        /// Name of the member, such as `user.id` or `exp`.
        member: Quote,
        /// Fault of the member, as a sentence.
        reason: Quote,
    },
    /// `user` is beside a top-level `id` or `email`, so the payload could mean two users.
    AmbiguousPayload {
        /// Name of the member beside `user`.
        member: &'static str,
    },
}

impl CodeRefusal {
    pub(crate) fn malformed(reason: impl Into<String>) -> Self {
        Self::MalformedCode {
            reason: Quote::new(reason),
        }
    }

    pub(crate) fn member(member: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::InvalidPayload {
            member: Quote::new(member),
            reason: Quote::new(reason),
        }
    }

    /// Returns the fault without any text of the code.
    #[must_use]
    pub const fn fault(&self) -> CodeFault {
        match self {
            Self::MalformedCode { .. } => CodeFault::MalformedCode,
            Self::UnsupportedAlgorithm { .. } => CodeFault::UnsupportedAlgorithm,
            Self::WrongType => CodeFault::WrongType,
            Self::BadSignature => CodeFault::BadSignature,
            Self::WrongAudience { .. } => CodeFault::WrongAudience,
            Self::Expired { .. } => CodeFault::Expired,
            Self::NotYetValid { .. } => CodeFault::NotYetValid,
            Self::ExpiryRequired => CodeFault::ExpiryRequired,
            Self::InvalidPayload { .. } => CodeFault::InvalidPayload,
            Self::AmbiguousPayload { .. } => CodeFault::AmbiguousPayload,
        }
    }

    /// Returns the stable code of the verdict.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        self.fault().code()
    }

    /// Returns a title of a few words.
    #[must_use]
    pub const fn title(&self) -> &'static str {
        self.fault().title()
    }

    /// Returns the name of the member at fault, if there is one.
    #[must_use]
    pub fn member_name(&self) -> Option<&str> {
        match self {
            Self::UnsupportedAlgorithm { .. } => Some("alg"),
            Self::Expired { .. } | Self::ExpiryRequired => Some("exp"),
            Self::WrongType => Some("typ"),
            Self::WrongAudience { .. } => Some("aud"),
            Self::InvalidPayload { member, .. } => Some(member.expose()),
            Self::NotYetValid { member, .. } | Self::AmbiguousPayload { member } => Some(member),
            Self::MalformedCode { .. } | Self::BadSignature => None,
        }
    }
}

impl CodeRefusal {
    /// Returns the text for the administrator who inspects the code: what is wrong, and what to do.
    /// It may quote the code.
    #[must_use]
    pub fn shown(&self) -> String {
        self.shown_sentences().to_string()
    }

    /// Returns the sentences of [`shown`](Self::shown).
    pub(crate) fn shown_sentences(&self) -> Sentences {
        match self {
            Self::MalformedCode { reason } => {
                let reason = capitalized(reason.expose());
                Sentences::new("This is not a well-formed code.", reason)
            }
            Self::UnsupportedAlgorithm { found, pinned } => Sentences::new(
                "",
                format!(
                    "The code is signed with {}; this instance takes {pinned} only. Sign it with {pinned}.",
                    found.expose()
                ),
            ),
            Self::Expired { at } => Sentences::new(
                "",
                format!(
                    "The code expired at {}. Make a new link.",
                    crate::time::exact(*at)
                ),
            ),
            Self::NotYetValid {
                at, member: "iat", ..
            } => Sentences::new(
                "",
                format!(
                    "The code says that it was issued at {}, which has not come. Compare the clock of whoever made it with this one.",
                    crate::time::exact(*at)
                ),
            ),
            Self::NotYetValid {
                at, never: true, ..
            } => Sentences::new(
                "",
                format!(
                    "The code is not valid before {}, and expires before that. It never works: make a new link.",
                    crate::time::exact(*at)
                ),
            ),
            Self::NotYetValid { at, .. } => Sentences::new(
                "",
                format!(
                    "The code is not valid before {}. Wait, or make a new link.",
                    crate::time::exact(*at)
                ),
            ),
            Self::WrongAudience { expected } => Sentences::new(
                "The code is meant for another application.",
                format!(
                    "'aud' does not name this instance, {expected}. Leave it out, or add what it names to the audiences of the instance."
                ),
            ),
            Self::InvalidPayload { member, reason } => Sentences::new(
                "",
                format!("'{}' is refused: {}", member.expose(), reason.expose()),
            ),
            Self::AmbiguousPayload { member } => Sentences::new(
                "The payload may name two people.",
                format!("It has both 'user' and a top-level '{member}'. Leave one out."),
            ),
            Self::WrongType | Self::BadSignature | Self::ExpiryRequired => self.fault().sentences(),
        }
    }

    /// Returns the text for a program that inspects a code which no key of the instance has signed.
    /// It does not quote the code.
    #[must_use]
    pub fn without_quotes(&self) -> String {
        let sentences = self.fault().fixed_words();
        let sentences = match self {
            Self::MalformedCode { .. } => {
                sentences.and("Nothing of it is quoted, because its signature does not verify.")
            }
            Self::UnsupportedAlgorithm { pinned, .. } => sentences.and(&format!(
                "It takes {pinned} only. Sign the code with {pinned}."
            )),
            _ => sentences,
        };
        sentences.to_string()
    }
}

/// Returns a sentence with a capital at its beginning.
fn capitalized(sentence: &str) -> String {
    let mut characters = sentence.chars();
    let first = characters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(characters).collect()
}

/// Writes the sentence for records and logs, in fixed words: what is wrong, and what to do.
impl fmt::Display for CodeRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fault().fmt(f)
    }
}

impl std::error::Error for CodeRefusal {}

/// Serializes as `{ code, message, field }` like every error, for the person who inspects the code.
impl Serialize for CodeRefusal {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let mut members = serializer.serialize_struct("CodeRefusal", 3)?;
        members.serialize_field("code", self.code())?;
        members.serialize_field("message", &self.shown())?;
        members.serialize_field("field", &self.member_name())?;
        members.end()
    }
}
