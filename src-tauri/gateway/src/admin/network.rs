//! Requests from the network: each needs an API key with the scope of its route.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::http::header::{ORIGIN, RETRY_AFTER};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{self, Next, map_request};
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use latchkey_core::activity::{Actor, AuditContext, EventData};
use latchkey_core::{ErrorCode, Result};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tower::{Service, service_fn};

use super::administration::Administration;
use super::changes::EndsWith;
use super::route::{Access, Route};
use super::router::{limit_body, router, routes};
use crate::api::key::{self, KeyId};
use crate::api::problem::Problem;
use crate::api::{name_request, require_rate};
use crate::certificate::Certificate;
use crate::client_address::FORWARDED_FOR;
use crate::connection_limit::MaxConnections;
use crate::error_page::LogLine;
use crate::gateway::Gateway;
use crate::headers::set_security_headers;
use crate::middleware::{ANSWER_TIMEOUT, catch_panic, refused_head};
use crate::request_scope::in_request_scope;
use crate::serve::{Handle, Listener, serve_limited};

/// Interval at which a stream checks whether the API key of its request is still valid.
const KEY_CHECK_INTERVAL: Duration = Duration::from_secs(2);

/// Maximum numbers of connections, so that visitors have enough open files. A client uses up to 17.
const MAX_CONNECTIONS: MaxConnections = MaxConnections {
    together: 256,
    per_address: 64,
};

/// Serves the administration API on the network until `handle` ends it. Visitors cannot reach its
/// listener.
pub async fn serve_admin(
    gateway: Arc<Gateway>,
    administration: Arc<Administration>,
    listener: Listener,
    certificate: Certificate,
    handle: Handle,
) -> Result<()> {
    let router = admin_router(gateway, administration, &handle);
    serve_limited(router, listener, certificate, handle, MAX_CONNECTIONS).await
}

/// Returns the administration API for a listener on the network. Its streams end when `handle`
/// ends the listener.
pub fn admin_router(
    gateway: Arc<Gateway>,
    administration: Arc<Administration>,
    handle: &Handle,
) -> impl Service<Request, Response = Response, Error = Infallible, Future: Send> + Clone + Send + 'static
{
    let on_network = routes().into_iter();
    let closing = handle.is_closing();
    let changes = Arc::clone(&administration.idempotency);
    let on_network = on_network
        .map(|route| route.repeatable(&changes))
        .filter_map(|route| with_key(&gateway, &closing, route));
    let router = router(on_network, administration)
        .layer(middleware::from_fn(name_request))
        .layer(map_request(limit_body));
    service_fn(move |request: Request| {
        let (gateway, router) = (Arc::clone(&gateway), router.clone());
        Box::pin(async move { Ok(in_request_scope(respond(&gateway, router, request)).await) })
    })
}

/// Adds the check of the API key to a route. Returns `None` if the network must not reach it.
fn with_key(
    gateway: &Arc<Gateway>,
    closing: &watch::Receiver<bool>,
    route: Route,
) -> Option<Route> {
    let needed = match route.access {
        Access::Local => return None,
        Access::PairingCode => {
            let check = middleware::from_fn_with_state(Arc::clone(gateway), check_code);
            let handler = route.handler.route_layer(check);
            return Some(Route { handler, ..route });
        }
        Access::AnyKey => None,
        Access::Key(scope) => Some(scope),
    };
    let ends = (Arc::clone(gateway), closing.clone());
    let needs = (Arc::clone(gateway), needed);
    let handler = route
        .handler
        .route_layer(middleware::from_fn_with_state(ends, end_streams))
        .route_layer(middleware::from_fn_with_state(needs, key::check));
    Some(Route { handler, ..route })
}

/// Counts and records a refused pairing code. Refuses any code from an address that is locked out.
async fn check_code(
    State(gateway): State<Arc<Gateway>>,
    mut request: Request,
    next: Next,
) -> std::result::Result<Response, Problem> {
    let address = gateway.client_address(&request);
    key::require_not_locked_out(&gateway, address)?;
    let by = AuditContext {
        address,
        ..AuditContext::new(Actor::Visitor, Timestamp::now())
    };
    request.extensions_mut().insert(by.clone());
    let answer = next.run(request).await;
    if answer.status() == StatusCode::UNAUTHORIZED {
        gateway.lockout.count(address, Instant::now());
        let event = EventData::PairingRefused.into();
        gateway.directory.record(event, &by).await?;
    } else if answer.status().is_success()
        && let Err(cause) = gateway.record_outbox().await
    {
        // The client has its key. The change is recorded when the disk has room.
        tracing::warn!(error = %cause.logged(), "a pairing is not recorded yet");
    }
    Ok(answer)
}

/// Ends the streams of a request when its API key is revoked or expires, or the listener closes.
async fn end_streams(
    State((gateway, closing)): State<(Arc<Gateway>, watch::Receiver<bool>)>,
    mut request: Request,
    next: Next,
) -> Response {
    if let Some(KeyId(id)) = request.extensions().get().cloned() {
        let ends_with = EndsWith::new(move || {
            let (mut closing, key) = (closing.clone(), key_ends(Arc::clone(&gateway), id.clone()));
            async move {
                tokio::select! {
                    () = key => {}
                    // It fails if the listener has ended.
                    _ = closing.wait_for(|is_closing| *is_closing) => {}
                }
            }
        });
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

async fn respond(gateway: &Gateway, mut router: axum::Router, mut request: Request) -> Response {
    // The proxies in front of the visitors' listener are not in front of this one, and anything
    // behind them could claim any address here, so that no lockout would hold.
    request.headers_mut().remove(FORWARDED_FOR);
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
        )
        .code(ErrorCode::InvalidRequest));
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
