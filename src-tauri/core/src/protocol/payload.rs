//! The three kinds of payload, which name a user.

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use crate::protocol::code::CodeRefusal;
use crate::protocol::email::Email;
use crate::protocol::metadata::Metadata;
use crate::protocol::user_id::UserId;
use crate::{Error, ErrorCode, Result};

/// Maximum whole number that every JSON parser keeps exactly (RFC 8259 §6).
const MAX_EXACT: u64 = (1 << 53) - 1;

/// User who signs in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Payload {
    /// `{"email": …}`: an existing user, by address.
    Email(Email),
    /// `{"id": …}`: an existing user, by ID. A top-level `email` beside it is ignored.
    Id(ExistingId),
    /// `{"user": {…}}`: a new or returning user. The first sign-in creates the user.
    User(NewUser),
}

/// ID of an existing user, in the spelling of the payload. The number 1234 and the text "1234" name
/// the same user.
#[derive(Clone, Debug)]
pub struct ExistingId {
    id: UserId,
    as_number: bool,
}

/// A new or returning user.
#[derive(Clone, Debug, PartialEq)]
pub struct NewUser {
    /// ID: the administrator's own key for the person.
    pub id: UserId,
    /// E-mail address, if there is one.
    pub email: Option<Email>,
    /// All other members.
    pub metadata: Metadata,
}

impl Eq for NewUser {}

impl PartialEq for ExistingId {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

impl Eq for ExistingId {}

impl ExistingId {
    /// Parses an ID that a person wrote. A whole number stays a number, as in the example of the
    /// protocol, unless `as_text` is set.
    pub fn parse(text: &str, as_text: bool) -> Result<Self> {
        let id = UserId::parse(text, "id")?;
        let exact = id
            .as_str()
            .parse::<u64>()
            .is_ok_and(|number| number <= MAX_EXACT && number.to_string() == id.as_str());
        Ok(Self {
            as_number: exact && !as_text,
            id,
        })
    }

    /// Returns the ID in the directory.
    #[must_use]
    pub fn user_id(&self) -> &UserId {
        &self.id
    }

    fn from_value(value: &Value) -> Result<Self> {
        match value {
            Value::String(text) => Ok(Self {
                id: UserId::parse(text, "id")?,
                as_number: false,
            }),
            Value::Number(number) => {
                let whole = number
                    .as_i64()
                    .filter(|whole| whole.unsigned_abs() <= MAX_EXACT)
                    .ok_or_else(|| {
                        Error::member(
                            "id",
                            "It is not a whole number that every reader keeps exactly. Send it as a text.",
                        )
                    })?;
                Ok(Self {
                    id: UserId::parse(&whole.to_string(), "id")?,
                    as_number: true,
                })
            }
            _ => Err(Error::member("id", "It is neither a text nor a number.")),
        }
    }
}

impl NewUser {
    /// Parses a user whom a person or another system enters.
    ///
    /// Fails with [`InvalidPayload`](ErrorCode::InvalidPayload) about `user.id` or `user.email`.
    pub fn parse(id: &str, email: Option<&str>, metadata: Metadata) -> Result<Self> {
        let email = email.map(|email| Email::parse(email, "user.email"));
        Ok(Self {
            id: UserId::parse(id, "user.id")?,
            email: email.transpose()?,
            metadata,
        })
    }

    fn from_value(value: &Value) -> Result<Self> {
        let Value::Object(user) = value else {
            return Err(Error::member("user", "It is not a JSON object."));
        };
        let id = match user.get("id") {
            Some(Value::String(id)) => UserId::parse(id, "user.id")?,
            Some(other) => {
                return Err(Error::member(
                    "user.id",
                    format!("It is {}, and must be a text.", kind_of(other)),
                ));
            }
            None => {
                return Err(Error::member(
                    "user.id",
                    "It is missing. It identifies the person.",
                ));
            }
        };
        let email = match user.get("email") {
            None | Some(Value::Null) => None,
            Some(Value::String(email)) => Some(Email::parse(email, "user.email")?),
            Some(other) => {
                return Err(Error::member(
                    "user.email",
                    format!("It is {}, and must be a text.", kind_of(other)),
                ));
            }
        };
        let rest = user
            .iter()
            .filter(|(name, _)| *name != "id" && *name != "email")
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        Ok(Self {
            id,
            email,
            metadata: Metadata::new(rest, "user")?,
        })
    }
}

/// Serializes the ID in the form that the payload has: a number or a text.
impl Serialize for ExistingId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.id.as_str().parse::<i64>() {
            Ok(number) if self.as_number => serializer.serialize_i64(number),
            _ => serializer.serialize_str(self.id.as_str()),
        }
    }
}

impl Serialize for NewUser {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut user = serializer.serialize_map(None)?;
        user.serialize_entry("id", &self.id)?;
        if let Some(email) = &self.email {
            user.serialize_entry("email", email)?;
        }
        for (name, value) in self.metadata.members() {
            user.serialize_entry(name, value)?;
        }
        user.end()
    }
}

