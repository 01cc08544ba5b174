use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::protocol::lifetime::{LONGEST_SECS, Lifetime};
use crate::{Error, ErrorCode, Result};

/// Time for which a signing key still verifies after another one has become active. Then it
/// retires: codes that it signed are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RetireAfter {
    /// The key retires at once.
    Now,
    /// The key retires after this number of seconds, at least one.
    Secs(i64),
}

impl Default for RetireAfter {
    /// Returns 30 days.
    fn default() -> Self {
        Self::Secs(30 * 86_400)
    }
}

impl RetireAfter {
    /// Returns the retirement date of a key, in Unix seconds. `None` if the key retires at once.
    #[must_use]
    pub fn retires_at(self, now: Timestamp) -> Option<i64> {
        match self {
            Self::Now => None,
            Self::Secs(secs) => Lifetime::Secs(secs).expires_at(now),
        }
    }
}

/// Parses `now` or a time such as `30 days` or `12h`.
impl FromStr for RetireAfter {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if text.trim().eq_ignore_ascii_case("now") {
            return Ok(Self::Now);
        }
        let invalid = |message: &str| {
            Err(Error::new(ErrorCode::InvalidLifetime, message).about("retire_after"))
        };
        match text.parse() {
            Ok(Lifetime::Secs(secs)) => Ok(Self::Secs(secs)),
            Ok(Lifetime::Never) => invalid(
                "A key that was replaced retires some day. Write the time until then as 30 days, 12h or now.",
            ),
            Err(_) => invalid(&format!(
                "This cannot be read as the time until a key retires. Write 30 days, 12h or now. The units are seconds, minutes, hours, days and weeks, and the longest time is {} days.",
                LONGEST_SECS / 86_400
            )),
        }
    }
}

impl fmt::Display for RetireAfter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Now => f.write_str("now"),
            Self::Secs(secs) => Lifetime::Secs(secs).fmt(f),
        }
    }
}

impl Serialize for RetireAfter {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for RetireAfter {
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
    fn a_time_until_retirement_is_read_in_words_and_written_back() {
        for (text, written) in [("now", "now"), (" NOW ", "now"), ("30d", "30 days")] {
            let read: RetireAfter = text.parse().expect(text);
            assert_eq!(read.to_string(), written);
            assert_eq!(written.parse::<RetireAfter>().unwrap(), read);
        }
        for text in ["", "never", "30", "soon", "0s"] {
            let refused = text.parse::<RetireAfter>().expect_err(text);
            assert_eq!(refused.field.as_deref(), Some("retire_after"), "{text}");
        }
        let refused = "5y".parse::<RetireAfter>().unwrap_err().message;
        assert!(
            refused.contains("hours, days and weeks, and the longest time is 36525 days"),
            "{refused}"
        );
    }
}
