//! What every answer carries, whatever it is.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, HeaderValue, REFERRER_POLICY,
    STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::middleware::Next;
use axum::response::Response;
use latchkey_core::instance::Settings;

use crate::gateway::Gateway;

const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");
const CROSS_ORIGIN_OPENER_POLICY: HeaderName =
    HeaderName::from_static("cross-origin-opener-policy");
const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName =
    HeaderName::from_static("cross-origin-resource-policy");
const X_ROBOTS_TAG: HeaderName = HeaderName::from_static("x-robots-tag");

/// Nothing here is for a cache, a search engine, another page's frame or another page's script.
pub(crate) async fn protect(
    State(gateway): State<Arc<Gateway>>,
    request: Request,
    next: Next,
) -> Response {
    let mut answer = next.run(request).await;
    let headers = answer.headers_mut();
    for (name, value) in [
        (CACHE_CONTROL, "no-store"),
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        (CROSS_ORIGIN_OPENER_POLICY, "same-origin"),
        (CROSS_ORIGIN_RESOURCE_POLICY, "same-origin"),
        (
            PERMISSIONS_POLICY,
            "camera=(), microphone=(), geolocation=()",
        ),
        (X_ROBOTS_TAG, "noindex, nofollow"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    let hosted = gateway.hosted().ok();
    let policy = hosted.as_ref().map_or_else(
        || HeaderValue::from_static(SHUT),
        |hosted| hosted.content_security_policy.clone(),
    );
    headers.insert(CONTENT_SECURITY_POLICY, policy);
    if hosted.is_some_and(|hosted| hosted.settings.url.is_https()) {
        let year = HeaderValue::from_static("max-age=31536000");
        headers.insert(STRICT_TRANSPORT_SECURITY, year);
    }
    answer
}

/// Of a page that loads and sends nothing.
const SHUT: &str = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'";

/// What the pages of an instance may load, and where their forms may lead. A browser holds what a form
/// is redirected to against `form-action`, too.
pub(crate) fn content_security_policy(settings: &Settings) -> HeaderValue {
    let mut targets = "'self'".to_owned();
    for origin in &settings.visiting.return_to {
        targets.push(' ');
        targets.push_str(&origin.to_string());
    }
    let policy = format!(
        "default-src 'none'; style-src 'self'; form-action {targets}; base-uri 'none'; frame-ancestors 'none'"
    );
    // An origin is plain ASCII, and so is a policy.
    HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static(SHUT))
}
