//! Detection of numbers in JSON that would lose digits in a program that reads them as floating point.

/// Returns a number in a JSON text that would lose digits. Most programs read numbers as 64-bit
/// floating point, which has about 16 digits.
pub(crate) fn inexact_number(text: &[u8]) -> Option<&str> {
    let mut rest = text;
    loop {
        let begin = rest
            .iter()
            .position(|byte| *byte == b'"' || byte.is_ascii_digit() || *byte == b'-')?;
        let found = rest.get(begin..)?;
        let length = if found.first() == Some(&b'"') {
            string_length(found)
        } else {
            let length = found
                .iter()
                .take_while(|byte| byte.is_ascii_digit() || b"+-.eE".contains(byte))
                .count();
            let number = found
                .get(..length)
                .and_then(|number| str::from_utf8(number).ok())?;
            if !keeps_digits(number) {
                return Some(number);
            }
            length
        };
        rest = found.get(length..)?;
    }
}

/// Returns the length of a JSON string with its quotes.
fn string_length(text: &[u8]) -> usize {
    let mut is_escaped = false;
    let end = text.iter().skip(1).position(|byte| {
        let is_end = *byte == b'"' && !is_escaped;
        is_escaped = *byte == b'\\' && !is_escaped;
        is_end
    });
    end.map_or(text.len(), |end| end + 2)
}

/// Returns whether a number keeps its value as 64-bit floating point. Also returns `true` for a
/// text that is not a number, which the parser refuses.
fn keeps_digits(number: &str) -> bool {
    let Ok(value) = number.parse::<f64>() else {
        return true;
    };
    value.is_finite() && digits_of(&format!("{value:e}")) == digits_of(number)
}

/// Returns the significant digits of a number, and the exponent of the first digit.
fn digits_of(number: &str) -> (String, i64) {
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let exponent: i64 = exponent.parse().unwrap_or(0);
    let mantissa = mantissa.trim_start_matches('-');
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = format!("{whole}{fraction}");
    let significant = all.trim_start_matches('0');
    let zeros = all.len() - significant.len();
    let digits = significant.trim_end_matches('0');
    if digits.is_empty() {
        return (String::new(), 0);
    }
    let first = i64::try_from(whole.len()).unwrap_or(0) - i64::try_from(zeros).unwrap_or(0);
    (digits.to_owned(), first + exponent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_that_would_lose_digits_is_found_and_no_other_is() {
        for text in [
            "0",
            "-0",
            "0.0",
            "1",
            "-12",
            "1.50",
            "0.1",
            "1e3",
            "1E+3",
            "1.5e-7",
            "9007199254740991",
            "9007199254740992",
            "100000000000000000000000",
            "0.30000000000000004",
            r#"{"a":"12345678901234567890","b\"":"\\","c":7}"#,
            r#"["9007199254740993\""]"#,
            "[1,2.50,-3]",
        ] {
            assert_eq!(inexact_number(text.as_bytes()), None, "{text}");
        }
        for (text, number) in [
            ("9007199254740993", "9007199254740993"),
            (r#"{"a\\":-12345678901234567890}"#, "-12345678901234567890"),
            ("[0.12345678901234567890]", "0.12345678901234567890"),
            (r#"{"s":"x","n":1e400}"#, "1e400"),
            ("1e-400", "1e-400"),
        ] {
            assert_eq!(inexact_number(text.as_bytes()), Some(number), "{text}");
        }
    }
}
