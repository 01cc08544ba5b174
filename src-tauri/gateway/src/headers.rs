//! Headers that every response carries.

use axum::http::header::{
    ACCESS_CONTROL_ALLOW_ORIGIN, CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderName, HeaderValue,
    REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use axum::response::Response;
use latchkey_core::link::BaseUrl;

use crate::config::GatewayConfig;
use crate::content_security::CLOSED_POLICY;

const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");
const CROSS_ORIGIN_EMBEDDER_POLICY: HeaderName =
    HeaderName::from_static("cross-origin-embedder-policy");
const CROSS_ORIGIN_OPENER_POLICY: HeaderName =
    HeaderName::from_static("cross-origin-opener-policy");
const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName =
    HeaderName::from_static("cross-origin-resource-policy");
const X_ROBOTS_TAG: HeaderName = HeaderName::from_static("x-robots-tag");

/// Use that pages of other sites may make of a response. A response without this extension is for
/// pages of this server only.
#[derive(Clone, Copy)]
pub(crate) enum CrossOriginUse {
    /// A page that pages of the allowed origins may show in a frame.
    Frame,
    /// A script that any page may run.
    Script,
}

/// Headers that are the same for all responses.
static SECURITY_HEADERS: [(HeaderName, HeaderValue); 8] = [
    (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    (
        CROSS_ORIGIN_OPENER_POLICY,
        HeaderValue::from_static("same-origin"),
    ),
    (
        CROSS_ORIGIN_RESOURCE_POLICY,
        HeaderValue::from_static("same-origin"),
    ),
    (
        PERMISSIONS_POLICY,
        HeaderValue::from_static("camera=(), microphone=(), geolocation=()"),
    ),
    (X_ROBOTS_TAG, HeaderValue::from_static("noindex, nofollow")),
];

/// Sets the security headers. Without a [`CrossOriginUse`], they forbid caches, search engines,
/// frames and other sites' pages to use the response.
pub(crate) fn set_security_headers(config: Option<&GatewayConfig>, answer: &mut Response) {
    let shared = answer.extensions().get::<CrossOriginUse>().copied();
    let headers = answer.headers_mut();
    // Space for the two headers that are set below.
    headers.reserve(SECURITY_HEADERS.len() + 2);
    for (name, value) in &SECURITY_HEADERS {
        headers.insert(name.clone(), value.clone());
    }
    let policy = config.map_or_else(
        || HeaderValue::from_static(CLOSED_POLICY),
        |config| match shared {
            Some(CrossOriginUse::Frame) => config.frame_security_policy.clone(),
            _ => config.content_security_policy.clone(),
        },
    );
    headers.insert(CONTENT_SECURITY_POLICY, policy);
    let cross_origin = HeaderValue::from_static("cross-origin");
    match shared {
        // This header cannot list origins. The content security policy does.
        Some(CrossOriginUse::Frame) => {
            headers.remove(X_FRAME_OPTIONS);
            // A page with an embedder policy shows only frames that have one, too.
            headers.insert(
                CROSS_ORIGIN_EMBEDDER_POLICY,
                HeaderValue::from_static("require-corp"),
            );
            headers.insert(CROSS_ORIGIN_RESOURCE_POLICY, cross_origin);
        }
        Some(CrossOriginUse::Script) => {
            headers.insert(
                CACHE_CONTROL,
                HeaderValue::from_static("public, max-age=300"),
            );
            headers.insert(CROSS_ORIGIN_RESOURCE_POLICY, cross_origin);
            // Browsers load `type=module` and `crossorigin` scripts by CORS. The script is public.
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        }
        None => {}
    }
    // HSTS for `localhost` would apply to every other server on this computer, too.
    let stays_https = |url: &BaseUrl| url.is_https() && !url.is_loopback();
    if config.is_some_and(|config| stays_https(&config.settings.url)) {
        let year = HeaderValue::from_static("max-age=31536000");
        headers.insert(STRICT_TRANSPORT_SECURITY, year);
    }
}
