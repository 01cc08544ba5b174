//! API keys.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::instance::Instance;
use crate::instance::api_key::{ApiKey, NewApiKey};
use crate::instance::pairing::Pairing;
use crate::instance::scope::Scope;
use crate::protocol::lifetime::Lifetime;
use crate::secret::{Secret, exposed};
use crate::{Error, ErrorCode, Result, time};

/// All API keys of the instance, and those that wait for their clients.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ApiKeys {
    /// The keys, the oldest first.
    pub api_keys: Vec<ApiKeyRecord>,
    /// The pairing codes that wait for their clients, the oldest first.
    // Older gateways leave it out.
    #[serde(default)]
    #[schema(required)]
    pub pairings: Vec<PairingRecord>,
}

impl ApiKeys {
    /// Returns the keys and the waiting pairing codes of an instance.
    #[must_use]
    pub fn of(instance: &Instance, now: Timestamp) -> Self {
        let waiting = instance.pairings.iter();
        let waiting = waiting.filter(|pairing| !pairing.is_expired(now));
        Self {
            api_keys: instance.api_keys.iter().map(Into::into).collect(),
            pairings: waiting.map(Into::into).collect(),
        }
    }
}

/// Description of an API key. The key cannot be read from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ApiKeyRecord {
    /// First characters of the key after `lk_`.
    pub id: String,
    /// Name of the system that uses the key.
    pub name: String,
    /// Time when the key was made.
    #[serde(with = "time::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub created_at: i64,
    /// Scopes of the key.
    pub scopes: Vec<Scope>,
    /// Time at which the key expires. Null if it never does.
    #[serde(with = "time::rfc3339_if_any")]
    #[schema(required, value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<i64>,
    /// Time of the last use, some minutes old at most. Null if the key was never used.
    #[serde(default, with = "time::rfc3339_if_any")]
    #[schema(required, value_type = Option<String>, format = DateTime)]
    pub last_used_at: Option<i64>,
}

impl From<&ApiKey> for ApiKeyRecord {
    fn from(key: &ApiKey) -> Self {
        Self {
            id: key.id.clone(),
            name: key.name.clone(),
            created_at: key.created_at,
            scopes: key.scopes.clone(),
            expires_at: key.expires_at,
            last_used_at: key.last_used_at,
        }
    }
}

/// Description of a pairing code that waits for its client. The code cannot be read from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PairingRecord {
    /// Name of the key that the client gets.
    pub name: String,
    /// Time when the code was made.
    #[serde(with = "time::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub created_at: i64,
    /// Scopes of the key.
    pub scopes: Vec<Scope>,
    /// Time at which the code expires.
    #[serde(with = "time::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub code_expires_at: i64,
}

impl From<&Pairing> for PairingRecord {
    fn from(pairing: &Pairing) -> Self {
        Self {
            name: pairing.name.clone(),
            created_at: pairing.created_at,
            scopes: pairing.scopes.clone(),
            code_expires_at: pairing.expires_at,
        }
    }
}

/// An API key to make.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApiKeyRequest {
    /// Name of the system that uses the key.
    #[schema(min_length = 1, max_length = 60)]
    pub name: String,
    /// Scopes of the key, except `admin`, which only the command line on the server can give.
    /// Defaults to `links` and `users`.
    #[serde(
        default,
        deserialize_with = "super::some",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(nullable = false)]
    pub scopes: Option<Vec<Scope>>,
    /// Time after which the key expires, such as `90 days`. Defaults to `never`.
    #[serde(
        default,
        deserialize_with = "super::some",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(nullable = false, example = "90 days")]
    pub expires_in: Option<String>,
}

impl From<&NewApiKey> for ApiKeyRequest {
    fn from(new: &NewApiKey) -> Self {
        Self {
            name: new.name.clone(),
            scopes: Some(new.scopes.clone()),
            expires_in: Some(new.lifetime.to_string()),
        }
    }
}

impl ApiKeyRequest {
    /// Checks the members. Fails for the scope `admin`.
    pub fn parse(self) -> Result<NewApiKey> {
        let lifetime = self.expires_in.map(|text| text.parse::<Lifetime>());
        let lifetime = lifetime.transpose();
        let lifetime = lifetime.map_err(|refused| refused.about("expires_in"))?;
        let scopes = self.scopes.unwrap_or_else(|| Scope::DEFAULT.to_vec());
        if scopes.contains(&Scope::Admin) {
            let message =
                "A key with the scope 'admin' is made only on the server, where the gateway runs.";
            return Err(Error::new(ErrorCode::InvalidSetting, message).about("scopes"));
        }
        Ok(NewApiKey {
            name: self.name,
            scopes,
            lifetime: lifetime.unwrap_or(Lifetime::Never),
        })
    }
}

/// An API key that was made.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct MadeApiKey {
    /// The key. It is returned only now.
    #[serde(serialize_with = "exposed::serialize")]
    #[schema(value_type = String)]
    pub key: Secret,
    /// Description of the key.
    pub api_key: ApiKeyRecord,
}
