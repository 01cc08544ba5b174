//! Words about the use of links. An application elsewhere, which decides who signs in, does not report
//! the use.

use super::query::ListedLink;
use super::standing::LinkStatus;
use crate::instance::Hosted;

/// Words in place of a number of uses that is not known.
const NOT_REPORTED: &str = "not reported";

impl LinkStatus {
    /// Returns the stable name for a link of an instance. Where use is not reported, a link that
    /// works was only given out, and a revocation is only a mark in the ledger.
    #[must_use]
    pub const fn name_at(self, hosted: Hosted) -> &'static str {
        match self {
            Self::NotUsed if !hosted.is_latchkey() => "given_out",
            _ if self.is_mark_at(hosted) => "marked_revoked",
            _ => self.name(),
        }
    }

    /// Returns the state of a link of an instance in words.
    #[must_use]
    pub const fn words_at(self, hosted: Hosted) -> &'static str {
        match self {
            Self::NotUsed if !hosted.is_latchkey() => "given out",
            _ if self.is_mark_at(hosted) => "marked as revoked",
            _ => self.words(),
        }
    }

    /// Returns whether a link of an instance is only marked as revoked, and its code still works.
    #[must_use]
    pub const fn is_mark_at(self, hosted: Hosted) -> bool {
        matches!(self, Self::Revoked) && !hosted.is_latchkey()
    }
}

impl ListedLink {
    /// Returns the number of uses of a link of an instance in words, such as `2 of 3`.
    #[must_use]
    pub fn uses_words(&self, hosted: Hosted) -> String {
        if !hosted.is_latchkey() {
            return NOT_REPORTED.to_owned();
        }
        let used = self.link.used;
        match self.link.uses.limit() {
            Some(limit) => format!("{used} of {limit}"),
            None => used.to_string(),
        }
    }
}
