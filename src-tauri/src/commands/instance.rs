//! Types of an instance for the window.

use latchkey_core::Error;
use latchkey_core::activity::Retention;
use latchkey_core::admin::{self, ApiKeyRecord, KeySummary, SigningKeyRecord};
use latchkey_core::error::Warning;
use latchkey_core::instance::api_key;
use latchkey_core::instance::scope::Scope;
use latchkey_core::instance::{
    self, Hosted, InstanceId, SettingsChange, SignInSettings, SignInStep,
};
use latchkey_core::ledger::StopsElsewhere;
use latchkey_core::protocol::code::Algorithm;
use latchkey_core::protocol::lifetime::Lifetime;
use latchkey_core::secret::{KeyOrigin, Secret, SecretEncoding};
use latchkey_core::typingmind;
use latchkey_core::verdict::Policy;
use latchkey_store::home;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

/// An instance by its ID.
#[derive(Clone, Debug, Deserialize, TS)]
pub struct InstanceRef {
    /// ID of the instance.
    pub instance: String,
}

/// Source of a signing key.
#[derive(Debug, Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum SecretSource {
    /// A new generated key.
    Generate,
    /// The existing secret of the application.
    Paste {
        /// JWT secret.
        #[ts(type = "string")]
        secret: Secret,
        /// Encoding of the secret.
        #[serde(default)]
        encoding: SecretEncoding,
    },
}

/// Facts about an API key. It differs from core's `ApiKey`, which holds the hash of the key.
#[derive(Clone, Debug, Serialize, TS)]
pub struct ApiKey {
    /// First characters of the key after `lk_`.
    pub id: String,
    /// Name that the administrator gave the key.
    pub name: String,
    /// Time when the key was made, in Unix seconds.
    #[ts(type = "number")]
    pub created_at: i64,
    /// Scopes of the key.
    pub scopes: Vec<Scope>,
    /// Time at which the key expires, in Unix seconds.
    #[ts(type = "number | null")]
    pub expires_at: Option<i64>,
    /// Time of the last use, in Unix seconds, some minutes old at most.
    #[ts(type = "number | null")]
    pub last_used_at: Option<i64>,
}

/// Connection to a gateway on a server. It differs from core's `Connection`, which holds the location
/// of the key.
#[derive(Clone, Debug, Serialize, TS)]
pub struct Connection {
    /// Address of the gateway's administration.
    pub url: String,
    /// Host and port of the address.
    pub host: String,
    /// ID of the instance at the gateway.
    pub instance: String,
    /// Fingerprint of the certificate. Null if a public authority vouches for it.
    pub fingerprint: Option<String>,
    /// ID of the API key by which this computer is connected.
    pub key_id: String,
    /// Whether the settings were read at the gateway. A key of few scopes may not read them; then all
    /// but the name and the URL are defaults.
    pub settings_read: bool,
}

/// [`SignInSettings`] as an administrator types them. Texts become a [`SettingsChange`] later, so
/// that a text that breaks a rule is refused with a code and a field.
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

/// [`Retention`] as an administrator types it. Times are texts for the same reason as in
/// [`TypedSignInSettings`].
#[derive(Clone, Debug, Deserialize)]
#[expect(missing_docs, reason = "the members of Retention")]
pub struct TypedRetention {
    pub age: String,
    pub refusals: u64,
    pub links: String,
}

/// Facts about a signing key that are known without reading it, and the warning about a short one.
#[derive(Clone, Debug, Serialize, TS)]
pub struct KeyStatus {
    /// ID by which links name the key. It is not secret.
    pub id: String,
    /// Source of the key.
    pub origin: KeyOrigin,
    /// Time when the key was set, in Unix seconds.
    #[ts(type = "number")]
    pub set_at: i64,
    /// Warning if the key is shorter than RFC 7518 §3.2 requires.
    pub warning: Option<Warning>,
    /// Encoding of the secret.
    pub encoding: SecretEncoding,
    /// Whether the secret can still be shown. It can be shown only once.
    pub revealable: bool,
}

/// Facts about a signing key that was replaced and verifies until a date.
#[derive(Clone, Debug, Serialize, TS)]
pub struct RetiringKey {
    /// ID by which links name the key. It is not secret.
    pub id: String,
    /// Source of the key.
    pub origin: KeyOrigin,
    /// Time when the key was set, in Unix seconds.
    #[ts(type = "number")]
    pub set_at: i64,
    /// Time at which the key retires, in Unix seconds.
    #[ts(type = "number")]
    pub retires_at: i64,
}

/// Connection of an instance to TypingMind's API.
#[derive(Clone, Debug, Serialize, TS)]
pub struct TypingMindConnection {
    /// `us`, `eu`, or the URL of a proxy.
    pub region: String,
    /// Host of the API.
    pub host: String,
    /// Time when the API key was set, in Unix seconds. Null without a key.
    #[ts(type = "number | null")]
    pub key_set_at: Option<i64>,
}

