//! What is in a code, and whether it verifies.

pub mod diagnosis;
pub mod forecast;
pub mod preview;
mod report;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::inspect::forecast::{Forecast, Judged, Users};
use crate::instance::Settings;
use crate::protocol::claims;
use crate::protocol::code::recognize::{Recognized, recognize, recognize_and_verify};
use crate::protocol::code::unverified::{self, UnverifiedCode};
use crate::protocol::code::{self, CodeRules};
use crate::secret::SigningKey;
use crate::{Error, time};

pub use report::{Checked, Outcome, RefusedCode, Report, Unverified, dry_run};

/// A time among the claims, exact and in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
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
    /// The judgement, if there was a key to judge with.
    #[must_use]
    pub fn judged(&self) -> Option<&Judged> {
        match &self.verification {
            Verification::Judged(judged) => Some(judged),
            Verification::NoKey => None,
        }
    }

    /// Returns whether one of `keys` has signed the code, with whichever algorithm its header names. A code
    /// that another rule refuses may be signed all the same.
    #[must_use]
    pub fn is_signed_with(&self, keys: &[&SigningKey]) -> bool {
        let mut keys = keys.iter();
        keys.any(|key| self.shown.is_signed_with(key.bytes()))
    }

    /// What would happen if the code were opened now, at the instance whose rules and keys it was
    /// judged by; `why_no_key` says why there was none.
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

/// Finds the code in a text and inspects it. Of several codes it is the first that verifies.
///
/// Fails as [`recognize`] does.
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

/// Takes `code` apart and judges it by `rules` with `keys`; without keys it is shown only.
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
