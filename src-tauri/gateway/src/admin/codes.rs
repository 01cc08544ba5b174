//! Dry runs, redemptions and links.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Extension, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use latchkey_core::activity::AuditContext;
use latchkey_core::admin::{CodeToRedeem, Judged, RedemptionRequest, SignedClaims};
use latchkey_core::directory::{Command, Redemption};
use latchkey_core::sign_in;
use latchkey_core::verdict::Verdict;

use latchkey_core::ErrorCode;

use super::administration::Administration;
use super::refused::Refused;
use crate::api::problem::Problem;
use crate::api::{Body, answer};

/// Maximum length of the ID of a link to revoke, in bytes. IDs that are made here have 22. The
/// directory keeps each one, whether or not there is such a link.
const MAX_LINK_ID: usize = 1024;

type Admin = State<Arc<Administration>>;
type By = Extension<AuditContext>;

/// Judge a code that the client has verified
///
/// Says what redeeming it would do. Changes and records nothing.
#[utoipa::path(
    post, path = "/dry-runs", tag = "Links", request_body = SignedClaims,
    responses(
        (status = 200, description = "The verdict", body = Judged),
    ),
)]
pub(super) async fn dry_run(
    State(admin): Admin,
    Extension(by): By,
    Body(claims): Body<SignedClaims>,
) -> Result<Response, Refused> {
    let redemption = redemption(&admin, claims, &by).await?;
    let verdict = admin.directory.dry_run_of(&redemption, by.at).await?;
    Ok(answer(StatusCode::OK, &Judged::from(verdict))?)
}

/// Redeem a code
///
/// Signs the user in or creates the user, without a session. A refusal is a verdict, and is
/// recorded like that of a visitor.
#[utoipa::path(
    post, path = "/redemptions", tag = "Links", request_body = RedemptionRequest,
    responses(
        (status = 200, description = "The verdict", body = Judged),
    ),
)]
pub(super) async fn redeem(
    State(admin): Admin,
    Extension(by): By,
    Body(request): Body<RedemptionRequest>,
) -> Result<Response, Refused> {
    let verdict = match request.parse()? {
        CodeToRedeem::Code(text) => redeem_text(&admin, text.expose(), &by).await?,
        CodeToRedeem::Claims(claims) => {
            let redemption = Arc::new(redemption(&admin, claims, &by).await?);
            let outcome = admin.directory.execute(Command::Redeem(redemption), &by);
            outcome.await?.verdict()?
        }
    };
    Ok(answer(StatusCode::OK, &Judged::from(verdict))?)
}

async fn redeem_text(
    admin: &Administration,
    text: &str,
    by: &AuditContext,
) -> latchkey_core::Result<Verdict> {
    let (settings, keys) = admin.signing().await?;
    let keys = keys.usable(by.at);
    let redeemed = sign_in::redeem(text, &settings, &keys, &*admin.directory, by).await;
    redeemed.map_err(|refused| match refused.code {
        ErrorCode::NoCode | ErrorCode::TooMany => refused.about("code"),
        _ => refused,
    })
}

async fn redemption(
    admin: &Administration,
    claims: SignedClaims,
    by: &AuditContext,
) -> Result<Redemption, Refused> {
    let code = claims.verified(by.at)?;
    let policy = admin.settings().await?.policy;
    Ok(Redemption::new(Ok(&code), policy))
}

/// Record a link that the client has signed
#[utoipa::path(
    post, path = "/links/made", tag = "Server", request_body = SignedClaims,
    responses(
        (status = 204, description = "The link is recorded"),
    ),
)]
pub(super) async fn link_made(
    State(admin): Admin,
    Extension(by): By,
    Body(claims): Body<SignedClaims>,
) -> Result<Response, Refused> {
    admin.settings().await?;
    admin.directory.link_made(&claims.signed()?, &by).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Note a link that the client shows
///
/// It is recorded when it is first used.
#[utoipa::path(
    post, path = "/links/shown", tag = "Server", request_body = SignedClaims,
    responses(
        (status = 204, description = "The link is noted"),
    ),
)]
pub(super) async fn link_shown(
    State(admin): Admin,
    Extension(by): By,
    Body(claims): Body<SignedClaims>,
) -> Result<Response, Refused> {
    admin.directory.link_shown(&claims.signed()?, &by).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Revoke a link
///
/// The link signs nobody in any more. Sessions that it began go on.
#[utoipa::path(
    post, path = "/links/{id}/revoke", tag = "Links", params(("id" = String, Path, max_length = 1024, description = "ID of the link (`jti`)")),
    responses(
        (status = 204, description = "The link is revoked"),
        (status = 422, description = "The ID is too long"),
    ),
)]
pub(super) async fn revoke(
    State(admin): Admin,
    Extension(by): By,
    path: Result<Path<String>, PathRejection>,
) -> Result<Response, Refused> {
    let Path(link) = path.map_err(|_| {
        Problem::of(StatusCode::NOT_FOUND, "There is no such link.").code(ErrorCode::InvalidRequest)
    })?;
    if link.len() > MAX_LINK_ID {
        let message = format!("The ID of a link has at most {MAX_LINK_ID} bytes.");
        let problem = Problem::of(StatusCode::UNPROCESSABLE_ENTITY, &message);
        return Err(problem.code(ErrorCode::InvalidRequest).into());
    }
    admin.directory.revoke_link(&link, &by).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
