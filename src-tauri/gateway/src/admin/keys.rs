//! The signing key of the instance.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use latchkey_core::activity::AuditContext;
use latchkey_core::admin::{KeySummary, NewSigningKey, SigningKeySet};
use latchkey_core::secret::SecretSource;
use latchkey_core::{Error, ErrorCode, Result};

use super::administration::Administration;
use super::idempotency::HoldsSecret;
use super::refused::Refused;
use crate::api::{Body, answer};

/// Replace the signing key
///
/// Links that were signed with the old key stop working at once. Sessions go on. The secret of a
/// generated key is in the answer, and can never be read again.
#[utoipa::path(
    put, path = "/signing-key", tag = "Instance", request_body = NewSigningKey,
    responses(
        (status = 200, description = "The key was replaced", body = SigningKeySet),
        (status = 409, description = "The stored keys cannot be opened"),
    ),
)]
pub(super) async fn replace(
    State(admin): State<Arc<Administration>>,
    Extension(by): Extension<AuditContext>,
    Body(new): Body<NewSigningKey>,
) -> Result<Response, Refused> {
    let source = new.source()?;
    require_stored_key(&admin).await?;
    let is_generated = matches!(source, SecretSource::Generate);
    let set = admin
        .change(move |home, id| {
            let mut instance = home.replace_secret(id, source, &by)?;
            let secret = if is_generated {
                let secret = home.reveal(id, &by)?;
                instance = home.instances().get(id)?;
                Some(secret)
            } else {
                None
            };
            let key = instance.key.as_ref();
            let key = key.map(|key| KeySummary::new(key, instance.settings.algorithm));
            let missing = || Error::internal("a key that was just stored is missing");
            Ok(SigningKeySet {
                key: key.ok_or_else(missing)?,
                secret,
            })
        })
        .await?;
    Ok((Extension(HoldsSecret), answer(StatusCode::OK, &set)?).into_response())
}

/// Fails if the gateway uses a secret that it was started with, because a stored key would have no
/// effect.
async fn require_stored_key(admin: &Administration) -> Result<()> {
    let Some(gateway) = admin.gateway() else {
        return Ok(());
    };
    if gateway.reload().await?.has_stored_key {
        return Ok(());
    }
    let message = "This gateway was started with a secret of its own. Replace it on the server, where the gateway is started.";
    Err(Error::new(ErrorCode::InvalidSetting, message).about("secret"))
}
