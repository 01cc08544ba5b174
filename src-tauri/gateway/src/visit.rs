//! Handlers for opening a link, and for the pages around it. Core decides what opening a link does.

#![expect(
    clippy::result_large_err,
    reason = "both variants are the response to a request"
)]

use std::iter;
use std::sync::Arc;

use axum::extract::State;
use axum::http::header::ALLOW;
use axum::http::{Extensions, HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use latchkey_core::activity::AuditContext;
use latchkey_core::protocol::code::VerifiedCode;
use latchkey_core::session::SessionScope;
use latchkey_core::session::return_address::ReturnAddress;
use latchkey_core::sign_in::{SignIn, Visitor};
use serde::Deserialize;
use url::form_urlencoded;

use crate::config::GatewayConfig;
use crate::csrf::lacks_cookies;
use crate::error_page::ErrorPage;
use crate::extract::{CurrentConfig, FormInput};
use crate::fetch_metadata::{is_embedded, is_of_a_tab};
use crate::gateway::{Gateway, LinkOutcome};
use crate::link_preview::is_link_preview;
use crate::middleware::OriginalUri;
use crate::own_sessions;
use crate::pages;
use crate::sign_in::{
    Answer, begun, may_open, require_same_origin, see_other, verified, with_cookies,
};
use crate::widget;

/// Opens a link if the query has a code, else shows who is signed in. Handles every path that has
/// no other handler.
pub(crate) async fn page(
    State(gateway): State<Arc<Gateway>>,
    CurrentConfig(config): CurrentConfig,
    method: Method,
    uri: Uri,
    extensions: Extensions,
    headers: HeaderMap,
) -> Answer {
    let refuse =
        |status, sentence| Err(ErrorPage::new(status, sentence).answer(Some(&config), &headers));
    // Below a folder, the return address is the URI before the folder was removed.
    let sent = extensions.get::<OriginalUri>().map_or(&uri, |sent| &sent.0);
    let code = code_in(sent, config.settings.parameter.as_str());
    let is_button = method == Method::POST && code.is_some();
    if method != Method::GET && method != Method::HEAD && !is_button {
        let sentence = "This page does not accept anything that is sent to it.";
        let mut refused = ErrorPage::new(StatusCode::METHOD_NOT_ALLOWED, sentence)
            .answer(Some(&config), &headers);
        let allowed = HeaderValue::from_static("GET,HEAD");
        refused.headers_mut().insert(ALLOW, allowed);
        return Err(refused);
    }
    match code {
        // A request for headers only must change nothing.
        Some(_) if method == Method::HEAD => Ok(StatusCode::OK.into_response()),
        // A page of any site can load a link as a picture without its visitor's knowledge.
        Some(_) if is_embedded(&headers) => refuse(
            StatusCode::FORBIDDEN,
            "A link does not sign in inside another page. Open it in a tab of its own.",
        ),
        Some((code, clean)) => {
            let has_cookie = !lacks_cookies(&config, &headers);
            if is_button && has_cookie {
                require_same_origin(&config, &headers, "Open your link again.")?;
            }
            may_open(&gateway, &config, &extensions, &headers)?;
            let by = gateway.audit_context(&extensions, &headers);
            let code = verified(&gateway, &config, &code, &by, &headers).await?;
            if is_button {
                confirmed(&gateway, &config, code, &clean, &headers, has_cookie, by).await
            } else {
                open(&gateway, &config, code, &clean, &headers, by).await
            }
        }
        None if widget::is_script(&uri, &config) => Ok(widget::script().await),
        None if is_home(&uri, &config) => own_sessions::home(&gateway, &config, &headers).await,
        None => refuse(StatusCode::NOT_FOUND, "There is no such page here."),
    }
}

/// Refuses a request whose path does not support its method. The router adds `Allow`.
pub(crate) async fn wrong_method(
    State(gateway): State<Arc<Gateway>>,
    headers: HeaderMap,
) -> Response {
    let sentence = "This address is for a button of another page. Open your link, or that page.";
    let refused = ErrorPage::new(StatusCode::METHOD_NOT_ALLOWED, sentence);
    refused.answer(gateway.last_config().as_deref(), &headers)
}

fn is_home(uri: &Uri, config: &GatewayConfig) -> bool {
    uri.path() == "/" || uri.path() == config.settings.url.at("").path()
}

/// Returns the code in a URI, and the URI without it. The rest of the URI is unchanged, byte for
/// byte.
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
    config: &Arc<GatewayConfig>,
    code: VerifiedCode,
    clean: &str,
    headers: &HeaderMap,
    by: AuditContext,
) -> Answer {
    let failed = |cause| ErrorPage::failure(&cause).answer(Some(config), headers);
    let signed_in = gateway
        .session(config, SessionScope::Page, headers)
        .await
        .map_err(failed)?;
    let visitor = Visitor {
        signed_in: signed_in.as_ref(),
        is_link_preview: is_link_preview(headers),
    };
    let browser = config
        .cookie_key
        .browser(SessionScope::Page, headers, signed_in.as_ref());
    let opening = gateway.open(config, code, visitor, browser, by);
    match opening.await.map_err(failed)? {
        LinkOutcome::NeedsConfirmation { whom, replaces } => {
            let other = signed_in.as_ref().filter(|_| replaces);
            let other = other.map(|other| other.user.display_name());
            let page = pages::confirm(config, &whom, other).into_response();
            Ok(with_cookies(page, &[config.cookie_key.shown(headers)]))
        }
        LinkOutcome::Done(done) => let_in(config, &done, clean, headers),
        LinkOutcome::Continues | LinkOutcome::NoCookies => {
            Ok(lead_on(config, clean, headers, None))
        }
    }
}

