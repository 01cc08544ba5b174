//! Requests from the network: each needs an API key with the scope of its route.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, Request};
use axum::http::header::{ORIGIN, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use axum::{Router, extract};
use jiff::Timestamp;
use tokio::time::{sleep, timeout};
use tower::{Service, service_fn};

use super::administration::Administration;
use super::changes::EndsWith;
use super::router::{Access, MAX_BODY, Route, router, routes};
use crate::api::key::{self, KeyId};
use crate::api::problem::Problem;
use crate::api::{name_request, require_rate};
use crate::error_page::LogLine;
use crate::gateway::Gateway;
use crate::headers::set_security_headers;
use crate::middleware::{ANSWER_TIMEOUT, catch_panic, refused_head};
use crate::request_scope::in_request_scope;

/// Interval at which a stream checks whether the API key of its request is still valid.
const KEY_CHECK_INTERVAL: Duration = Duration::from_secs(2);

/// Returns the administration API for a listener on the network. It needs a listener of its own,
/// which visitors cannot reach.
pub fn admin_router(
    gateway: Arc<Gateway>,
    administration: Arc<Administration>,
) -> impl Service<Request, Response = Response, Error = Infallible, Future: Send> + Clone + Send + 'static
{
    let on_network = routes().into_iter();
    let on_network = on_network.filter_map(|route| with_key(&gateway, route));
    let router = router(on_network, administration)
        .layer(middleware::from_fn(name_request))
        .layer(DefaultBodyLimit::max(MAX_BODY));
    service_fn(move |request: Request| {
        let (gateway, router) = (Arc::clone(&gateway), router.clone());
        Box::pin(async move { Ok(in_request_scope(respond(&gateway, router, request)).await) })
    })
}

/// Adds the check of the API key to a route. Returns `None` if the network must not reach it.
fn with_key(gateway: &Arc<Gateway>, route: Route) -> Option<Route> {
    let needed = match route.access {
        Access::Local => return None,
        Access::AnyKey => None,
        Access::Key(scope) => Some(scope),
    };
    let state = (Arc::clone(gateway), needed);
    let handler = route
        .handler
        .route_layer(middleware::from_fn_with_state(
            Arc::clone(gateway),
            end_with_key,
        ))
        .route_layer(middleware::from_fn_with_state(state, key::check));
    Some(Route { handler, ..route })
}

/// Ends the streams of a request when its API key is revoked or expires.
async fn end_with_key(
    extract::State(gateway): extract::State<Arc<Gateway>>,
    mut request: Request,
    next: Next,
) -> Response {
    if let Some(KeyId(id)) = request.extensions().get().cloned() {
        let ends_with = EndsWith::new(move || key_ends(Arc::clone(&gateway), id.clone()));
        request.extensions_mut().insert(ends_with);
    }
    next.run(request).await
}

/// Waits until an API key is revoked or expires.
async fn key_ends(gateway: Arc<Gateway>, id: String) {
    loop {
        sleep(KEY_CHECK_INTERVAL).await;
        // Without the settings it is not known.
        let Ok(config) = gateway.config().await else {
            continue;
        };
        let key = config.api_keys.iter().find(|key| key.id == id);
        if key.is_none_or(|key| key.is_expired(Timestamp::now())) {
            return;
        }
    }
}

async fn respond(gateway: &Gateway, mut router: Router, request: Request) -> Response {
    let address = gateway.client_address(&request);
    let mut answer = if let Some(problem) = refused(gateway, &request) {
        problem.into_response()
    } else {
        let answering = catch_panic(Service::<Request>::call(&mut router, request));
        match timeout(ANSWER_TIMEOUT, answering).await {
            Ok(Some(Ok(answer))) => answer,
            Ok(Some(Err(never))) => match never {},
            Ok(None) => panicked().into_response(),
            Err(_) => too_slow().into_response(),
        }
    };
    if let Some(line) = answer.extensions_mut().remove::<LogLine>() {
        gateway.refusal_log.add(&line, address);
    }
    set_security_headers(None, &mut answer);
    answer
}

/// Returns the problem for a request that is refused before its key is checked.
fn refused(gateway: &Gateway, request: &Request) -> Option<Problem> {
    if let Some((status, sentence)) = refused_head(request) {
        return Some(Problem::of(status, sentence));
    }
    if request.headers().contains_key(ORIGIN) {
        return Some(Problem::of(
            StatusCode::FORBIDDEN,
            "The administration API is not for pages in a browser. Use Studio or the command line.",
        ));
    }
    require_rate(gateway, request).err()
}

fn panicked() -> Problem {
    tracing::error!("a request of an administrator panicked, and its response is 500");
    Problem::of(
        StatusCode::INTERNAL_SERVER_ERROR,
        "Something went wrong here. Try again in a few minutes.",
    )
}

fn too_slow() -> Problem {
    Problem::of(
        StatusCode::REQUEST_TIMEOUT,
        "The request or its answer took too long. Try again in a few minutes.",
    )
    .with(RETRY_AFTER, HeaderValue::from_static("60"))
}
