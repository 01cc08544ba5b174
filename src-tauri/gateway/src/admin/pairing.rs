//! Exchange of a pairing code for an API key.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::Response;
use latchkey_core::activity::AuditContext;
use latchkey_core::admin::{Paired, PairingRequest};
use latchkey_core::{Error, ErrorCode};

use super::administration::Administration;
use super::refused::Refused;
use crate::api::{Body, answer};

/// Exchange a pairing code for an API key
///
/// The code works once. The response has the key, and no request can read it again.
#[utoipa::path(
    post, path = "/pairings", tag = "API keys", request_body = PairingRequest,
    responses(
        (status = 201, description = "The key was made", body = Paired),
        (status = 401, description = "The code is wrong, was used, has expired or was replaced"),
        (status = 422, description = "The gateway has another instance"),
    ),
)]
pub(super) async fn exchange(
    State(admin): State<Arc<Administration>>,
    Extension(by): Extension<AuditContext>,
    Body(PairingRequest { code, instance }): Body<PairingRequest>,
) -> Result<Response, Refused> {
    if instance.is_some_and(|expected| expected != admin.about.instance) {
        let message = "The gateway has another instance than the connection string names. The pairing code is not used up. Copy the string again.";
        let refused = Error::new(ErrorCode::InvalidSetting, message);
        return Err(refused.about("instance").into());
    }
    let exchanged = admin.with_home(move |home, id| home.exchange_pairing(id, &code, &by));
    let (key, secret) = exchanged.await?;
    let paired = Paired {
        key: secret,
        name: key.name,
        scopes: key.scopes,
        expires_at: key.expires_at,
        instance: admin.about.instance.clone(),
    };
    Ok(answer(StatusCode::CREATED, &paired)?)
}
