//! Opening a link: what came in it is looked at, and redeemed at once or after a click.

use std::sync::Arc;

use axum::Form;
use axum::extract::{Query, State};
use axum::http::header::{HOST, LOCATION, ORIGIN, RETRY_AFTER, SET_COOKIE, USER_AGENT};
use axum::http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use latchkey_core::directory::User;
use latchkey_core::instance::SignInStep;
use latchkey_core::redeem::Arrival;
use latchkey_core::return_address::ReturnAddress;
use latchkey_core::verdict::Verdict;
use serde::Deserialize;
use url::form_urlencoded;

use crate::gateway::{Gateway, Hosted};
use crate::pages;
use crate::refused::Refused;

/// Any page: with a code in its address somebody is signed in, without one it says who is.
pub(crate) async fn page(
    State(gateway): State<Arc<Gateway>>,
    method: Method,
    uri: Uri,
    extensions: Extensions,
    headers: HeaderMap,
) -> Response {
    let hosted = match gateway.hosted() {
        Ok(hosted) => hosted,
        Err(cause) => return Refused::failure(&cause).answer(None, &headers),
    };
    if method != Method::GET && method != Method::HEAD {
        let refused = Refused::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "This page is only there to be looked at.",
        );
        return refused.answer(Some(&hosted), &headers);
    }
    match code_in(&uri, hosted.settings.parameter.as_str()) {
        // Whoever asks for headers alone wants nothing done.
        Some(_) if method == Method::HEAD => StatusCode::OK.into_response(),
        Some(_) if !gateway.visits.may_open(&extensions, &headers) => too_many(&hosted, &headers),
        Some((code, clean)) => visit(&gateway, &hosted, code, &clean, &headers).await,
        None if is_home(&uri, &hosted) => home(&gateway, &hosted, &headers),
        None => {
            let refused = Refused::new(StatusCode::NOT_FOUND, "There is no such page here.");
            refused.answer(Some(&hosted), &headers)
        }
    }
}

fn is_home(uri: &Uri, hosted: &Hosted) -> bool {
    uri.path() == "/" || uri.path() == hosted.settings.url.at("").path()
}

/// The code in an address, and the address without it; everything else stays to the letter.
fn code_in(uri: &Uri, parameter: &str) -> Option<(String, String)> {
    let (mut code, mut kept) = (None, Vec::new());
    for pair in uri.query()?.split('&') {
        let decoded = form_urlencoded::parse(pair.as_bytes()).next();
        match decoded {
            Some((name, value)) if name == parameter => {
                code.get_or_insert(value.into_owned());
            }
            _ => kept.push(pair),
        }
    }
    let query = kept.join("&");
    let separator = if query.is_empty() { "" } else { "?" };
    Some((code?, format!("{}{separator}{query}", uri.path())))
}

async fn visit(
    gateway: &Gateway,
    hosted: &Arc<Hosted>,
    code: String,
    clean: &str,
    headers: &HeaderMap,
) -> Response {
    let (arrival, current) = match gateway
        .arrive(hosted, code.clone())
        .await
        .and_then(|arrival| {
            let current = gateway.signed_in(hosted, headers)?;
            Ok((arrival, current))
        }) {
        Ok(known) => known,
        Err(cause) => return Refused::failure(&cause).answer(Some(hosted), headers),
    };
    let (Verdict::SignedIn { user, .. } | Verdict::Provisioned { user, .. }) = &arrival.verdict
    else {
        return refused(hosted, &arrival.verdict, headers);
    };
    let other = current.filter(|current| current.id != *user);
    let asks_first = hosted.settings.visiting.step == SignInStep::Confirm
        || arrival
            .code
            .as_ref()
            .is_none_or(|code| code.registered.single_use)
        || other.is_some()
        || looks_ahead(headers);
    if asks_first {
        let whom = whom(gateway, &arrival);
        let other = other.as_ref().map(User::display_name);
        let page = pages::confirm(hosted, &whom, other, &code, clean).into_response();
        return with_cookies(page, &[hosted.cookie_key.shown()]);
    }
    sign_in(gateway, hosted, code, clean, headers).await
}

/// What the button of the confirm page sends.
#[derive(Deserialize)]
pub(crate) struct Continue {
    code: String,
    to: String,
}

/// The button of the confirm page.
pub(crate) async fn confirmed(
    State(gateway): State<Arc<Gateway>>,
    extensions: Extensions,
    headers: HeaderMap,
    Form(Continue { code, to }): Form<Continue>,
) -> Response {
    let hosted = match gateway.hosted() {
        Ok(hosted) => hosted,
        Err(cause) => return Refused::failure(&cause).answer(None, &headers),
    };
    if !is_from_here(&hosted, &headers) {
        return foreign(&hosted, &headers);
    }
    if !gateway.visits.may_open(&extensions, &headers) {
        return too_many(&hosted, &headers);
    }
    sign_in(&gateway, &hosted, code, &to, &headers).await
}

async fn sign_in(
    gateway: &Gateway,
    hosted: &Arc<Hosted>,
    code: String,
    clean: &str,
    headers: &HeaderMap,
) -> Response {
    let done = match gateway.sign_in(hosted, code).await {
        Ok(done) => done,
        Err(cause) => return Refused::failure(&cause).answer(Some(hosted), headers),
    };
    let keys = &hosted.cookie_key;
    let begun = done
        .session
        .as_ref()
        .and_then(|session| keys.begin(session, Timestamp::now()));
    let Some(cookie) = begun else {
        return refused(hosted, &done.verdict, headers);
    };
    tracing::info!(verdict = done.verdict.code(), "signed in");
    // Where a proxy has sent them from, else where the link leads.
    let to = keys
        .remembered(headers, &hosted.settings)
        .or_else(|| ReturnAddress::parse(clean, &[]));
    let to = to.as_ref().map_or("/", ReturnAddress::as_str);
    see_other(to, &[cookie, keys.forget()])
}

