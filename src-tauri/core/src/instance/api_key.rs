//! The keys with which other systems use the gateway's API.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::instance::scope::Scope;
use crate::protocol::audience::breaks_line;
use crate::protocol::lifetime::Lifetime;
use crate::secret::{Secret, random_bytes};
use crate::{Error, ErrorCode, Result};

/// Prefix of all keys, by which a leaked key is recognised.
const PREFIX: &str = "lk_";
/// Number of random bytes in a key.
const RANDOM_BYTES: usize = 32;
/// Maximum length of a name, in characters.
pub const MAX_NAME: usize = 60;
/// Minimum time between two written uses of a key, in seconds.
pub const USE_SECS: i64 = 300;
/// Maximum number of keys of an instance.
pub const MAX_KEYS: usize = 50;

/// Name, scopes and lifetime of a new API key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewApiKey {
    /// Name of the system that uses the key.
    pub name: String,
    /// Scopes of the key, at least one.
    pub scopes: Vec<Scope>,
    /// Time after which the key expires.
    pub lifetime: Lifetime,
}

impl NewApiKey {
    /// Returns the name without white space around it, and the scopes without those that another one
    /// includes. Fails if one of them breaks a rule.
    pub(super) fn checked(&self) -> Result<(String, Vec<Scope>)> {
        let name = self.name.trim();
        let characters = name.chars().count();
        if characters == 0 || characters > MAX_NAME || name.contains(breaks_line) {
            return Err(Error::new(
                ErrorCode::InvalidSetting,
                format!("The name of a key has 1 to {MAX_NAME} characters, on one line. Say which system uses it."),
            )
            .about("name"));
        }
        if self.scopes.is_empty() {
            let message = "The key has no scope, so it could not be used. Choose one.";
            return Err(Error::new(ErrorCode::InvalidSetting, message).about("scopes"));
        }
        Ok((name.to_owned(), Scope::reduced(&self.scopes)))
    }

    /// Creates a key with the default scopes that never expires.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            scopes: Scope::DEFAULT.to_vec(),
            lifetime: Lifetime::Never,
        }
    }
}

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
    /// Scopes of the key. Keys of formats before 4 were stored without scopes.
    #[serde(default = "scopes_before_format_4")]
    pub scopes: Vec<Scope>,
    /// Time at which the key expires, in Unix seconds.
    #[serde(default)]
    pub expires_at: Option<i64>,
    /// Time of the last use, in Unix seconds. It is written every [`USE_SECS`] at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<i64>,
}

fn scopes_before_format_4() -> Vec<Scope> {
    Scope::DEFAULT.to_vec()
}

/// Reason for which a request with an API key is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyRefusal {
    /// There is no such key.
    Unknown,
    /// The key has expired.
    Expired {
        /// Name of the key.
        name: String,
    },
    /// The key lacks the scope that the request needs.
    ScopeMissing {
        /// Name of the key.
        name: String,
        /// The scope that the request needs.
        needed: Scope,
    },
}

/// Returns the key that a request has sent, if it may be used where `needed` is needed. Without a
/// needed scope, every key may be used.
pub fn authorize<'a>(
    keys: &'a [ApiKey],
    sent: &str,
    needed: Option<Scope>,
    now: Timestamp,
) -> Result<&'a ApiKey, KeyRefusal> {
    let key = keys.iter().find(|key| key.is(sent));
    let key = key.ok_or(KeyRefusal::Unknown)?;
    let name = || key.name.clone();
    if key.is_expired(now) {
        return Err(KeyRefusal::Expired { name: name() });
    }
    match needed.filter(|needed| !key.scopes.iter().any(|scope| scope.includes(*needed))) {
        None => Ok(key),
        Some(needed) => Err(KeyRefusal::ScopeMissing {
            name: name(),
            needed,
        }),
    }
}

