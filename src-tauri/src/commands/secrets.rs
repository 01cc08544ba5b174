//! The signing key of an instance: replacing it, showing it once, copying it while it is shown.

use std::sync::Arc;

use latchkey_core::instance::InstanceId;
use latchkey_core::secret::Secret;
use latchkey_core::{Error, ErrorCode};
use serde::ser::SerializeStruct as _;
use serde::{Deserialize, Serialize, Serializer};
use tauri::State;
use ts_rs::TS;

use crate::clipboard::Content;
use crate::commands::compose::Copied;
use crate::commands::connections::after_change;
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

/// Replaces the key of an instance by [`latchkey_store::home::Home::replace_secret`].
#[tauri::command]
pub async fn secret_replace(
    studio: State<'_, Arc<Studio>>,
    request: SecretReplacement,
) -> Result<Instance, Problem> {
    at_home(studio, move |_, home| {
        let id = InstanceId::parse(&request.instance)?;
        home.replace_secret(&id, request.secret.into(), &now())?;
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
