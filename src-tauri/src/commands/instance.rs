//! An instance as the window sees it.

use latchkey_core::instance::api_key;
use latchkey_core::instance::{self, InstanceId, Name, Settings};
use latchkey_core::link::{BaseUrl, Parameter};
use latchkey_core::protocol::audience::Audience;
use latchkey_core::protocol::code;
use latchkey_core::secret::{self, Secret};
use latchkey_core::session::SessionRules;
use latchkey_core::session::return_address::WebOrigin;
use latchkey_store::home;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

use crate::Problem;

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

/// How the text of a secret is turned into the key.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum SecretEncoding {
    /// The text is the key.
    #[default]
    Text,
    /// The key in base64 or base64url.
    Base64,
    /// The key in hexadecimal.
    Hex,
}

impl From<SecretEncoding> for secret::SecretEncoding {
    fn from(encoding: SecretEncoding) -> Self {
        match encoding {
            SecretEncoding::Text => Self::Text,
            SecretEncoding::Base64 => Self::Base64,
            SecretEncoding::Hex => Self::Hex,
        }
    }
}

impl From<secret::SecretEncoding> for SecretEncoding {
    fn from(encoding: secret::SecretEncoding) -> Self {
        match encoding {
            secret::SecretEncoding::Text => Self::Text,
            secret::SecretEncoding::Base64 => Self::Base64,
            secret::SecretEncoding::Hex => Self::Hex,
        }
    }
}

/// What is kept of a key.
#[derive(Clone, Debug, Serialize, TS)]
pub struct ApiKey {
    /// What the key begins with after `lk_`.
    pub id: String,
    /// What the administrator calls it.
    pub name: String,
    /// When it was made, in Unix seconds.
    #[ts(type = "number")]
    pub created_at: i64,
}

/// How an instance's codes are signed.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, TS)]
#[expect(missing_docs, reason = "the names are RFC 7518's")]
pub enum Algorithm {
    HS256,
    HS384,
    HS512,
}

/// Where people sign in: at this Latchkey's gateway, or at somebody else's server.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the type says it")]
pub enum Hosted {
    Here,
    Elsewhere,
}

/// The rules of an instance that is hosted here.
#[expect(clippy::struct_excessive_bools, reason = "four independent switches")]
#[derive(Clone, Copy, Debug, Serialize, Deserialize, TS)]
pub struct Policy {
    /// Off: every code is refused.
    pub external_auth: bool,
    /// Refuse codes that never expire.
    pub require_expiry: bool,
    /// Create users whom a code names for the first time.
    pub provisioning: bool,
    /// Take a returning user's e-mail and metadata from a newer code.
    pub refresh_profile: bool,
}

/// What signing in takes after a link was opened.
#[derive(Clone, Copy, Debug, Serialize, Deserialize, TS)]
#[serde(rename_all = "snake_case")]
pub enum SignInStep {
    /// Nothing.
    Automatic,
    /// A click.
    Confirm,
}

/// How the gateway lets people in who open a link of an instance that is hosted here.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct SignInSettings {
    /// What it takes.
    pub step: SignInStep,
    /// How long a session lasts, in words: `14 days`.
    pub session: String,
    /// Whether a session ends when the link that began it expires.
    pub session_ends_with_link: bool,
    /// How long a session lasts without a use, in words: `never` ends by that, or `30 minutes`.
    pub session_idle: String,
    /// Origins of pages where people may be sent back to, beside the instance itself.
    pub return_to: Vec<String>,
    /// Origins of pages that may show the widget.
    pub embed_in: Vec<String>,
}

/// How much of its activity an instance keeps that is hosted here.
#[derive(Clone, Debug, Serialize, Deserialize, TS)]
pub struct Retention {
    /// Age up to which entries are kept, in words: `365 days`, `never` for no limit.
    pub age: String,
    /// Maximum number of refusals that are kept, the latest ones.
    #[ts(type = "number")]
    pub refusals: u64,
}

/// Where a key came from.
#[derive(Clone, Copy, Debug, Serialize, TS)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the type says it")]
pub enum KeyOrigin {
    Generated,
    Pasted,
}

/// What is known of the signing key without reading it.
#[derive(Clone, Debug, Serialize, TS)]
pub struct KeyStatus {
    /// Where it came from.
    pub origin: KeyOrigin,
    /// When it was set, in Unix seconds.
    #[ts(type = "number")]
    pub set_at: i64,
    /// Set where the key is shorter than RFC 7518 §3.2 asks for.
    pub warning: Option<Problem>,
    /// How the secret is turned into the key.
    pub encoding: SecretEncoding,
    /// Whether it can still be shown; it can be shown once.
    pub revealable: bool,
}

/// An application that people sign in to.
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

/// What an administrator edits of an instance.
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
    pub visiting: SignInSettings,
    pub retention: Retention,
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
            hosted: settings.hosted.into(),
            parameter: settings.parameter.as_str().to_owned(),
            algorithm: settings.algorithm.into(),
            lifetime: settings.lifetime.to_string(),
            policy: settings.policy.into(),
            visiting: settings.visiting.clone().into(),
            retention: settings.retention.into(),
            audiences: settings.audiences.iter().map(ToString::to_string).collect(),
            key: instance.key.map(|key| KeyStatus {
                origin: match key.origin {
                    secret::KeyOrigin::Generated => KeyOrigin::Generated,
                    secret::KeyOrigin::Pasted => KeyOrigin::Pasted,
                },
                set_at: key.set_at,
                warning: key.short_for(settings.algorithm).map(Into::into),
                encoding: key.encoding.into(),
                revealable: !key.revealed,
            }),
            api_keys: instance.api_keys.into_iter().map(Into::into).collect(),
        }
    }
}

