//! Metadata: the free members of a user. They are stored and shown, and no rule depends on them.

use std::io;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::Warning;
use crate::protocol::json;
use crate::{Error, Result};

/// Maximum size of metadata, in bytes of its JSON.
pub const MAX_BYTES: usize = 8 * 1024;

/// A JSON object of free members. None of them is `id` or `email`.
///
/// Deserializing does not check the members again, so it is only for what was serialized.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Metadata(Map<String, Value>);

impl Metadata {
    /// Checks the members of an object. Errors name a member as `{prefix}.{member}`.
    pub fn new(members: Map<String, Value>, prefix: &str) -> Result<Self> {
        for name in members.keys() {
            if name == "id" || name == "email" {
                return Err(Error::member(
                    format!("{prefix}.{name}"),
                    format!("'{name}' is not metadata: it has a field of its own."),
                ));
            }
            if name.trim().is_empty() {
                return Err(Error::member(
                    prefix,
                    "A metadata field has no name. Name it or remove it.",
                ));
            }
        }
        let metadata = Self(members);
        let bytes = metadata.json_bytes();
        if bytes > MAX_BYTES {
            return Err(Error::member(
                prefix,
                format!(
                    "The metadata has {bytes} bytes of JSON; the maximum is {MAX_BYTES}. Leave some out."
                ),
            ));
        }
        Ok(metadata)
    }

    /// Parses a JSON object that a person wrote. Refuses duplicate members and deep nesting.
    pub fn from_json(text: &str, field: &str) -> Result<Self> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        match json::parse_exact(text.as_bytes()) {
            Ok(Value::Object(members)) => Self::new(members, field),
            Ok(_) => Err(Error::member(
                field,
                "The metadata is not a JSON object. Write it as { \"team\": \"Research\" }.",
            )),
            Err(reason) => Err(Error::member(
                field,
                format!("The metadata cannot be read: {reason}."),
            )),
        }
    }

    /// Parses what [`json`](Self::json) has written, without checking it again.
    pub fn from_kept(text: &str) -> serde_json::Result<Self> {
        serde_json::from_str(text).map(Self)
    }

    /// Makes metadata from the text fields of a form. Refuses a duplicate name.
    pub fn from_fields<'a>(
        fields: impl IntoIterator<Item = (&'a str, &'a str)>,
        prefix: &str,
    ) -> Result<Self> {
        let mut members = Map::new();
        for (name, value) in fields {
            let name = name.trim();
            if members
                .insert(name.to_owned(), Value::String(value.to_owned()))
                .is_some()
            {
                return Err(Error::member(
                    format!("{prefix}.{name}"),
                    format!("'{name}' stands twice. Keep one of them."),
                ));
            }
        }
        Self::new(members, prefix)
    }

    /// Returns the metadata with replaced members. `null` removes a member.
    pub fn merged(&self, members: &Map<String, Value>) -> Result<Self> {
        let mut merged = self.0.clone();
        for (name, value) in members {
            if value.is_null() {
                merged.shift_remove(name);
            } else {
                merged.insert(name.clone(), value.clone());
            }
        }
        Self::new(merged, "metadata")
    }

    /// Returns the members in the order in which they were written.
    #[must_use]
    pub fn members(&self) -> &Map<String, Value> {
        &self.0
    }

    /// Returns the texts of all members that hold names ([`is_name`]).
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|(member, value)| match value {
            Value::String(name) if is_name(member) => Some(name.as_str()),
            _ => None,
        })
    }

    /// Returns the display name: the first name that is not blank.
    #[must_use]
    pub fn display_name(&self) -> Option<&str> {
        self.names().map(str::trim).find(|name| !name.is_empty())
    }

    /// Returns the texts of the member `groups`. A single text is one group. The application
    /// decides what groups mean.
    pub fn groups(&self) -> impl Iterator<Item = &str> {
        let groups = match self.0.get("groups") {
            Some(Value::Array(groups)) => groups.as_slice(),
            Some(group @ Value::String(_)) => std::slice::from_ref(group),
            _ => &[],
        };
        groups.iter().filter_map(Value::as_str)
    }

    /// Returns a warning if a group contains a comma. No proxy gets such a group, because
    /// `Remote-Groups` separates groups by commas.
    #[must_use]
    pub fn warnings(&self) -> Vec<Warning> {
        let with_comma = self.groups().filter(|group| group.contains(','));
        with_comma
            .map(|group| {
                Warning::new(
                    "group_with_comma",
                    format!(
                        "The group '{group}' has a comma, so a proxy does not get it. Several groups are a list: [\"a\", \"b\"]."
                    ),
                )
            })
            .collect()
    }

    /// Returns the metadata as compact JSON.
    #[must_use]
    pub fn json(&self) -> String {
        // Cannot fail, because names and values are JSON already.
        serde_json::to_string(&self.0).unwrap_or_default()
    }

    /// Returns the metadata as indented JSON.
    #[must_use]
    pub fn json_to_read(&self) -> String {
        // Cannot fail either.
        serde_json::to_string_pretty(&self.0).unwrap_or_default()
    }

    /// Returns the length of [`Metadata::json`] in bytes.
    fn json_bytes(&self) -> usize {
        let mut counter = Counter(0);
        // Cannot fail either.
        let _ = serde_json::to_writer(&mut counter, &self.0);
        counter.0
    }
}

