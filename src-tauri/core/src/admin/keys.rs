//! The signing keys of an instance.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::key_links::KeyLinks;
use crate::directory::Directory;
use crate::error::Warning;
use crate::instance::{Hosted, Instance};
use crate::ledger::{Revocation, RevocationScope};
use crate::protocol::code::Algorithm;
use crate::secret::{
    KeyLocation, KeyOrigin, KeyRecord, KeyRotation, RetireAfter, RetiringKey, Secret,
    SecretEncoding, SecretSource, exposed_if_any,
};
use crate::{Error, ErrorCode, Result, time};

/// Description of a signing key. The secret cannot be read from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KeySummary {
    /// ID by which links name the key. It is not secret.
    #[serde(default)]
    #[schema(required)]
    pub id: String,
    /// Origin of the key.
    pub origin: KeyOrigin,
    /// Location of the key.
    pub kept: KeyLocation,
    /// Encoding of the secret.
    pub encoding: SecretEncoding,
    /// Time when the key was set.
    #[serde(with = "time::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub set_at: i64,
    /// Warning if the key is shorter than the algorithm requires.
    #[schema(required)]
    pub warning: Option<Warning>,
}

impl KeySummary {
    /// Describes a key of an instance with this algorithm.
    #[must_use]
    pub fn new(key: &KeyRecord, algorithm: Algorithm) -> Self {
        Self {
            id: key.key_id().to_owned(),
            origin: key.origin,
            kept: key.kept,
            encoding: key.encoding,
            set_at: key.set_at,
            warning: key.short_for(algorithm),
        }
    }
}

/// Whether a signing key signs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum KeyState {
    /// The key signs and verifies.
    Active,
    /// The key verifies until its retirement date.
    Retiring,
}

/// A signing key that verifies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SigningKeyRecord {
    /// Description of the key.
    #[serde(flatten)]
    pub key: KeySummary,
    /// Whether the key signs.
    pub state: KeyState,
    /// Time at which the key retires. Null for the active key.
    #[serde(with = "time::rfc3339_if_any")]
    #[schema(required, value_type = Option<String>, format = DateTime)]
    pub retires_at: Option<i64>,
    /// Links that depend on the key. Null if they were not counted.
    #[serde(default)]
    #[schema(required)]
    pub links: Option<KeyLinks>,
}

impl SigningKeyRecord {
    /// Describes a retiring key of an instance with this algorithm.
    #[must_use]
    pub fn retiring(retiring: &RetiringKey, algorithm: Algorithm) -> Self {
        Self {
            key: KeySummary::new(&retiring.key, algorithm),
            state: KeyState::Retiring,
            retires_at: Some(retiring.retires_at),
            links: None,
        }
    }
}

/// All signing keys of an instance that verify.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SigningKeys {
    /// The active key, then the retiring ones, the oldest first.
    pub signing_keys: Vec<SigningKeyRecord>,
}

impl SigningKeys {
    /// Returns the keys of an instance that verify at a time.
    #[must_use]
    pub fn new(instance: &Instance, now: Timestamp) -> Self {
        let algorithm = instance.settings.algorithm;
        let active = instance.key.iter().map(|key| SigningKeyRecord {
            key: KeySummary::new(key, algorithm),
            state: KeyState::Active,
            retires_at: None,
            links: None,
        });
        let retiring = instance.retiring.iter();
        let retiring = retiring.filter(|retiring| now.as_second() < retiring.retires_at);
        let retiring = retiring.map(|key| SigningKeyRecord::retiring(key, algorithm));
        Self {
            signing_keys: active.chain(retiring).collect(),
        }
    }
}

impl SigningKeys {
    /// Adds the links that depend on each key.
    pub async fn with_links(mut self, directory: &dyn Directory, now: Timestamp) -> Result<Self> {
        for key in &mut self.signing_keys {
            key.links = Some(KeyLinks::of(directory, &key.key.id, now).await?);
        }
        Ok(self)
    }
}

/// The signing keys after a change.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SigningKeysChanged {
    /// The active key, then the retiring ones, the oldest first.
    pub signing_keys: Vec<SigningKeyRecord>,
    /// Secret of a generated key. It is returned only now. Null if no key was generated, or if the
    /// request leaves it out.
    #[serde(serialize_with = "exposed_if_any::serialize")]
    #[schema(required, value_type = Option<String>)]
    pub secret: Option<Secret>,
}

/// A rotation: a new signing key becomes active, and the old one retires later. `{}` generates a
/// key, and lets the old one retire after 30 days.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RotationRequest {
    /// Secret to use. By default, one is generated.
    #[serde(
        default,
        deserialize_with = "super::some",
        serialize_with = "exposed_if_any::serialize",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Option<String>, nullable = false, min_length = 1, max_length = 4096)]
    pub secret: Option<Secret>,
    /// Encoding of `secret`. Text by default.
    #[serde(
        default,
        deserialize_with = "super::some",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(nullable = false)]
    pub encoding: Option<SecretEncoding>,
    /// Time for which the old key still verifies, such as `30 days` or `now`. 30 days by default.
    #[serde(
        default,
        deserialize_with = "super::some",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Option<String>, nullable = false, example = "30 days")]
    pub retire_after: Option<RetireAfter>,
    /// Whether the answer leaves out the secret of a generated key. Nobody can read it then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub without_secret: bool,
}

