//! Stream of changes (server-sent events).

use std::convert::Infallible;
use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use futures_util::future::BoxFuture;
use futures_util::stream::unfold;
use futures_util::{Stream, StreamExt as _};
use latchkey_core::admin::Change;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::watch;

use super::administration::Administration;

/// Condition at which the streams of a request end, besides the end of its client.
#[derive(Clone)]
pub(super) struct EndsWith(Arc<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>);

impl EndsWith {
    /// Ends the streams when `condition` returns.
    pub(super) fn new<F: Future<Output = ()> + Send + 'static>(
        condition: impl Fn() -> F + Send + Sync + 'static,
    ) -> Self {
        Self(Arc::new(move || Box::pin(condition())))
    }

    /// Ends the streams when the listener closes.
    pub(super) fn closing(closing: watch::Receiver<bool>) -> Self {
        Self::new(move || {
            let mut closing = closing.clone();
            async move {
                // It fails if the listener has ended.
                let _ = closing.wait_for(|is_closing| *is_closing).await;
            }
        })
    }

    fn end(&self) -> BoxFuture<'static, ()> {
        (self.0)()
    }
}

/// Follow changes
///
/// Sends an event at once, and then one after each change. Its data is a `Change` in JSON. A slow
/// reader misses some, and then gets one that says that everything may have changed.
#[utoipa::path(
    get, path = "/changes", tag = "Activity",
    responses((status = 200, description = "Server-sent events", body = Change, content_type = "text/event-stream")),
)]
pub(super) async fn stream(
    State(admin): State<Arc<Administration>>,
    Extension(ends_with): Extension<EndsWith>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let begin = Change {
        activity: false,
        users: false,
    };
    let state = (Some(begin), admin.changes.subscribe());
    let changes = unfold(state, |(first, mut rest)| async move {
        let change = match first {
            Some(change) => change,
            None => next(&mut rest).await?,
        };
        let data = serde_json::to_string(&change).unwrap_or_default();
        Some((Ok(Event::default().data(data)), (None, rest)))
    });
    let changes = changes.take_until(ends_with.end());
    Sse::new(changes).keep_alive(KeepAlive::default())
}

/// Waits for a change. Returns `None` when the directory is closed.
async fn next(changes: &mut Receiver<Change>) -> Option<Change> {
    match changes.recv().await {
        Ok(change) => Some(change),
        // Something has changed, and it is not known what.
        Err(RecvError::Lagged(_)) => Some(Change {
            activity: true,
            users: true,
        }),
        Err(RecvError::Closed) => None,
    }
}
