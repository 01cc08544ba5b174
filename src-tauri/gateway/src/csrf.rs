//! Protection of forms against requests forged by other sites (CSRF, CWE-352).

use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderName};

use crate::config::GatewayConfig;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Returns whether a page of this server sent the form.
///
/// Browsers say so in `Sec-Fetch-Site` if the page was loaded over HTTPS. Otherwise they send
/// `Origin: null`, because the pages forbid referrers. Then the cookie of [`CookieKey::shown`]
/// decides, because browsers send it only with forms of this server. A request with neither header
/// does not come from a browser, so it has no visitor's cookies to abuse.
///
/// [`CookieKey::shown`]: crate::cookies::CookieKey::shown
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

/// Returns whether a form of this server was sent without the cookie that its page sets. Either the
/// browser keeps no cookies, or a program sent the form without loading the page. If the browser
/// names no origin, another site's page may also have sent it.
pub(crate) fn lacks_cookies(config: &GatewayConfig, headers: &HeaderMap) -> bool {
    let names_site = headers.contains_key(SEC_FETCH_SITE);
    let names_nothing = !names_site && text(headers, &ORIGIN) == Some("null");
    !config.cookie_key.was_shown(headers) && (names_nothing || is_same_origin(config, headers))
}

/// Returns whether a script of this server's page sent the request. The browser must say so,
/// because it sends the widget's cookie also with requests of other sites' pages.
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