impl TryFrom<InstanceSettings> for Settings {
    type Error = latchkey_core::Error;

    fn try_from(settings: InstanceSettings) -> Result<Self, Self::Error> {
        Ok(Self {
            name: Name::parse(&settings.name)?,
            url: BaseUrl::typed(&settings.url)?,
            hosted: settings.hosted.into(),
            parameter: Parameter::parse(&settings.parameter)?,
            algorithm: settings.algorithm.into(),
            lifetime: settings
                .lifetime
                .parse()
                .map_err(|refused: latchkey_core::Error| refused.about("lifetime"))?,
            policy: settings.policy.into(),
            visiting: settings.visiting.try_into()?,
            retention: settings.retention.try_into()?,
            audiences: Audience::parse_all(settings.audiences.iter().map(String::as_str))?,
        })
    }
}

impl TryFrom<Retention> for instance::Retention {
    type Error = latchkey_core::Error;

    fn try_from(retention: Retention) -> Result<Self, Self::Error> {
        let age = retention.age.parse();
        Ok(Self {
            age: age.map_err(|refused: latchkey_core::Error| refused.about("retention_age"))?,
            refusals: retention.refusals,
        })
    }
}

impl From<instance::Retention> for Retention {
    fn from(retention: instance::Retention) -> Self {
        Self {
            age: retention.age.to_string(),
            refusals: retention.refusals,
        }
    }
}

impl TryFrom<SignInSettings> for instance::SignInSettings {
    type Error = latchkey_core::Error;

    fn try_from(visiting: SignInSettings) -> Result<Self, Self::Error> {
        let origins = |texts: &[String], field| {
            let parsed = texts.iter().map(|text| WebOrigin::typed(text));
            parsed
                .map(|origin| origin.map_err(|refused| refused.about(field)))
                .collect::<Result<_, _>>()
        };
        Ok(Self {
            step: match visiting.step {
                SignInStep::Automatic => instance::SignInStep::Automatic,
                SignInStep::Confirm => instance::SignInStep::Confirm,
            },
            session: visiting
                .session
                .parse()
                .map_err(|refused: latchkey_core::Error| refused.about("session"))?,
            session_ends_with_link: visiting.session_ends_with_link,
            session_idle: visiting
                .session_idle
                .parse()
                .and_then(SessionRules::check_idle)
                .map_err(|refused: latchkey_core::Error| refused.about("session_idle"))?,
            return_to: origins(&visiting.return_to, "return_to")?,
            embed_in: origins(&visiting.embed_in, "embed_in")?,
        })
    }
}

impl From<instance::SignInSettings> for SignInSettings {
    fn from(visiting: instance::SignInSettings) -> Self {
        let texts = |origins: &[WebOrigin]| origins.iter().map(ToString::to_string).collect();
        Self {
            step: match visiting.step {
                instance::SignInStep::Automatic => SignInStep::Automatic,
                instance::SignInStep::Confirm => SignInStep::Confirm,
            },
            session: visiting.session.to_string(),
            session_ends_with_link: visiting.session_ends_with_link,
            session_idle: visiting.session_idle.to_string(),
            return_to: texts(&visiting.return_to),
            embed_in: texts(&visiting.embed_in),
        }
    }
}

impl From<Algorithm> for code::Algorithm {
    fn from(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::HS256 => Self::HS256,
            Algorithm::HS384 => Self::HS384,
            Algorithm::HS512 => Self::HS512,
        }
    }
}

impl From<code::Algorithm> for Algorithm {
    fn from(algorithm: code::Algorithm) -> Self {
        match algorithm {
            code::Algorithm::HS256 => Self::HS256,
            code::Algorithm::HS384 => Self::HS384,
            code::Algorithm::HS512 => Self::HS512,
        }
    }
}

impl From<Hosted> for instance::Hosted {
    fn from(hosted: Hosted) -> Self {
        match hosted {
            Hosted::Here => Self::Here,
            Hosted::Elsewhere => Self::Elsewhere,
        }
    }
}

impl From<instance::Hosted> for Hosted {
    fn from(hosted: instance::Hosted) -> Self {
        match hosted {
            instance::Hosted::Here => Self::Here,
            instance::Hosted::Elsewhere => Self::Elsewhere,
        }
    }
}

impl From<Policy> for instance::Policy {
    fn from(policy: Policy) -> Self {
        Self {
            external_auth: policy.external_auth,
            require_expiry: policy.require_expiry,
            provisioning: policy.provisioning,
            refresh_profile: policy.refresh_profile,
        }
    }
}

impl From<instance::Policy> for Policy {
    fn from(policy: instance::Policy) -> Self {
        Self {
            external_auth: policy.external_auth,
            require_expiry: policy.require_expiry,
            provisioning: policy.provisioning,
            refresh_profile: policy.refresh_profile,
        }
    }
}

impl From<SecretSource> for home::SecretSource {
    fn from(source: SecretSource) -> Self {
        match source {
            SecretSource::Generate => Self::Generate,
            SecretSource::Paste { secret, encoding } => Self::Paste {
                secret,
                encoding: encoding.into(),
            },
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
