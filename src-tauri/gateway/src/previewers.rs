//! Programs that look at links before people do.

use axum::http::HeaderMap;
use axum::http::header::USER_AGENT;

/// Whether somebody looks whether it is worth looking: a browser that fetches pages in advance, or a
/// program that shows what is behind a link. Nobody is signed in by that.
pub(crate) fn looks_ahead(headers: &HeaderMap) -> bool {
    const ADVANCE: [&str; 3] = ["sec-purpose", "purpose", "x-moz"];
    let says = |name: &str, what: &str| {
        let value = headers.get(name).and_then(|value| value.to_str().ok());
        value.is_some_and(|value| value.to_ascii_lowercase().contains(what))
    };
    let in_advance = ADVANCE
        .iter()
        .any(|name| says(name, "prefetch") || says(name, "prerender") || says(name, "preview"));
    in_advance
        || PREVIEWERS
            .iter()
            .any(|agent| says(USER_AGENT.as_str(), agent))
}

/// How programs that look at links name themselves, in lower case.
const PREVIEWERS: [&str; 33] = [
    "slackbot",
    "slack-imgproxy",
    "twitterbot",
    "facebookexternalhit",
    "facebot",
    "whatsapp",
    "telegrambot",
    "discordbot",
    "linkedinbot",
    "skypeuripreview",
    "microsoftpreview",
    "teams",
    "googlebot",
    "google-inspectiontool",
    "googleimageproxy",
    "google-safety",
    "bingbot",
    "bingpreview",
    "yandexbot",
    "duckduckbot",
    "applebot",
    "pinterest",
    "redditbot",
    "embedly",
    "iframely",
    "vkshare",
    "viber",
    "snapchat",
    "mattermost",
    "rocket.chat",
    "zoombot",
    "barracuda",
    "proofpoint",
];
