//! The keys with which other systems use the gateway's API.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::secret::Secret;
use crate::{Error, ErrorCode, Result};

/// What all keys begin with, so that one that has leaked is recognised.
const PREFIX: &str = "lk_";
/// How much of it is random.
const RANDOM_BYTES: usize = 32;
/// The longest name, in characters.
const MAX_NAME: usize = 60;
/// How many keys an instance has, at most.
pub const MAX_KEYS: usize = 50;

/// What is kept of a key: enough to recognise it, and not to use it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKey {
    /// The first signs of the key after `lk_`, by which an administrator tells keys apart.
    pub id: String,
    /// What the administrator calls it.
    pub name: String,
    /// SHA-256. The key is random all through, so nothing slower is needed.
    sha256: String,
    /// When it was made, in Unix seconds.
    pub created_at: i64,
}

impl ApiKey {
    /// Makes a key. It is shown now and never again.
    pub fn generate(name: &str, now: Timestamp) -> Result<(Self, Secret)> {
        let name = name.trim();
        let characters = name.chars().count();
        if characters == 0 || characters > MAX_NAME || name.chars().any(char::is_control) {
            return Err(Error::new(
                ErrorCode::InvalidSetting,
                format!("The name of a key has 1 to {MAX_NAME} characters, on one line. Say which system uses it."),
            )
            .about("name"));
        }
        let mut random = Zeroizing::new([0_u8; RANDOM_BYTES]);
        let text = loop {
            getrandom::fill(&mut *random).map_err(|cause| {
                let message = "The operating system gave no random bytes, so there is no key.";
                Error::new(ErrorCode::NoRandomness, message).because(cause)
            })?;
            let text = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(*random));
            // A command line would take the id for an option.
            if !text.starts_with("lk_-") {
                break text;
            }
        };
        let key = Self {
            id: text.chars().skip(PREFIX.len()).take(8).collect(),
            name: name.to_owned(),
            sha256: hashed(&text),
            created_at: now.as_second(),
        };
        Ok((key, Secret::new(text)))
    }

    /// Whether a text is this key. How long that takes says nothing that helps in guessing: what is
    /// compared is hashed.
    #[must_use]
    pub fn is(&self, text: &str) -> bool {
        self.sha256 == hashed(text)
    }
}

fn hashed(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_known_again_and_nothing_kept_is_a_key() {
        let (key, secret) = ApiKey::generate(" CRM ", Timestamp::UNIX_EPOCH).unwrap();
        let (other, _) = ApiKey::generate("CRM", Timestamp::UNIX_EPOCH).unwrap();
        assert!(key.is(secret.expose()) && !other.is(secret.expose()));
        assert_eq!(key.name, "CRM");
        assert!(secret.expose().starts_with(&format!("lk_{}", key.id)));
        assert_eq!(secret.expose().len(), 46);
        let kept = serde_json::to_string(&key).unwrap();
        assert!(!kept.contains(secret.expose()));
        let kept: ApiKey = serde_json::from_str(&kept).unwrap();
        for text in ["", "lk_", &kept.id, &kept.sha256, "lk_AAAAAAAA"] {
            assert!(!kept.is(text), "{text}");
        }
    }

    #[test]
    fn no_id_of_a_key_begins_with_a_hyphen() {
        for _ in 0..2_000 {
            let (key, _) = ApiKey::generate("CRM", Timestamp::UNIX_EPOCH).unwrap();
            assert!(!key.id.starts_with('-'), "{}", key.id);
        }
    }

    #[test]
    fn a_key_has_a_name_of_one_line() {
        for name in ["", "  ", "a\nb", &"x".repeat(61)] {
            let refused = ApiKey::generate(name, Timestamp::UNIX_EPOCH).unwrap_err();
            assert_eq!(refused.field.as_deref(), Some("name"), "{name:?}");
        }
        assert!(ApiKey::generate(&"x".repeat(60), Timestamp::UNIX_EPOCH).is_ok());
    }
}
