//! Lifetimes of links and sessions, in words.

use std::fmt;
use std::str::FromStr;

use jiff::{Span, SpanRelativeTo, Timestamp, Unit};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::time::MAX_SECS;
use crate::{Error, ErrorCode, Result};

/// Maximum lifetime in seconds: a hundred years of 365.25 days.
pub(crate) const LONGEST_SECS: i64 = 36_525 * 86_400;

/// Time for which a code stays valid after it was issued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lifetime {
    /// The code never expires: it has no `exp`.
    Never,
    /// Number of seconds, at least one.
    Secs(i64),
}

impl Default for Lifetime {
    /// Returns seven days, as in the example of the protocol.
    fn default() -> Self {
        Self::Secs(7 * 86_400)
    }
}

impl Lifetime {
    /// Returns `exp` for a code that is issued at `now`, in Unix seconds.
    #[must_use]
    pub fn expires_at(self, now: Timestamp) -> Option<i64> {
        match self {
            Self::Never => None,
            Self::Secs(secs) => Some(now.as_second().saturating_add(secs).min(MAX_SECS)),
        }
    }
}

/// Parses `7 days`, `12h`, `1 week 2 days`, `90 min`, `P7D` or `never`.
impl FromStr for Lifetime {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let text = text.trim();
        let invalid =
            |message: &str| Error::new(ErrorCode::InvalidLifetime, message).about("expires_in");
        if text.eq_ignore_ascii_case("never") {
            return Ok(Self::Never);
        }
        if text.is_empty() {
            return Err(invalid(
                "The time is empty. Write it as 7 days, 12h or never.",
            ));
        }
        if text.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(invalid(
                "The time has no unit. Write it as 7 days, 12h or never.",
            ));
        }
        let span: Span = text.parse().map_err(|cause: jiff::Error| {
            invalid("This cannot be read as a time, or is longer than a hundred years. Write it as 7 days, 12h, 90 minutes or never.")
                .because(cause)
        })?;
        let secs = span
            .total((Unit::Second, SpanRelativeTo::days_are_24_hours()))
            .map_err(|cause| {
                invalid(
                    "Months and years differ in length. Write the time in days, such as 365 days.",
                )
                .because(cause)
            })?;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a span holds no more than i64 seconds"
        )]
        let secs = secs.floor() as i64;
        if secs < 1 {
            return Err(invalid(
                "The time is shorter than a second. Write it as 7 days, 12h, 90 minutes or never.",
            ));
        }
        if secs > LONGEST_SECS {
            return Err(invalid(
                "The time is longer than a hundred years. Write never.",
            ));
        }
        Ok(Self::Secs(secs))
    }
}

/// Writes the lifetime in the largest unit that is exact.
impl fmt::Display for Lifetime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Secs(secs) = *self else {
            return f.write_str("never");
        };
        for (unit, name) in [
            (86_400, "day"),
            (3_600, "hour"),
            (60, "minute"),
            (1, "second"),
        ] {
            if secs % unit == 0 {
                let count = secs / unit;
                return write!(f, "{count} {name}{}", if count == 1 { "" } else { "s" });
            }
        }
        write!(f, "{secs} seconds")
    }
}

impl Serialize for Lifetime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Lifetime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lifetimes_are_read_in_words_and_written_back() {
        for (text, written) in [
            ("7 days", "7 days"),
            ("7d", "7 days"),
            ("12h", "12 hours"),
            ("1 week", "7 days"),
            ("1 day 12 hours", "36 hours"),
            ("90 min", "90 minutes"),
            ("1 minute", "1 minute"),
            ("PT45S", "45 seconds"),
            (" Never ", "never"),
        ] {
            let lifetime: Lifetime = text.parse().expect(text);
            assert_eq!(lifetime.to_string(), written);
            assert_eq!(written.parse::<Lifetime>().unwrap(), lifetime);
        }
    }

    #[test]
    fn a_text_that_is_not_a_lifetime_is_refused() {
        for text in [
            "",
            "7",
            "soon",
            "0s",
            "-1 day",
            "1 month",
            "2 years",
            "200000 days",
            "7 dayz",
        ] {
            let refused = text.parse::<Lifetime>().expect_err(text);
            assert_eq!(refused.field.as_deref(), Some("expires_in"), "{text}");
        }
    }
}
