//! The keys with which other systems use the gateway's API.

use std::sync::Arc;

use latchkey_core::instance::InstanceId;
use latchkey_core::instance::api_key;
use latchkey_core::instance::scope::Scope;
use latchkey_core::secret::Secret;
use serde::ser::SerializeStruct as _;
use serde::{Deserialize, Serialize, Serializer};
use tauri::State;
use ts_rs::TS;

use crate::commands::connections::after_change;
use crate::commands::instance::Instance;
use crate::studio::{at_home, now};
use crate::{Problem, Studio};

/// Request for a new API key.
#[derive(Clone, Debug, Deserialize, TS)]
pub struct NewApiKey {
    /// ID of the instance.
    pub instance: String,
    /// Name of the system that uses the key.
    pub name: String,
    /// Names of its scopes, at least one.
    pub scopes: Vec<String>,
    /// Time after which the key expires, such as `90 days` or `never`.
    pub expires_in: String,
}

/// A new API key. While it is shown, `secret_copy` can copy it.
#[derive(Debug, TS)]
pub struct MadeApiKey {
    /// The key, which cannot be shown again.
    #[ts(type = "string")]
    pub key: Secret,
    /// The instance with the new key.
    pub instance: Instance,
}

/// Written by hand, because [`Secret`] has no `Serialize`.
impl Serialize for MadeApiKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members = serializer.serialize_struct("MadeApiKey", 2)?;
        members.serialize_field("key", self.key.expose())?;
        members.serialize_field("instance", &self.instance)?;
        members.end()
    }
}

/// An existing API key.
#[derive(Clone, Debug, Deserialize, TS)]
pub struct ApiKeyRef {
    /// ID of the instance.
    pub instance: String,
    /// ID of the key.
    pub key: String,
}

/// Makes an API key and shows it.
#[tauri::command]
pub async fn api_key_make(
    studio: State<'_, Arc<Studio>>,
    request: NewApiKey,
) -> Result<MadeApiKey, Problem> {
    at_home(studio, move |studio, home| {
        let id = InstanceId::parse(&request.instance)?;
        let scopes = request.scopes.iter().map(|scope| scope.parse::<Scope>());
        let new = api_key::NewApiKey {
            scopes: scopes.collect::<Result<_, _>>()?,
            lifetime: request.expires_in.parse()?,
            ..api_key::NewApiKey::new(request.name)
        };
        let (_, key) = home.make_api_key(&id, &new, &now())?;
        *studio.revealed() = Some((id.clone(), key.clone()));
        Ok(MadeApiKey {
            key,
            instance: after_change(home, &id)?,
        })
    })
    .await
}

/// Revokes an API key.
#[tauri::command]
pub async fn api_key_revoke(
    studio: State<'_, Arc<Studio>>,
    request: ApiKeyRef,
) -> Result<Instance, Problem> {
    at_home(studio, move |_, home| {
        let id = InstanceId::parse(&request.instance)?;
        home.revoke_api_key(&id, &request.key, &now())?;
        after_change(home, &id)
    })
    .await
}
