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
use crate::gateway::Gateway;
use crate::sign_in::NotVerified;

/// Returns the code of a short link if the ledger has it and its claims verify. An address that has
/// opened too many unknown links is refused without a look at the ledger.
pub(crate) async fn verified(
    gateway: &Gateway,
    config: &GatewayConfig,
    code: &str,
    by: &AuditContext,
    headers: &HeaderMap,
) -> Result<VerifiedCode, NotVerified> {
    require_few_guesses(gateway, config, by, headers).map_err(NotVerified::Answer)?;
    let judged = gateway.verify_short(config, code, by).await;
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
    require_few_guesses(gateway, config, by, headers)?;
    let read = gateway.read_askable_short(config, code, by).await;
    read.map_err(|cause| failed(&cause, config, headers))
}

fn failed(cause: &Error, config: &GatewayConfig, headers: &HeaderMap) -> Response {
    ErrorPage::failure(cause).answer(Some(config), headers)
}

fn require_few_guesses(
    gateway: &Gateway,
    config: &GatewayConfig,
    by: &AuditContext,
    headers: &HeaderMap,
) -> Result<(), Response> {
    let remaining = gateway.guesses.remaining(by.address, Instant::now());
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
