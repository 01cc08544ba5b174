//! Opening a link, and the pages around it. What opening one does is core's to say.

#![expect(
    clippy::result_large_err,
    reason = "on both sides is the one answer that a request gets"
)]

use std::iter;
use std::sync::Arc;

use axum::extract::State;
use axum::http::header::{ALLOW, LOCATION, RETRY_AFTER, SET_COOKIE};
use axum::http::{Extensions, HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use latchkey_core::activity::{AuditContext, Reference};
use latchkey_core::redeem::{Begun, SignIn, Visitor};
use latchkey_core::return_address::ReturnAddress;
use latchkey_core::session::SessionScope;
use latchkey_core::verdict::Verdict;
use serde::Deserialize;
use url::form_urlencoded;

use crate::around::Original;
use crate::fetch_metadata::{is_embedded, is_of_a_tab};
use crate::forms::{is_from_here, keeps_no_cookies};
use crate::gateway::{Current, Gateway, GatewayConfig, LinkOutcome};
use crate::pages;
use crate::previewers::is_link_preview;
use crate::refused::Refused;
use crate::sent::Sent;
use crate::widget;

/// What a visitor is answered; on the right, where they are not let in.
pub(crate) type Answer = Result<Response, Response>;

/// Any page: with a code in its address somebody is signed in, without one it says who is.
pub(crate) async fn page(
    State(gateway): State<Arc<Gateway>>,
    Current(hosted): Current,
    method: Method,
    uri: Uri,
    extensions: Extensions,
    headers: HeaderMap,
) -> Answer {
    let refuse =
        |status, sentence| Err(Refused::new(status, sentence).answer(Some(&hosted), &headers));
    // Below a folder, the address without the code is the one that was sent.
    let sent = extensions.get::<Original>().map_or(&uri, |sent| &sent.0);
    let code = code_in(sent, hosted.settings.parameter.as_str());
    let is_button = method == Method::POST && code.is_some();
    if method != Method::GET && method != Method::HEAD && !is_button {
        let sentence = "This page is only there to be looked at.";
        let mut refused =
            Refused::new(StatusCode::METHOD_NOT_ALLOWED, sentence).answer(Some(&hosted), &headers);
        let allowed = HeaderValue::from_static("GET,HEAD");
        refused.headers_mut().insert(ALLOW, allowed);
        return Err(refused);
    }
    match code {
        // Whoever asks for headers alone wants nothing done.
        Some(_) if method == Method::HEAD => Ok(StatusCode::OK.into_response()),
        // Any page of any site can load a link as a picture, without its visitor's knowledge.
        Some(_) if is_embedded(&headers) => refuse(
            StatusCode::FORBIDDEN,
            "A link does not sign in inside another page. Open it in a tab of its own.",
        ),
        Some((code, clean)) => {
            let has_cookie = !keeps_no_cookies(&hosted, &headers);
            if is_button && has_cookie {
                must_be_from_here(&hosted, &headers)?;
            }
            may_open(&gateway, &hosted, &extensions, &headers)?;
            let by = gateway.occasion(&extensions, &headers);
            if is_button {
                confirmed(&gateway, &hosted, &code, &clean, &headers, has_cookie, by).await
            } else {
                open(&gateway, &hosted, &code, &clean, &headers, by).await
            }
        }
        None if widget::is_script(&uri, &hosted) => Ok(widget::script().await),
        None if is_home(&uri, &hosted) => home(&gateway, &hosted, &headers),
        None => refuse(StatusCode::NOT_FOUND, "There is no such page here."),
    }
}

/// A path that is asked for by a method that it does not have. The router adds `Allow`.
pub(crate) async fn wrong_method(
    State(gateway): State<Arc<Gateway>>,
    headers: HeaderMap,
) -> Response {
    let sentence = "This address is for a button of another page. Open your link, or that page.";
    let refused = Refused::new(StatusCode::METHOD_NOT_ALLOWED, sentence);
    refused.answer(gateway.hosted().ok().as_deref(), &headers)
}

fn is_home(uri: &Uri, hosted: &GatewayConfig) -> bool {
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

async fn open(
    gateway: &Gateway,
    hosted: &Arc<GatewayConfig>,
    code: &str,
    clean: &str,
    headers: &HeaderMap,
    by: AuditContext,
) -> Answer {
    let reference = by.reference.clone();
    let failed = |cause| Refused::failure(&cause).answer(Some(hosted), headers);
    let signed_in = gateway
        .session(hosted, SessionScope::Page, headers)
        .map_err(failed)?;
    let visitor = Visitor {
        signed_in: signed_in.as_ref(),
        is_link_preview: is_link_preview(headers),
    };
    let browser = hosted
        .cookie_key
        .browser(SessionScope::Page, headers, signed_in.as_ref());
    let opening = gateway.open(hosted, code, visitor, browser, by);
    match opening.await.map_err(failed)? {
        LinkOutcome::NeedsConfirmation { whom, replaces } => {
            let other = signed_in.as_ref().filter(|_| replaces);
            let other = other.map(|other| other.user.display_name());
            let page = pages::confirm(hosted, &whom, other).into_response();
            Ok(with_cookies(page, &[hosted.cookie_key.shown(headers)]))
        }
        LinkOutcome::Done(done) => let_in(hosted, &done, clean, headers, reference),
        LinkOutcome::Continues | LinkOutcome::NoCookies => {
            Ok(lead_on(hosted, clean, headers, None))
        }
    }
}

/// Signs in after a click on the button of the confirm page, whose form is sent to the link itself.
async fn confirmed(
    gateway: &Gateway,
    hosted: &GatewayConfig,
    code: &str,
    clean: &str,
    headers: &HeaderMap,
    has_cookie: bool,
    by: AuditContext,
) -> Answer {
    let reference = by.reference.clone();
    let failed = |cause| Refused::failure(&cause).answer(Some(hosted), headers);
    let signed_in = gateway
        .session(hosted, SessionScope::Page, headers)
        .map_err(failed)?;
    let browser = hosted
        .cookie_key
        .browser(SessionScope::Page, headers, signed_in.as_ref());
    let visitor = Visitor {
        signed_in: signed_in.as_ref(),
        is_link_preview: false,
    };
    let opened = gateway.sign_in(hosted, code, visitor, browser, has_cookie, by);
    match opened.await.map_err(failed)? {
        LinkOutcome::Done(done) => let_in(hosted, &done, clean, headers, reference),
        LinkOutcome::NoCookies => {
            let page = pages::no_cookies(hosted);
            Err((StatusCode::FORBIDDEN, page).into_response())
        }
        _ => Ok(lead_on(hosted, clean, headers, None)),
    }
}

/// Gives a session out, and leads on.
fn let_in(
    hosted: &GatewayConfig,
    done: &SignIn,
    clean: &str,
    headers: &HeaderMap,
    reference: Option<Reference>,
) -> Answer {
    let (_, cookie) =
        begun(hosted, done, reference).map_err(|no| no.answer(Some(hosted), headers))?;
    Ok(lead_on(hosted, clean, headers, Some(cookie)))
}

/// Leads on to where the link leads. A link that leads to the instance's own address leads to where a proxy
/// has sent its visitor from.
fn lead_on(
    hosted: &GatewayConfig,
    clean: &str,
    headers: &HeaderMap,
    cookie: Option<String>,
) -> Response {
    let keys = &hosted.cookie_key;
    let own = ReturnAddress::parse(clean, &[]);
    let to = if leads_home(clean, hosted) {
        keys.remembered(headers, &hosted.settings).or(own)
    } else {
        own
    };
    let cookies: Vec<String> = cookie.into_iter().chain(keys.forget(headers)).collect();
    see_other(hosted, to.as_ref(), &cookies)
}

/// Whether an address without its code is the instance's own, to which all links lead that name no page.
fn leads_home(clean: &str, hosted: &GatewayConfig) -> bool {
    let url = hosted.settings.url.without_fragment();
    let own = url.query().map_or_else(
        || url.path().to_owned(),
        |query| format!("{}?{query}", url.path()),
    );
    clean == "/" || clean == own
}

/// The session that a code has begun, and its cookie; else what its visitor is told.
pub(crate) fn begun<'a>(
    hosted: &GatewayConfig,
    done: &'a SignIn,
    reference: Option<Reference>,
) -> Result<(&'a Begun, String), Refused> {
    if let Some(begun) = &done.session {
        tracing::info!(verdict = done.verdict.code(), "signed in");
        return Ok((begun, hosted.cookie_key.begin(begun)));
    }
    Err(match &done.verdict {
        Verdict::Refused(refusal) => {
            Refused::code(refusal, reference.unwrap_or_else(Reference::random))
        }
        // A sign-in has a session.
        _ => Refused::new(StatusCode::FORBIDDEN, "This link does not let you in."),
    })
}

pub(crate) fn may_open(
    gateway: &Gateway,
    hosted: &GatewayConfig,
    extensions: &Extensions,
    headers: &HeaderMap,
) -> Result<(), Response> {
    if gateway.visits.may_open(extensions, headers) {
        return Ok(());
    }
    let refused = Refused::new(
        StatusCode::TOO_MANY_REQUESTS,
        "Too many links are being opened from where you are. Wait a moment, then open yours again.",
    );
    let mut answer = refused.answer(Some(hosted), headers);
    let seconds = HeaderValue::from_static("1");
    answer.headers_mut().insert(RETRY_AFTER, seconds);
    Err(answer)
}

fn must_be_from_here(hosted: &GatewayConfig, headers: &HeaderMap) -> Result<(), Response> {
    if is_from_here(hosted, headers) {
        return Ok(());
    }
    let sentence = "Another page has sent this. Open your link again.";
    Err(Refused::new(StatusCode::FORBIDDEN, sentence).answer(Some(hosted), headers))
}

fn home(gateway: &Gateway, hosted: &GatewayConfig, headers: &HeaderMap) -> Answer {
    let signed_in = gateway.signed_in(hosted, SessionScope::Page, headers);
    let signed_in =
        signed_in.map_err(|cause| Refused::failure(&cause).answer(Some(hosted), headers))?;
    Ok(match signed_in {
        Some(user) => {
            let page = pages::signed_in(hosted, user.display_name()).into_response();
            with_cookies(page, &[hosted.cookie_key.shown(headers)])
        }
        None => (StatusCode::UNAUTHORIZED, pages::not_signed_in(hosted)).into_response(),
    })
}

/// Where a browser was to go.
#[derive(Deserialize)]
pub(crate) struct Wanted {
    rd: Option<String>,
}

/// The page to which a proxy sends whoever is not signed in. It remembers where they wanted to go.
pub(crate) async fn sign_in_page(
    State(gateway): State<Arc<Gateway>>,
    Current(hosted): Current,
    headers: HeaderMap,
    Sent(wanted): Sent<Wanted>,
) -> Answer {
    let allowed = hosted.settings.return_origins();
    let to = wanted.rd.and_then(|rd| ReturnAddress::parse(&rd, &allowed));
    let signed_in = gateway.signed_in(&hosted, SessionScope::Page, &headers);
    let signed_in =
        signed_in.map_err(|cause| Refused::failure(&cause).answer(Some(&hosted), &headers))?;
    if let Some(user) = signed_in {
        // Its proxy would send them back here at once, and this page there, for ever.
        let elsewhere = to.as_ref().and_then(|to| {
            let host = to.other_host(&hosted.settings.url)?;
            tracing::warn!(%host, "a return address is of another host than the instance's URL: nobody is signed in there");
            Some(pages::signed_in_here(&hosted, user.display_name(), &host, to.as_str()))
        });
        return Ok(match elsewhere {
            Some(page) => page.into_response(),
            None => see_other(&hosted, to.as_ref(), &[]),
        });
    }
    // A visitor does not return to something that a script fetched or a frame showed.
    let remembered = to
        .filter(|_| is_of_a_tab(&headers))
        .map(|address| hosted.cookie_key.remember(&address));
    let page = pages::sign_in(&hosted).into_response();
    Ok(with_cookies(page, &remembered.unwrap_or_default()))
}

/// The button that signs out.
pub(crate) async fn sign_out(
    State(gateway): State<Arc<Gateway>>,
    Current(hosted): Current,
    extensions: Extensions,
    headers: HeaderMap,
) -> Answer {
    must_be_from_here(&hosted, &headers)?;
    let by = gateway.occasion(&extensions, &headers);
    let ended = gateway
        .sign_out(&hosted, SessionScope::Page, &headers, by)
        .await;
    ended.map_err(|cause| Refused::failure(&cause).answer(Some(&hosted), &headers))?;
    let ended = hosted.cookie_key.end(SessionScope::Page);
    let cookies: Vec<String> = iter::once(ended)
        .chain(hosted.cookie_key.forget(&headers))
        .collect();
    Ok(with_cookies(
        pages::signed_out(&hosted).into_response(),
        &cookies,
    ))
}

/// Leads on, home if nowhere else.
fn see_other(hosted: &GatewayConfig, to: Option<&ReturnAddress>, cookies: &[String]) -> Response {
    let to = to.and_then(|to| HeaderValue::from_str(to.as_str()).ok());
    let home = || HeaderValue::from_str(&format!("{}/", hosted.folder));
    let to = to.or_else(|| home().ok());
    let to = to.unwrap_or(HeaderValue::from_static("/"));
    let answer = (StatusCode::SEE_OTHER, [(LOCATION, to)]).into_response();
    with_cookies(answer, cookies)
}

pub(crate) fn with_cookies(mut answer: Response, cookies: &[String]) -> Response {
    for cookie in cookies {
        if let Ok(cookie) = HeaderValue::from_str(cookie) {
            answer.headers_mut().append(SET_COOKIE, cookie);
        }
    }
    answer
}
