//! The ID of a user: the administrator's own key for the person. It never changes.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{Error, Result};

/// Maximum length of an ID, in bytes of UTF-8.
pub const MAX_BYTES: usize = 255;

/// ID of a user: 1 to 255 bytes, without control characters and without white space around it. IDs
/// are compared byte by byte, so look-alikes in Unicode are different people.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UserId(String);

impl UserId {
    /// Parses an ID. The error names `field` and the broken rule.
    pub fn parse(text: &str, field: &str) -> Result<Self> {
        let reason = if text.is_empty() {
            "The id is empty. Enter the id of the person, which is your own key for them."
        } else if text.trim().is_empty() {
            "The id is blank. Enter the id of the person, which is your own key for them."
        } else if text.trim() != text {
            "The id begins or ends with white space. Remove it: ' ada' and 'ada' would be two people."
        } else if text.chars().any(char::is_control) {
            "The id has a control character, such as a line break or a tab. Remove it."
        } else if text.len() > MAX_BYTES {
            "The id is longer than 255 bytes. Use a shorter key."
        } else {
            return Ok(Self(text.to_owned()));
        };
        Err(Error::member(field, reason))
    }

    /// Returns the ID as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for UserId {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for UserId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text, "id").map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_of_255_bytes_is_accepted_and_one_of_256_is_refused() {
        assert!(UserId::parse(&"x".repeat(255), "user.id").is_ok());
        assert!(UserId::parse(&"x".repeat(256), "user.id").is_err());
        assert!(
            UserId::parse(&"é".repeat(128), "user.id").is_err(),
            "bytes count, not characters"
        );
    }

    #[test]
    fn look_alikes_are_different_people() {
        let latin = UserId::parse("ada", "user.id").unwrap();
        let cyrillic = UserId::parse("\u{430}da", "user.id").unwrap();
        assert_ne!(latin, cyrillic);
    }
}
