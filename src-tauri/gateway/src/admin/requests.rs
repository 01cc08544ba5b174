//! Requests for new links, by people whose link does not work any more.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Extension, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use latchkey_core::activity::AuditContext;
use latchkey_core::admin::{CopyRequest, Link, RequestList};
use latchkey_core::inspect::preview;
use latchkey_core::ledger::unknown_request;
use latchkey_core::link::anew::{Granting, grant as grant_request};

use super::administration::Administration;
use super::refused::Refused;
use crate::api::{Body, answer};

type Admin = State<Arc<Administration>>;
type By = Extension<AuditContext>;

/// List requests for new links
///
/// Returns the open requests, the newest first. There are at most 1,000. A request whose link was
/// revoked since, or whose person is suspended, has an account that has ended or was removed, is not
/// open any more.
#[utoipa::path(
    get, path = "/requests", tag = "Links",
    responses(
        (status = 200, description = "The requests", body = RequestList),
    ),
)]
pub(super) async fn list(State(admin): Admin, Extension(by): By) -> Result<Response, Refused> {
    let open = admin.directory.link_requests(by.at).await?.into_iter();
    let requests = open.map(Into::into).collect();
    Ok(answer(StatusCode::OK, &RequestList { requests })?)
}

/// Grant a request for a new link
///
/// The gateway makes a link for the same person, with the same lifetime, number of uses and note, and
/// with a short link if the old one had one. It enters the link in the ledger and closes the request.
/// The client gives the link to the person.
#[utoipa::path(
    post, path = "/requests/{number}/grant", tag = "Links", params(("number" = u64, Path, description = "Number of the request")), request_body = CopyRequest,
    responses(
        (status = 200, description = "The new link", body = Link),
        (status = 404, description = "There is no such open request"),
        (status = 409, description = "There is no signing key, or it cannot be opened"),
    ),
)]
pub(super) async fn grant(
    State(admin): Admin,
    Extension(by): By,
    path: Result<Path<u64>, PathRejection>,
    Body(CopyRequest { given }): Body<CopyRequest>,
) -> Result<Response, Refused> {
    let Path(number) = path.map_err(|_| unknown_request())?;
    let (settings, keys) = admin.signing().await?;
    let granting = Granting {
        number,
        given,
        settings: &settings,
        key: keys.active(),
    };
    let directory = &*admin.directory;
    let granted = grant_request(directory, granting, &by, |granted| {
        Ok::<_, Refused>((granted.composed.clone(), granted.short_url.clone()))
    });
    let (composed, short_url) = granted.await?;
    let mut warnings = preview::warnings(&composed, &settings, granting.key);
    let usable = keys.usable(by.at);
    warnings
        .extend(preview::outcome_warning(&composed, &settings, &usable, directory, by.at).await);
    let link = Link {
        short_url,
        ..Link::new(&composed, warnings)
    };
    Ok(answer(StatusCode::OK, &link)?)
}

/// Dismiss a request for a new link
///
/// Closes it without a new link. The person can ask again.
#[utoipa::path(
    post, path = "/requests/{number}/dismiss", tag = "Links", params(("number" = u64, Path, description = "Number of the request")),
    responses(
        (status = 204, description = "The request is closed"),
        (status = 404, description = "There is no such open request"),
    ),
)]
pub(super) async fn dismiss(
    State(admin): Admin,
    Extension(by): By,
    path: Result<Path<u64>, PathRejection>,
) -> Result<Response, Refused> {
    let Path(number) = path.map_err(|_| unknown_request())?;
    let request = admin.directory.link_request(number, by.at).await?;
    let closed = admin.directory.dismiss_request(request.reference(), &by);
    closed.await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
