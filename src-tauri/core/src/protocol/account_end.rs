//! End of an account that a code creates.

use std::fmt;

use jiff::tz::TimeZone;
use serde_json::{Map, Value};

use crate::protocol::code::CodeRefusal;
use crate::protocol::lifetime::Lifetime;
use crate::protocol::numeric_date::numeric_date;
use crate::time::{self, MAX_SECS};
use crate::{Error, ErrorCode, Result};

/// Private claim of a code that creates an account which ends at a time (`NumericDate`). The
/// protocol has no such claim, so an instance that is hosted elsewhere ignores it.
pub const ACCOUNT_ENDS: &str = "account_ends";

/// Private claim of a code that creates an account which ends a number of days after its first
/// sign-in, from 1 to [`MAX_DAYS`].
pub const ACCOUNT_DAYS: &str = "account_days";

/// Maximum number of days after the first sign-in.
pub const MAX_DAYS: u32 = 3650;

/// Length of a day in seconds.
const DAY_SECS: i64 = 86_400;

/// End of an account, as the code that creates the account says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountEnd {
    /// The account ends at this time, in Unix seconds.
    At(i64),
    /// The account ends this number of days after its first sign-in.
    AfterDays(u32),
}

impl AccountEnd {
    /// Returns an end after days. `None` unless the number is from 1 to [`MAX_DAYS`].
    #[must_use]
    pub fn after_days(days: u64) -> Option<Self> {
        let days = u32::try_from(days).ok()?;
        (1..=MAX_DAYS)
            .contains(&days)
            .then_some(Self::AfterDays(days))
    }

    /// Returns the end of an account that is created at `now`. Both are in Unix seconds.
    #[must_use]
    pub fn ends_at(self, now: i64) -> i64 {
        match self {
            Self::At(at) => at,
            Self::AfterDays(days) => now.saturating_add(i64::from(days) * DAY_SECS).min(MAX_SECS),
        }
    }

    /// Parses the claims of a code. A code that creates no account must not have one.
    ///
    /// Fails with the reason for which the code is refused.
    pub fn from_members(members: &Map<String, Value>) -> Result<Option<Self>, CodeRefusal> {
        let at = numeric_date(members, ACCOUNT_ENDS)?;
        let days = members.get(ACCOUNT_DAYS);
        let (name, end) = match (at, days) {
            (None, None) => return Ok(None),
            (Some(_), Some(_)) => {
                let reason =
                    format!("It stands beside '{ACCOUNT_ENDS}'. A code has only one of them.");
                return Err(CodeRefusal::member(ACCOUNT_DAYS, reason));
            }
            (Some(at), None) => (ACCOUNT_ENDS, Self::At(at)),
            (None, Some(days)) => {
                let end = days.as_u64().and_then(Self::after_days);
                let end = end.ok_or_else(|| {
                    let reason = format!("It is not a whole number of days from 1 to {MAX_DAYS}.");
                    CodeRefusal::member(ACCOUNT_DAYS, reason)
                })?;
                (ACCOUNT_DAYS, end)
            }
        };
        if !members.contains_key("user") {
            return Err(CodeRefusal::member(
                name,
                "It stands beside no 'user'. Only a code with 'user' creates an account.",
            ));
        }
        Ok(Some(end))
    }

    /// Parses an end from a person or a form: a time as [`time::parse`] reads it, or a number of
    /// days such as `14 days` or `14d`.
    ///
    /// Fails with [`ErrorCode::InvalidTime`] about `field`.
    pub fn parse(text: &str, zone: &TimeZone, field: &str) -> Result<Self> {
        let refused = |message: &str| Error::new(ErrorCode::InvalidTime, message).about(field);
        let not_whole = || {
            refused(&format!(
                "An account ends at a time, such as 2026-11-29T23:10, or after a whole number of days from 1 to {MAX_DAYS}, such as 14 days."
            ))
        };
        let Ok(lifetime) = text.parse::<Lifetime>() else {
            let at = time::parse(text, zone, field).map_err(|error| {
                if is_of_days(text) {
                    return not_whole();
                }
                let message =
                    "This is neither a time nor a number of days. Write it as 2026-11-29T23:10 or 14 days.";
                Error::new(error.code, message).about(field)
            })?;
            return Ok(Self::At(at.as_second()));
        };
        let days = match lifetime {
            Lifetime::Never => {
                return Err(refused(
                    "An account has no end if this field is left out. Leave it out.",
                ));
            }
            Lifetime::Secs(secs) if secs % DAY_SECS == 0 => u64::try_from(secs / DAY_SECS).ok(),
            Lifetime::Secs(_) => None,
        };
        days.and_then(Self::after_days).ok_or_else(not_whole)
    }
}

