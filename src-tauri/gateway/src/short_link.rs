//! Short links: the code is in the path, and the ledger knows the link by a hash of it.

use std::time::{Duration, Instant};

use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use latchkey_core::activity::AuditContext;
use latchkey_core::protocol::code::VerifiedCode;

use crate::config::GatewayConfig;
use crate::error_page::ErrorPage;
use crate::gateway::Gateway;
use crate::sign_in::refused;

/// Returns the code of a short link if the ledger has it and its claims verify. Fails with the page of
/// the refusal. An address that has opened too many unknown links is refused without a look at the
/// ledger.
pub(crate) async fn verified(
    gateway: &Gateway,
    config: &GatewayConfig,
    code: &str,
    by: &AuditContext,
    headers: &HeaderMap,
) -> Result<VerifiedCode, Response> {
    if let Some(remaining) = gateway.guesses.remaining(by.address, Instant::now()) {
        return Err(locked_out(remaining, config, headers));
    }
    let judged = gateway.verify_short(config, code, by).await;
    let judged = judged.map_err(|cause| ErrorPage::failure(&cause).answer(Some(config), headers));
    judged?.map_err(|done| refused(&done.verdict).answer(Some(config), headers))
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