fn refused(hosted: &Hosted, verdict: &Verdict, headers: &HeaderMap) -> Response {
    match verdict {
        Verdict::Refused(refusal) => Refused::code(refusal).answer(Some(hosted), headers),
        // Signed in, and removed in the same moment.
        _ => Refused::new(StatusCode::FORBIDDEN, "This link does not let you in.")
            .answer(Some(hosted), headers),
    }
}

fn too_many(hosted: &Hosted, headers: &HeaderMap) -> Response {
    let refused = Refused::new(
        StatusCode::TOO_MANY_REQUESTS,
        "Too many links are being opened from where you are. Wait a moment, then open yours again.",
    );
    let mut answer = refused.answer(Some(hosted), headers);
    let seconds = HeaderValue::from_static("1");
    answer.headers_mut().insert(RETRY_AFTER, seconds);
    answer
}

fn foreign(hosted: &Hosted, headers: &HeaderMap) -> Response {
    Refused::new(
        StatusCode::FORBIDDEN,
        "Another page has sent this. Open your link again.",
    )
    .answer(Some(hosted), headers)
}

fn home(gateway: &Gateway, hosted: &Hosted, headers: &HeaderMap) -> Response {
    match gateway.signed_in(hosted, headers) {
        Ok(Some(user)) => {
            let page = pages::signed_in(hosted, user.display_name()).into_response();
            with_cookies(page, &[hosted.cookie_key.shown()])
        }
        Ok(None) => (StatusCode::UNAUTHORIZED, pages::sign_in(hosted)).into_response(),
        Err(cause) => Refused::failure(&cause).answer(Some(hosted), headers),
    }
}

/// Where a browser was to go.
#[derive(Deserialize)]
pub(crate) struct Wanted {
    rd: Option<String>,
}

/// The page to which a proxy sends whoever is not signed in. It remembers where they wanted to go.
pub(crate) async fn sign_in_page(
    State(gateway): State<Arc<Gateway>>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Response {
    let hosted = match gateway.hosted() {
        Ok(hosted) => hosted,
        Err(cause) => return Refused::failure(&cause).answer(None, &headers),
    };
    let allowed = &hosted.settings.visiting.return_to;
    let to = wanted.rd.and_then(|rd| ReturnAddress::parse(&rd, allowed));
    match gateway.signed_in(&hosted, &headers) {
        Ok(Some(_)) => see_other(to.as_ref().map_or("/", ReturnAddress::as_str), &[]),
        Ok(None) => {
            let cookies: Vec<String> = to
                .iter()
                .map(|address| hosted.cookie_key.remember(address))
                .collect();
            with_cookies(pages::sign_in(&hosted).into_response(), &cookies)
        }
        Err(cause) => Refused::failure(&cause).answer(Some(&hosted), &headers),
    }
}

/// The button that signs out.
pub(crate) async fn sign_out(State(gateway): State<Arc<Gateway>>, headers: HeaderMap) -> Response {
    let hosted = match gateway.hosted() {
        Ok(hosted) => hosted,
        Err(cause) => return Refused::failure(&cause).answer(None, &headers),
    };
    if !is_from_here(&hosted, &headers) {
        return foreign(&hosted, &headers);
    }
    with_cookies(
        pages::signed_out(&hosted).into_response(),
        &[hosted.cookie_key.end(), hosted.cookie_key.forget()],
    )
}

fn see_other(to: &str, cookies: &[String]) -> Response {
    let to = HeaderValue::from_str(to).unwrap_or(HeaderValue::from_static("/"));
    with_cookies(
        (StatusCode::SEE_OTHER, [(LOCATION, to)]).into_response(),
        cookies,
    )
}

fn with_cookies(mut answer: Response, cookies: &[String]) -> Response {
    for cookie in cookies {
        if let Ok(cookie) = HeaderValue::from_str(cookie) {
            answer.headers_mut().append(SET_COOKIE, cookie);
        }
    }
    answer
}

/// Whom a code is about, by the name that the directory or else the code has.
fn whom(gateway: &Gateway, arrival: &Arrival) -> String {
    if let Verdict::SignedIn { user, .. } = &arrival.verdict
        && let Ok(Some(user)) = gateway.user(user)
    {
        return user.display_name().to_owned();
    }
    let payload = arrival.code.as_ref().map(|code| &code.payload);
    payload.map_or_else(String::new, |payload| payload.display_name().to_owned())
}

/// Whether somebody looks whether it is worth looking: a browser that fetches pages in advance, or a
/// program that shows what is behind a link. Nobody is signed in by that.
fn looks_ahead(headers: &HeaderMap) -> bool {
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

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Whether a form was sent from a page of this server. Newer browsers say so where the page came by
/// https; others say `null`, because these pages let no referrer out, and then it counts that a cookie
/// comes along which they send with the forms of this server alone. What names no origin is no browser,
/// and has no cookies of anybody's to misuse.
fn is_from_here(hosted: &Hosted, headers: &HeaderMap) -> bool {
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
