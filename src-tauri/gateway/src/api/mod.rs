//! The API for other systems: who may use it, and which paths it has. The document at
//! `/api/openapi.json` is made of the same types and comments as the answers.

mod document;
mod inspect;
mod links;
mod problem;
mod users;

use std::fmt::Display;
use std::net::IpAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{FromRequest, Path, Request, State};
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use jiff::Timestamp;
use latchkey_core::Error;
use latchkey_core::activity::{Actor, AuditContext, Event};
use latchkey_core::protocol::json::{self, Unreadable};
use latchkey_core::protocol::user_id::UserId;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

use crate::gateway::{Gateway, GatewayConfig};
use problem::Problem;

/// The header in which a key is sent.
const KEY: HeaderName = HeaderName::from_static("x-api-key");

/// The paths below `/api`.
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
                "This path has no such method.",
            )
        })
        .layer(middleware::from_fn_with_state(
            Arc::clone(gateway),
            open_only,
        ))
}

/// Without keys there is no API, and nobody asks too often.
async fn open_only(
    State(gateway): State<Arc<Gateway>>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let address = client_address(&gateway, &request);
    if !gateway.rate_limits.allows_api_request(address) {
        return Err(Problem::of(
            StatusCode::TOO_MANY_REQUESTS,
            "There are too many requests from this address. Wait a second, then go on.",
        )
        .with(RETRY_AFTER, HeaderValue::from_static("1")));
    }
    if gateway.config()?.api_keys.is_empty() {
        return Err(Problem::of(
            StatusCode::NOT_FOUND,
            "The API is off. An administrator switches it on by making an API key.",
        ));
    }
    Ok(next.run(request).await)
}

/// Lets whoever has a key go on, under its name.
async fn keyed(
    State(gateway): State<Arc<Gateway>>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let config = gateway.config()?;
    let address = client_address(&gateway, &request);
    let Some(name) = name_of(&config, request.headers()) else {
        let by = AuditContext {
            address,
            ..AuditContext::new(Actor::Visitor, Timestamp::now())
        };
        let event = Event::refused_api_key();
        gateway
            .in_directory(move |directory| directory.record(event, &by))
            .await?;
        return Err(Problem::of(
            StatusCode::UNAUTHORIZED,
            "The header X-API-KEY is missing, or is no key of this instance.",
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

/// The body of a request: a JSON object. None of the types that are read has another struct in it.
struct Body<T>(T);

impl<T: DeserializeOwned, S: Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let kind = request.headers().get(CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let is_json = kind.split(';').next().map(str::trim);
        if !is_json.is_some_and(|kind| kind.eq_ignore_ascii_case("application/json")) {
            return Err(Problem::of(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "The body has to be JSON, and the header Content-Type has to say so.",
            ));
        }
        let bytes = Bytes::from_request(request, &()).await.map_err(|_| {
            Problem::of(
                StatusCode::PAYLOAD_TOO_LARGE,
                "The body is longer than 16 KiB, or was not sent to its end.",
            )
        })?;
        // Duplicate members and deep nesting are refused, as in a code.
        let value = json::parse_exact(&bytes).map_err(|reason| match &reason {
            Unreadable::NoJson(_) => {
                let message = format!("The body is no JSON that is read here: {reason}.");
                Problem::of(StatusCode::BAD_REQUEST, &message)
            }
            Unreadable::InexactNumber(_) => not_expected(&reason),
        })?;
        // The types below would read an array as an object's members in their order.
        if !value.is_object() {
            return Err(not_expected(&"it has to be a JSON object"));
        }
        serde_json::from_value(value)
            .map(Self)
            .map_err(|cause| not_expected(&cause))
    }
}

/// The problem of a body that is JSON, and not what is expected.
fn not_expected(reason: &dyn Display) -> Problem {
    let message = format!("The body is not what is expected: {reason}.");
    Problem::of(StatusCode::UNPROCESSABLE_ENTITY, &message)
}

/// What is there, so that `null` is told from what is not.
fn some<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// The user whom a path names; an id that nobody can have names nobody.
fn user_in(
    path: Result<Path<String>, axum::extract::rejection::PathRejection>,
) -> Result<UserId, Problem> {
    let unknown = || Problem::of(StatusCode::NOT_FOUND, "There is no such user.");
    let Path(id) = path.map_err(|_| unknown())?;
    UserId::parse(&id, "id").map_err(|_: Error| unknown())
}

/// An answer in JSON.
fn answer(status: StatusCode, body: &impl serde::Serialize) -> Result<Response, Problem> {
    let body = serde_json::to_string(body).map_err(|cause| {
        tracing::error!(%cause, "an answer cannot be written");
        Problem::of(
            StatusCode::INTERNAL_SERVER_ERROR,
            "The answer cannot be written.",
        )
    })?;
    let kind = HeaderValue::from_static("application/json");
    Ok((status, [(CONTENT_TYPE, kind)], body).into_response())
}
