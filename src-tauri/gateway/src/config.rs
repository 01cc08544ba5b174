//! The gateway's configuration: the current settings and keys of its instance, and the values
//! derived from them.

use axum::http::HeaderValue;
use jiff::Timestamp;
use latchkey_core::directory::Directory;
use latchkey_core::instance::api_key::ApiKey;
use latchkey_core::instance::{InstanceId, Settings};
use latchkey_core::protocol::code::AskableCode;
use latchkey_core::secret::{KeySet, SigningKey};
use latchkey_core::sign_in::read_askable_link;
use latchkey_core::{Error, ErrorCode, Result};
use latchkey_store::Wait as _;
use latchkey_store::home::{Home, require_here};

use crate::content_security::{content_security_policy, frame_security_policy};
use crate::cookies::CookieKey;

/// The current settings and keys of an instance.
pub struct InstanceSnapshot {
    /// The settings.
    pub settings: Settings,
    /// Keys of the codes: the active one signs.
    pub keys: KeySet,
    /// Whether the active key is in the data folder. Otherwise the gateway was started with it.
    pub has_stored_key: bool,
    /// API keys of other systems.
    pub api_keys: Vec<ApiKey>,
    /// Error because of which changes of the settings still wait to be recorded, such as a full disk.
    pub unrecorded: Option<Error>,
}

impl InstanceSnapshot {
    /// Reads the settings and keys of an instance from the data folder. `key` replaces the signing
    /// key in the data folder. Records waiting changes of the settings in the activity, unless the
    /// disk is full. Blocks the thread.
    ///
    /// Fails with [`HostedElsewhere`](latchkey_core::ErrorCode::HostedElsewhere) if the instance is
    /// no longer hosted here.
    pub fn of(
        home: &Home,
        id: &InstanceId,
        key: Option<&SigningKey>,
        directory: &dyn Directory,
    ) -> Result<Self> {
        let instance = home.instances().get(id)?;
        require_here(&instance)?;
        let unrecorded = match home.record_outbox(&instance, directory).wait() {
            Err(cause) if cause.code == ErrorCode::Storage => Some(cause),
            recorded => recorded.map(|()| None)?,
        };
        let has_stored_key = key.is_none();
        let keys = match key {
            Some(key) => KeySet::from(key.clone()),
            None => home.key_set(&instance, Timestamp::now())?,
        };
        Ok(Self {
            settings: instance.settings,
            keys,
            has_stored_key,
            api_keys: instance.api_keys,
            unrecorded,
        })
    }
}

/// An [`InstanceSnapshot`] and the values derived from it.
pub(crate) struct GatewayConfig {
    pub(crate) settings: Settings,
    pub(crate) keys: KeySet,
    /// Whether the active key is in the data folder.
    pub(crate) has_stored_key: bool,
    pub(crate) api_keys: Vec<ApiKey>,
    /// Error because of which changes of the settings still wait to be recorded.
    pub(crate) unrecorded: Option<Error>,
    pub(crate) cookie_key: CookieKey,
    /// Path of the instance's URL without its final slash, such as `/chat`. Empty at the root.
    pub(crate) folder: String,
    pub(crate) content_security_policy: HeaderValue,
    pub(crate) frame_security_policy: HeaderValue,
}

impl GatewayConfig {
    /// Reads the code of a link that may have expired, to ask for a new link. `None` if its
    /// signature does not hold, or if it is wrong for another reason.
    pub(crate) fn read_askable(&self, code: &str, now: Timestamp) -> Option<AskableCode> {
        read_askable_link(code, &self.settings, &self.keys.usable(now), now).ok()
    }

    pub(crate) fn new(instance: &InstanceId, snapshot: InstanceSnapshot) -> Self {
        let InstanceSnapshot {
            settings,
            keys,
            has_stored_key,
            api_keys,
            unrecorded,
        } = snapshot;
        Self {
            cookie_key: CookieKey::new(keys.active(), instance, &settings),
            folder: settings.url.folder(),
            content_security_policy: content_security_policy(&settings),
            frame_security_policy: frame_security_policy(&settings),
            settings,
            keys,
            has_stored_key,
            api_keys,
            unrecorded,
        }
    }
}
