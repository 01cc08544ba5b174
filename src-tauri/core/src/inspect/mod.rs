//! Inspecting a code for an administrator: its content, whether it verifies, what opening it would do,
//! and the cause of a refusal.

pub mod diagnosis;
pub mod forecast;
pub mod outline;
pub mod preview;
mod report;
mod retired_key;

use jiff::Timestamp;
use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::inspect::forecast::{Forecast, Judged, Users};
use crate::instance::Settings;
use crate::protocol::account_end::ACCOUNT_ENDS;
use crate::protocol::code::recognize::{Recognized, recognize, recognize_and_verify};
use crate::protocol::code::unverified::{self, UnverifiedCode};
use crate::protocol::code::{self, CodeRefusal, CodeRules};
use crate::protocol::numeric_date::seconds;
use crate::secret::{KeySet, SignedBy, SigningKey};
use crate::{Error, time};

pub use report::{Checked, Outcome, RefusedCode, Report, Unverified, dry_run};
pub use retired_key::retired_key;

/// A time among the claims, exact and in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct ClaimTime {
    /// Name of the claim: `iat`, `nbf` or `exp`.
    #[schema(value_type = String)]
    pub member: Cow<'static, str>,
    /// Time in RFC 3339 and UTC.
    pub at: String,
    /// Time in words, such as `in 7 days`.
    pub words: String,
}

/// Returns the times among `members`, in words relative to `now`. Skips members that are not times.
#[must_use]
pub fn times(members: &Map<String, Value>, now: Timestamp) -> Vec<ClaimTime> {
    ["iat", "nbf", "exp", ACCOUNT_ENDS]
        .into_iter()
        .filter_map(|member| {
            let secs = seconds(members.get(member)?)?;
            Some(ClaimTime {
                member: member.into(),
                at: time::exact(secs),
                words: time::relative(secs, now),
            })
        })
        .collect()
}

/// Result of verifying a code.
#[derive(Debug)]
pub enum Verification {
    /// There was no secret to verify it with.
    NoKey,
    /// The code was verified or refused.
    Judged(Judged),
}

/// An inspected code.
#[derive(Debug)]
pub struct Inspection {
    /// Parts of the code, for display.
    pub shown: UnverifiedCode,
    /// Times among the claims.
    pub times: Vec<ClaimTime>,
    /// Result of verifying the code.
    pub verification: Verification,
}

impl Inspection {
    /// Returns the result of the verification, if there was a key.
    #[must_use]
    pub fn judged(&self) -> Option<&Judged> {
        match &self.verification {
            Verification::Judged(judged) => Some(judged),
            Verification::NoKey => None,
        }
    }

    /// Returns whether no key matches the signature.
    #[must_use]
    pub fn has_bad_signature(&self) -> bool {
        matches!(self.judged(), Some(Err(CodeRefusal::BadSignature)))
    }

    /// Returns whether one of `keys` has signed the code, by the algorithm in its header. Such a
    /// code may still be refused by another rule.
    #[must_use]
    pub fn is_signed_with(&self, keys: &[&SigningKey]) -> bool {
        let mut keys = keys.iter();
        keys.any(|key| self.shown.is_signed_with(key.bytes()))
    }

    /// Returns which usable key of an instance has signed the code, like
    /// [`is_signed_with`](Self::is_signed_with).
    #[must_use]
    pub fn signed_by(&self, keys: &KeySet, now: Timestamp) -> Option<SignedBy> {
        keys.signer(now, |key| self.shown.is_signed_with(key.bytes()))
    }

    /// Returns what would happen if the code were opened now, at the instance whose rules and keys
    /// have judged it. `why_no_key` says why there was no key.
    pub async fn forecast(
        &self,
        settings: &Settings,
        users: Users<'_>,
        why_no_key: Option<&Error>,
        now: Timestamp,
    ) -> crate::Result<Forecast> {
        match &self.verification {
            Verification::Judged(judged) => Forecast::new(judged, settings, users, now).await,
            Verification::NoKey => Ok(Forecast::unchecked(why_no_key)),
        }
    }
}

/// Finds the code in a text and inspects it. If there are several codes, inspects the first that
/// verifies.
///
/// Fails like [`recognize`].
pub fn inspect_text(
    text: &str,
    parameter: &str,
    keys: &[&SigningKey],
    rules: CodeRules<'_>,
    now: Timestamp,
) -> crate::Result<(Recognized, Inspection)> {
    let (found, verification) = if keys.is_empty() {
        (recognize(text, parameter)?, Verification::NoKey)
    } else {
        let (found, judged) = recognize_and_verify(text, parameter, keys, rules, now)?;
        (found, Verification::Judged(judged))
    };
    let inspection = taken_apart(&found.code, verification, now);
    Ok((found, inspection))
}

/// Decodes a code, and verifies it by `rules` with `keys`. Without keys it is only decoded.
#[must_use]
pub fn inspect(
    code: &str,
    keys: &[&SigningKey],
    rules: CodeRules<'_>,
    now: Timestamp,
) -> Inspection {
    let verification = if keys.is_empty() {
        Verification::NoKey
    } else {
        Verification::Judged(code::verify(code, keys, rules, now).map(Box::new))
    };
    taken_apart(code, verification, now)
}

fn taken_apart(code: &str, verification: Verification, now: Timestamp) -> Inspection {
    let shown = unverified::read(code);
    let times = match &shown.claims_json {
        Some(Value::Object(members)) => times(members, now),
        _ => Vec::new(),
    };
    Inspection {
        shown,
        times,
        verification,
    }
}
