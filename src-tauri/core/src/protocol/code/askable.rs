//! A code whose signature holds, read to ask for another link.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::refusal::CodeRefusal;
use super::verify::{CodeRules, Parts, VerifiedCode, check_times, judge_kept};
use crate::protocol::claims::Registered;
use crate::secret::SigningKey;

/// A code whose signature holds and whose time may be over. It names the person who asks for
/// another link. It cannot be redeemed.
#[derive(Clone, Debug)]
pub struct AskableCode {
    content: VerifiedCode,
    expired_at: Option<i64>,
}

impl AskableCode {
    /// Returns the content of the code, for decisions that sign nobody in.
    pub(crate) const fn content(&self) -> &VerifiedCode {
        &self.content
    }

    /// Returns `exp` if the code has expired, in Unix seconds.
    pub(crate) const fn expired_at(&self) -> Option<i64> {
        self.expired_at
    }
}

impl From<VerifiedCode> for AskableCode {
    fn from(content: VerifiedCode) -> Self {
        Self {
            content,
            expired_at: None,
        }
    }
}

/// Judges a code like [`verify`], but accepts one that has expired.
pub fn read_askable(
    code: &str,
    keys: &[&SigningKey],
    rules: CodeRules<'_>,
    now: Timestamp,
) -> Result<AskableCode, CodeRefusal> {
    let parts = Parts::of(code)?;
    parts.check_header(rules.algorithm)?;
    let key = parts.check_signature(keys, rules.algorithm)?;
    let mut expired_at = None;
    let content = parts.judge_claims(Some(key), rules, now, |registered: &Registered| {
        let judged = check_times(registered, rules, now);
        but_expired(judged, &mut expired_at)
    })?;
    Ok(AskableCode {
        content,
        expired_at,
    })
}

/// Judges claims of a link of the ledger, without a signature, but accepts ones that have expired.
/// `link` is the ID of the link.
pub(crate) fn read_askable_kept(
    members: Map<String, Value>,
    link: &str,
    key_id: Option<String>,
    rules: CodeRules<'_>,
    now: Timestamp,
) -> Result<AskableCode, CodeRefusal> {
    let mut expired_at = None;
    let content = judge_kept(
        members,
        link,
        key_id,
        rules,
        now,
        |registered: &Registered| {
            let judged = check_times(registered, rules, now);
            but_expired(judged, &mut expired_at)
        },
    )?;
    Ok(AskableCode {
        content,
        expired_at,
    })
}

/// Accepts an expiry, and notes its time.
fn but_expired(
    judged: Result<(), CodeRefusal>,
    expired_at: &mut Option<i64>,
) -> Result<(), CodeRefusal> {
    match judged {
        Err(CodeRefusal::Expired { at }) => {
            *expired_at = Some(at);
            Ok(())
        }
        judged => judged,
    }
}
