//! The signing key of an instance: replaced, shown once, copied while it is shown.

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
use crate::commands::instance::{Instance, InstanceRef, SecretSource};
use crate::studio::{at_home, blocking, now};
use crate::{Problem, Studio};

/// An instance and where its new key comes from.
#[derive(Debug, Deserialize, TS)]
pub struct SecretReplacement {
    /// The id.
    pub instance: String,
    /// Where the key comes from.
    pub secret: SecretSource,
}

/// The only response that holds a secret.
#[derive(Debug, TS)]
pub struct RevealedSecret {
    /// It.
    #[ts(type = "string")]
    pub secret: Secret,
}

/// By hand, because a secret does not serialize by itself.
impl Serialize for RevealedSecret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut members = serializer.serialize_struct("RevealedSecret", 1)?;
        members.serialize_field("secret", self.secret.expose())?;
        members.end()
    }
}

/// Gives an instance another key, as [`latchkey_store::home::Home::replace_secret`] says.
#[tauri::command]
pub async fn secret_replace(
    studio: State<'_, Arc<Studio>>,
    request: SecretReplacement,
) -> Result<Instance, Problem> {
    at_home(studio, move |_, home| {
        let id = InstanceId::parse(&request.instance)?;
        home.replace_secret(&id, request.secret.into(), &now())
            .map(Into::into)
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

/// Copies the secret that is shown at the moment.
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

/// Ends the showing.
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
