//! What is around every answer, whatever it is: how long it may take, how much is read for it, that it is
//! counted, and the headers that it carries. It is around all routes together, since a layer around each
//! of them costs every answer some allocations.

use std::convert::Infallible;
use std::future::poll_fn;
use std::panic::{self, AssertUnwindSafe};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::Response;
use tokio::time::timeout;
use tower::{Service, service_fn};

use crate::gateway::Gateway;
use crate::headers::protect;
use crate::host::names_one_host;
use crate::metrics::Asked;
use crate::refused::{Line, Refused};
use crate::serve::MAX_HEADER;
use crate::verify::verify;

/// How long an answer may take.
const ANSWER_TIME: Duration = Duration::from_secs(30);
/// The largest body that is read, in bytes: a code has 8 KiB at most.
const MAX_BODY: usize = 16 * 1024;

/// The routes, and what is around them.
pub(crate) fn around(
    gateway: Arc<Gateway>,
    mut routes: Router,
) -> impl Service<
    Request,
    Response = Response,
    Error = Infallible,
    Future: Future<Output = Result<Response, Infallible>> + Send,
> + Clone
+ Send
+ 'static {
    service_fn(move |mut request: Request| {
        let gateway = Arc::clone(&gateway);
        below(&gateway, &mut request);
        let (asked, begun) = (
            Asked::by(request.method(), request.uri().path()),
            Instant::now(),
        );
        // Only the log of refusals needs it, and a proxy is not refused.
        let address = if asked == Asked::Verify {
            None
        } else {
            let (extensions, headers) = (request.extensions(), request.headers());
            gateway.visits.address(extensions, headers)
        };
        // A proxy asks about each request that it lets through: looking the path up among the routes
        // would take as long as the answer.
        let answering = if let Some(refused) = not_understood(&request) {
            let hosted = gateway.hosted().ok();
            Answering::Now(refused.answer(hosted.as_deref(), request.headers()))
        } else if asked == Asked::Verify {
            Answering::Now(caught(|| verify(&gateway, &request)).unwrap_or_else(panicked))
        } else {
            if request.method() != Method::GET {
                DefaultBodyLimit::max(MAX_BODY).apply(&mut request);
            }
            Answering::Later(Service::<Request>::call(&mut routes, request))
        };
        async move {
            let mut answer = match answering {
                Answering::Now(answer) => answer,
                Answering::Later(answering) => {
                    match timeout(ANSWER_TIME, unpanicking(answering)).await {
                        Ok(Some(answer)) => answer?,
                        Ok(None) => panicked(),
                        Err(_) => too_slow(),
                    }
                }
            };
            if let Some(line) = answer.extensions_mut().remove::<Line>() {
                gateway.refusal_log.add(&line, address);
            }
            let (status, time) = (answer.status(), begun.elapsed());
            gateway.metrics.answered(asked, status, time);
            protect(&gateway, &mut answer);
            Ok(answer)
        }
    })
}

/// Refuses a request whose head is too large or does not name one host.
fn not_understood(request: &Request) -> Option<Refused> {
    if head_bytes(request) > MAX_HEADER {
        let sentence = "The headers of this request are longer than 32 KiB. Delete the cookies of this site, and try again.";
        let status = StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE;
        return Some(Refused::new(status, sentence));
    }
    let sentence = "A request has to name one host.";
    (!names_one_host(request)).then(|| Refused::new(StatusCode::BAD_REQUEST, sentence))
}

/// Size of a request's first line and headers in HTTP/1.1, in bytes.
fn head_bytes(request: &Request) -> usize {
    let uri = request.uri();
    let path = uri.path_and_query().map_or(0, |path| path.as_str().len());
    let authority = uri
        .authority()
        .map_or(0, |authority| authority.as_str().len());
    let fields = request.headers().iter();
    // A colon, a space and a line end.
    let fields = fields.map(|(name, value)| name.as_str().len() + value.len() + 4);
    path + authority + fields.sum::<usize>()
}

/// Runs a part of a handler. Returns `None` if it panics.
fn caught<T>(work: impl FnOnce() -> T) -> Option<T> {
    // State that requests share is behind locks, which are used on after a panic.
    panic::catch_unwind(AssertUnwindSafe(work)).ok()
}

/// As [`caught`], for a future.
async fn unpanicking<F: Future>(future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    poll_fn(|context| match caught(|| future.as_mut().poll(context)) {
        Some(polled) => polled.map(Some),
        None => Poll::Ready(None),
    })
    .await
}

/// The answer to a request whose handler has panicked. The log has where.
fn panicked() -> Response {
    tracing::error!("a request panicked, and is answered with 500");
    let sentence = "Something went wrong here. Try again in a few minutes.";
    Refused::new(StatusCode::INTERNAL_SERVER_ERROR, sentence).answer(None, &HeaderMap::new())
}

fn too_slow() -> Response {
    let sentence = "The answer took too long. Try again in a few minutes.";
    Refused::new(StatusCode::REQUEST_TIMEOUT, sentence).answer(None, &HeaderMap::new())
}

/// The address in the request that the visitor sent.
#[derive(Clone)]
pub(crate) struct Original(pub(crate) Uri);

/// Takes the folder of the instance's URL off the path of a request below it. The routes are the same there.
fn below(gateway: &Gateway, request: &mut Request) {
    // A proxy asks at the root, as a rule, and for each request that it lets through.
    if request.uri().path() == "/auth/verify" {
        return;
    }
    let original = request.uri().clone();
    let Some(rest) = gateway
        .hosted()
        .ok()
        .and_then(|hosted| rest_below(&hosted.folder, &original))
    else {
        return;
    };
    *request.uri_mut() = rest;
    request.extensions_mut().insert(Original(original));
}

/// The part of an address below a folder; `None` where it is not below, or the folder is the root.
fn rest_below(folder: &str, uri: &Uri) -> Option<Uri> {
    let rest = uri.path().strip_prefix(folder)?;
    if folder.is_empty() || !(rest.is_empty() || rest.starts_with('/')) {
        return None;
    }
    let query = uri.query().map(|query| format!("?{query}"));
    let path = if rest.is_empty() { "/" } else { rest };
    format!("{path}{}", query.unwrap_or_default()).parse().ok()
}

/// What a request is answered.
enum Answering<F> {
    Now(Response),
    Later(F),
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
        assert_eq!(unpanicking(handler(true)).await, None);
        assert_eq!(unpanicking(handler(false)).await, Some(7));
        assert_eq!(caught(|| handler(true)).map(drop), Some(()));
        assert_eq!(panicked().status(), StatusCode::INTERNAL_SERVER_ERROR);
    }
}
