//! Links that the gateway signs, and inspection of codes.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Extension, Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use jiff::Timestamp;
use latchkey_core::activity::AuditContext;
use latchkey_core::admin::{CopyRequest, InspectRequest, Link, LinkRequest};
use latchkey_core::inspect::{Report, preview};
use latchkey_core::ledger::unknown_link;
use latchkey_core::link::again::{Again, give_out};

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

/// Give a link out again
///
/// The gateway signs its claims again, which makes the same code, and records that in the ledger.
#[utoipa::path(
    post, path = "/links/{id}/copies", tag = "Links", params(("id" = String, Path, max_length = 1024, description = "ID of the link")), request_body = CopyRequest,
    responses(
        (status = 200, description = "The link", body = Link),
        (status = 404, description = "The ledger has no such link"),
        (status = 409, description = "The link does not work any more, or cannot be signed again"),
    ),
)]
pub(super) async fn copy(
    State(admin): State<Arc<Administration>>,
    Extension(by): Extension<AuditContext>,
    path: Result<Path<String>, PathRejection>,
    Body(CopyRequest { given }): Body<CopyRequest>,
) -> Result<Response, Refused> {
    let Path(id) = path.map_err(|_| unknown_link())?;
    let (settings, keys) = admin.signing().await?;
    let (directory, usable) = (&*admin.directory, keys.usable(by.at));
    let again = Again {
        id: &id,
        given,
        target: &settings.target(),
        keys: &usable,
    };
    let composed = give_out(directory, again, &by, |composed, _| {
        Ok::<_, Refused>(composed.clone())
    });
    let composed = composed.await?;
    let mut warnings = preview::warnings(&composed, &settings, keys.active());
    warnings.extend(preview::outlives_key(&composed, &keys));
    warnings
        .extend(preview::outcome_warning(&composed, &settings, &usable, directory, by.at).await);
    Ok(answer(StatusCode::OK, &Link::new(&composed, warnings))?)
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