/// Returns whether a text is a number of days, such as `0 days` or `1.5d`.
fn is_of_days(text: &str) -> bool {
    let is_of_number = |char: char| char.is_ascii_digit() || char == '.';
    let unit = text.trim().trim_start_matches(is_of_number);
    unit.len() < text.trim().len() && matches!(unit.trim(), "d" | "day" | "days")
}

/// Writes the end as [`AccountEnd::parse`] reads it.
impl fmt::Display for AccountEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::At(at) => f.write_str(&time::exact(*at)),
            Self::AfterDays(1) => f.write_str("1 day"),
            Self::AfterDays(days) => write!(f, "{days} days"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn claims(claims: &Value) -> Result<Option<AccountEnd>, CodeRefusal> {
        AccountEnd::from_members(claims.as_object().unwrap())
    }

    #[test]
    fn an_end_is_read_from_either_claim_beside_a_user() {
        for (members, end) in [
            (json!({"user": {}}), None),
            (
                json!({"user": {}, "account_ends": 1_800_000_000}),
                Some(AccountEnd::At(1_800_000_000)),
            ),
            (
                json!({"user": {}, "account_ends": 1_800_000_000.5}),
                Some(AccountEnd::At(1_800_000_000)),
            ),
            (
                json!({"user": {}, "account_days": 1}),
                Some(AccountEnd::AfterDays(1)),
            ),
            (
                json!({"user": {}, "account_days": 3650}),
                Some(AccountEnd::AfterDays(3650)),
            ),
        ] {
            assert_eq!(claims(&members).unwrap(), end, "{members}");
        }
    }

    #[test]
    fn a_wrong_end_two_ends_and_an_end_without_a_user_are_refused() {
        for (members, member) in [
            (
                json!({"user": {}, "account_ends": "2026-12-01"}),
                ACCOUNT_ENDS,
            ),
            (json!({"user": {}, "account_ends": -1}), ACCOUNT_ENDS),
            (json!({"user": {}, "account_ends": null}), ACCOUNT_ENDS),
            (json!({"user": {}, "account_days": "14"}), ACCOUNT_DAYS),
            (json!({"user": {}, "account_days": 0}), ACCOUNT_DAYS),
            (json!({"user": {}, "account_days": 1.5}), ACCOUNT_DAYS),
            (json!({"user": {}, "account_days": 3651}), ACCOUNT_DAYS),
            (
                json!({"user": {}, "account_ends": 1, "account_days": 1}),
                ACCOUNT_DAYS,
            ),
            (json!({"id": "ada", "account_ends": 1}), ACCOUNT_ENDS),
            (json!({"email": "a@b.cd", "account_days": 1}), ACCOUNT_DAYS),
        ] {
            let refused = claims(&members).unwrap_err();
            assert_eq!(refused.member_name(), Some(member), "{members}");
        }
    }

    #[test]
    fn an_end_is_written_as_it_is_read() {
        for (text, end) in [
            ("2026-11-29T23:10:00Z", AccountEnd::At(1_795_993_800)),
            ("2026-11-29T23:10", AccountEnd::At(1_795_993_800)),
            ("14d", AccountEnd::AfterDays(14)),
            ("1 week", AccountEnd::AfterDays(7)),
            ("1 day", AccountEnd::AfterDays(1)),
        ] {
            let read = AccountEnd::parse(text, &TimeZone::UTC, "account_ends").unwrap();
            assert_eq!(read, end, "{text}");
            let written = read.to_string();
            assert_eq!(
                AccountEnd::parse(&written, &TimeZone::UTC, "account_ends").unwrap(),
                end
            );
        }
    }

    #[test]
    fn an_end_that_is_refused_says_what_is_taken_in_its_place() {
        let days = "An account ends at a time, such as 2026-11-29T23:10, or after a whole number of days from 1 to 3650, such as 14 days.";
        let either =
            "This is neither a time nor a number of days. Write it as 2026-11-29T23:10 or 14 days.";
        for (text, said) in [
            ("", either),
            ("soon", either),
            ("days", either),
            ("14 days days", either),
            ("12h", days),
            ("36 hours", days),
            ("0 days", days),
            ("1.5 d", days),
            ("3651 days", days),
            ("99999999 days", days),
            (
                "never",
                "An account has no end if this field is left out. Leave it out.",
            ),
        ] {
            let refused = AccountEnd::parse(text, &TimeZone::UTC, "account_ends").unwrap_err();
            assert_eq!(refused.message, said, "{text}");
            assert_eq!(refused.code, ErrorCode::InvalidTime, "{text}");
            assert_eq!(refused.field.as_deref(), Some("account_ends"), "{text}");
        }
    }

    #[test]
    fn days_count_from_the_first_sign_in() {
        assert_eq!(AccountEnd::AfterDays(2).ends_at(1000), 1000 + 2 * 86_400);
        assert_eq!(AccountEnd::At(7).ends_at(1000), 7);
        assert_eq!(AccountEnd::AfterDays(3650).ends_at(MAX_SECS), MAX_SECS);
    }
}
