//! The signing keys of an instance: replacing and retiring them, showing one once, copying it while
//! it is shown.

use std::sync::Arc;

use latchkey_core::admin::{KeyLinks, RetirementRequest};
use latchkey_core::instance::{Hosted, InstanceId};
use latchkey_core::secret::{KeyRotation, Secret};
use latchkey_core::{Error, ErrorCode};
use serde::ser::SerializeStruct as _;
use serde::{Deserialize, Serialize, Serializer};
use tauri::State;
use ts_rs::TS;

use crate::clipboard::Content;
use crate::commands::connections::after_change;
use crate::commands::copied::Copied;
use crate::commands::instance::{Instance, InstanceRef, SecretSource};
use crate::studio::{at_home, blocking, now};
use crate::{Problem, Studio};

/// Request to replace the signing key of an instance.
#[derive(Debug, Deserialize, TS)]
pub struct SecretReplacement {
    /// ID of the instance.
    pub instance: String,
    /// Source of the new key.
    pub secret: SecretSource,
    /// Time for which the old key still verifies: `30 days`, `now`. Null for an instance that is
    /// hosted elsewhere, where the application decides.
    pub retire_after: Option<String>,
}

/// Request to retire a signing key of an instance, or to change its date.
#[derive(Debug, Deserialize, TS)]
pub struct KeyRetirement {
    /// ID of the instance.
    pub instance: String,
    /// ID of the key.
    pub key: String,
    /// Time for which the key still verifies: `7 days`, `now`.
    pub retire_after: String,
    /// Whether others may know the key. Then it stops now, with all links that it has signed.
    pub leaked: bool,
}

/// A secret that is shown. No other response but a new API key contains one.
#[derive(Debug, TS)]
pub struct RevealedSecret {
    /// The secret.
    #[ts(type = "string")]
    pub secret: Secret,
}

/// Written by hand, because [`Secret`] has no `Serialize`.
impl Serialize for RevealedSecret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members = serializer.serialize_struct("RevealedSecret", 1)?;
        members.serialize_field("secret", self.secret.expose())?;
        members.end()
    }
}

/// Replaces the key of an instance by [`latchkey_store::home::Home::rotate`].
#[tauri::command]
pub async fn secret_replace(
    studio: State<'_, Arc<Studio>>,
    request: SecretReplacement,
) -> Result<Instance, Problem> {
    at_home(studio, move |_, home| {
        let id = InstanceId::parse(&request.instance)?;
        let retire_after = request.retire_after.map(|text| text.parse());
        let rotation = KeyRotation {
            source: request.secret.into(),
            retire_after: retire_after.transpose()?,
        };
        home.rotate(&id, rotation, &now())?;
        after_change(home, &id)
    })
    .await
}

/// Links that depend on a signing key.
#[derive(Clone, Debug, Serialize, TS)]
pub struct SigningKeyLinks {
    /// ID of the key.
    pub key: String,
    /// Links that work now and that the key has signed.
    pub links: KeyLinks,
}

/// Counts the links that depend on each signing key of an instance.
#[tauri::command]
pub async fn signing_key_links(
    studio: State<'_, Arc<Studio>>,
    request: InstanceRef,
) -> Result<Vec<SigningKeyLinks>, Problem> {
    at_home(studio, move |studio, home| {
        let instance = home.instances().get(&request.id()?)?;
        let directory = match instance.settings.hosted {
            Hosted::Here => Some(studio.directory(home, &instance)?),
            Hosted::Elsewhere | Hosted::Gateway => None,
        };
        let keys = home.signing_keys(&instance, directory.as_deref(), now().at)?;
        let keys = keys.signing_keys.into_iter();
        let counted = keys.filter_map(|record| {
            Some(SigningKeyLinks {
                key: record.key.id,
                links: record.links?,
            })
        });
        Ok(counted.collect())
    })
    .await
}

/// Retires a signing key by [`latchkey_store::home::Home::retire_key`].
#[tauri::command]
pub async fn signing_key_retire(
    studio: State<'_, Arc<Studio>>,
    request: KeyRetirement,
) -> Result<Instance, Problem> {
    at_home(studio, move |_, home| {
        let id = InstanceId::parse(&request.instance)?;
        let retirement = RetirementRequest {
            leaked: request.leaked,
            retire_after: Some(request.retire_after.parse()?),
            without_secret: false,
        };
        home.retire_key(&id, &request.key, retirement, &now())?;
        after_change(home, &id)
    })
    .await
}

/// Shows the secret, once.
#[tauri::command]
pub async fn secret_reveal(
    studio: State<'_, Arc<Studio>>,
    request: InstanceRef,
) -> Result<RevealedSecret, Problem> {
    at_home(studio, move |studio, home| {
        let id = request.id()?;
        let secret = home.reveal(&id, &now())?;
        *studio.revealed() = Some((id, secret.clone()));
        Ok(RevealedSecret { secret })
    })
    .await
}

/// Copies the secret that is shown.
#[tauri::command]
pub async fn secret_copy(
    studio: State<'_, Arc<Studio>>,
    request: InstanceRef,
) -> Result<Copied, Problem> {
    blocking(studio, move |studio| {
        let shown = match &*studio.revealed() {
            Some((id, secret)) if id.as_str() == request.instance => secret.expose().to_owned(),
            _ => {
                let message = "The secret is not shown at the moment, so it cannot be copied.";
                return Err(Problem::from(Error::new(
                    ErrorCode::SecretConcealed,
                    message,
                )));
            }
        };
        studio.clipboard().put(Content::Text(shown))?;
        Ok(Copied::default())
    })
    .await
}

/// Ends showing the secret.
#[tauri::command]
pub async fn secret_conceal(
    studio: State<'_, Arc<Studio>>,
    request: InstanceRef,
) -> Result<Instance, Problem> {
    at_home(studio, move |studio, home| {
        *studio.revealed() = None;
        home.instances().get(&request.id()?).map(Into::into)
    })
    .await
}
