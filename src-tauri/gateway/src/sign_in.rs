//! Parts of signing in that links and the widget share.

#![expect(
    clippy::result_large_err,
    reason = "both variants are the response to a request"
)]

use axum::http::header::{LOCATION, RETRY_AFTER, SET_COOKIE};
use axum::http::{Extensions, HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use latchkey_core::activity::AuditContext;
use latchkey_core::protocol::code::VerifiedCode;
use latchkey_core::session::return_address::ReturnAddress;
use latchkey_core::sign_in::{Begun, SignIn};
use latchkey_core::verdict::Verdict;

use crate::config::GatewayConfig;
use crate::csrf::is_same_origin;
use crate::error_page::ErrorPage;
use crate::gateway::Gateway;

/// Response to a visitor. `Err` if they are not signed in.
pub(crate) type Answer = Result<Response, Response>;

/// Reason why a visit has no verified code.
pub(crate) enum NotVerified {
    /// The code was refused.
    Refused(SignIn),
    /// The code was not judged. The visitor gets this response.
    Answer(Response),
}

/// Returns the session that a code has begun and its cookie, or the error page.
pub(crate) fn begun<'a>(
    config: &GatewayConfig,
    done: &'a SignIn,
) -> Result<(&'a Begun, String), ErrorPage> {
    if let Some(begun) = &done.session {
        tracing::info!(verdict = done.verdict.code(), "signed in");
        return Ok((begun, config.cookie_key.begin(begun)));
    }
    Err(refused(&done.verdict))
}

/// Returns the code of a link if it verifies. Fails with the page of its refusal, which needs no
/// directory.
pub(crate) async fn verified(
    gateway: &Gateway,
    config: &GatewayConfig,
    code: &str,
    by: &AuditContext,
    headers: &HeaderMap,
) -> Result<VerifiedCode, Response> {
    let verified = gateway.verify(config, code, by).await;
    verified.map_err(|done| refused(&done.verdict).answer(Some(config), headers))
}

/// Returns the page of a refusal.
pub(crate) fn refused(verdict: &Verdict) -> ErrorPage {
    match verdict {
        Verdict::Refused(refusal) => ErrorPage::code(refusal),
        // Does not happen: a verdict that signs in comes with a session.
        _ => ErrorPage::new(StatusCode::FORBIDDEN, "This link does not let you in."),
    }
}

/// Counts an opened link. Fails with the response 429 if the client is over its limit.
pub(crate) fn may_open(
    gateway: &Gateway,
    config: &GatewayConfig,
    extensions: &Extensions,
    headers: &HeaderMap,
) -> Result<(), Response> {
    let address = gateway.trusted_proxies.client_address(extensions, headers);
    if gateway.rate_limits.allows_link(address) {
        return Ok(());
    }
    let refused = ErrorPage::new(
        StatusCode::TOO_MANY_REQUESTS,
        "Too many links are being opened from where you are. Wait a moment, then open yours again.",
    );
    let mut answer = refused.answer(Some(config), headers);
    let seconds = HeaderValue::from_static("1");
    answer.headers_mut().insert(RETRY_AFTER, seconds);
    Err(answer)
}

/// Adds cookies to a response.
pub(crate) fn with_cookies(mut answer: Response, cookies: &[String]) -> Response {
    for cookie in cookies {
        if let Ok(cookie) = HeaderValue::from_str(cookie) {
            answer.headers_mut().append(SET_COOKIE, cookie);
        }
    }
    answer
}

/// Refuses a form that a page of another site has sent. `then` tells the visitor what to do.
pub(crate) fn require_same_origin(
    config: &GatewayConfig,
    headers: &HeaderMap,
    then: &str,
) -> Result<(), Response> {
    if is_same_origin(config, headers) {
        return Ok(());
    }
    let sentence = format!("Another page sent this form. {then}");
    Err(ErrorPage::new(StatusCode::FORBIDDEN, &sentence).answer(Some(config), headers))
}

/// Redirects to an address, or to the instance's home page.
pub(crate) fn see_other(
    config: &GatewayConfig,
    to: Option<&ReturnAddress>,
    cookies: &[String],
) -> Response {
    let to = to.and_then(|to| HeaderValue::from_str(to.as_str()).ok());
    let home = || HeaderValue::from_str(&format!("{}/", config.folder));
    let to = to.or_else(|| home().ok());
    let to = to.unwrap_or(HeaderValue::from_static("/"));
    let answer = (StatusCode::SEE_OTHER, [(LOCATION, to)]).into_response();
    with_cookies(answer, cookies)
}
