//! The widget: a script for pages of other sites, a frame in those pages, and the requests of the
//! frame's script. Opening a code in the frame does what opening its link does. The session has a
//! cookie of its own, and the code is sent in a form, never in a URL.
//!
//! The page around the frame chooses the code and can do nothing else. Only pages of the origins
//! that the instance allows may show the frame.

#![expect(
    clippy::result_large_err,
    reason = "both variants are the response to a request"
)]

mod page;

use std::borrow::Cow;
use std::sync::Arc;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{Extensions, HeaderMap, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Extension, Router};
use latchkey_core::Error;
use latchkey_core::directory::User;
use latchkey_core::session::SessionScope;
use latchkey_core::sign_in::SignedIn;
use latchkey_core::sign_in::{SignIn, Visitor};
use serde::{Deserialize, Serialize};

use crate::config::GatewayConfig;
use crate::csrf::is_same_origin_script;
use crate::error_page::ErrorPage;
use crate::extract::{CurrentConfig, FormInput};
use crate::gateway::{Gateway, LinkOutcome};
use crate::headers::CrossOriginUse;
use crate::link_preview::is_link_preview;
use crate::pages::contained;
use crate::sign_in::{Answer, begun, may_open, verified, with_cookies};

const SCRIPT: &str = include_str!("widget.js");
const SCRIPT_FILE: &str = "widget.js";
const FRAME_SCRIPT: &str = include_str!("frame.js");
const FRAME_STYLE: &str = include_str!("frame.css");

/// Returns the routes of the widget. The frame's paths lie below `/auth/`, which proxies forward to
/// the gateway anyway.
pub(crate) fn routes() -> Router<Arc<Gateway>> {
    Router::new()
        .route("/widget.js", get(script))
        .route("/auth/widget/frame", get(frame))
        .route(
            page::SCRIPT_PATH,
            get(|| async { typed("text/javascript; charset=utf-8", FRAME_SCRIPT) }),
        )
        .route(
            page::STYLE_PATH,
            get(|| async { typed("text/css; charset=utf-8", FRAME_STYLE) }),
        )
        .route("/auth/widget/session", get(session))
        .route("/auth/widget/open", post(open))
        .route("/auth/widget/continue", post(confirmed))
        .route("/auth/widget/sign-out", post(sign_out))
}

fn typed(kind: &'static str, text: impl Into<String>) -> Response {
    let kind = HeaderValue::from_static(kind);
    ([(CONTENT_TYPE, kind)], text.into()).into_response()
}

/// Returns whether a URI is the one at which the instance's widget tag looks for the script. It is
/// beside the application's page, which may be below a folder.
pub(crate) fn is_script(uri: &Uri, config: &GatewayConfig) -> bool {
    uri.path() == config.settings.url.sibling(SCRIPT_FILE).path()
}

/// Returns the script that a widget tag names.
pub(crate) async fn script() -> Response {
    let script = typed("text/javascript; charset=utf-8", SCRIPT);
    (Extension(CrossOriginUse::Script), script).into_response()
}

/// Returns the page in the frame. It is the same for all visitors, because its script asks who is
/// signed in.
async fn frame(CurrentConfig(config): CurrentConfig, headers: HeaderMap) -> Response {
    let page = page::frame(&config).into_response();
    let page = with_cookies(page, &[config.cookie_key.kept(&headers)]);
    if config.settings.visiting.embed_in.is_empty() {
        return page;
    }
    (Extension(CrossOriginUse::Frame), page).into_response()
}

/// Response to the frame's script.
#[derive(Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
enum Outcome<'a> {
    SignedIn {
        id: &'a str,
        name: Cow<'a, str>,
    },
    SignedOut,
    /// A click is missing. It signs `other` out.
    NeedsConfirmation {
        whom: Cow<'a, str>,
        other: Option<Cow<'a, str>>,
    },
    /// The browser keeps no cookies in the frame. The code is not used up.
    NoCookies,
}

impl Outcome<'_> {
    fn answer(&self) -> Response {
        match serde_json::to_string(self) {
            Ok(json) => typed("application/json", json),
            Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        }
    }

    fn is(user: &User) -> Response {
        let (id, name) = (user.id.as_str(), contained(user.display_name()));
        Outcome::SignedIn { id, name }.answer()
    }
}

/// Returns who is signed in in the frame.
async fn session(
    State(gateway): State<Arc<Gateway>>,
    CurrentConfig(config): CurrentConfig,
    headers: HeaderMap,
) -> Answer {
    if !config.cookie_key.is_kept(&headers) {
        return Ok(Outcome::NoCookies.answer());
    }
    let signed_in = gateway
        .signed_in(&config, SessionScope::Frame, &headers)
        .await;
    let signed_in = signed_in.map_err(|cause| failed(&config, &headers, &cause))?;
    Ok(signed_in.map_or_else(|| Outcome::SignedOut.answer(), |user| Outcome::is(&user)))
}

/// Code from the page around the frame.
#[derive(Deserialize)]
struct Code {
    code: String,
}

