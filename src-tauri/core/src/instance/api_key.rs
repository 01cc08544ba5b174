//! The keys with which other systems use the gateway's API.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::protocol::audience::breaks_line;
use crate::secret::Secret;
use crate::{Error, ErrorCode, Result};

/// Prefix of all keys, by which a leaked key is recognised.
const PREFIX: &str = "lk_";
/// Number of random bytes in a key.
const RANDOM_BYTES: usize = 32;
/// Maximum length of a name, in characters.
pub const MAX_NAME: usize = 60;
/// Maximum number of keys of an instance.
pub const MAX_KEYS: usize = 50;

/// Record of an API key: enough to recognise the key, but not to use it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKey {
    /// First characters of the key after `lk_`, by which an administrator identifies it.
    pub id: String,
    /// Name that the administrator gave the key.
    pub name: String,
    /// SHA-256 of the key. A slower hash is not needed, because the key is random.
    sha256: String,
    /// Time when the key was made, in Unix seconds.
    pub created_at: i64,
}

impl ApiKey {
    /// Makes a key. It can be shown only now.
    pub fn generate(name: &str, now: Timestamp) -> Result<(Self, Secret)> {
        let name = name.trim();
        let characters = name.chars().count();
        if characters == 0 || characters > MAX_NAME || name.contains(breaks_line) {
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
            // A command line would parse an ID with a leading hyphen as an option.
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

    /// Returns whether a text is this key. Hashes are compared, so the time that it takes reveals
    /// nothing about the key.
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
    fn a_key_is_recognised_and_its_record_cannot_be_used_as_one() {
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
        for name in [
            "",
            "  ",
            "a\nb",
            "a\u{2028}b",
            "a\u{2029}b",
            "a\u{202e}b",
            "a\u{2066}b",
            "a\u{200f}b",
            &"x".repeat(61),
        ] {
            let refused = ApiKey::generate(name, Timestamp::UNIX_EPOCH).unwrap_err();
            assert_eq!(refused.field.as_deref(), Some("name"), "{name:?}");
        }
        assert!(ApiKey::generate(&"x".repeat(60), Timestamp::UNIX_EPOCH).is_ok());
    }

    #[test]
    fn a_stored_key_whose_name_has_a_direction_control_is_read() {
        let stored = r#"{"id":"AAAAAAAA","name":"a\u202eb","sha256":"x","created_at":0}"#;
        let key: ApiKey = serde_json::from_str(stored).unwrap();
        assert_eq!(key.name, "a\u{202e}b");
    }
}
