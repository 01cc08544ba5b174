//! Strict JSON for signed content. A duplicate member is refused, because two programs could see
//! two different users (RFC 8725 §2.10 and RFC 7519 §4). Nesting that no honest payload has is
//! refused, too.

mod exact;

pub(crate) use exact::inexact_number;

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;
use serde_json::map::Entry;
use serde_json::{Map, Number, Value};

/// Maximum depth of nesting.
pub const MAX_DEPTH: usize = 32;

/// Reason why a text is not accepted. It is displayed in the middle of a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unreadable {
    /// The text is not strict JSON. The value says why.
    NoJson(String),
    /// The text is JSON, but this number in it would lose digits.
    InexactNumber(String),
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoJson(reason) => f.write_str(reason),
            Self::InexactNumber(number) => write!(
                f,
                "the number {number} would lose digits; write it as a text, in quotes"
            ),
        }
    }
}

impl std::error::Error for Unreadable {}

/// Parses one JSON value. Nothing may follow it.
///
/// Fails with [`Unreadable::NoJson`].
pub fn parse(bytes: &[u8]) -> Result<Value, Unreadable> {
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = Strict { depth: 0 }
        .deserialize(&mut deserializer)
        .map_err(unreadable)?;
    deserializer.end().map_err(unreadable)?;
    Ok(value)
}

/// Parses one JSON value that a person or another system wrote, like [`parse`]. Fails with
/// [`Unreadable::InexactNumber`] for a number that would lose digits.
pub fn parse_exact(bytes: &[u8]) -> Result<Value, Unreadable> {
    let value = parse(bytes)?;
    match inexact_number(bytes) {
        Some(number) => Err(Unreadable::InexactNumber(number.to_owned())),
        None => Ok(value),
    }
}

/// Returns the seed that reads one value inside of a list like [`parse`].
pub(crate) fn strict<'de>() -> impl DeserializeSeed<'de, Value = Value> {
    Strict { depth: 1 }
}

/// Returns the reason for an error of the parser.
#[expect(
    clippy::needless_pass_by_value,
    reason = "`map_err` needs this signature"
)]
pub(crate) fn unreadable(cause: serde_json::Error) -> Unreadable {
    let (line, column) = (cause.line(), cause.column());
    Unreadable::NoJson(match cause.classify() {
        Category::Eof => format!("it ends too early, at line {line}, column {column}"),
        Category::Syntax => format!("it is not JSON at line {line}, column {column}"),
        // This is an error of `Strict`, in its own words.
        Category::Data | Category::Io => cause.to_string(),
    })
}

struct Strict {
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Strict {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Strict {
    fn deeper<E: serde::de::Error>(&self) -> Result<usize, E> {
        if self.depth >= MAX_DEPTH {
            return Err(E::custom(format_args!(
                "it nests deeper than {MAX_DEPTH} levels"
            )));
        }
        Ok(self.depth + 1)
    }
}

impl<'de> Visitor<'de> for Strict {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Number(value.into()))
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value)
            .map(Value::Number)
            .ok_or_else(|| E::custom("a number is out of range"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Value, A::Error> {
        let depth = self.deeper()?;
        let mut values = Vec::new();
        while let Some(value) = sequence.next_element_seed(Self { depth })? {
            values.push(value);
        }
        Ok(Value::Array(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Value, A::Error> {
        let depth = self.deeper()?;
        let mut members = Map::new();
        while let Some(name) = object.next_key::<String>()? {
            match members.entry(name) {
                Entry::Occupied(twice) => {
                    let name = twice.key();
                    return Err(A::Error::custom(format_args!(
                        "the member '{name}' stands twice"
                    )));
                }
                Entry::Vacant(place) => {
                    place.insert(object.next_value_seed(Self { depth })?);
                }
            }
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn valid_json_is_parsed_like_serde_json() {
        for text in [
            "null",
            "true",
            "-1",
            "18446744073709551615",
            "1.5e3",
            r#""é\n""#,
            "[]",
            r#"{"a":[1,{"b":null}]}"#,
        ] {
            let ours = parse(text.as_bytes()).expect(text);
            assert_eq!(ours, serde_json::from_str::<Value>(text).unwrap(), "{text}");
        }
    }

    #[test]
    fn duplicates_deep_nesting_and_trailing_text_are_refused() {
        let duplicate = parse(br#"{"user":{"id":"a","id":"b"}}"#).unwrap_err();
        assert!(
            duplicate.to_string().contains("'id' stands twice"),
            "{duplicate}"
        );
        let escaped = parse(br#"{"id":1,"\u0069d":2}"#);
        assert!(escaped.is_err(), "an escaped name is the same name");
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert!(parse(nested(32).as_bytes()).is_ok());
        assert!(parse(nested(33).as_bytes()).is_err());
        assert!(
            parse(nested(100_000).as_bytes()).is_err(),
            "and the stack holds"
        );
        assert!(parse(b"{} {}").is_err());
        assert!(parse(b"\xff").is_err());
        assert!(parse(b"").is_err());
    }

    #[test]
    fn one_parse_distinguishes_invalid_json_from_a_number_that_would_lose_digits() {
        for text in ["{", r#"{"a":1,"a":2}"#, "9007199254740993 }"] {
            let refused = parse_exact(text.as_bytes()).unwrap_err();
            assert!(matches!(refused, Unreadable::NoJson(_)), "{text}");
        }
        let refused = parse_exact(br#"{"id":9007199254740993}"#).unwrap_err();
        let number = "9007199254740993".to_owned();
        assert_eq!(refused, Unreadable::InexactNumber(number));
        assert!(refused.to_string().contains("in quotes"), "{refused}");
    }
}