impl ApiKey {
    /// Makes a key. It can be shown only now.
    pub fn generate(new: &NewApiKey, now: Timestamp) -> Result<(Self, Secret)> {
        let (name, scopes) = new.checked()?;
        let text = loop {
            let random: Zeroizing<[u8; RANDOM_BYTES]> = random_bytes()?;
            let text = format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(*random));
            // A command line would parse an ID with a leading hyphen as an option.
            if !text.starts_with("lk_-") {
                break text;
            }
        };
        let key = Self {
            id: text.chars().skip(PREFIX.len()).take(8).collect(),
            name,
            sha256: hashed(&text),
            created_at: now.as_second(),
            scopes,
            expires_at: new.lifetime.expires_at(now),
            last_used_at: None,
        };
        Ok((key, Secret::new(text)))
    }

    /// Returns whether a text is this key. Hashes are compared, so the time that it takes reveals
    /// nothing about the key.
    #[must_use]
    pub fn is(&self, text: &str) -> bool {
        self.sha256 == hashed(text)
    }

    /// Returns whether the key has expired.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|at| now.as_second() >= at)
    }
}

pub(super) fn hashed(text: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_recognised_and_its_record_cannot_be_used_as_one() {
        let (key, secret) =
            ApiKey::generate(&NewApiKey::new(" CRM "), Timestamp::UNIX_EPOCH).unwrap();
        let (other, _) = ApiKey::generate(&NewApiKey::new("CRM"), Timestamp::UNIX_EPOCH).unwrap();
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
            let (key, _) = ApiKey::generate(&NewApiKey::new("CRM"), Timestamp::UNIX_EPOCH).unwrap();
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
            let refused =
                ApiKey::generate(&NewApiKey::new(name), Timestamp::UNIX_EPOCH).unwrap_err();
            assert_eq!(refused.field.as_deref(), Some("name"), "{name:?}");
        }
        assert!(ApiKey::generate(&NewApiKey::new("x".repeat(60)), Timestamp::UNIX_EPOCH).is_ok());
    }

    #[test]
    fn a_stored_key_whose_name_has_a_direction_control_is_read() {
        let stored = r#"{"id":"AAAAAAAA","name":"a\u202eb","sha256":"x","created_at":0}"#;
        let key: ApiKey = serde_json::from_str(stored).unwrap();
        assert_eq!(key.name, "a\u{202e}b");
    }

    fn at(secs: i64) -> Timestamp {
        Timestamp::from_second(secs).unwrap()
    }

    #[test]
    fn a_stored_key_without_scopes_has_links_and_users_and_never_expires() {
        let stored = r#"{"id":"AAAAAAAA","name":"CRM","sha256":"x","created_at":0}"#;
        let key: ApiKey = serde_json::from_str(stored).unwrap();
        assert_eq!(key.scopes, [Scope::Links, Scope::Users]);
        assert!(!key.is_expired(at(crate::time::MAX_SECS)));
    }

    #[test]
    fn a_key_needs_a_scope() {
        let new = NewApiKey {
            scopes: Vec::new(),
            ..NewApiKey::new("CRM")
        };
        let refused = ApiKey::generate(&new, at(0)).unwrap_err();
        assert_eq!(refused.field.as_deref(), Some("scopes"));
    }

    #[test]
    fn a_key_is_refused_if_it_is_unknown_has_expired_or_lacks_the_scope() {
        let new = NewApiKey {
            scopes: vec![Scope::UsersRead],
            lifetime: Lifetime::Secs(60),
            ..NewApiKey::new("CRM")
        };
        let (key, secret) = ApiKey::generate(&new, at(0)).unwrap();
        let keys = [key];
        let ask = |needed, now| {
            let sent = secret.expose();
            authorize(&keys, sent, Some(needed), at(now)).map(|key| key.name.as_str())
        };
        let name = || "CRM".to_owned();
        assert_eq!(ask(Scope::UsersRead, 59), Ok("CRM"));
        let expired = KeyRefusal::Expired { name: name() };
        assert_eq!(ask(Scope::UsersRead, 60), Err(expired.clone()));
        assert_eq!(ask(Scope::Users, 60), Err(expired));
        for needed in [Scope::Users, Scope::Links, Scope::Admin] {
            let name = name();
            let missing = KeyRefusal::ScopeMissing { name, needed };
            assert_eq!(ask(needed, 0), Err(missing));
        }
        let unknown = authorize(&keys, "lk_other", Some(Scope::UsersRead), at(0));
        assert_eq!(unknown.unwrap_err(), KeyRefusal::Unknown);
        assert!(authorize(&keys, secret.expose(), None, at(59)).is_ok());
        assert!(authorize(&keys, secret.expose(), None, at(60)).is_err());
        assert!(authorize(&keys, "lk_other", None, at(0)).is_err());
    }
}