/// Returns whether a metadata member holds a name, such as `name`, `fullName` or `nickname`.
#[must_use]
pub fn is_name(member: &str) -> bool {
    // A comparison of bytes is enough, because no character beyond ASCII has one of these letters
    // as its lower case.
    member
        .as_bytes()
        .windows(4)
        .any(|part| part.eq_ignore_ascii_case(b"name"))
}

/// Counts the bytes that are written to it.
struct Counter(usize);

impl io::Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of_size(bytes: usize) -> String {
        let around = r#"{"k":""}"#.len();
        format!(r#"{{"k":"{}"}}"#, "x".repeat(bytes - around))
    }

    #[test]
    fn metadata_of_8_kib_is_accepted_and_a_byte_more_is_refused() {
        assert!(Metadata::from_json(&of_size(MAX_BYTES), "metadata").is_ok());
        let refused = Metadata::from_json(&of_size(MAX_BYTES + 1), "metadata").unwrap_err();
        assert_eq!(refused.field.as_deref(), Some("metadata"));
    }

    #[test]
    fn the_error_for_a_duplicate_name_contains_the_name() {
        let refused =
            Metadata::from_fields([("team", "a"), (" team", "b")], "metadata").unwrap_err();
        assert_eq!(refused.field.as_deref(), Some("metadata.team"));
        let refused = Metadata::from_json(r#"{"team":1,"team":2}"#, "metadata").unwrap_err();
        assert!(refused.message.contains("team"), "{}", refused.message);
    }

    #[test]
    fn one_text_is_one_group_and_a_comma_in_a_group_is_warned_of() {
        let groups = |json: &str| {
            let metadata = Metadata::from_json(json, "metadata").unwrap();
            let groups: Vec<String> = metadata.groups().map(str::to_owned).collect();
            (groups.join("|"), metadata.warnings().len())
        };
        assert_eq!(groups(r#"{"groups":"staff"}"#), ("staff".into(), 0));
        assert_eq!(groups(r#"{"groups":["a","b"]}"#), ("a|b".into(), 0));
        assert_eq!(groups(r#"{"groups":"a,b"}"#), ("a,b".into(), 1));
        assert_eq!(
            groups(r#"{"groups":["a,b","c","d, e"]}"#),
            ("a,b|c|d, e".into(), 2)
        );
        assert_eq!(groups(r#"{"groups":7}"#), (String::new(), 0));
    }

    #[test]
    fn a_number_that_would_lose_digits_is_refused_as_metadata() {
        let refused = Metadata::from_json(r#"{"badge":12345678901234567890}"#, "metadata");
        let refused = refused.unwrap_err();
        assert!(
            refused.message.contains("12345678901234567890"),
            "{}",
            refused.message
        );
        assert!(Metadata::from_json(r#"{"badge":1234567890.5}"#, "metadata").is_ok());
    }

    #[test]
    fn id_and_email_are_not_metadata() {
        for name in ["id", "email"] {
            let refused = Metadata::from_fields([(name, "x")], "metadata").unwrap_err();
            assert_eq!(refused.field, Some(format!("metadata.{name}")));
        }
    }

    #[test]
    fn members_with_name_in_their_name_hold_names() {
        for member in ["name", "fullName", "NICKNAME", "user_name"] {
            assert!(is_name(member), "{member}");
        }
        for member in ["team", "nam", "locale", ""] {
            assert!(!is_name(member), "{member}");
        }
    }

    #[test]
    fn the_display_name_is_the_first_name_that_is_not_blank() {
        for (json, name) in [
            ("{}", None),
            (r#"{"team":"Research"}"#, None),
            (
                r#"{"name":" ","fullName":" Ada Lovelace "}"#,
                Some("Ada Lovelace"),
            ),
            (r#"{"name":7,"nickname":"Ada"}"#, Some("Ada")),
        ] {
            let metadata = Metadata::from_json(json, "metadata").unwrap();
            assert_eq!(metadata.display_name(), name, "{json}");
        }
    }
}
