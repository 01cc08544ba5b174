//! Reading of Fetch Metadata (`Sec-Fetch-*`), in which a browser states the purpose of a request.
//! Over plain HTTP browsers send it only to this computer, so otherwise the header `Accept`
//! decides.

use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, HOST, REFERER};

/// Returns whether the browser shows the response as a page: after a click on a link, a typed
/// address, or a form. A request by a script is no navigation.
pub(crate) fn is_navigation(headers: &HeaderMap) -> bool {
    if let Some(mode) = text(headers, "sec-fetch-mode") {
        return mode == "navigate";
    }
    // Script libraries send this header, also when they ask for HTML.
    let is_fetched = headers.contains_key("x-requested-with");
    let accepts_html = text(headers, ACCEPT.as_str()).is_some_and(|accept| accept.contains("html"));
    accepts_html && !is_fetched
}

/// Returns whether the page fills a tab, so that no other page shows it in a frame.
pub(crate) fn is_of_a_tab(headers: &HeaderMap) -> bool {
    is_navigation(headers) && destination(headers).is_none_or(|what| what == "document")
}

/// Returns whether another page loads this as a part of itself: a picture, a script, a request by a
/// script, or a frame in a page of another site. A frame in a page of the same site counts as a
/// page.
pub(crate) fn is_embedded(headers: &HeaderMap) -> bool {
    match destination(headers) {
        None | Some("document") => false,
        Some("frame" | "iframe") => text(headers, "sec-fetch-site") == Some("cross-site"),
        // A service worker of the application can forward a navigation as a request of its own.
        Some("empty") => !is_navigation(headers),
        Some(_) => true,
    }
}

/// Returns whether the page is shown in a frame, or another page loads it as a part of itself.
pub(crate) fn is_in_another_page(headers: &HeaderMap) -> bool {
    is_embedded(headers) || matches!(destination(headers), Some("frame" | "iframe"))
}

/// Returns whether a page of another site may have caused the request without its visitor's
/// knowledge, and the browser sends no Fetch Metadata that says so.
pub(crate) fn may_be_foreign(headers: &HeaderMap) -> bool {
    let names = ["sec-fetch-site", "sec-fetch-mode", "sec-fetch-dest"];
    let has_metadata = names.iter().any(|name| headers.contains_key(*name));
    !has_metadata && (!is_navigation(headers) || has_foreign_referrer(headers))
}

/// Returns whether a page of another origin led to the request.
fn has_foreign_referrer(headers: &HeaderMap) -> bool {
    let Some(referrer) = headers.get(REFERER) else {
        return false;
    };
    let referrer = referrer.to_str().ok();
    let authority = referrer.and_then(|referrer| referrer.split_once("://"));
    let authority = authority.and_then(|(_, rest)| rest.split(['/', '?', '#']).next());
    authority.is_none() || authority != text(headers, HOST.as_str())
}

fn destination(headers: &HeaderMap) -> Option<&str> {
    text(headers, "sec-fetch-dest")
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(fields: &[(&'static str, &'static str)]) -> HeaderMap {
        let fields = fields.iter();
        fields
            .map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()))
            .collect()
    }

    #[test]
    fn a_navigation_is_distinguished_from_a_request_by_a_script() {
        const HTML: (&str, &str) = ("accept", "text/html,application/xhtml+xml,*/*;q=0.8");
        for (fields, is) in [
            (&[("sec-fetch-mode", "navigate")][..], true),
            (&[("sec-fetch-mode", "navigate"), ("accept", "*/*")], true),
            (&[("sec-fetch-mode", "cors"), HTML], false),
            (&[("sec-fetch-mode", "same-origin"), HTML], false),
            (&[("sec-fetch-mode", "no-cors"), HTML], false),
            (&[("sec-fetch-mode", "websocket")], false),
            (&[HTML], true),
            (&[HTML, ("x-requested-with", "XMLHttpRequest")], false),
            (&[("accept", "application/json")], false),
            (&[("accept", "*/*")], false),
            (&[], false),
        ] {
            assert_eq!(is_navigation(&headers(fields)), is, "{fields:?}");
        }
    }

    #[test]
    fn a_page_in_a_tab_is_distinguished_from_a_page_in_a_frame() {
        let navigates = ("sec-fetch-mode", "navigate");
        for (destination, tab, site, embedded) in [
            ("document", true, "cross-site", false),
            ("empty", false, "same-origin", false),
            ("iframe", false, "same-origin", false),
            ("iframe", false, "same-site", false),
            ("iframe", false, "cross-site", true),
            ("frame", false, "cross-site", true),
            ("embed", false, "same-origin", true),
            ("object", false, "cross-site", true),
        ] {
            let headers = headers(&[
                navigates,
                ("sec-fetch-dest", destination),
                ("sec-fetch-site", site),
            ]);
            assert_eq!(is_of_a_tab(&headers), tab, "{destination} {site}");
            assert_eq!(is_embedded(&headers), embedded, "{destination} {site}");
        }
        for destination in ["image", "script", "style", "empty", "font", "video"] {
            let headers = headers(&[
                ("sec-fetch-dest", destination),
                ("sec-fetch-site", "same-origin"),
            ]);
            assert!(is_embedded(&headers), "{destination}");
        }
        assert!(!is_embedded(&HeaderMap::new()));
    }

    #[test]
    fn a_request_that_another_site_may_have_caused_is_distinguished_from_a_visitors_own() {
        const HTML: (&str, &str) = ("accept", "text/html,*/*;q=0.8");
        const HERE: (&str, &str) = ("host", "192.168.1.20:8787");
        for (fields, is) in [
            (&[HERE, HTML][..], false),
            (
                &[HERE, HTML, ("referer", "http://192.168.1.20:8787/a")],
                false,
            ),
            (
                &[HERE, HTML, ("referer", "http://192.168.1.20:8787")],
                false,
            ),
            (&[HERE, HTML, ("referer", "http://192.168.1.20:80/a")], true),
            (
                &[
                    HERE,
                    HTML,
                    ("referer", "http://evil.example/192.168.1.20:8787"),
                ],
                true,
            ),
            (&[HERE, HTML, ("referer", "about:blank")], true),
            (&[HERE, ("accept", "image/avif,image/webp,*/*;q=0.8")], true),
            (&[HERE], true),
            // With Fetch Metadata, that decides.
            (
                &[
                    HERE,
                    ("sec-fetch-dest", "document"),
                    ("referer", "http://evil.example/"),
                ],
                false,
            ),
        ] {
            assert_eq!(may_be_foreign(&headers(fields)), is, "{fields:?}");
        }
    }
}
