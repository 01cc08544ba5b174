//! Where a form comes from (CSRF, CWE-352).

use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderName};

use crate::config::GatewayConfig;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Whether a form was sent from a page of this server. Newer browsers say so where the page came by
/// https; others say `null`, because these pages let no referrer out, and then it counts that a cookie
/// comes along which they send with the forms of this server alone. What names no origin is no browser,
/// and has no cookies of anybody's to misuse.
pub(crate) fn is_same_origin(config: &GatewayConfig, headers: &HeaderMap) -> bool {
    let text = |name: &HeaderName| text(headers, name);
    if let Some(site) = text(&SEC_FETCH_SITE) {
        return matches!(site, "same-origin" | "none");
    }
    match text(&ORIGIN) {
        Some("null") => config.cookie_key.was_shown(headers),
        Some(origin) => text(&HOST).is_some_and(|host| is_origin_of(origin, host)),
        None => !headers.contains_key(ORIGIN),
    }
}

/// Whether a form of a page of this server was sent without the cookie that the page has set: the browser
/// keeps none, or what sent it has never seen the page. Where a browser names no page at all, another page
/// may have sent it as well.
pub(crate) fn lacks_cookies(config: &GatewayConfig, headers: &HeaderMap) -> bool {
    let names_site = headers.contains_key(SEC_FETCH_SITE);
    let names_nothing = !names_site && text(headers, &ORIGIN) == Some("null");
    !config.cookie_key.was_shown(headers) && (names_nothing || is_same_origin(config, headers))
}

/// Whether a script of a page of this server sent it. The widget's cookie goes along with whatever any
/// page sends here, so this is never taken for granted: the browser has to say it.
pub(crate) fn is_same_origin_script(headers: &HeaderMap) -> bool {
    if let Some(site) = text(headers, &SEC_FETCH_SITE) {
        return site == "same-origin";
    }
    let (origin, host) = (text(headers, &ORIGIN), text(headers, &HOST));
    origin
        .zip(host)
        .is_some_and(|(origin, host)| is_origin_of(origin, host))
}

fn is_origin_of(origin: &str, host: &str) -> bool {
    let authority = origin.split_once("://").map(|(_, authority)| authority);
    authority == Some(host)
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