impl From<KeyRotation> for RotationRequest {
    fn from(rotation: KeyRotation) -> Self {
        let NewSigningKey {
            secret, encoding, ..
        } = rotation.source.into();
        Self {
            secret,
            encoding,
            retire_after: rotation.retire_after,
            without_secret: false,
        }
    }
}

impl RotationRequest {
    /// Returns the rotation. Fails for an encoding without a secret.
    pub fn rotation(self) -> Result<KeyRotation> {
        let new = NewSigningKey {
            generate: self.secret.is_none(),
            secret: self.secret,
            encoding: self.encoding,
        };
        Ok(KeyRotation {
            source: new.source()?,
            retire_after: self.retire_after,
        })
    }
}

/// Retirement of a signing key. `{}` retires it at once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RetirementRequest {
    /// Whether others may know the key. It then stops at once, with all links that it has signed.
    /// If it is the active key, a generated one becomes active in the same step. A key that has
    /// retired may also be given up, if a link in the ledger was signed with it.
    #[serde(default)]
    pub leaked: bool,
    /// Time for which the key still verifies, such as `7 days` or `now`. It retires at once by
    /// default.
    #[serde(
        default,
        deserialize_with = "super::some",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Option<String>, nullable = false, example = "7 days")]
    pub retire_after: Option<RetireAfter>,
    /// Whether the answer leaves out the secret of a generated key. Nobody can read it then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub without_secret: bool,
}

impl RetirementRequest {
    /// Fails for a leaked key that should verify for some time.
    pub fn require_possible(self) -> Result<Self> {
        if self.leaked && matches!(self.retire_after, Some(RetireAfter::Secs(_))) {
            let message =
                "A key that has leaked stops at once. Leave out either 'leaked' or 'retire_after'.";
            return Err(Error::new(ErrorCode::InvalidSetting, message).about("retire_after"));
        }
        Ok(self)
    }

    /// Returns the revocation by which a leaked key is given up that verifies no more, so that its
    /// short links stop, too. `None` for a key that is kept, without a stored key, and where another
    /// program decides.
    #[must_use]
    pub fn of_retired(self, key: &str, instance: &Instance, now: Timestamp) -> Option<Revocation> {
        let keys = SigningKeys::new(instance, now).signing_keys;
        let verifies = keys.iter().any(|known| known.key.id == key);
        // Without a stored key, the gateway alone knows which keys verify.
        let is_here = instance.settings.hosted == Hosted::Here && instance.key.is_some();
        (self.leaked && is_here && !verifies).then(|| Revocation {
            scope: RevocationScope::Key(key.to_owned()),
            ends_sessions: false,
            allows_unknown: false,
        })
    }
}

/// A signing key to set: `{"generate": true}` generates one, and `secret` is the existing secret of
/// the application.
#[derive(Clone, Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSigningKey {
    /// Whether to generate a key.
    #[serde(default)]
    pub generate: bool,
    /// Secret to use.
    #[serde(
        default,
        deserialize_with = "super::some",
        serialize_with = "exposed_if_any::serialize",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Option<String>, nullable = false, min_length = 1, max_length = 4096)]
    pub secret: Option<Secret>,
    /// Encoding of `secret`. Text by default.
    #[serde(
        default,
        deserialize_with = "super::some",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(nullable = false)]
    pub encoding: Option<SecretEncoding>,
}

impl From<SecretSource> for NewSigningKey {
    fn from(source: SecretSource) -> Self {
        match source {
            SecretSource::Generate => Self {
                generate: true,
                ..Self::default()
            },
            SecretSource::Paste { secret, encoding } => Self {
                generate: false,
                secret: Some(secret),
                encoding: Some(encoding),
            },
        }
    }
}

impl NewSigningKey {
    /// Returns the source of the key. Fails unless exactly one is given.
    pub fn source(self) -> Result<SecretSource> {
        let wrong = |field: &str, message: &str| {
            Err(Error::new(ErrorCode::InvalidSetting, message).about(field))
        };
        match (self.generate, self.secret, self.encoding) {
            (true, None, None) => Ok(SecretSource::Generate),
            (true, None, Some(_)) => wrong(
                "encoding",
                "'encoding' belongs to 'secret'. A generated key has the encoding of the protocol. Leave it out.",
            ),
            (false, Some(secret), encoding) => Ok(SecretSource::Paste {
                secret,
                encoding: encoding.unwrap_or_default(),
            }),
            (true, Some(_), _) => wrong(
                "generate",
                "Give either 'generate' or 'secret', and not both.",
            ),
            (false, None, _) => wrong(
                "secret",
                "Give the secret in 'secret', or set 'generate' to true.",
            ),
        }
    }
}

/// The signing key that was set.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct SigningKeySet {
    /// Description of the key.
    pub key: KeySummary,
    /// Secret of a generated key. It is returned only now. Null for a key that the request has
    /// given.
    #[serde(serialize_with = "exposed_if_any::serialize")]
    #[schema(required, value_type = Option<String>)]
    pub secret: Option<Secret>,
}
