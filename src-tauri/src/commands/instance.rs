//! An instance as the window sees it.

use latchkey_core::Error;
use latchkey_core::activity::Retention;
use latchkey_core::error::Warning;
use latchkey_core::instance::api_key;
use latchkey_core::instance::{
    self, Hosted, InstanceId, SettingsChange, SignInSettings, SignInStep,
};
use latchkey_core::protocol::code::Algorithm;
use latchkey_core::protocol::lifetime::Lifetime;
use latchkey_core::secret::{KeyOrigin, Secret, SecretEncoding};
use latchkey_core::verdict::Policy;
use latchkey_store::home;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// An instance by its id.
#[derive(Clone, Debug, Deserialize, TS)]
pub struct InstanceRef {
    /// The id.
    pub instance: String,
}

/// Where a signing key comes from.
#[derive(Debug, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum SecretSource {
    /// Make one.
    Generate,
    /// The instance dictates it.
    Paste {
        /// The JWT secret.
        #[ts(type = "string")]
        secret: Secret,
        /// The encoding of the key in the secret.
        #[serde(default)]
        encoding: SecretEncoding,
    },
}

/// Facts about a key. It differs from core's `ApiKey`, which holds the key's hash.
#[derive(Clone, Debug, Serialize, TS)]
pub struct ApiKey {
    /// First characters of the key after `lk_`.
    pub id: String,
    /// Name that the administrator gave it.
    pub name: String,
    /// When it was made, in Unix seconds.
    #[ts(type = "number")]
    pub created_at: i64,
}

/// [`SignInSettings`] as an administrator types them. They are texts until a [`SettingsChange`] is made of them, so that one
/// that breaks a rule is refused with a code and a field, and not as a request that cannot be read.
#[derive(Clone, Debug, Deserialize)]
#[expect(missing_docs, reason = "the members of SignInSettings")]
pub struct TypedSignInSettings {
    pub step: SignInStep,
    pub session: String,
    pub session_ends_with_link: bool,
    pub session_idle: String,
    pub return_to: Vec<String>,
    pub embed_in: Vec<String>,
}

/// [`Retention`] as an administrator types it: the age is a text for the reason of [`TypedSignInSettings`].
#[derive(Clone, Debug, Deserialize)]
#[expect(missing_docs, reason = "the members of Retention")]
pub struct TypedRetention {
    pub age: String,
    pub refusals: u64,
}

/// Facts about the signing key that are known without reading it, with the warning for a short one.
#[derive(Clone, Debug, Serialize, TS)]
pub struct KeyStatus {
    /// Source of the key.
    pub origin: KeyOrigin,
    /// When it was set, in Unix seconds.
    #[ts(type = "number")]
    pub set_at: i64,
    /// Set where the key is shorter than RFC 7518 §3.2 asks for.
    pub warning: Option<Warning>,
    /// How the secret is turned into the key.
    pub encoding: SecretEncoding,
    /// Whether it can still be shown; it can be shown once.
    pub revealable: bool,
}

/// An application that people sign in to. It differs from core's `Instance`, which holds the length of the key, the
/// hashes of API keys and where they are kept: the window has no use for them.
#[derive(Clone, Debug, Serialize, TS)]
pub struct Instance {
    /// Its id, which never changes.
    pub id: String,
    /// For people.
    pub name: String,
    /// Where people open the application.
    pub url: String,
    /// Who decides.
    pub hosted: Hosted,
    /// The query parameter that carries the code.
    pub parameter: String,
    /// How its codes are signed.
    pub algorithm: Algorithm,
    /// The default lifetime in words: `7 days`, `12 hours`, `never`.
    pub lifetime: String,
    /// Its rules.
    pub policy: Policy,
    /// How its gateway lets people in.
    pub visiting: SignInSettings,
    /// How much of its activity is kept.
    pub retention: Retention,
    /// The values of `aud` that it accepts besides its URL.
    pub audiences: Vec<String>,
    /// Its signing key, if it has one.
    pub key: Option<KeyStatus>,
    /// The keys of its API, which is off where there are none.
    pub api_keys: Vec<ApiKey>,
}

