//! The external auth code: a JWT (RFC 7519) in JWS compact serialization (RFC 7515), signed by HMAC
//! only.
//!
//! | what | module |
//! |---|---|
//! | making a code | [`sign()`] |
//! | judging a code by signature, times and audience | [`verify()`] |
//! | reading a code that may have expired, to ask for another link | [`read_askable`] |
//! | finding a code in pasted text | [`recognize`], `layers`, `words`, [`trim()`] |
//! | reading a code without verifying it | [`unverified`] |
//! | why a code is refused | [`CodeRefusal`] for the screen, [`CodeFault`] for records and logs |
//!
//! No code is logged or recorded, because of its types. [`ExternalAuthCode`] has no `Display`, and its
//! `Debug` prints `[redacted]`. Text of a code that does not verify is a [`Quote`], which has no
//! `Display` either. A [`CodeRefusal`] prints only the fixed words of its [`CodeFault`].

mod algorithm;
mod askable;
mod fault;
mod found;
pub(crate) mod hmac;
pub(crate) mod invisible;
pub(crate) mod layers;
mod lenient;
mod quote;
pub mod recognize;
mod refusal;
mod sentences;
mod sign;
mod trim;
pub mod unverified;
mod verify;
mod words;

use std::fmt;

pub use algorithm::Algorithm;
pub(crate) use askable::read_askable_kept;
pub use askable::{AskableCode, read_askable};
pub use fault::CodeFault;
pub use quote::Quote;
pub use refusal::CodeRefusal;
pub(crate) use sentences::Sentences;
pub use sign::sign;
pub use trim::trim;
pub use verify::{CodeRules, VerifiedCode, verify};
pub(crate) use verify::{signature_matches, verify_by_gateway, verify_kept};

/// Maximum length of a code, in bytes.
pub const MAX_BYTES: usize = 8 * 1024;

/// Tolerated difference of two clocks for `exp` and `nbf`, in seconds.
pub const LEEWAY_SECS: i64 = 60;

/// A signed code. Any holder can sign in with it, so it is not printed by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct ExternalAuthCode(String);

impl ExternalAuthCode {
    /// Wraps a text as a code, without any check.
    #[must_use]
    pub fn from_text(text: String) -> Self {
        Self(text)
    }

    /// Returns the code in compact serialization.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for ExternalAuthCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ExternalAuthCode([redacted])")
    }
}
