//! Person and terms of a link, to make another one like it.

use latchkey_core::ledger::ListedLink;
use latchkey_core::protocol::claims::Claims;
use latchkey_core::protocol::payload::Payload;
use serde::Serialize;
use serde_json::Value;
use ts_rs::TS;

/// Person of a link, as the form in Compose takes them.
#[derive(Clone, Debug, Serialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum LinkPerson {
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
        /// Metadata as indented JSON: an object.
        metadata_json: String,
    },
}

/// Person and terms of a link, to make another one like it.
#[derive(Clone, Debug, Serialize, TS)]
pub struct LinkTerms {
    /// Person.
    pub who: LinkPerson,
    /// Lifetime in words. Null if it is not known.
    pub expires_in: Option<String>,
    /// Number of sign-ins. Null for no limit.
    #[ts(type = "number | null")]
    pub uses: Option<u64>,
    /// End of the account that the link creates: a time in RFC 3339, or days after the first sign-in
    /// such as `14 days`. Null for no end.
    pub account_ends: Option<String>,
    /// Note. Empty for none.
    pub note: String,
}

impl LinkTerms {
    pub(super) fn of(listed: &ListedLink, claims: Option<&Claims>) -> Option<Self> {
        let link = &listed.link;
        let lifetime = claims.and_then(|claims| claims.registered.lifetime());
        let who = match claims {
            Some(claims) => LinkPerson::of(claims),
            None => LinkPerson::Id {
                id: link.user.as_ref()?.as_str().to_owned(),
                as_text: false,
            },
        };
        Some(Self {
            who,
            expires_in: lifetime.map(|lifetime| lifetime.to_string()),
            uses: link.uses.limit(),
            account_ends: claims
                .and_then(|claims| claims.registered.account_end)
                .map(|end| end.to_string()),
            note: link.note.clone().unwrap_or_default(),
        })
    }
}

impl LinkPerson {
    fn of(claims: &Claims) -> Self {
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
                metadata_json: user.metadata.json_to_read(),
            },
        }
    }
}
