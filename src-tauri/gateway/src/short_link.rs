//! Short links: the code is in the path, and the ledger knows the link by a hash of it.

#![expect(
    clippy::result_large_err,
    reason = "both variants are the response to a request"
)]

use std::time::{Duration, Instant};

use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use latchkey_core::Error;
use latchkey_core::activity::AuditContext;
use latchkey_core::protocol::code::{AskableCode, VerifiedCode};

use crate::config::GatewayConfig;
use crate::error_page::ErrorPage;
use crate::fetch_metadata::is_in_another_page;
use crate::gateway::Gateway;
use crate::link_preview::is_in_advance;
use crate::sign_in::NotVerified;

/// Returns the code of a short link if the ledger has it and its claims verify. An address that has
/// opened too many unknown links is refused without a look at the ledger, and so is a request in
/// advance or inside another page.
pub(crate) async fn verified(
    gateway: &Gateway,
    config: &GatewayConfig,
    code: &str,
    by: &AuditContext,
    headers: &HeaderMap,
) -> Result<VerifiedCode, NotVerified> {
    require_own_page(config, headers).map_err(NotVerified::Answer)?;
    require_few_guesses(gateway, config, by, headers).map_err(NotVerified::Answer)?;
    let judged = gateway.verify_short(config, code, by, headers).await;
    let judged = judged.map_err(|cause| NotVerified::Answer(failed(&cause, config, headers)));
    judged?.map_err(NotVerified::Refused)
}

/// Returns the code of a short link, which may have expired, if the ledger has it.
pub(crate) async fn askable(
    gateway: &Gateway,
    config: &GatewayConfig,
    code: &str,
    by: &AuditContext,
    headers: &HeaderMap,
) -> Result<Option<AskableCode>, Response> {
    require_own_page(config, headers)?;
    require_few_guesses(gateway, config, by, headers)?;
    let read = gateway.read_askable_short(config, code, by, headers).await;
    read.map_err(|cause| failed(&cause, config, headers))
}

fn failed(cause: &Error, config: &GatewayConfig, headers: &HeaderMap) -> Response {
    ErrorPage::failure(cause).answer(Some(config), headers)
}

/// Refuses a request that a page of another site can cause without its visitor's knowledge. It is
/// not counted as a guess, and says nothing about the link.
fn require_own_page(config: &GatewayConfig, headers: &HeaderMap) -> Result<(), Response> {
    if !is_in_advance(headers) && !is_in_another_page(headers) {
        return Ok(());
    }
    let sentence =
        "A short link opens only in a tab of its own, and not in advance. Open it there.";
    Err(ErrorPage::new(StatusCode::FORBIDDEN, sentence).answer(Some(config), headers))
}

fn require_few_guesses(
    gateway: &Gateway,
    config: &GatewayConfig,
    by: &AuditContext,
    headers: &HeaderMap,
) -> Result<(), Response> {
    let lockout = gateway.guesses.of(headers);
    let remaining = lockout.remaining(by.address, Instant::now());
    remaining.map_or(Ok(()), |remaining| {
        Err(locked_out(remaining, config, headers))
    })
}

fn locked_out(remaining: Duration, config: &GatewayConfig, headers: &HeaderMap) -> Response {
    let page = ErrorPage::new(
        StatusCode::TOO_MANY_REQUESTS,
        "Too many links that do not exist were opened from where you are. Wait a minute, then open yours again.",
    );
    let mut answer = page.answer(Some(config), headers);
    let seconds = HeaderValue::from(remaining.as_secs() + 1);
    answer.headers_mut().insert(RETRY_AFTER, seconds);
    answer
}
