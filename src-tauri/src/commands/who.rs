//! Who is to sign in, as the window enters it.

use latchkey_core::Error;
use latchkey_core::protocol::email::Email;
use latchkey_core::protocol::metadata::Metadata;
use latchkey_core::protocol::payload::{ExistingId, NewUser, Payload};
use serde::Deserialize;
use ts_rs::TS;

/// The metadata of a new or returning user, as a form or as text.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum MetadataInput {
    /// Names and texts.
    Fields {
        /// In order.
        fields: Vec<(String, String)>,
    },
    /// A JSON object.
    Json {
        /// As it was written.
        text: String,
    },
}

/// Who is to sign in.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Who {
    /// An existing user, by address.
    Email {
        /// The address.
        email: String,
    },
    /// An existing user, by id.
    Id {
        /// The id.
        id: String,
        /// Send digits as a text and not as a number.
        as_text: bool,
    },
    /// A new or returning user.
    User {
        /// The administrator's own key for this person.
        id: String,
        /// The address; none where it is empty.
        email: String,
        /// Everything else.
        metadata: MetadataInput,
    },
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

/// Reads a user of a form. An empty field for the address stands for none.
pub(super) fn new_user(id: &str, email: &str, metadata: MetadataInput) -> Result<NewUser, Error> {
    let email = Some(email.trim()).filter(|email| !email.is_empty());
    NewUser::parse(id, email, metadata.try_into()?)
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