/// Opens a code.
async fn open(
    State(gateway): State<Arc<Gateway>>,
    CurrentConfig(config): CurrentConfig,
    extensions: Extensions,
    headers: HeaderMap,
    FormInput(Code { code }): FormInput<Code>,
) -> Answer {
    require_own_frame(&config, &headers)?;
    if !config.cookie_key.is_kept(&headers) {
        return Ok(Outcome::NoCookies.answer());
    }
    may_open(&gateway, &config, &extensions, &headers)?;
    let by = gateway.audit_context(&extensions, &headers);
    let code = verified(&gateway, &config, &code, &by, &headers).await?;
    let failed = |cause| failed(&config, &headers, &cause);
    let signed_in = gateway
        .session(&config, SessionScope::Frame, &headers)
        .await;
    let signed_in = signed_in.map_err(failed)?;
    let visitor = Visitor {
        signed_in: signed_in.as_ref(),
        is_link_preview: is_link_preview(&headers),
    };
    let browser = config
        .cookie_key
        .browser(SessionScope::Frame, &headers, signed_in.as_ref());
    let opening = gateway.open(&config, code, visitor, browser, by);
    match (opening.await.map_err(failed)?, &signed_in) {
        (LinkOutcome::Done(done), _) => let_in(&gateway, &config, &done, &headers).await,
        (LinkOutcome::NeedsConfirmation { whom, .. }, other) => {
            let other = other.as_ref().map(|other| other.user.display_name());
            let (whom, other) = (contained(&whom), other.map(contained));
            Ok(Outcome::NeedsConfirmation { whom, other }.answer())
        }
        // Every view of the page opens its code again, which does not count as a sign-in.
        (LinkOutcome::Continues | LinkOutcome::NoCookies, known) => Ok(goes_on(known.as_ref())),
    }
}

/// Returns the response for a visitor who stays signed in.
fn goes_on(known: Option<&SignedIn>) -> Response {
    known.map_or_else(
        || Outcome::SignedOut.answer(),
        |known| Outcome::is(&known.user),
    )
}

/// Redeems a code after a click on the frame's button, which confirms that it is for this visitor.
async fn confirmed(
    State(gateway): State<Arc<Gateway>>,
    CurrentConfig(config): CurrentConfig,
    extensions: Extensions,
    headers: HeaderMap,
    FormInput(Code { code }): FormInput<Code>,
) -> Answer {
    require_own_frame(&config, &headers)?;
    let has_cookie = config.cookie_key.is_kept(&headers);
    may_open(&gateway, &config, &extensions, &headers)?;
    let by = gateway.audit_context(&extensions, &headers);
    let code = verified(&gateway, &config, &code, &by, &headers).await?;
    let failed = |cause| failed(&config, &headers, &cause);
    let signed_in = gateway
        .session(&config, SessionScope::Frame, &headers)
        .await;
    let signed_in = signed_in.map_err(failed)?;
    let browser = config
        .cookie_key
        .browser(SessionScope::Frame, &headers, signed_in.as_ref());
    let visitor = Visitor {
        signed_in: signed_in.as_ref(),
        is_link_preview: false,
    };
    let opened = gateway.sign_in(&config, code, visitor, browser, has_cookie, by);
    match opened.await.map_err(failed)? {
        LinkOutcome::Done(done) => let_in(&gateway, &config, &done, &headers).await,
        LinkOutcome::NoCookies => Ok(Outcome::NoCookies.answer()),
        _ => Ok(goes_on(signed_in.as_ref())),
    }
}

async fn let_in(
    gateway: &Gateway,
    config: &GatewayConfig,
    done: &SignIn,
    headers: &HeaderMap,
) -> Answer {
    let (begun, cookie) = begun(config, done).map_err(|no| no.answer(Some(config), headers))?;
    let user = gateway.directory.user(&begun.user).await;
    let user = user.map_err(|cause| failed(config, headers, &cause))?;
    // There is no user if they were removed at this moment.
    let answer = user.map_or_else(|| Outcome::SignedOut.answer(), |user| Outcome::is(&user));
    Ok(with_cookies(answer, &[cookie]))
}

/// Signs out in the frame only.
async fn sign_out(
    State(gateway): State<Arc<Gateway>>,
    CurrentConfig(config): CurrentConfig,
    extensions: Extensions,
    headers: HeaderMap,
) -> Answer {
    require_own_frame(&config, &headers)?;
    let by = gateway.audit_context(&extensions, &headers);
    let ended = gateway
        .sign_out(&config, SessionScope::Frame, &headers, by)
        .await;
    ended.map_err(|cause| failed(&config, &headers, &cause))?;
    let cookie = config.cookie_key.end(SessionScope::Frame);
    Ok(with_cookies(Outcome::SignedOut.answer(), &[cookie]))
}

fn failed(config: &GatewayConfig, headers: &HeaderMap, cause: &Error) -> Response {
    ErrorPage::failure(cause).answer(Some(config), headers)
}

fn require_own_frame(config: &GatewayConfig, headers: &HeaderMap) -> Result<(), Response> {
    if is_same_origin_script(headers) {
        return Ok(());
    }
    let sentence = "Another page sent this, so nothing was done.";
    Err(ErrorPage::new(StatusCode::FORBIDDEN, sentence).answer(Some(config), headers))
}
