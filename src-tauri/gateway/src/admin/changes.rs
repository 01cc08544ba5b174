//! Stream of changes (server-sent events).

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::State;
use axum::response::Sse;
use axum::response::sse::{Event, KeepAlive};
use futures_util::Stream;
use futures_util::stream::unfold;
use latchkey_core::admin::Change;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use super::administration::Administration;

/// Sends an event at once, and then one after each change. Its data is a [`Change`].
pub(super) async fn stream(
    State(admin): State<Arc<Administration>>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let begin = Change {
        activity: false,
        users: false,
    };
    let state = (
        Some(begin),
        admin.changes.subscribe(),
        admin.is_closing.subscribe(),
    );
    let changes = unfold(state, |(first, mut rest, mut closing)| async move {
        let change = if let Some(change) = first {
            change
        } else {
            tokio::select! {
                change = next(&mut rest) => change?,
                _ = closing.wait_for(|is_closing| *is_closing) => return None,
            }
        };
        let data = serde_json::to_string(&change).unwrap_or_default();
        Some((Ok(Event::default().data(data)), (None, rest, closing)))
    });
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
