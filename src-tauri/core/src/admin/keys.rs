//! The signing key of an instance.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::error::Warning;
use crate::protocol::code::Algorithm;
use crate::secret::{
    KeyLocation, KeyOrigin, KeyRecord, Secret, SecretEncoding, SecretSource, exposed_if_any,
};
use crate::{Error, ErrorCode, Result, time};

/// Description of a signing key. The secret cannot be read from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct KeySummary {
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
            origin: key.origin,
            kept: key.kept,
            encoding: key.encoding,
            set_at: key.set_at,
            warning: key.short_for(algorithm),
        }
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
