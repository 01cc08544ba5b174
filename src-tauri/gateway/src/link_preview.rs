//! Visitors that are programs: previews, mail scanners, browsers that fetch in advance.

use axum::http::HeaderMap;
use axum::http::header::USER_AGENT;

/// Whether a visitor is not, or may not be, a person: a browser that fetches pages in advance, a program
/// without a user agent, or one whose user agent is no browser's. They are asked first, which costs a
/// person one click. A program that calls itself a browser cannot be told from one.
pub(crate) fn is_link_preview(headers: &HeaderMap) -> bool {
    const ADVANCE: [&str; 3] = ["sec-purpose", "purpose", "x-moz"];
    const PURPOSES: [&str; 3] = ["prefetch", "prerender", "preview"];
    let in_advance = ADVANCE.iter().any(|name| {
        let value = text(headers, name);
        PURPOSES.iter().any(|purpose| value.contains(purpose))
    });
    in_advance || !is_browser(&text(headers, USER_AGENT.as_str()))
}

/// Whether a user agent in lower case is one of a browser that a person uses. All of them begin as
/// Netscape's did, or as Opera's old ones.
fn is_browser(agent: &str) -> bool {
    let is_named_so = agent.starts_with("mozilla/") || agent.starts_with("opera/");
    is_named_so && !PROGRAMS.iter().any(|program| agent.contains(program))
}

fn text(headers: &HeaderMap, name: &str) -> String {
    let value = headers.get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or_default().to_ascii_lowercase()
}

/// Parts of the user agents of programs that also name a browser, in lower case. `http:` and `https:` begin
/// the address at which many programs explain themselves.
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
