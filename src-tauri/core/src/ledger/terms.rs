//! The terms of a link.

use crate::protocol::code::LEEWAY_SECS;
use crate::protocol::uses::Uses;

/// Fields of a link that decide what became of it. By default the link is not in the ledger.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LinkTerms<'a> {
    /// ID of the signing key, if it is known.
    pub key: Option<&'a str>,
    /// `iat` of the code.
    pub issued_at: Option<i64>,
    /// `exp` of the code.
    pub expires_at: Option<i64>,
    /// Number of sign-ins for which it works.
    pub uses: Uses,
    /// Number of sign-ins so far.
    pub used: u64,
    /// Time of the last sign-in, in Unix seconds.
    pub last_use: Option<i64>,
    /// Time when it was revoked by itself.
    pub revoked_at: Option<i64>,
    /// Whether sessions that it began ended with that.
    pub revoked_ends_sessions: bool,
    /// Number of the change that gave it out. `None` for a link that Latchkey has not given out.
    pub taken_in: Option<u64>,
    /// Whether it also has a short link, which works without the key.
    pub has_short: bool,
}

impl LinkTerms<'_> {
    /// Returns the terms of a link that is not in the ledger, by the `iat` of its code.
    #[must_use]
    pub fn unknown(issued_at: Option<i64>) -> Self {
        Self {
            issued_at,
            ..Self::default()
        }
    }

    /// Returns the time from which the link has expired.
    #[must_use]
    pub fn over_at(&self) -> Option<i64> {
        let expires_at = self.expires_at?;
        Some(expires_at.saturating_add(LEEWAY_SECS))
    }

    /// Returns whether the link had expired by itself at a time, in Unix seconds.
    #[must_use]
    pub fn had_expired_at(&self, at: i64) -> bool {
        self.over_at().is_some_and(|over_at| over_at <= at)
    }

    /// Returns whether the code works without limit and the next use enters it in the ledger as it
    /// was: it is of another system, and has neither been revoked by itself nor an expiry.
    #[must_use]
    pub const fn is_entered_again(&self) -> bool {
        self.taken_in.is_none()
            && self.revoked_at.is_none()
            && self.expires_at.is_none()
            && !self.uses.is_limited()
    }
}