impl Payload {
    /// Parses the payload from the claims of a code. Ignores members that belong neither to the
    /// payload nor to the registered claims.
    pub fn from_claims(claims: &Map<String, Value>) -> Result<Self, CodeRefusal> {
        refuse_two_users(claims)?;
        Self::of_one_user(claims).map_err(|refused| {
            CodeRefusal::member(refused.field.unwrap_or_default(), refused.message)
        })
    }

    /// Parses a payload from a request for a new code. Unlike in a code, other members are refused,
    /// and an address must be valid even if the ID decides.
    pub fn from_request(members: &Map<String, Value>) -> Result<Self> {
        refuse_two_users(members).map_err(|refused| {
            let error = Error::new(ErrorCode::AmbiguousPayload, refused.shown());
            error.about("user")
        })?;
        if let Some(other) = members.keys().find(|name| !is_member(name)) {
            let message =
                format!("'{other}' is no member of a payload: it has 'user', 'id' or 'email'.");
            return Err(Error::member(other, message));
        }
        let payload = Self::of_one_user(members)?;
        if let (Self::Id(_), Some(email)) = (&payload, members.get("email")) {
            address(email)?;
        }
        Ok(payload)
    }

    fn of_one_user(claims: &Map<String, Value>) -> Result<Self> {
        if let Some(user) = claims.get("user") {
            NewUser::from_value(user).map(Self::User)
        } else if let Some(id) = claims.get("id") {
            ExistingId::from_value(id).map(Self::Id)
        } else if let Some(email) = claims.get("email") {
            address(email).map(Self::Email)
        } else {
            Err(Error::member(
                "user",
                "The payload names nobody: it has neither 'user' nor 'id' nor 'email'.",
            ))
        }
    }

    /// Returns the display name of the user, as far as the payload has one.
    #[must_use]
    pub fn display_name(&self) -> &str {
        match self {
            Self::User(user) => {
                let email = user.email.as_ref().map(Email::as_str);
                let name = user.metadata.display_name().or(email);
                name.unwrap_or(user.id.as_str())
            }
            Self::Email(_) | Self::Id(_) => self.subject(),
        }
    }

    /// Returns the address or the ID, for the activity.
    #[must_use]
    pub fn subject(&self) -> &str {
        match self {
            Self::Email(email) => email.as_str(),
            Self::Id(id) => id.user_id().as_str(),
            Self::User(user) => user.id.as_str(),
        }
    }
}

fn is_member(name: &str) -> bool {
    matches!(name, "user" | "id" | "email")
}

fn refuse_two_users(members: &Map<String, Value>) -> Result<(), CodeRefusal> {
    let beside = ["id", "email"]
        .into_iter()
        .find(|member| members.contains_key(*member));
    match beside {
        Some(member) if members.contains_key("user") => {
            Err(CodeRefusal::AmbiguousPayload { member })
        }
        _ => Ok(()),
    }
}

fn address(email: &Value) -> Result<Email> {
    match email {
        Value::String(email) => Email::parse(email, "email"),
        other => Err(Error::member(
            "email",
            format!("It is {}, and must be a text.", kind_of(other)),
        )),
    }
}

fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(claims: Value) -> Result<Payload, CodeRefusal> {
        let Value::Object(claims) = claims else {
            panic!("claims are an object");
        };
        Payload::from_claims(&claims)
    }

    #[test]
    fn a_number_and_its_text_name_the_same_user() {
        assert_eq!(
            read(json!({"id": 1234})).unwrap(),
            read(json!({"id": "1234"})).unwrap()
        );
        assert_ne!(
            read(json!({"id": "01234"})).unwrap(),
            read(json!({"id": 1234})).unwrap()
        );
    }

    #[test]
    fn with_both_id_and_email_the_id_decides_and_the_email_is_ignored() {
        let payload = read(json!({"id": 7, "email": 5})).unwrap();
        assert_eq!(payload.subject(), "7");
    }

    #[test]
    fn a_typed_id_is_a_number_if_that_is_exact() {
        let sent = |text, as_text| json!(ExistingId::parse(text, as_text).unwrap());
        assert_eq!(sent("1234", false), json!(1234));
        assert_eq!(sent("1234", true), json!("1234"));
        assert_eq!(sent("01234", false), json!("01234"));
        assert_eq!(sent("9007199254740992", false), json!("9007199254740992"));
        assert_eq!(sent("+5", false), json!("+5"));
    }

    #[test]
    fn role_and_admin_are_metadata_like_any_other() {
        let Payload::User(user) = read(json!({"user": {"id": "a", "role": "admin"}})).unwrap()
        else {
            panic!("a user was expected");
        };
        assert_eq!(user.metadata.members().get("role"), Some(&json!("admin")));
    }
}
