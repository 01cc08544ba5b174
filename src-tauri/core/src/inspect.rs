//! What is in a code, and whether it verifies.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::claims;
use crate::code::unverified::{self, UnverifiedCode};
use crate::code::{self, CodeRules};
use crate::forecast::{Forecast, Judged, Users};
use crate::instance::Settings;
use crate::secret::SigningKey;
use crate::{Error, time};

/// A time among the claims, exact and in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ClaimTime {
    /// `iat`, `nbf` or `exp`.
    pub member: &'static str,
    /// RFC 3339, in UTC.
    pub at: String,
    /// `in 7 days`.
    pub words: String,
}

/// The times among `members`, in words as of `now`. What is not a time is left out.
#[must_use]
pub fn times(members: &Map<String, Value>, now: Timestamp) -> Vec<ClaimTime> {
    ["iat", "nbf", "exp"]
        .into_iter()
        .filter_map(|member| {
            let secs = claims::seconds(members.get(member)?)?;
            Some(ClaimTime {
                member,
                at: time::exact(secs),
                words: time::relative(secs, now),
            })
        })
        .collect()
}

/// Whether a code verifies.
#[derive(Debug)]
pub enum Verification {
    /// Nobody said with which secret.
    NoKey,
    /// It was judged.
    Judged(Judged),
}

/// A code taken apart, and judged if there is a key.
#[derive(Debug)]
pub struct Inspection {
    /// For display.
    pub shown: UnverifiedCode,
    /// The times among the claims.
    pub times: Vec<ClaimTime>,
    /// The judgement.
    pub verification: Verification,
}

impl Inspection {
    /// What would happen if the code were opened now, at the instance whose rules and keys it was
    /// judged by; `why_no_key` says why there was none.
    pub fn forecast(
        &self,
        settings: &Settings,
        users: Users<'_>,
        why_no_key: Option<&Error>,
        now: Timestamp,
    ) -> crate::Result<Forecast> {
        match &self.verification {
            Verification::Judged(judged) => Forecast::new(judged, settings, users, now),
            Verification::NoKey => Ok(Forecast::unchecked(why_no_key)),
        }
    }
}

/// Takes `code` apart and judges it by `rules` with `keys`; without keys it is shown only.
#[must_use]
pub fn inspect(
    code: &str,
    keys: &[&SigningKey],
    rules: CodeRules<'_>,
    now: Timestamp,
) -> Inspection {
    let shown = unverified::read(code);
    let times = match &shown.claims_json {
        Some(Value::Object(members)) => times(members, now),
        _ => Vec::new(),
    };
    let verification = if keys.is_empty() {
        Verification::NoKey
    } else {
        Verification::Judged(code::verify(code, keys, rules, now).map(Box::new))
    };
    Inspection {
        shown,
        times,
        verification,
    }
}
