//! The API for other systems: paths, and the scope that a key needs for each. The description at
//! `/api/openapi.json` is made from the types and comments of the handlers.

mod body;
mod document;
pub(crate) mod hints;
pub(crate) mod inspect;
pub(crate) mod key;
pub(crate) mod links;
mod members;
mod no_body;
pub(crate) mod problem;
mod users;

use std::sync::Arc;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{MethodRouter, delete, get, patch, post};
use latchkey_core::instance::scope::Scope;

use crate::error_page::LogLine;
use crate::gateway::Gateway;
pub(crate) use body::{Body, answer, user_in};
pub(crate) use no_body::require_no_body;
use problem::Problem;

/// Methods that a log line names.
const METHODS: [Method; 7] = [
    Method::GET,
    Method::HEAD,
    Method::POST,
    Method::PUT,
    Method::PATCH,
    Method::DELETE,
    Method::OPTIONS,
];

/// Returns the routes below `/api`.
pub(crate) fn router(gateway: &Arc<Gateway>) -> Router<Arc<Gateway>> {
    let needs = |scope, handler: MethodRouter<Arc<Gateway>>| {
        let needed = (Arc::clone(gateway), Some(scope));
        handler.route_layer(middleware::from_fn_with_state(needed, key::check))
    };
    let without_body = |handler: MethodRouter<Arc<Gateway>>| {
        handler.route_layer(middleware::from_fn(require_no_body))
    };
    let list = without_body(get(users::list));
    let show = without_body(get(users::show));
    let remove = without_body(delete(users::remove));
    Router::new()
        .route("/v2/users", needs(Scope::UsersRead, list))
        .route("/v2/users", needs(Scope::Users, post(users::add)))
        .route("/v2/users/{id}", needs(Scope::UsersRead, show))
        .route("/v2/users/{id}", needs(Scope::Users, patch(users::change)))
        .route("/v2/users/{id}", needs(Scope::Users, remove))
        .route("/v1/links", needs(Scope::Links, post(links::make)))
        .route("/v1/inspect", needs(Scope::Links, post(inspect::inspect)))
        .route("/openapi.json", without_body(get(document::document)))
        .fallback(no_such_path)
        .method_not_allowed_fallback(no_such_method)
        .layer(middleware::from_fn_with_state(
            Arc::clone(gateway),
            open_only,
        ))
        .layer(middleware::from_fn(name_request))
}

pub(crate) async fn no_such_path() -> Problem {
    Problem::of(StatusCode::NOT_FOUND, "There is no such path.")
}

pub(crate) async fn no_such_method() -> Problem {
    Problem::of(
        StatusCode::METHOD_NOT_ALLOWED,
        "This path does not support this method.",
    )
}

/// Adds the method and the route to the log line of a refused request.
pub(crate) async fn name_request(request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().cloned();
    let method = request.method().clone();
    let mut answer = next.run(request).await;
    if let Some(LogLine::Api(refusal)) = answer.extensions_mut().get_mut()
        && let Some(route) = route
    {
        // A client may send any text as the method.
        let method = METHODS.iter().find(|known| **known == method);
        let method = method.map_or("another method on", Method::as_str);
        refusal.request = Some(format!("{method} {}", route.as_str()));
    }
    answer
}

/// Refuses a request over the rate limit with 429, and any request with 404 while the instance has
/// no API key.
async fn open_only(
    State(gateway): State<Arc<Gateway>>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    require_rate(&gateway, &request)?;
    if gateway.config().await?.api_keys.is_empty() {
        return Err(Problem::of(
            StatusCode::NOT_FOUND,
            "The API is off. An administrator switches it on by making an API key.",
        ));
    }
    Ok(next.run(request).await)
}

/// Counts a request. Fails with 429 if its address is over the rate limit.
pub(crate) fn require_rate(gateway: &Gateway, request: &Request) -> Result<(), Problem> {
    let address = gateway.client_address(request);
    if gateway.rate_limits.allows_api_request(address) {
        return Ok(());
    }
    Err(Problem::of(
        StatusCode::TOO_MANY_REQUESTS,
        "There are too many requests from this address. Wait a second, then try again.",
    )
    .with(RETRY_AFTER, HeaderValue::from_static("1")))
}
