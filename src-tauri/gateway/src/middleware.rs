//! Middleware of all routes: timeout, body limit, metrics, log of refusals and security headers. It
//! wraps the router as a whole, because a layer around each route costs every response some
//! allocations.

use std::convert::Infallible;
use std::future::poll_fn;
use std::panic::{self, AssertUnwindSafe};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::Response;
use tokio::time::timeout;
use tower::{Service, service_fn};

use crate::body_limit;
use crate::config::GatewayConfig;
use crate::error_page::{ErrorPage, LogLine};
use crate::gateway::Gateway;
use crate::headers::set_security_headers;
use crate::host::names_one_host;
use crate::metrics::RequestKind;
use crate::request_scope::{in_request_scope, set_route};
use crate::serve::MAX_HEADER;
use crate::verify::verify;

/// Path at which a proxy asks who the visitor is.
const VERIFY_PATH: &str = "/auth/verify";
/// Timeout of a response.
pub(crate) const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// Wraps the routes in the middleware.
pub(crate) fn with_middleware(
    gateway: Arc<Gateway>,
    routes: Router,
) -> impl Service<
    Request,
    Response = Response,
    Error = Infallible,
    Future: Future<Output = Result<Response, Infallible>> + Send,
> + Clone
+ Send
+ 'static {
    service_fn(move |request: Request| {
        let (gateway, routes) = (Arc::clone(&gateway), routes.clone());
        // Every connection has room for the future of its request, also while it says nothing. In a
        // box it is a pointer.
        Box::pin(async move {
            // No request scope here: a proxy asks about every request that it forwards, and nobody
            // sees the reference.
            Ok(if request.uri().path() == VERIFY_PATH {
                answer(&gateway, routes, request).await
            } else {
                in_request_scope(answer(&gateway, routes, request)).await
            })
        })
    })
}

async fn answer(gateway: &Gateway, mut routes: Router, mut request: Request) -> Response {
    let config = gateway.config().await.ok();
    if let Some(config) = &config {
        strip_folder(config, &mut request);
    }
    let kind = RequestKind::by(request.method(), request.uri().path());
    set_route(kind.label());
    let begun = Instant::now();
    // Only the log of refusals needs the address, and a proxy is never refused.
    let address = if kind == RequestKind::Verify {
        None
    } else {
        let (extensions, headers) = (request.extensions(), request.headers());
        gateway.trusted_proxies.client_address(extensions, headers)
    };
    // Skips the router for a proxy, which asks about every request that it forwards: the lookup of
    // the path would take as long as the response.
    let mut answer = if let Some((status, sentence)) = refused_head(&request) {
        let refused = ErrorPage::new(status, sentence);
        refused.answer(config.as_deref(), request.headers())
    } else if kind == RequestKind::Verify {
        let (head, _) = request.into_parts();
        let answering = catch_panic(verify(gateway, &head.uri, &head.headers));
        answering.await.unwrap_or_else(panicked)
    } else {
        if request.method() != Method::GET {
            body_limit::USUAL.apply(&mut request);
        }
        let answering = catch_panic(Service::<Request>::call(&mut routes, request));
        match timeout(ANSWER_TIMEOUT, answering).await {
            Ok(Some(Ok(answer))) => answer,
            Ok(Some(Err(never))) => match never {},
            Ok(None) => panicked(),
            Err(_) => too_slow(),
        }
    };
    if let Some(line) = answer.extensions_mut().remove::<LogLine>() {
        gateway.refusal_log.add(&line, address);
    }
    let (status, time) = (answer.status(), begun.elapsed());
    gateway.metrics.answered(kind, status, time);
    let config = config.or_else(|| gateway.last_config());
    set_security_headers(config.as_deref(), &mut answer);
    answer
}

/// Returns the status and the reason of a refusal for a request whose head is too large or does not
/// name exactly one host.
pub(crate) fn refused_head(request: &Request) -> Option<(StatusCode, &'static str)> {
    if head_bytes(request) > MAX_HEADER {
        let sentence = "The headers of this request are longer than 32 KiB. Delete the cookies of this site, and try again.";
        return Some((StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, sentence));
    }
    let sentence = "A request must name exactly one host.";
    (!names_one_host(request)).then_some((StatusCode::BAD_REQUEST, sentence))
}

/// Returns the size of a request's first line and headers in HTTP/1.1, in bytes.
fn head_bytes(request: &Request) -> usize {
    let uri = request.uri();
    let path = uri.path_and_query().map_or(0, |path| path.as_str().len());
    let authority = uri
        .authority()
        .map_or(0, |authority| authority.as_str().len());
    let fields = request.headers().iter();
    // Adds a colon, a space and a line end to each field.
    let fields = fields.map(|(name, value)| name.as_str().len() + value.len() + 4);
    path + authority + fields.sum::<usize>()
}

/// Runs a handler. Returns `None` if it panics.
pub(crate) async fn catch_panic<F: Future>(future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    poll_fn(|context| {
        // Sound after a panic, because all state that requests share is behind locks that recover
        // from poisoning.
        let polled = AssertUnwindSafe(|| future.as_mut().poll(context));
        match panic::catch_unwind(polled) {
            Ok(polled) => polled.map(Some),
            Err(_) => Poll::Ready(None),
        }
    })
    .await
}

/// Returns the response to a request whose handler has panicked. The log has the place of the
/// panic.
fn panicked() -> Response {
    tracing::error!("a request panicked, and its response is 500");
    let sentence = "Something went wrong here. Try again in a few minutes.";
    ErrorPage::new(StatusCode::INTERNAL_SERVER_ERROR, sentence).answer(None, &HeaderMap::new())
}

fn too_slow() -> Response {
    let sentence = "The answer took too long. Try again in a few minutes.";
    ErrorPage::new(StatusCode::REQUEST_TIMEOUT, sentence).answer(None, &HeaderMap::new())
}

/// URI of the request as the visitor sent it.
#[derive(Clone)]
pub(crate) struct OriginalUri(pub(crate) Uri);

/// Removes the folder of the instance's URL from the path of a request. The routes below the folder
/// are the same as at the root.
fn strip_folder(config: &GatewayConfig, request: &mut Request) {
    // Skipped for a proxy, which asks about every request that it forwards, usually at the root.
    if request.uri().path() == VERIFY_PATH {
        return;
    }
    let original = request.uri().clone();
    let Some(rest) = path_below(&config.folder, &original) else {
        return;
    };
    *request.uri_mut() = rest;
    request.extensions_mut().insert(OriginalUri(original));
}

/// Returns the part of a URI below a folder. `None` if the URI is outside of the folder, or the
/// folder is the root.
fn path_below(folder: &str, uri: &Uri) -> Option<Uri> {
    let rest = uri.path().strip_prefix(folder)?;
    if folder.is_empty() || !(rest.is_empty() || rest.starts_with('/')) {
        return None;
    }
    let query = uri.query().map(|query| format!("?{query}"));
    let path = if rest.is_empty() { "/" } else { rest };
    format!("{path}{}", query.unwrap_or_default()).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_in_a_handler_ends_that_request_and_nothing_else() {
        async fn handler(panics: bool) -> u32 {
            tokio::task::yield_now().await;
            assert!(!panics, "as a rule that is broken");
            7
        }
        assert_eq!(catch_panic(handler(true)).await, None);
        assert_eq!(catch_panic(handler(false)).await, Some(7));
        assert_eq!(panicked().status(), StatusCode::INTERNAL_SERVER_ERROR);
    }
}