/// Settings of an instance that an administrator edits.
#[derive(Clone, Debug, Deserialize, TS)]
#[expect(missing_docs, reason = "the members of Instance")]
pub struct InstanceSettings {
    pub name: String,
    pub url: String,
    pub hosted: Hosted,
    pub parameter: String,
    pub algorithm: Algorithm,
    pub lifetime: String,
    pub policy: Policy,
    #[ts(as = "SignInSettings")]
    pub visiting: TypedSignInSettings,
    #[ts(as = "Retention")]
    pub retention: TypedRetention,
    pub audiences: Vec<String>,
}

impl InstanceRef {
    pub(crate) fn id(&self) -> latchkey_core::Result<InstanceId> {
        InstanceId::parse(&self.instance)
    }
}

impl From<instance::Instance> for Instance {
    fn from(instance: instance::Instance) -> Self {
        let settings = instance.settings;
        Self {
            id: instance.id.as_str().to_owned(),
            name: settings.name.as_str().to_owned(),
            url: settings.url.as_str().to_owned(),
            hosted: settings.hosted,
            parameter: settings.parameter.as_str().to_owned(),
            algorithm: settings.algorithm,
            lifetime: settings.lifetime.to_string(),
            policy: settings.policy,
            visiting: settings.visiting,
            retention: settings.retention,
            audiences: settings.audiences.iter().map(ToString::to_string).collect(),
            key: instance.key.map(|key| KeyStatus {
                origin: key.origin,
                set_at: key.set_at,
                warning: key.short_for(settings.algorithm),
                encoding: key.encoding,
                revealable: !key.revealed,
            }),
            api_keys: instance.api_keys.into_iter().map(Into::into).collect(),
        }
    }
}

impl TryFrom<InstanceSettings> for SettingsChange {
    type Error = Error;

    fn try_from(settings: InstanceSettings) -> Result<Self, Error> {
        let (policy, visiting) = (settings.policy, settings.visiting);
        Ok(Self {
            name: Some(settings.name),
            url: Some(settings.url),
            hosted: Some(settings.hosted),
            parameter: Some(settings.parameter),
            algorithm: Some(settings.algorithm),
            lifetime: Some(lifetime(&settings.lifetime, "lifetime")?),
            external_auth: Some(policy.external_auth),
            require_expiry: Some(policy.require_expiry),
            provisioning: Some(policy.provisioning),
            refresh_profile: Some(policy.refresh_profile),
            step: Some(visiting.step),
            session: Some(lifetime(&visiting.session, "session")?),
            session_ends_with_link: Some(visiting.session_ends_with_link),
            session_idle: Some(lifetime(&visiting.session_idle, "session_idle")?),
            return_to: Some(visiting.return_to),
            embed_in: Some(visiting.embed_in),
            retention_age: Some(lifetime(&settings.retention.age, "retention_age")?),
            retained_refusals: Some(settings.retention.refusals),
            audiences: Some(settings.audiences),
        })
    }
}

fn lifetime(text: &str, field: &str) -> Result<Lifetime, Error> {
    let lifetime = text.parse();
    lifetime.map_err(|refused: Error| refused.about(field))
}

impl From<SecretSource> for home::SecretSource {
    fn from(source: SecretSource) -> Self {
        match source {
            SecretSource::Generate => Self::Generate,
            SecretSource::Paste { secret, encoding } => Self::Paste { secret, encoding },
        }
    }
}

impl From<api_key::ApiKey> for ApiKey {
    fn from(key: api_key::ApiKey) -> Self {
        Self {
            id: key.id,
            name: key.name,
            created_at: key.created_at,
        }
    }
}
