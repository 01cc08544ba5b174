//! The signing keys of the instance.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Extension, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use latchkey_core::activity::AuditContext;
use latchkey_core::admin::{
    KeySummary, NewSigningKey, RetirementRequest, RotationRequest, SigningKeySet, SigningKeys,
    SigningKeysChanged,
};
use latchkey_core::instance::{Instance, InstanceId};
use latchkey_core::secret::SecretSource;
use latchkey_core::{Error, ErrorCode, Result};
use latchkey_store::home::Home;

use super::administration::Administration;
use super::idempotency::HoldsSecret;
use super::refused::Refused;
use crate::api::{Body, answer};

/// List the signing keys
///
/// Lists the keys that verify, without their secrets: the active one, which signs, and those that
/// retire at a date. Says which links of the ledger depend on each.
#[utoipa::path(
    get, path = "/signing-keys", tag = "Instance",
    responses((status = 200, description = "The keys that verify", body = SigningKeys)),
)]
pub(super) async fn list(State(admin): State<Arc<Administration>>) -> Result<Response, Refused> {
    let instance = admin.instance().await?;
    let now = Timestamp::now();
    let keys = SigningKeys::new(&instance, now).with_links(&*admin.directory, now);
    Ok(answer(StatusCode::OK, &keys.await?)?)
}

/// Rotate the signing key
///
/// Makes a new key the active one. Links that were signed with the old key work until it retires,
/// after 30 days by default. Sessions go on. The secret of a generated key is in the answer, and can
/// never be read again.
#[utoipa::path(
    post, path = "/signing-keys/rotations", tag = "Instance", request_body = RotationRequest,
    responses(
        (status = 200, description = "The keys that verify now", body = SigningKeysChanged),
        (status = 409, description = "The stored keys cannot be opened"),
    ),
)]
pub(super) async fn rotate(
    State(admin): State<Arc<Administration>>,
    Extension(by): Extension<AuditContext>,
    Body(request): Body<RotationRequest>,
) -> Result<Response, Refused> {
    let shows_secret = !request.without_secret;
    let rotation = request.rotation()?;
    require_stored_key(&admin).await?;
    let change = move |home: &Home, id: &InstanceId| {
        let is_generated = matches!(rotation.source, SecretSource::Generate);
        let instance = home.rotate(id, rotation, &by)?;
        changed(home, &instance, is_generated && shows_secret, &by)
    };
    answered(&admin.change(change).await?)
}

/// Retire a signing key
///
/// Links that were signed with a retired key are refused. A key that has leaked stops at once, with
/// all links that it has signed. If it is the active key, a generated key becomes active in the same
/// step, and its secret is in the answer, unless `without_secret` leaves it out. It can never be read
/// again. A key that has retired already can leak, too: its short links stop. Sessions go on.
#[utoipa::path(
    post, path = "/signing-keys/{id}/retirement", tag = "Instance", request_body = RetirementRequest,
    params(("id" = String, Path, description = "ID of the key")),
    responses(
        (status = 200, description = "The keys that verify now", body = SigningKeysChanged),
        (status = 404, description = "The instance and the ledger have no such signing key"),
        (status = 409, description = "The stored keys cannot be opened"),
    ),
)]
pub(super) async fn retire(
    State(admin): State<Arc<Administration>>,
    Extension(by): Extension<AuditContext>,
    path: Result<Path<String>, PathRejection>,
    Body(request): Body<RetirementRequest>,
) -> Result<Response, Refused> {
    let unknown = |_| {
        Error::new(
            ErrorCode::UnknownSigningKey,
            "There is no such signing key.",
        )
    };
    let Path(key) = path.map_err(unknown)?;
    let request = request.require_possible()?;
    require_stored_key(&admin).await?;
    let instance = admin.stored().await?;
    if let Some(revocation) = request.of_retired(&key, &instance, by.at) {
        revocation.revoke(&instance, &*admin.directory, &by).await?;
        let SigningKeys { signing_keys } = SigningKeys::new(&instance, by.at);
        return answered(&SigningKeysChanged {
            signing_keys,
            secret: None,
        });
    }
    let change = move |home: &Home, id: &InstanceId| {
        let active = |instance: &Instance| instance.key.as_ref().map(|key| key.id.clone());
        let before = active(&home.instances().get(id)?);
        let instance = home.retire_key(id, &key, request, &by)?;
        let is_generated = active(&instance) != before;
        changed(
            home,
            &instance,
            is_generated && !request.without_secret,
            &by,
        )
    };
    answered(&admin.change(change).await?)
}

/// Returns the keys of an instance after a change, with the secret of the active key if it is shown.
fn changed(
    home: &Home,
    instance: &Instance,
    shows_secret: bool,
    by: &AuditContext,
) -> Result<SigningKeysChanged> {
    let secret = shows_secret.then(|| home.reveal(&instance.id, by));
    Ok(SigningKeysChanged {
        signing_keys: SigningKeys::new(instance, by.at).signing_keys,
        secret: secret.transpose()?,
    })
}

/// Returns the answer to a change. One with a secret is never given again.
fn answered(changed: &SigningKeysChanged) -> Result<Response, Refused> {
    let response = answer(StatusCode::OK, changed)?;
    Ok(match changed.secret {
        Some(_) => (Extension(HoldsSecret), response).into_response(),
        None => response,
    })
}

/// Replace the signing key
///
/// Links that were signed with the old key stop working at once. To let them work for some time,
/// rotate the key. Sessions go on. The secret of a
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
