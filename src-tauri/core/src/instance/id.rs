use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Error, ErrorCode, Result};

/// ID of an instance and name of its folder: lower-case letters, digits and dashes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct InstanceId(String);

impl InstanceId {
    /// Parses an ID that Latchkey has made. Refuses any other text, such as a path.
    pub fn parse(text: &str) -> Result<Self> {
        let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if text.is_empty() || text.len() > 80 || !text.bytes().all(allowed) {
            return Err(Error::new(
                ErrorCode::UnknownInstance,
                "There is no such instance.",
            ));
        }
        Ok(Self(text.to_owned()))
    }

    /// Makes an ID from a name: `Your Company` becomes `your-company`.
    #[must_use]
    pub fn like(name: &str) -> Self {
        let mut slug = String::new();
        for character in name.to_lowercase().chars() {
            if character.is_ascii_alphanumeric() {
                slug.push(character);
            } else if !slug.is_empty() && !slug.ends_with('-') {
                slug.push('-');
            }
        }
        slug.truncate(60);
        let slug = slug.trim_end_matches('-');
        Self(if slug.is_empty() {
            "instance".into()
        } else {
            slug.to_owned()
        })
    }

    /// Appends a number to the ID, for an ID that is taken.
    #[must_use]
    pub fn numbered(&self, number: usize) -> Self {
        Self(format!("{}-{number}", self.0))
    }

    /// Returns the ID as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<InstanceId> for String {
    fn from(id: InstanceId) -> Self {
        id.0
    }
}

impl TryFrom<String> for InstanceId {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        Self::parse(&text)
    }
}
