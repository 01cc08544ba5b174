//! Times in claims.

use serde_json::{Map, Value};

use crate::protocol::code::CodeRefusal;
use crate::time::MAX_SECS;

/// Parses a `NumericDate` of RFC 7519 §2: seconds since 1970, with fractions cut off.
pub(crate) fn numeric_date(
    members: &Map<String, Value>,
    name: &str,
) -> Result<Option<i64>, CodeRefusal> {
    let Some(value) = members.get(name) else {
        return Ok(None);
    };
    if !value.is_number() {
        return Err(CodeRefusal::member(
            name,
            "It is not a number. A time is a number of seconds since 1970.",
        ));
    }
    let secs = seconds(value).ok_or_else(|| {
        CodeRefusal::member(
            name,
            "It is not a time between 1970 and 9999, in seconds since 1970.",
        )
    })?;
    Ok(Some(secs))
}

/// Returns the whole seconds of a number between 1970 and 9999. Returns `None` for other values.
pub(crate) fn seconds(value: &Value) -> Option<i64> {
    if let Some(secs) = value.as_i64() {
        return (0..=MAX_SECS).contains(&secs).then_some(secs);
    }
    let secs = value.as_f64()?.floor();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        reason = "the range is checked, and every whole second in it is exact in f64"
    )]
    (0.0..=MAX_SECS as f64)
        .contains(&secs)
        .then_some(secs as i64)
}
