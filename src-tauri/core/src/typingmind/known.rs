use jiff::Timestamp;

use super::copy::{CopiedUser, UserCopy};
use crate::protocol::payload::Payload;

/// Whether the user of a code exists at TypingMind, as far as the copy tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// Whether the user exists. `None` if the API does not tell.
    pub exists: Option<bool>,
    /// Sentence for the administrator.
    pub sentence: String,
}

/// Finds the user of a code in the copy: by e-mail address, or by TypingMind's ID. The API does not
/// tell the `user.id` with which a link has created a user.
#[must_use]
pub fn find<'a>(payload: &Payload, copy: &'a UserCopy) -> Option<&'a CopiedUser> {
    match payload {
        Payload::Email(email) => copy.by_email(email),
        Payload::Id(id) => copy.by_id(id.user_id().as_str()),
        Payload::User(user) => copy.by_email(user.email.as_ref()?),
    }
}

/// Returns whether the user of a code exists at TypingMind, by what [`find`] finds.
#[must_use]
pub fn known(payload: &Payload, copy: &UserCopy, now: Timestamp) -> Known {
    let age = copy.age(now);
    let exists = find(payload, copy).is_some();
    let found = |named: &str| {
        let sentence = if exists {
            format!("{named} exists there, {age}.")
        } else {
            format!("{named} does not exist there, {age}.")
        };
        Known {
            exists: Some(exists),
            sentence,
        }
    };
    match payload {
        Payload::Email(email) => found(email.as_str()),
        Payload::Id(id) => {
            let id = id.user_id().as_str();
            found(&format!("The user with TypingMind's ID {id}"))
        }
        Payload::User(user) => {
            let (id, limit) = (&user.id, "TypingMind's API does not tell this ID");
            match &user.email {
                Some(email) => {
                    let known = found(email.as_str());
                    Known {
                        // The user may have another address there.
                        exists: known.exists.filter(|exists| *exists),
                        sentence: format!(
                            "{} Whether {id} exists there is not known: {limit}.",
                            known.sentence
                        ),
                    }
                }
                None => Known {
                    exists: None,
                    sentence: format!("Whether {id} exists there is not known: {limit}."),
                },
            }
        }
    }
}
