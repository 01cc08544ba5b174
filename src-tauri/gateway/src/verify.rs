//! Forward authentication: a proxy asks here about each request before it forwards it.
//!
//! Some proxies ask with the visitor's method, and some append the visitor's path and query to the
//! path at which they ask. Therefore any method, any path below it and any query is accepted.

use std::borrow::Cow;

use axum::http::header::{HeaderName, LOCATION};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use latchkey_core::directory::User;
use latchkey_core::session::SessionScope;
use latchkey_core::session::return_address::ReturnAddress;
use url::form_urlencoded;

use crate::config::GatewayConfig;
use crate::error_page::ErrorPage;
use crate::fetch_metadata::is_navigation;
use crate::gateway::Gateway;

const REMOTE_USER: HeaderName = HeaderName::from_static("remote-user");
const REMOTE_EMAIL: HeaderName = HeaderName::from_static("remote-email");
const REMOTE_NAME: HeaderName = HeaderName::from_static("remote-name");
const REMOTE_GROUPS: HeaderName = HeaderName::from_static("remote-groups");
const AUTH_REQUEST_USER: HeaderName = HeaderName::from_static("x-auth-request-user");
const AUTH_REQUEST_EMAIL: HeaderName = HeaderName::from_static("x-auth-request-email");

/// Responds with 200 and the user's headers, or with 401.
///
/// With `redirect` in the query, a visitor who is not signed in and opens a page is sent to the
/// sign-in page. A request by a script still gets 401. A session of the widget does not count,
/// because a browser sends its cookie with requests of other sites' pages.
pub(crate) async fn verify(gateway: &Gateway, uri: &Uri, headers: &HeaderMap) -> Response {
    let config = match gateway.config().await {
        Ok(config) => config,
        Err(cause) => return ErrorPage::failure(&cause).answer(None, headers),
    };
    match gateway
        .signed_in(&config, SessionScope::Page, headers)
        .await
    {
        Ok(Some(user)) => remote(&user),
        Ok(None) if wants_redirect(uri) && is_navigation(headers) => to_sign_in(&config, headers),
        Ok(None) => StatusCode::UNAUTHORIZED.into_response(),
        Err(cause) => ErrorPage::failure(&cause).answer(Some(&config), headers),
    }
}

/// Returns whether the query has `redirect`, with any value and any number of times.
fn wants_redirect(uri: &Uri) -> bool {
    let query = uri.query().unwrap_or_default();
    form_urlencoded::parse(query.as_bytes()).any(|(name, _)| name == "redirect")
}

/// Returns the response that tells a proxy who the user is. Values are UTF-8. All six headers are
/// always sent, empty if nothing is known, because Caddy before 2.8.5 replaces a missing header by
/// the name of its own placeholder.
fn remote(user: &User) -> Response {
    let mut answer = StatusCode::OK.into_response();
    let headers = answer.headers_mut();
    // Space for the headers below and for those of every response.
    headers.reserve(20);
    let mut insert = |names: &[HeaderName], text: &str| {
        let value = header_value(text).unwrap_or(HeaderValue::from_static(""));
        for name in names {
            headers.insert(name.clone(), value.clone());
        }
    };
    insert(&[REMOTE_USER, AUTH_REQUEST_USER], user.id.as_str());
    let email = user.email.as_ref().map_or("", |email| email.as_str());
    insert(&[REMOTE_EMAIL, AUTH_REQUEST_EMAIL], email);
    insert(&[REMOTE_NAME], user.display_name());
    // Skips a group with a comma, which would count as two, and one that `header_value` would
    // change into another.
    let is_whole = |group: &&str| {
        !group.is_empty()
            && group.trim() == *group
            && !group.contains(',')
            && !group.contains(char::is_control)
    };
    let groups: Vec<&str> = user.metadata.groups().filter(is_whole).collect();
    insert(&[REMOTE_GROUPS], &groups.join(","));
    answer
}

/// Converts a text to a header value. Replaces control characters by spaces, because they would end
/// the header or make it invalid.
fn header_value(text: &str) -> Option<HeaderValue> {
    let clean = if text.contains(char::is_control) {
        Cow::Owned(text.replace(char::is_control, " "))
    } else {
        Cow::Borrowed(text)
    };
    HeaderValue::from_bytes(clean.trim().as_bytes()).ok()
}

/// Redirects a browser to the sign-in page, with the page that it asked for.
fn to_sign_in(config: &GatewayConfig, headers: &HeaderMap) -> Response {
    let settings = &config.settings;
    let wanted = wanted_page(headers)
        .and_then(|page| ReturnAddress::parse(&page, &settings.return_origins()));
    let mut page = settings.url.sibling("auth/sign-in");
    if let Some(address) = wanted {
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("rd", address.as_str())
            .finish();
        page.set_query(Some(&query));
    }
    match HeaderValue::from_str(page.as_str()) {
        Ok(page) => (StatusCode::FOUND, [(LOCATION, page)]).into_response(),
        Err(_) => StatusCode::UNAUTHORIZED.into_response(),
    }
}

/// Returns the address of the page that the visitor asked the proxy for. nginx and `HAProxy` send
/// it in headers that the guide to proxies configures; Caddy and Traefik send it in headers of
/// their own. `None` for a submitted form, because a return to its address would not submit it
/// again.
fn wanted_page(headers: &HeaderMap) -> Option<String> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let method = text("x-original-method").or_else(|| text("x-forwarded-method"));
    if method.is_some_and(|method| !matches!(method, "GET" | "HEAD")) {
        return None;
    }
    if let Some(page) = text("x-original-url") {
        return Some(page.to_owned());
    }
    let (scheme, host) = (text("x-forwarded-proto")?, text("x-forwarded-host")?);
    Some(format!("{scheme}://{host}{}", text("x-forwarded-uri")?))
}
