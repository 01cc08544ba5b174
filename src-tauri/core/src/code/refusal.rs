use std::fmt;

use serde::Serialize;

use crate::code::Algorithm;

/// Why a code by itself is refused, whatever the directory holds.
///
/// The order of the variants is the order in which a code is judged.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CodeRefusal {
    /// Not a JWT, too long, or with something inside that two readers could read differently.
    MalformedCode {
        /// What is wrong, as a sentence.
        reason: String,
    },
    /// The header names another algorithm than the instance's own; the header never chooses.
    UnsupportedAlgorithm {
        /// The header's `alg`, cut to 40 characters.
        found: String,
        /// The instance's.
        pinned: Algorithm,
    },
    /// Signed with another secret, or changed since.
    BadSignature,
    /// `exp` has passed, leeway included.
    Expired {
        /// When, in Unix seconds.
        at: i64,
    },
    /// `nbf` has not come, leeway included.
    NotYetValid {
        /// When it will, in Unix seconds.
        at: i64,
    },
    /// There is no `exp`, and the instance requires one.
    ExpiryRequired,
    /// A member breaks a rule.
    InvalidPayload {
        /// Which: `user.id`, `exp`.
        member: String,
        /// Why, as a sentence.
        reason: String,
    },
    /// `user` stands beside a top-level `id` or `email`: two users could be meant.
    AmbiguousPayload {
        /// The member beside `user`.
        member: &'static str,
    },
}

impl CodeRefusal {
    pub(crate) fn malformed(reason: impl Into<String>) -> Self {
        Self::MalformedCode {
            reason: reason.into(),
        }
    }

    pub(crate) fn member(member: impl Into<String>, reason: impl Into<String>) -> Self {
        Self::InvalidPayload {
            member: member.into(),
            reason: reason.into(),
        }
    }

    /// The stable code of the verdict.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::MalformedCode { .. } => "malformed_code",
            Self::UnsupportedAlgorithm { .. } => "unsupported_algorithm",
            Self::BadSignature => "bad_signature",
            Self::Expired { .. } => "expired",
            Self::NotYetValid { .. } => "not_yet_valid",
            Self::ExpiryRequired => "expiry_required",
            Self::InvalidPayload { .. } => "invalid_payload",
            Self::AmbiguousPayload { .. } => "ambiguous_payload",
        }
    }

    /// In a few words.
    #[must_use]
    pub const fn title(&self) -> &'static str {
        match self {
            Self::MalformedCode { .. } => "not a well-formed code",
            Self::UnsupportedAlgorithm { .. } => "another algorithm",
            Self::BadSignature => "the signature does not match",
            Self::Expired { .. } => "expired",
            Self::NotYetValid { .. } => "not valid yet",
            Self::ExpiryRequired => "an expiry is required",
            Self::InvalidPayload { .. } => "invalid payload",
            Self::AmbiguousPayload { .. } => "it may name two people",
        }
    }

    /// The member that it is about, if it is about one.
    #[must_use]
    pub fn member_name(&self) -> Option<&str> {
        match self {
            Self::UnsupportedAlgorithm { .. } => Some("alg"),
            Self::Expired { .. } | Self::ExpiryRequired => Some("exp"),
            Self::NotYetValid { .. } => Some("nbf"),
            Self::InvalidPayload { member, .. } => Some(member),
            Self::AmbiguousPayload { member } => Some(member),
            Self::MalformedCode { .. } | Self::BadSignature => None,
        }
    }
}

/// The sentence for the administrator: what is wrong, and what to do.
impl fmt::Display for CodeRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MalformedCode { reason } => write!(f, "This is not a well-formed code: {reason}"),
            Self::UnsupportedAlgorithm { found, pinned } => write!(
                f,
                "The code is signed with {found}; this instance takes {pinned} only. Sign it with {pinned}."
            ),
            Self::BadSignature => f.write_str(
                "The signature does not match: the code was signed with another secret, or changed afterwards. \
                 Compare the secret of the instance with the one of whoever made the code.",
            ),
            Self::Expired { at } => write!(
                f,
                "The code expired at {}. Make a new link.",
                crate::time::exact(*at)
            ),
            Self::NotYetValid { at } => write!(
                f,
                "The code is not valid before {}. Wait, or make a new link.",
                crate::time::exact(*at)
            ),
            Self::ExpiryRequired => f.write_str(
                "The code never expires, and this instance requires an expiry. Make a link with one, or change the policy.",
            ),
            Self::InvalidPayload { member, reason } => write!(f, "'{member}' is refused: {reason}"),
            Self::AmbiguousPayload { member } => write!(
                f,
                "The payload has both 'user' and a top-level '{member}', which may name two people. Leave one out."
            ),
        }
    }
}

impl std::error::Error for CodeRefusal {}

/// `{ code, message, field }`, as every error.
impl Serialize for CodeRefusal {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let mut members = serializer.serialize_struct("CodeRefusal", 3)?;
        members.serialize_field("code", self.code())?;
        members.serialize_field("message", &self.to_string())?;
        members.serialize_field("field", &self.member_name())?;
        members.end()
    }
}
