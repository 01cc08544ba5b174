//! What every answer carries, whatever it is.

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

/// What another site's page may have. An answer that carries none of these is for pages of this server.
#[derive(Clone, Copy)]
pub(crate) enum CrossOriginUse {
    /// A page that the pages of some origins may show in a frame.
    Frame,
    /// A script that any page may run.
    Script,
}

/// What is the same everywhere.
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

/// Nothing else here is for a cache, a search engine, another page's frame or another page's script.
pub(crate) fn set_security_headers(config: Option<&GatewayConfig>, answer: &mut Response) {
    let shared = answer.extensions().get::<CrossOriginUse>().copied();
    let headers = answer.headers_mut();
    // Those below are two more.
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
        // It knows no list of origins; the policy has one.
        Some(CrossOriginUse::Frame) => {
            headers.remove(X_FRAME_OPTIONS);
            // A page with an embedder policy shows only frames that agree to it.
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
            // Browsers fetch `type=module` and `crossorigin` scripts by CORS. The script is public.
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
        }
        None => {}
    }
    // Of `localhost` it would be said for every other server of this computer, too.
    let stays_https = |url: &BaseUrl| url.is_https() && !url.is_loopback();
    if config.is_some_and(|config| stays_https(&config.settings.url)) {
        let year = HeaderValue::from_static("max-age=31536000");
        headers.insert(STRICT_TRANSPORT_SECURITY, year);
    }
}
