//! The page that shows who is signed in, and the person's other browsers. Only the person's own session
//! lists and ends them.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::LOCATION;
use axum::http::{Extensions, HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use latchkey_core::session::{SessionHandle, SessionQuery, SessionScope, UserSession};
use latchkey_core::sign_in::SignedIn;
use latchkey_core::{Error, ErrorCode, Result};
use serde::Deserialize;

use crate::config::GatewayConfig;
use crate::error_page::ErrorPage;
use crate::extract::{CurrentConfig, FormInput};
use crate::gateway::Gateway;
use crate::pages;
use crate::sign_in::{Answer, require_same_origin, with_cookies};

/// Maximum number of other browsers on the page.
const MAX_LISTED: usize = 20;

/// Advice to a visitor after a form of another site's page was refused.
const LOOK_AGAIN: &str = "Open the page that shows who is signed in, and try again.";

/// Shows who is signed in, as the home page does.
pub(crate) async fn page(
    State(gateway): State<Arc<Gateway>>,
    CurrentConfig(config): CurrentConfig,
    headers: HeaderMap,
) -> Answer {
    home(&gateway, &config, &headers).await
}

/// Redirects to the page that shows who is signed in.
fn back(config: &GatewayConfig) -> Response {
    let page = format!("{}{}", config.folder, pages::SESSIONS_PATH);
    (StatusCode::SEE_OTHER, [(LOCATION, page)]).into_response()
}

/// Shows who is signed in, with the person's other browsers.
pub(crate) async fn home(gateway: &Gateway, config: &GatewayConfig, headers: &HeaderMap) -> Answer {
    let failed = |cause: Error| ErrorPage::failure(&cause).answer(Some(config), headers);
    let own = gateway.session(config, SessionScope::Page, headers).await;
    let Some(own) = own.map_err(failed)? else {
        return Ok((StatusCode::UNAUTHORIZED, pages::not_signed_in(config)).into_response());
    };
    let now = Timestamp::now();
    let (others, unlisted) = other_sessions(gateway, config, &own, now)
        .await
        .map_err(failed)?;
    let page = pages::signed_in(config, own.user.display_name(), &others, unlisted, now);
    let shown = config.cookie_key.shown(headers);
    Ok(with_cookies(page.into_response(), &[shown]))
}

/// Returns the person's latest sessions without the one of this browser, and the number of further
/// sessions.
async fn other_sessions(
    gateway: &Gateway,
    config: &GatewayConfig,
    own: &SignedIn,
    now: Timestamp,
) -> Result<(Vec<UserSession>, u64)> {
    let query = SessionQuery {
        user: own.user.id.clone(),
        policy: config.settings.policy,
        rules: config.settings.session_rules(),
        after: None,
        limit: MAX_LISTED + 1,
    };
    let page = gateway.directory.sessions_of(&query, now).await?;
    let handle = own.key.handle();
    let mut others = page.sessions;
    others.retain(|session| session.id != handle);
    others.truncate(MAX_LISTED);
    let listed = others.len() as u64 + 1;
    Ok((others, page.total.saturating_sub(listed)))
}

/// Session that a form ends.
#[derive(Deserialize)]
pub(crate) struct Chosen {
    session: String,
}

/// Ends another session of the person who is signed in. One that has ended already is not an error.
pub(crate) async fn end(
    State(gateway): State<Arc<Gateway>>,
    CurrentConfig(config): CurrentConfig,
    extensions: Extensions,
    headers: HeaderMap,
    FormInput(chosen): FormInput<Chosen>,
) -> Answer {
    let own = own_session(&gateway, &config, &headers).await?;
    if let Ok(session) = chosen.session.parse::<SessionHandle>() {
        let by = gateway.audit_context(&extensions, &headers);
        let ended = gateway
            .directory
            .end_session_of(&own.user.id, session, &by)
            .await;
        match ended {
            Err(refused) if refused.code != ErrorCode::UnknownSession => {
                return Err(ErrorPage::failure(&refused).answer(Some(&config), &headers));
            }
            _ => {}
        }
    }
    Ok(back(&config))
}

/// Ends all sessions of the person who is signed in, also that of this browser.
pub(crate) async fn end_all(
    State(gateway): State<Arc<Gateway>>,
    CurrentConfig(config): CurrentConfig,
    extensions: Extensions,
    headers: HeaderMap,
) -> Answer {
    let own = own_session(&gateway, &config, &headers).await?;
    let by = gateway.audit_context(&extensions, &headers);
    let ended = gateway.directory.sign_out(&own.user.id, &by).await;
    ended.map_err(|cause| ErrorPage::failure(&cause).answer(Some(&config), &headers))?;
    let page = pages::signed_out_everywhere(&config).into_response();
    Ok(with_cookies(
        page,
        &[config.cookie_key.end(SessionScope::Page)],
    ))
}

/// Returns the session of the browser that sent a form of this server. Sends a visitor who is not signed
/// in any more to the page that says so.
async fn own_session(
    gateway: &Gateway,
    config: &GatewayConfig,
    headers: &HeaderMap,
) -> std::result::Result<SignedIn, Response> {
    require_same_origin(config, headers, LOOK_AGAIN)?;
    let own = gateway.session(config, SessionScope::Page, headers).await;
    let own = own.map_err(|cause| ErrorPage::failure(&cause).answer(Some(config), headers))?;
    own.ok_or_else(|| back(config))
}
