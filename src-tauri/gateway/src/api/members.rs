//! Reading of the members of a JSON object, with errors that name the member.

use std::fmt;

use serde::de::value::StrDeserializer;
use serde::de::{self, DeserializeOwned, DeserializeSeed, IntoDeserializer as _, MapAccess};
use serde_json::map::IntoIter;
use serde_json::{Map, Value};

/// Reason why an object does not have the expected members.
#[derive(Debug)]
pub(super) enum WrongMember {
    /// The type has no such member. The second part lists the members that it has.
    Unknown(String, &'static [&'static str]),
    /// A required member is missing.
    Missing(&'static str),
    /// The value is of another form than the member.
    Form(String),
    /// Any other reason. It names no member.
    Other,
}

impl WrongMember {
    /// Returns the name of the member.
    pub(super) fn member(&self) -> Option<&str> {
        match self {
            Self::Unknown(name, _) | Self::Form(name) => Some(name),
            Self::Missing(name) => Some(name),
            Self::Other => None,
        }
    }
}

impl fmt::Display for WrongMember {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(name, known) => write!(
                f,
                "The body has a member '{name}', which this request does not have. Its members are {}.",
                known.join(", ")
            ),
            Self::Missing(name) => write!(f, "The body has no member '{name}'. Add it."),
            Self::Form(name) => write!(
                f,
                "The value of '{name}' does not have the form of this member, which the OpenAPI description has."
            ),
            Self::Other => f.write_str(
                "The body does not have the form of this request, which the OpenAPI description has.",
            ),
        }
    }
}

impl std::error::Error for WrongMember {}

impl de::Error for WrongMember {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self::Other
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Self {
        Self::Unknown(field.to_owned(), expected)
    }

    fn missing_field(field: &'static str) -> Self {
        Self::Missing(field)
    }
}

/// Deserializes a struct from an object.
pub(super) fn read<T: DeserializeOwned>(members: Map<String, Value>) -> Result<T, WrongMember> {
    let members = Members {
        rest: members.into_iter(),
        current: None,
    };
    T::deserialize(de::value::MapAccessDeserializer::new(members))
}

/// The members of an object.
struct Members {
    rest: IntoIter,
    /// Member whose name was read.
    current: Option<(String, Value)>,
}

impl<'de> MapAccess<'de> for Members {
    type Error = WrongMember;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, WrongMember> {
        self.current = self.rest.next();
        let Some((name, _)) = &self.current else {
            return Ok(None);
        };
        let name: StrDeserializer<'_, WrongMember> = name.as_str().into_deserializer();
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, WrongMember> {
        let (name, value) = self.current.take().ok_or(WrongMember::Other)?;
        seed.deserialize(value)
            .map_err(|_: serde_json::Error| WrongMember::Form(name))
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Wanted {
        id: String,
        #[serde(default)]
        #[expect(dead_code, reason = "it is only read")]
        groups: Vec<String>,
    }

    fn wrong(value: Value) -> String {
        let Value::Object(members) = value else {
            panic!("an object");
        };
        read::<Wanted>(members).unwrap_err().to_string()
    }

    #[test]
    fn an_error_names_the_member_and_says_what_is_wrong() {
        let Value::Object(good) = json!({ "id": "ada", "groups": ["a"] }) else {
            panic!("an object");
        };
        assert_eq!(read::<Wanted>(good).unwrap().id, "ada");
        let unknown = wrong(json!({ "id": "ada", "role": "admin" }));
        assert_eq!(
            unknown,
            "The body has a member 'role', which this request does not have. Its members are id, groups."
        );
        assert_eq!(wrong(json!({})), "The body has no member 'id'. Add it.");
        for value in [json!({ "id": 7 }), json!({ "id": null })] {
            assert!(wrong(value).starts_with("The value of 'id' does not have the form"));
        }
        let groups = wrong(json!({ "id": "ada", "groups": [1] }));
        assert!(groups.starts_with("The value of 'groups'"), "{groups}");
    }
}
