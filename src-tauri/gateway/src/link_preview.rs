//! Recognition of visitors that are programs: link previews, mail scanners, and browsers that
//! prefetch.

use axum::http::HeaderMap;
use axum::http::header::USER_AGENT;

/// Returns whether a visitor is probably no person: a browser that prefetches, a program without a
/// user agent, or one whose user agent is not a browser's. Such a visitor must confirm first, which
/// costs a person one click. A program with a browser's user agent is not recognised.
pub(crate) fn is_link_preview(headers: &HeaderMap) -> bool {
    is_in_advance(headers) || !is_browser(&text(headers, USER_AGENT.as_str()))
}

/// Returns whether a browser loads the page before its visitor has opened it.
pub(crate) fn is_in_advance(headers: &HeaderMap) -> bool {
    const ADVANCE: [&str; 3] = ["sec-purpose", "purpose", "x-moz"];
    const PURPOSES: [&str; 3] = ["prefetch", "prerender", "preview"];
    ADVANCE.iter().any(|name| {
        let value = text(headers, name);
        PURPOSES.iter().any(|purpose| value.contains(purpose))
    })
}

/// Returns whether a user agent in lower case belongs to a browser for people. All such user agents
/// begin like Netscape's or like that of old versions of Opera.
fn is_browser(agent: &str) -> bool {
    let is_named_so = agent.starts_with("mozilla/") || agent.starts_with("opera/");
    is_named_so && !PROGRAMS.iter().any(|program| agent.contains(program))
}

fn text(headers: &HeaderMap, name: &str) -> String {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or_default().to_ascii_lowercase()
}

/// Parts, in lower case, of user agents of programs that also name a browser. `http:` and `https:`
/// begin the address at which many programs explain themselves.
const PROGRAMS: [&str; 30] = [
    "barracuda",
    "bot",
    "crawl",
    "facebookexternalhit",
    "google-",
    "googleimageproxy",
    "headless",
    "http:",
    "https:",
    "iframely",
    "lighthouse",
    "mastodon",
    "mattermost",
    "mimecast",
    "onebox",
    "phantomjs",
    "pinterest",
    "preview",
    "proofpoint",
    "rocket.chat",
    "safelinks",
    "scan",
    "snapchat",
    "spider",
    "symantec",
    "synapse",
    "teams",
    "viber",
    "vkshare",
    "whatsapp",
];
