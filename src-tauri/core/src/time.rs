//! Times in words and in RFC 3339. No clock is read here: `now` is a parameter.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use crate::protocol::code::LEEWAY_SECS;
use crate::{Error, ErrorCode, Result};

/// Last second that a claim may have: the end of the year 9999, the last year in RFC 3339.
pub const MAX_SECS: i64 = 253_402_207_200;

/// Returns a time in RFC 3339 and UTC, to the second.
#[must_use]
pub fn exact(secs: i64) -> String {
    Timestamp::from_second(secs).map_or_else(|_| format!("second {secs}"), |at| at.to_string())
}

/// Returns the time that [`exact`] has written.
fn from_exact(text: &str) -> Option<i64> {
    match text.strip_prefix("second ") {
        Some(secs) => secs.parse().ok(),
        None => text.parse().ok().map(Timestamp::as_second),
    }
}

/// Serializes a time in Unix seconds as RFC 3339.
pub(crate) mod rfc3339 {
    use serde::{Deserialize as _, Deserializer, Serializer, de};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
    pub(crate) fn serialize<S: Serializer>(secs: &i64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&super::exact(*secs))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
        let text = String::deserialize(deserializer)?;
        super::from_exact(&text).ok_or_else(|| de::Error::custom("it is not a time"))
    }
}

/// Serializes an optional time in Unix seconds as RFC 3339.
pub(crate) mod rfc3339_if_any {
    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer, de};

    #[expect(clippy::ref_option, reason = "serde passes references")]
    pub(crate) fn serialize<S: Serializer>(
        secs: &Option<i64>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        secs.map(super::exact).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<i64>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| {
            super::from_exact(&text).ok_or_else(|| de::Error::custom("it is not a time"))
        })
        .transpose()
    }
}

/// Returns whether a recorded time lies in the future, which only a wrong clock can cause.
#[must_use]
pub fn is_ahead(secs: i64, now: i64) -> bool {
    secs > now.saturating_add(LEEWAY_SECS)
}

/// Returns whether a time of another clock, which may be [`LEEWAY_SECS`] ahead, is certainly later
/// than a time of this computer.
#[must_use]
pub fn is_surely_after(theirs: i64, moment: i64) -> bool {
    theirs.saturating_sub(LEEWAY_SECS) > moment
}

/// Returns the distance of a time from `now` in the largest suitable unit: `in 7 days`, `3 hours
/// ago`, `now`.
#[must_use]
pub fn relative(secs: i64, now: Timestamp) -> String {
    let distance = secs.saturating_sub(now.as_second());
    if distance == 0 {
        return "now".into();
    }
    let amount = amount(distance.unsigned_abs());
    if distance > 0 {
        format!("in {amount}")
    } else {
        format!("{amount} ago")
    }
}

/// Returns a duration in whole units. Chooses the largest unit whose rounding error is at most a
/// tenth: `7 days`, `36 hours`, `90 minutes`.
fn amount(secs: u64) -> String {
    const UNITS: [(u64, &str); 5] = [
        (365 * 86_400, "year"),
        (86_400, "day"),
        (3_600, "hour"),
        (60, "minute"),
        (1, "second"),
    ];
    for (unit, name) in UNITS {
        let count = (secs + unit / 2) / unit;
        let error = (count * unit).abs_diff(secs);
        if secs >= unit && error * 10 <= secs {
            let plural = if count == 1 { "" } else { "s" };
            return format!("{count} {name}{plural}");
        }
    }
    format!("{secs} seconds")
}

/// Parses a time from a person or a form: RFC 3339 (`2026-11-29T23:10:00Z`), or without an offset
/// (`2026-11-29T23:10`, `2026-11-29 23:10`, `2026-11-29`) in `zone`.
///
/// Fails with [`ErrorCode::InvalidTime`] about `field`.
pub fn parse(text: &str, zone: &TimeZone, field: &str) -> Result<Timestamp> {
    let text = text.trim();
    let invalid = || {
        Error::new(
            ErrorCode::InvalidTime,
            "This is not a time. Write it as 2026-11-29T23:10 or 2026-11-29T23:10:00Z.",
        )
        .about(field)
    };
    let out_of_range = || {
        let message = format!(
            "The time is too early or too late. It must lie between {} and {}.",
            exact(0),
            exact(MAX_SECS)
        );
        Error::new(ErrorCode::InvalidTime, message).about(field)
    };
    let at = if let Ok(at) = text.parse::<Timestamp>() {
        at
    } else {
        let civil: DateTime = text
            .parse()
            .map_err(|cause: jiff::Error| invalid().because(cause))?;
        zone.to_timestamp(civil)
            .map_err(|cause| out_of_range().because(cause))?
    };
    if (0..=MAX_SECS).contains(&at.as_second()) {
        Ok(at)
    } else {
        Err(out_of_range())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        Timestamp::from_second(1_795_300_000).unwrap()
    }

    #[test]
    fn distances_are_worded_in_the_unit_that_a_person_would_use() {
        let told = |distance: i64| relative(now().as_second() + distance, now());
        assert_eq!(told(0), "now");
        assert_eq!(told(1), "in 1 second");
        assert_eq!(told(-59), "59 seconds ago");
        assert_eq!(told(90), "in 90 seconds");
        assert_eq!(told(5_400), "in 90 minutes");
        assert_eq!(told(86_400), "in 1 day");
        assert_eq!(told(7 * 86_400), "in 7 days");
        assert_eq!(told(7 * 86_400 - 5), "in 7 days");
        assert_eq!(told(-36 * 3_600), "36 hours ago");
        assert_eq!(told(365 * 86_400), "in 1 year");
    }

    #[test]
    fn a_time_without_an_offset_is_of_the_zone_given() {
        let zone = TimeZone::get("Europe/Paris").unwrap_or(TimeZone::fixed(jiff::tz::offset(1)));
        let at = parse("2026-11-29T23:10", &zone, "not_before").unwrap();
        assert_eq!(at.to_string(), "2026-11-29T22:10:00Z");
        assert_eq!(
            parse("2026-11-29T22:10:00Z", &zone, "not_before").unwrap(),
            at
        );
        for text in ["", "tomorrow", "2026-13-01", "1969-12-31T00:00:00Z"] {
            let refused = parse(text, &zone, "not_before").expect_err(text);
            assert_eq!(refused.field.as_deref(), Some("not_before"));
        }
    }
}