/// Redeems a code after a click on the button of the confirm page, whose form is sent to the link
/// itself.
async fn confirmed(
    gateway: &Gateway,
    config: &GatewayConfig,
    code: VerifiedCode,
    clean: &str,
    headers: &HeaderMap,
    has_cookie: bool,
    by: AuditContext,
) -> Answer {
    let failed = |cause| ErrorPage::failure(&cause).answer(Some(config), headers);
    let signed_in = gateway
        .session(config, SessionScope::Page, headers)
        .await
        .map_err(failed)?;
    let browser = config
        .cookie_key
        .browser(SessionScope::Page, headers, signed_in.as_ref());
    let visitor = Visitor {
        signed_in: signed_in.as_ref(),
        is_link_preview: false,
    };
    let opened = gateway.sign_in(config, code, visitor, browser, has_cookie, by);
    match opened.await.map_err(failed)? {
        LinkOutcome::Done(done) => let_in(config, &done, clean, headers),
        LinkOutcome::NoCookies => {
            let page = pages::no_cookies(config);
            Err((StatusCode::FORBIDDEN, page).into_response())
        }
        _ => Ok(lead_on(config, clean, headers, None)),
    }
}

/// Sets the cookie of the new session, and redirects to the page of the link.
fn let_in(config: &GatewayConfig, done: &SignIn, clean: &str, headers: &HeaderMap) -> Answer {
    let (_, cookie) = begun(config, done).map_err(|no| no.answer(Some(config), headers))?;
    Ok(lead_on(config, clean, headers, Some(cookie)))
}

/// Redirects to the page of the link. If the link names no page, redirects to the page from which a
/// proxy has sent the visitor.
fn lead_on(
    config: &GatewayConfig,
    clean: &str,
    headers: &HeaderMap,
    cookie: Option<String>,
) -> Response {
    let keys = &config.cookie_key;
    let own = ReturnAddress::parse(clean, &[]);
    let to = if leads_home(clean, config) {
        keys.remembered(headers, &config.settings).or(own)
    } else {
        own
    };
    let cookies: Vec<String> = cookie.into_iter().chain(keys.forget(headers)).collect();
    see_other(config, to.as_ref(), &cookies)
}

/// Returns whether a link without its code is the instance's URL, so that the link names no page.
fn leads_home(clean: &str, config: &GatewayConfig) -> bool {
    let url = config.settings.url.without_fragment();
    let own = url.query().map_or_else(
        || url.path().to_owned(),
        |query| format!("{}?{query}", url.path()),
    );
    clean == "/" || clean == own
}

/// Return address in the query of the sign-in page.
#[derive(Deserialize)]
pub(crate) struct Wanted {
    rd: Option<String>,
}

/// Shows the page to which a proxy sends visitors who are not signed in. Stores the page that they
/// asked for.
pub(crate) async fn sign_in_page(
    State(gateway): State<Arc<Gateway>>,
    CurrentConfig(config): CurrentConfig,
    headers: HeaderMap,
    FormInput(wanted): FormInput<Wanted>,
) -> Answer {
    let allowed = config.settings.return_origins();
    let to = wanted.rd.and_then(|rd| ReturnAddress::parse(&rd, &allowed));
    let signed_in = gateway
        .signed_in(&config, SessionScope::Page, &headers)
        .await;
    let signed_in =
        signed_in.map_err(|cause| ErrorPage::failure(&cause).answer(Some(&config), &headers))?;
    if let Some(user) = signed_in {
        // A host without the session would send the visitor back here, and this page would send
        // them there, in an endless loop.
        let elsewhere = to.as_ref().and_then(|to| {
            let host = to.other_host(&config.settings.url)?;
            tracing::warn!(%host, "the return address has another host than the instance's URL, so the visitor is not signed in there");
            Some(pages::signed_in_here(&config, user.display_name(), &host, to.as_str()))
        });
        return Ok(match elsewhere {
            Some(page) => page.into_response(),
            None => see_other(&config, to.as_ref(), &[]),
        });
    }
    // The address of something that a script loaded or a frame showed is not a page to return to.
    let remembered = to
        .filter(|_| is_of_a_tab(&headers))
        .map(|address| config.cookie_key.remember(&address));
    let page = pages::sign_in(&config).into_response();
    Ok(with_cookies(page, &remembered.unwrap_or_default()))
}

/// Signs out.
pub(crate) async fn sign_out(
    State(gateway): State<Arc<Gateway>>,
    CurrentConfig(config): CurrentConfig,
    extensions: Extensions,
    headers: HeaderMap,
) -> Answer {
    require_same_origin(&config, &headers, "Open your link again.")?;
    let by = gateway.audit_context(&extensions, &headers);
    let ended = gateway
        .sign_out(&config, SessionScope::Page, &headers, by)
        .await;
    ended.map_err(|cause| ErrorPage::failure(&cause).answer(Some(&config), &headers))?;
    let ended = config.cookie_key.end(SessionScope::Page);
    let cookies: Vec<String> = iter::once(ended)
        .chain(config.cookie_key.forget(&headers))
        .collect();
    Ok(with_cookies(
        pages::signed_out(&config).into_response(),
        &cookies,
    ))
}
