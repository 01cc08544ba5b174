//! Links that the gateway signs, and inspection of codes.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use latchkey_core::activity::AuditContext;
use latchkey_core::admin::{InspectRequest, Link, LinkRequest};
use latchkey_core::inspect::Report;

use super::administration::Administration;
use super::refused::Refused;
use crate::api::hints::Requests;
use crate::api::inspect::report;
use crate::api::links::sign;
use crate::api::{Body, answer};

/// Make a login link
///
/// The gateway signs it, so the client needs no secret. The client draws the QR code from `url`.
#[utoipa::path(
    post, path = "/links", tag = "Links", request_body = LinkRequest,
    responses(
        (status = 200, description = "The link", body = Link),
        (status = 409, description = "There is no signing key, or it cannot be opened"),
    ),
)]
pub(super) async fn make(
    State(admin): State<Arc<Administration>>,
    Extension(by): Extension<AuditContext>,
    Body(wanted): Body<LinkRequest>,
) -> Result<Response, Refused> {
    let (settings, keys) = admin.signing().await?;
    let link = sign(&settings, keys.active(), &*admin.directory, wanted, &by).await?;
    Ok(answer(StatusCode::OK, &link)?)
}

/// Inspect a code
///
/// Says whether a code verifies, what opening it would do, and the cause behind a refusal. Changes
/// and records nothing. Quotes a code only if the secret of the instance has signed it.
#[utoipa::path(
    post, path = "/inspections", tag = "Links", request_body = InspectRequest,
    responses(
        (status = 200, description = "What is known of the code", body = Report),
        (status = 409, description = "There is no signing key, or it cannot be opened"),
    ),
)]
pub(super) async fn inspect(
    State(admin): State<Arc<Administration>>,
    Body(InspectRequest { text }): Body<InspectRequest>,
) -> Result<Response, Refused> {
    let (settings, keys) = admin.signing().await?;
    let others = admin.with_home(|home, id| home.other_instances(Some(id), Timestamp::now()));
    let others = others.await?;
    let directory = &*admin.directory;
    let requests = &Requests::ADMINISTRATION;
    let report = report(
        text.expose(),
        &settings,
        &keys,
        &others,
        directory,
        requests,
    );
    Ok(answer(StatusCode::OK, &report.await?)?)
}
