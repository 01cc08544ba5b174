//! A short link in the ledger.

use jiff::Timestamp;

use crate::protocol::claims::Claims;
use crate::protocol::code::{
    AskableCode, CodeRefusal, CodeRules, VerifiedCode, read_askable_kept, verify_kept,
};

/// A link that was found by the code of its short link.
#[derive(Clone, Debug)]
pub struct ShortLink {
    /// ID of the link.
    pub id: String,
    /// Claims of the link.
    pub claims: Claims,
    /// ID of the key that has signed the long link, if it is known.
    pub key: Option<String>,
}

impl ShortLink {
    /// Judges the claims like those of a code. No signature is needed, because the ledger has them:
    /// a short link goes on when the key is replaced.
    ///
    /// Fails with the reason for which a code with these claims is refused.
    pub fn verify(
        &self,
        rules: CodeRules<'_>,
        now: Timestamp,
    ) -> Result<VerifiedCode, CodeRefusal> {
        let (members, key) = (self.claims.members(), self.key.clone());
        verify_kept(members, &self.id, key, rules, now)
    }

    /// Judges the claims like [`verify`](Self::verify), but accepts ones that have expired.
    ///
    /// Fails like [`verify`](Self::verify) for any other reason.
    pub fn askable(
        &self,
        rules: CodeRules<'_>,
        now: Timestamp,
    ) -> Result<AskableCode, CodeRefusal> {
        let (members, key) = (self.claims.members(), self.key.clone());
        read_askable_kept(members, &self.id, key, rules, now)
    }
}
