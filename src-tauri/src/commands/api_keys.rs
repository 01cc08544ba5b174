//! The keys with which other systems use the gateway's API.

use std::sync::Arc;

use latchkey_core::instance::InstanceId;
use latchkey_core::secret::Secret;
use serde::ser::SerializeStruct as _;
use serde::{Deserialize, Serialize, Serializer};
use tauri::State;
use ts_rs::TS;

use crate::commands::instance::Instance;
use crate::studio::{at_home, now};
use crate::{Problem, Studio};

/// A key that is to be made.
#[derive(Clone, Debug, Deserialize, TS)]
pub struct NewApiKey {
    /// The instance's id.
    pub instance: String,
    /// What to call it: the system that uses it.
    pub name: String,
}

/// A key that was made. It can be copied while it is shown, with `secret_copy`.
#[derive(Debug, TS)]
pub struct MadeApiKey {
    /// The key. It is not shown again.
    #[ts(type = "string")]
    pub key: Secret,
    /// The instance as it is now.
    pub instance: Instance,
}

/// By hand, because a secret does not serialize by itself.
impl Serialize for MadeApiKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members = serializer.serialize_struct("MadeApiKey", 2)?;
        members.serialize_field("key", self.key.expose())?;
        members.serialize_field("instance", &self.instance)?;
        members.end()
    }
}

/// A key that is there.
#[derive(Clone, Debug, Deserialize, TS)]
pub struct ApiKeyRef {
    /// The instance's id.
    pub instance: String,
    /// The key's id.
    pub key: String,
}

/// Makes a key, and shows it.
#[tauri::command]
pub async fn api_key_make(
    studio: State<'_, Arc<Studio>>,
    request: NewApiKey,
) -> Result<MadeApiKey, Problem> {
    at_home(studio, move |studio, home| {
        let id = InstanceId::parse(&request.instance)?;
        let (instance, key) = home.make_api_key(&id, &request.name, &now())?;
        *studio.revealed() = Some((id, key.clone()));
        Ok(MadeApiKey {
            key,
            instance: instance.into(),
        })
    })
    .await
}

/// Takes a key back.
#[tauri::command]
pub async fn api_key_revoke(
    studio: State<'_, Arc<Studio>>,
    request: ApiKeyRef,
) -> Result<Instance, Problem> {
    at_home(studio, move |_, home| {
        let id = InstanceId::parse(&request.instance)?;
        home.revoke_api_key(&id, &request.key, &now())
            .map(Into::into)
    })
    .await
}
