//! Connections to gateways on servers: making one, its state, and mending it.

use std::sync::Arc;

use latchkey_core::admin::{self, ConnectionString, Fingerprint, GatewayUrl};
use latchkey_core::instance::InstanceId;
use latchkey_core::secret::Secret;
use latchkey_store::home::Home;
use serde::{Deserialize, Serialize};
use tauri::State;
use ts_rs::TS;

use crate::commands::instance::{Instance, InstanceRef};
use crate::preferences::Preferences;
use crate::studio::{at_home, now};
use crate::{Problem, Studio};

/// A connection string that an administrator has pasted.
#[derive(Deserialize, TS)]
pub struct ConnectionText {
    /// The string. It has a pairing code.
    #[ts(type = "string")]
    pub text: Secret,
}

/// Parts of a connection string, to show them before it is used.
#[derive(Clone, Debug, Serialize, TS)]
pub struct ConnectionParts {
    /// Host and port of the gateway's administration.
    pub host: String,
    /// ID of the instance at the gateway.
    pub instance: String,
    /// Fingerprint of the certificate. Null if a public authority vouches for it.
    pub fingerprint: Option<String>,
}

/// Access to a gateway.
#[derive(Deserialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ConnectBy {
    /// A connection string, whose pairing code is exchanged for a key.
    Text {
        /// The string.
        #[ts(type = "string")]
        text: Secret,
    },
    /// An existing key.
    Key {
        /// Address of the gateway's administration.
        url: String,
        /// Fingerprint of the certificate. Empty if a public authority vouches for it.
        fingerprint: String,
        /// API key with the scope `admin`.
        #[ts(type = "string")]
        key: Secret,
    },
}

/// Request to add an instance of a gateway on a server.
#[derive(Deserialize, TS)]
pub struct ConnectRequest {
    /// Name of the instance here. Empty for its name there.
    pub name: String,
    /// Access to the gateway.
    pub by: ConnectBy,
}

/// Request to replace the key of a connected instance.
#[derive(Deserialize, TS)]
pub struct Reconnect {
    /// ID of the instance.
    pub instance: String,
    /// Connection string for the same instance.
    #[ts(type = "string")]
    pub text: Secret,
}

/// State of a gateway on a server.
#[derive(Clone, Debug, Serialize, TS)]
pub struct RemoteGateway {
    /// Address at which people open links. Null if the gateway is closed.
    pub address: Option<String>,
    /// Time when the gateway was started, in Unix seconds. Null if it is closed.
    #[ts(type = "number | null")]
    pub started_at: Option<i64>,
    /// Name of the program, such as `latchkey serve`.
    pub program: String,
    /// Version of the program.
    pub version: String,
    /// Number of sign-ins since midnight in UTC.
    #[ts(type = "number")]
    pub sign_ins_today: u64,
}

/// Certificate that a gateway shows, and the one that is trusted.
#[derive(Clone, Debug, Serialize, TS)]
pub struct SeenCertificate {
    /// Fingerprint that is trusted. Null if a public authority vouches for the certificate.
    pub known: Option<String>,
    /// Fingerprint of the certificate that the gateway shows now.
    pub seen: String,
}

/// Request to trust another certificate.
#[derive(Clone, Debug, Deserialize, TS)]
pub struct TrustRequest {
    /// ID of the instance.
    pub instance: String,
    /// Fingerprint that the administrator has compared.
    pub fingerprint: String,
}

/// Returns the parts of a connection string. Uses no network.
#[tauri::command]
pub async fn connection_parts(
    studio: State<'_, Arc<Studio>>,
    request: ConnectionText,
) -> Result<ConnectionParts, Problem> {
    at_home(studio, move |_, _| {
        let string: ConnectionString = request.text.expose().parse()?;
        Ok(ConnectionParts {
            host: string.url.authority().to_owned(),
            instance: string.instance.to_string(),
            fingerprint: string.fingerprint.map(|pin| pin.to_string()),
        })
    })
    .await
}

/// Adds an instance of a gateway on a server.
#[tauri::command]
pub async fn instance_connect(
    studio: State<'_, Arc<Studio>>,
    request: ConnectRequest,
) -> Result<Instance, Problem> {
    at_home(studio, move |_, home| {
        let name = Some(request.name.trim()).filter(|name| !name.is_empty());
        let by = now();
        let added = match &request.by {
            ConnectBy::Text { text } => home.connect(&text.expose().parse()?, name, &by)?,
            ConnectBy::Key {
                url,
                fingerprint,
                key,
            } => {
                let url = GatewayUrl::parse(url)?;
                home.connect_with_key(&url, parsed(fingerprint)?, key, name, &by)?
            }
        };
        Preferences::select(home.data_dir(), &added.id)?;
        Ok(added.into())
    })
    .await
}

