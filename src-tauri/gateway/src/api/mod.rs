//! The API for other systems: authentication and paths. The description at `/api/openapi.json` is
//! made from the types and comments of the handlers.

mod body;
mod document;
mod hints;
mod inspect;
mod links;
mod members;
pub(crate) mod problem;
mod users;

use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::{get, post};
use jiff::Timestamp;
use latchkey_core::activity::{Actor, AuditContext, EventData};

use crate::config::GatewayConfig;
use crate::error_page::LogLine;
use crate::gateway::Gateway;
pub(crate) use body::{Body, answer, user_in};
use problem::Problem;

/// Header that carries the API key.
const KEY: HeaderName = HeaderName::from_static("x-api-key");

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
    let keyed = Router::new()
        .route("/v2/users", get(users::list).post(users::add))
        .route(
            "/v2/users/{id}",
            get(users::show).patch(users::change).delete(users::remove),
        )
        .route("/v1/links", post(links::make))
        .route("/v1/inspect", post(inspect::inspect))
        .layer(middleware::from_fn_with_state(Arc::clone(gateway), keyed));
    let open = Router::new().route("/openapi.json", get(document::document));
    keyed
        .merge(open)
        .fallback(|| async { Problem::of(StatusCode::NOT_FOUND, "There is no such path.") })
        .method_not_allowed_fallback(|| async {
            Problem::of(
                StatusCode::METHOD_NOT_ALLOWED,
                "This path does not support this method.",
            )
        })
        .layer(middleware::from_fn_with_state(
            Arc::clone(gateway),
            open_only,
        ))
        .layer(middleware::from_fn(name_request))
}

/// Adds the method and the route to the log line of a refused request.
async fn name_request(request: Request, next: Next) -> Response {
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
    let address = client_address(&gateway, &request);
    if !gateway.rate_limits.allows_api_request(address) {
        return Err(Problem::of(
            StatusCode::TOO_MANY_REQUESTS,
            "There are too many requests from this address. Wait a second, then try again.",
        )
        .with(RETRY_AFTER, HeaderValue::from_static("1")));
    }
    if gateway.config().await?.api_keys.is_empty() {
        return Err(Problem::of(
            StatusCode::NOT_FOUND,
            "The API is off. An administrator switches it on by making an API key.",
        ));
    }
    Ok(next.run(request).await)
}

/// Refuses a request without a valid API key, and passes the name of the key on to the handler.
async fn keyed(
    State(gateway): State<Arc<Gateway>>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let config = gateway.config().await?;
    let address = client_address(&gateway, &request);
    let Some(name) = name_of(&config, request.headers()) else {
        let by = AuditContext {
            address,
            ..AuditContext::new(Actor::Visitor, Timestamp::now())
        };
        let event = EventData::ApiKeyRefused.into();
        gateway.directory.record(event, &by).await?;
        return Err(Problem::of(
            StatusCode::UNAUTHORIZED,
            "The header X-API-KEY is missing, or does not contain a key of this instance.",
        ));
    };
    let by = AuditContext {
        address,
        ..AuditContext::new(Actor::ApiKey(name), Timestamp::now())
    };
    request.extensions_mut().insert(by);
    Ok(next.run(request).await)
}

fn client_address(gateway: &Gateway, request: &Request) -> Option<IpAddr> {
    let proxies = &gateway.trusted_proxies;
    proxies.client_address(request.extensions(), request.headers())
}

fn name_of(config: &GatewayConfig, headers: &HeaderMap) -> Option<String> {
    let sent = headers.get(KEY)?.to_str().ok()?;
    let key = config.api_keys.iter().find(|key| key.is(sent))?;
    Some(key.name.clone())
}
