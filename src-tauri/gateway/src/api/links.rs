//! API request that makes a login link.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::Response;
use latchkey_core::activity::AuditContext;
use latchkey_core::admin::{Link, LinkRequest};
use latchkey_core::directory::Directory;
use latchkey_core::inspect::preview;
use latchkey_core::instance::Settings;
use latchkey_core::ledger::{GivenAs, TakenLink};
use latchkey_core::link::compose::compose;
use latchkey_core::link::short_code::ShortCode;
use latchkey_core::protocol::account_end::ACCOUNT_ENDS;
use latchkey_core::secret::SigningKey;
use latchkey_core::{Error, Result};

use super::body::{Body, answer};
use super::problem::{Problem, ProblemDetails};
use crate::gateway::Gateway;

/// Make a login link
#[utoipa::path(
    post, path = "/api/v1/links", tag = "Links", security(("key" = ["links"])), request_body = LinkRequest,
    responses(
        (status = 200, description = "The link", body = Link),
        (status = 400, description = "The body is no JSON", body = ProblemDetails, content_type = "application/problem+json"),
        (status = 413, description = "The body is longer than 16 KiB"),
        (status = 415, description = "The header Content-Type does not say JSON", body = ProblemDetails, content_type = "application/problem+json"),
        (status = 422, description = "A member breaks a rule", body = ProblemDetails, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn make(
    State(gateway): State<Arc<Gateway>>,
    Extension(by): Extension<AuditContext>,
    Body(wanted): Body<LinkRequest>,
) -> Result<Response, Problem> {
    let config = gateway.config().await?;
    let link = sign(
        &config.settings,
        config.keys.active(),
        &*gateway.directory,
        wanted,
        &by,
    )
    .await?;
    answer(StatusCode::OK, &link)
}

/// Signs a link with the key of the instance, and records it.
pub(crate) async fn sign(
    settings: &Settings,
    key: &SigningKey,
    directory: &dyn Directory,
    wanted: LinkRequest,
    by: &AuditContext,
) -> Result<Link> {
    let (note, supersedes) = (wanted.note()?, wanted.supersede);
    let short = wanted.short.then(ShortCode::new).transpose()?;
    let given = wanted.given.unwrap_or(GivenAs::Link);
    let spec = wanted.parse(settings.lifetime)?;
    let composed = compose(&settings.target(), key, spec, by.at).map_err(named_as_in_requests)?;
    let mut warnings = preview::warnings(&composed, settings, key);
    let taken = TakenLink {
        given,
        note,
        supersedes,
        short: short.as_ref().map(ShortCode::hash),
        ..TakenLink::new(composed.claims.clone(), key.id().map(str::to_owned))
    };
    let taken = settings.giving_out(taken)?;
    warnings.extend(taken.replaces_early(by.at));
    directory.take_link(taken, by).await?;
    // After the link is entered, because its order after a removal counts.
    warnings.extend(preview::outcome_warning(&composed, settings, &[key], directory, by.at).await);
    Ok(Link {
        short_url: short.map(|code| code.url(&settings.url)),
        ..Link::new(&composed, warnings)
    })
}

/// Names a claim as the member of a request.
fn named_as_in_requests(error: Error) -> Error {
    match error.field.as_deref() {
        Some(ACCOUNT_ENDS) => error.about("accountEnds"),
        _ => error,
    }
}