/// Replaces the key of an instance whose key is refused.
#[tauri::command]
pub async fn instance_reconnect(
    studio: State<'_, Arc<Studio>>,
    request: Reconnect,
) -> Result<Instance, Problem> {
    at_home(studio, move |studio, home| {
        let id = InstanceRef::new(&request.instance).id()?;
        let string = request.text.expose().parse()?;
        let changed = home.reconnect(&id, &string, &now())?;
        studio.release(&id);
        Ok(changed.into())
    })
    .await
}

/// Reads the settings and keys of an instance at its gateway.
#[tauri::command]
pub async fn instance_refresh(
    studio: State<'_, Arc<Studio>>,
    request: InstanceRef,
) -> Result<Instance, Problem> {
    at_home(studio, move |_, home| refreshed(home, &request.id()?)).await
}

/// Returns the state of the gateway of an instance. Fails soon if it does not answer.
#[tauri::command]
pub async fn gateway_remote(
    studio: State<'_, Arc<Studio>>,
    request: InstanceRef,
) -> Result<RemoteGateway, Problem> {
    at_home(studio, move |_, home| {
        let instance = home.instances().get(&request.id()?)?;
        home.gateway_state(&instance).map(Into::into)
    })
    .await
}

/// Returns the certificate that the gateway of an instance shows. Sends nothing to it.
#[tauri::command]
pub async fn certificate_seen(
    studio: State<'_, Arc<Studio>>,
    request: InstanceRef,
) -> Result<SeenCertificate, Problem> {
    at_home(studio, move |_, home| {
        let instance = home.instances().get(&request.id()?)?;
        let known = instance.connection.as_ref();
        let known = known.and_then(|connection| connection.fingerprint);
        Ok(SeenCertificate {
            known: known.map(|pin| pin.to_string()),
            seen: home.seen_fingerprint(&instance)?.to_string(),
        })
    })
    .await
}

/// Trusts the certificate with a fingerprint from now on.
#[tauri::command]
pub async fn certificate_trust(
    studio: State<'_, Arc<Studio>>,
    request: TrustRequest,
) -> Result<Instance, Problem> {
    at_home(studio, move |studio, home| {
        let id = InstanceRef::new(&request.instance).id()?;
        let changed = home.trust(&id, request.fingerprint.parse()?, &now())?;
        studio.release(&id);
        Ok(changed.into())
    })
    .await
}

/// Returns an instance with its keys. Those of an instance on a gateway are read there, with its
/// settings.
pub(super) fn refreshed(home: &Home, id: &InstanceId) -> latchkey_core::Result<Instance> {
    let by = now();
    let (instance, record) = home.refresh(id, &by)?;
    if instance.connection.is_none() {
        return Ok(instance.into());
    }
    let api_keys = home.api_keys(&instance, by.at)?.api_keys;
    Ok(Instance::from(instance).with_keys(record.secret, record.retiring, api_keys))
}

/// Returns an instance after a change that was made. If its gateway cannot be asked for the settings
/// and keys, returns the copy that is here, because the change must not look as if it had failed.
pub(super) fn after_change(home: &Home, id: &InstanceId) -> latchkey_core::Result<Instance> {
    refreshed(home, id).or_else(|refused| {
        tracing::warn!(error = %refused.logged(), "the settings were not read again after a change");
        home.instances().get(id).map(Into::into)
    })
}

/// Parses a fingerprint. An empty text stands for none.
fn parsed(text: &str) -> latchkey_core::Result<Option<Fingerprint>> {
    match text.trim() {
        "" => Ok(None),
        text => text.parse().map(Some),
    }
}

impl From<admin::GatewayState> for RemoteGateway {
    fn from(state: admin::GatewayState) -> Self {
        let gateway = state.gateway;
        Self {
            started_at: gateway.as_ref().map(|gateway| gateway.started_at),
            address: gateway.map(|gateway| gateway.url),
            program: state.holder,
            version: state.version,
            sign_ins_today: state.sign_ins_today,
        }
    }
}

#[cfg(test)]
mod tests {
    use latchkey_core::ErrorCode;
    use latchkey_core::instance::Settings;
    use latchkey_store::keys::KeychainUse;

    use super::*;

    #[test]
    fn a_change_at_a_gateway_succeeds_when_the_gateway_is_lost_right_after_it() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::open(folder.path().join("data"), KeychainUse::Never).unwrap();
        let connection = admin::Connection {
            url: GatewayUrl::parse("https://127.0.0.1:1").unwrap(),
            instance: InstanceId::parse("acme").unwrap(),
            fingerprint: None,
            key_id: "12345678".to_owned(),
            // The gateway can be asked nothing.
            key: None,
            name: None,
            settings_read: true,
        };
        let mut settings = Settings::sample().unwrap();
        settings.hosted = latchkey_core::instance::Hosted::Gateway;
        let instances = home.instances();
        let added = instances
            .add_connected(settings, connection, &now())
            .unwrap();
        let refused = refreshed(&home, &added.id).unwrap_err();
        assert_eq!(refused.code, ErrorCode::KeyRefused);
        assert_eq!(
            after_change(&home, &added.id).unwrap().id,
            added.id.as_str()
        );
    }
}
