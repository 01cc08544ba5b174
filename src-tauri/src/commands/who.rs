//! The person for whom a link is made, as the form in Compose has them.

use latchkey_core::Error;
use latchkey_core::protocol::claims::Claims;
use latchkey_core::protocol::email::Email;
use latchkey_core::protocol::metadata::Metadata;
use latchkey_core::protocol::payload::{ExistingId, NewUser, Payload};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use ts_rs::TS;

/// Metadata of a new or returning user, from a form or as text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum MetadataInput {
    /// Names and texts of a form.
    Fields {
        /// Names with their texts, in the order of the form.
        fields: Vec<(String, String)>,
    },
    /// A JSON object.
    Json {
        /// The object as text.
        text: String,
    },
}

/// User who signs in by a link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Who {
    /// An existing user, by address.
    Email {
        /// E-mail address.
        email: String,
    },
    /// An existing user, by ID.
    Id {
        /// ID of the user.
        id: String,
        /// Whether digits are sent as a text and not as a number.
        as_text: bool,
    },
    /// A new or returning user.
    User {
        /// ID: the administrator's own key for the person.
        id: String,
        /// E-mail address. Empty for none.
        email: String,
        /// Metadata.
        metadata: MetadataInput,
    },
}

/// Returns the person of a link that was made before.
impl From<&Claims> for Who {
    fn from(claims: &Claims) -> Self {
        match &claims.payload {
            Payload::Email(email) => Self::Email {
                email: email.as_str().to_owned(),
            },
            Payload::Id(id) => Self::Id {
                id: id.user_id().as_str().to_owned(),
                as_text: claims.members().get("id").is_some_and(Value::is_string),
            },
            Payload::User(user) => Self::User {
                id: user.id.as_str().to_owned(),
                email: user
                    .email
                    .as_ref()
                    .map_or_else(String::new, |email| email.as_str().to_owned()),
                metadata: MetadataInput::Json {
                    text: user.metadata.json_to_read(),
                },
            },
        }
    }
}

impl TryFrom<Who> for Payload {
    type Error = Error;

    fn try_from(who: Who) -> Result<Self, Error> {
        Ok(match who {
            Who::Email { email } => Self::Email(Email::parse(&email, "email")?),
            Who::Id { id, as_text } => Self::Id(ExistingId::parse(&id, as_text)?),
            Who::User {
                id,
                email,
                metadata,
            } => Self::User(new_user(&id, &email, metadata)?),
        })
    }
}

/// Parses the address of a form. An empty one stands for none.
pub(super) fn typed_email(email: &str) -> Result<Option<Email>, Error> {
    given(email)
        .map(|email| Email::parse(email, "user.email"))
        .transpose()
}

/// Parses the user of a form. An empty address stands for none.
pub(super) fn new_user(id: &str, email: &str, metadata: MetadataInput) -> Result<NewUser, Error> {
    NewUser::parse(id, given(email), metadata.try_into()?)
}

fn given(text: &str) -> Option<&str> {
    Some(text.trim()).filter(|text| !text.is_empty())
}

impl TryFrom<MetadataInput> for Metadata {
    type Error = Error;

    fn try_from(input: MetadataInput) -> Result<Self, Error> {
        match input {
            MetadataInput::Fields { fields } => Self::from_fields(
                fields
                    .iter()
                    .map(|(name, value)| (name.as_str(), value.as_str())),
                "metadata",
            ),
            MetadataInput::Json { text } => Self::from_json(&text, "metadata"),
        }
    }
}
