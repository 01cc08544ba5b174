//! API keys of the instance.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Extension, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use latchkey_core::Result;
use latchkey_core::activity::AuditContext;
use latchkey_core::admin::{ApiKeyRequest, ApiKeys, MadeApiKey};
use latchkey_core::{Error, ErrorCode};

use super::administration::Administration;
use super::idempotency::HoldsSecret;
use super::refused::Refused;
use crate::api::{Body, answer};

/// List API keys
///
/// There are at most 50, and at most 20 pairing codes that wait for their clients.
#[utoipa::path(
    get, path = "/api-keys", tag = "API keys",
    responses((status = 200, description = "The keys and the waiting pairing codes, without what could be used", body = ApiKeys)),
)]
pub(super) async fn list(
    State(admin): State<Arc<Administration>>,
    Extension(by): Extension<AuditContext>,
) -> Result<Response, Refused> {
    let keys = ApiKeys::of(&admin.instance().await?, by.at);
    Ok(answer(StatusCode::OK, &keys)?)
}

/// Make an API key
///
/// The key is in the answer, and can never be read again. A key with the scope `admin` is made only
/// on the server, by `latchkey api-key make --scope admin`.
#[utoipa::path(
    post, path = "/api-keys", tag = "API keys", request_body = ApiKeyRequest,
    responses((status = 201, description = "The key was made", body = MadeApiKey)),
)]
pub(super) async fn make(
    State(admin): State<Arc<Administration>>,
    Extension(by): Extension<AuditContext>,
    Body(wanted): Body<ApiKeyRequest>,
) -> Result<Response, Refused> {
    let new = wanted.parse()?;
    let made = admin
        .change(move |home, id| {
            let (instance, key) = home.make_api_key(id, &new, &by)?;
            let record = instance.api_keys.iter().find(|one| one.is(key.expose()));
            let missing = || Error::internal("a key that was just made is missing");
            let api_key = record.ok_or_else(missing)?.into();
            Ok(MadeApiKey { key, api_key })
        })
        .await?;
    Ok((Extension(HoldsSecret), answer(StatusCode::CREATED, &made)?).into_response())
}

/// Revoke an API key
///
/// The gateway refuses the key at once.
#[utoipa::path(
    delete, path = "/api-keys/{id}", tag = "API keys",
    params(("id" = String, Path, description = "ID or name of the key")),
    responses((status = 204, description = "The key is revoked")),
)]
pub(super) async fn revoke(
    State(admin): State<Arc<Administration>>,
    Extension(by): Extension<AuditContext>,
    path: Result<Path<String>, PathRejection>,
) -> Result<Response, Refused> {
    let unknown = |_| Error::new(ErrorCode::UnknownApiKey, "There is no such API key.");
    let Path(key) = path.map_err(unknown)?;
    admin
        .change(move |home, id| home.revoke_api_key(id, &key, &by))
        .await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
