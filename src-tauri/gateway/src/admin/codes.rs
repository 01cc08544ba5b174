//! Dry runs and redemptions.

use std::sync::Arc;

use axum::extract::{Extension, State};
use axum::http::StatusCode;
use axum::response::Response;
use latchkey_core::activity::AuditContext;
use latchkey_core::admin::{CodeToRedeem, Judged, RedemptionRequest, SignedClaims};
use latchkey_core::directory::{Command, Redemption};
use latchkey_core::sign_in;
use latchkey_core::verdict::Verdict;

use latchkey_core::ErrorCode;

use super::administration::Administration;
use super::refused::Refused;
use crate::api::{Body, answer};

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
