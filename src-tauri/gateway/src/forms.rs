//! Where a form comes from (CSRF, CWE-352).

use axum::http::header::{HOST, ORIGIN};
use axum::http::{HeaderMap, HeaderName};

use crate::gateway::Hosted;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Whether a form was sent from a page of this server. Newer browsers say so where the page came by
/// https; others say `null`, because these pages let no referrer out, and then it counts that a cookie
/// comes along which they send with the forms of this server alone. What names no origin is no browser,
/// and has no cookies of anybody's to misuse.
pub(crate) fn is_from_here(hosted: &Hosted, headers: &HeaderMap) -> bool {
    let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text(&SEC_FETCH_SITE) {
        return matches!(site, "same-origin" | "none");
    }
    match text(&ORIGIN) {
        Some("null") => hosted.cookie_key.was_shown(headers),
        Some(origin) => {
            let authority = origin.split_once("://").map(|(_, authority)| authority);
            authority.is_some() && authority == text(&HOST)
        }
        None => !headers.contains_key(ORIGIN),
    }
}
