//! Request bodies that a handler leaves unread.
//!
//! A refusal often needs no body. If the gateway closed the connection while the client still sends
//! one, the operating system would report a reset to the client, which then might not read the
//! response: <https://www.rfc-editor.org/rfc/rfc9112#section-9.6>. The rest is therefore read and
//! thrown away before the response.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::EXPECT;
use axum::response::Response;
use futures_util::StreamExt as _;
use futures_util::future::{BoxFuture, Either};
use hyper::body::{Body as _, Bytes, Frame, Incoming, SizeHint};
use tokio::time::timeout;
use tower::Service;

/// Maximum size of the rest of a body, in bytes. It is more than any request may have, so that a
/// client learns why its request is too large.
const MAX_REST: u64 = 16 * 1024 * 1024;
/// Timeout for the rest of a body.
const REST_TIMEOUT: Duration = Duration::from_secs(5);

/// Service that reads what its inner service leaves of a request body.
#[derive(Clone, Debug)]
pub(crate) struct ReadsRest<S>(pub(crate) S);

impl<S, E> Service<hyper::Request<Incoming>> for ReadsRest<S>
where
    S: Service<Request, Response = Response, Error = E, Future: Send + 'static>,
    E: Send + 'static,
{
    type Response = Response;
    type Error = E;
    type Future = Either<S::Future, BoxFuture<'static, Result<Response, E>>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), E>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, request: hyper::Request<Incoming>) -> Self::Future {
        // A client that sends `Expect` sends no body before the gateway asks for it.
        if request.body().is_end_stream() || request.headers().contains_key(EXPECT) {
            return Either::Left(self.0.call(request.map(Body::new)));
        }
        let (head, body) = request.into_parts();
        let body = Shared(Arc::new(Mutex::new(body)));
        let request = Request::from_parts(head, Body::new(body.clone()));
        let answering = self.0.call(request);
        Either::Right(Box::pin(async move {
            let answer = answering.await;
            // A client that is too slow, or sends too much, may see a reset.
            let _ = timeout(REST_TIMEOUT, read_rest(body)).await;
            answer
        }))
    }
}

/// Reads a body to its end, or until it is too long.
async fn read_rest(body: Shared) {
    if body.size_hint().lower() > MAX_REST {
        return;
    }
    let (mut chunks, mut bytes) = (Body::new(body).into_data_stream(), 0);
    while let Some(Ok(chunk)) = chunks.next().await {
        bytes += u64::try_from(chunk.len()).unwrap_or(u64::MAX);
        if bytes > MAX_REST {
            return;
        }
    }
}

/// A request body that the handler reads first.
#[derive(Clone)]
struct Shared(Arc<Mutex<Incoming>>);

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Incoming> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl hyper::body::Body for Shared {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        Pin::new(&mut *self.lock()).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.lock().is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.lock().size_hint()
    }
}