/// An application that people sign in to. It differs from core's `Instance`, which also holds the
/// length of the key, the hashes of API keys and their location.
#[derive(Clone, Debug, Serialize, TS)]
pub struct Instance {
    /// ID, which never changes.
    pub id: String,
    /// Name for people.
    pub name: String,
    /// URL of the application.
    pub url: String,
    /// Whether the URL leads to the computer that it is opened on.
    pub is_loopback: bool,
    /// Whether sign-ins are decided here or elsewhere.
    pub hosted: Hosted,
    /// Query parameter that carries the code.
    pub parameter: String,
    /// Signature algorithm of its codes.
    pub algorithm: Algorithm,
    /// Default lifetime of links in words: `7 days`, `12 hours`, `never`.
    pub lifetime: String,
    /// Rules for codes.
    pub policy: Policy,
    /// Settings of signing in at its gateway.
    pub visiting: SignInSettings,
    /// Retention of its activity and its ledger.
    pub retention: Retention,
    /// Values of `aud` that are accepted besides its URL.
    pub audiences: Vec<String>,
    /// Whether older links of a person stop working whenever a new one is given out.
    pub supersede: bool,
    /// Template of the message in which a person gets a link.
    pub message: String,
    /// Ways to stop its links, if an application elsewhere decides. Null if revoked links stop by themselves.
    pub stops_elsewhere: Option<StopsElsewhere>,
    /// Its signing key, if it has one.
    pub key: Option<KeyStatus>,
    /// Signing keys that were replaced and verify until a date, the oldest first.
    pub retiring: Vec<RetiringKey>,
    /// Connection to TypingMind's API, for an instance that is hosted there.
    pub typingmind: Option<TypingMindConnection>,
    /// Its API keys. Without any, the API is off.
    pub api_keys: Vec<ApiKey>,
    /// Connection to the gateway on a server that has the instance. Its keys are known only after
    /// `instance_refresh`.
    pub connection: Option<Connection>,
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
    pub supersede: bool,
    pub message: String,
}

impl InstanceRef {
    pub(crate) fn new(instance: &str) -> Self {
        Self {
            instance: instance.to_owned(),
        }
    }

    pub(crate) fn id(&self) -> latchkey_core::Result<InstanceId> {
        InstanceId::parse(&self.instance)
    }
}

impl From<instance::Instance> for Instance {
    fn from(instance: instance::Instance) -> Self {
        let settings = instance.settings;
        Self {
            stops_elsewhere: StopsElsewhere::of(&settings),
            id: instance.id.as_str().to_owned(),
            name: settings.name.as_str().to_owned(),
            url: settings.url.as_str().to_owned(),
            is_loopback: settings.url.is_loopback(),
            hosted: settings.hosted,
            parameter: settings.parameter.as_str().to_owned(),
            algorithm: settings.algorithm,
            lifetime: settings.lifetime.to_string(),
            policy: settings.policy,
            visiting: settings.visiting,
            retention: settings.retention,
            audiences: settings.audiences.iter().map(ToString::to_string).collect(),
            supersede: settings.supersede,
            message: settings.message.into(),
            retiring: instance
                .retiring
                .iter()
                .filter_map(|key| {
                    RetiringKey::new(SigningKeyRecord::retiring(key, settings.algorithm))
                })
                .collect(),
            key: instance.key.map(|key| KeyStatus {
                id: key.key_id().to_owned(),
                origin: key.origin,
                set_at: key.set_at,
                warning: key.short_for(settings.algorithm),
                encoding: key.encoding,
                revealable: !key.revealed,
            }),
            typingmind: instance.typingmind.map(Into::into),
            api_keys: instance.api_keys.into_iter().map(Into::into).collect(),
            connection: instance.connection.map(Into::into),
        }
    }
}

impl Instance {
    /// Adds the keys that the gateway of the instance has.
    pub(crate) fn with_keys(
        mut self,
        key: Option<KeySummary>,
        retiring: Vec<SigningKeyRecord>,
        api_keys: Vec<ApiKeyRecord>,
    ) -> Self {
        self.key = key.map(Into::into);
        self.retiring = retiring.into_iter().filter_map(RetiringKey::new).collect();
        self.api_keys = api_keys.into_iter().map(Into::into).collect();
        self
    }
}

impl RetiringKey {
    /// Describes a retiring key. `None` for an active one.
    fn new(record: SigningKeyRecord) -> Option<Self> {
        let SigningKeyRecord {
            key, retires_at, ..
        } = record;
        Some(Self {
            id: key.id,
            origin: key.origin,
            set_at: key.set_at,
            retires_at: retires_at?,
        })
    }
}

impl From<KeySummary> for KeyStatus {
    fn from(key: KeySummary) -> Self {
        Self {
            id: key.id,
            origin: key.origin,
            set_at: key.set_at,
            warning: key.warning,
            encoding: key.encoding,
            // The gateway never shows it.
            revealable: false,
        }
    }
}

impl From<ApiKeyRecord> for ApiKey {
    fn from(key: ApiKeyRecord) -> Self {
        Self {
            id: key.id,
            name: key.name,
            created_at: key.created_at,
            scopes: key.scopes,
            expires_at: key.expires_at,
            last_used_at: key.last_used_at,
        }
    }
}

impl From<admin::Connection> for Connection {
    fn from(connection: admin::Connection) -> Self {
        Self {
            host: connection.url.authority().to_owned(),
            url: connection.url.as_str().to_owned(),
            instance: connection.instance.to_string(),
            fingerprint: connection.fingerprint.map(|pin| pin.to_string()),
            key_id: connection.key_id,
            settings_read: connection.settings_read,
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
            retained_links: Some(lifetime(&settings.retention.links, "retained_links")?),
            audiences: Some(settings.audiences),
            supersede: Some(settings.supersede),
            message: Some(settings.message),
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
        ApiKeyRecord::from(&key).into()
    }
}

impl From<typingmind::TypingMind> for TypingMindConnection {
    fn from(connection: typingmind::TypingMind) -> Self {
        Self {
            region: connection.region.to_string(),
            host: connection.region.host().to_owned(),
            key_set_at: connection.key.map(|key| key.set_at),
        }
    }
}
