//! The connections of the local socket.

use std::time::Duration;

use axum::Router;
use axum::serve::Listener;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::sync::watch::Receiver;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::unread_body::ReadsRest;

/// Time that unfinished requests have when the socket is closed.
const GRACE: Duration = Duration::from_secs(2);
/// Timeout for the headers of a request, and for the next request of a connection.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// Maximum number of connections. Further ones wait, so that visitors have enough open files.
const MAX_CONNECTIONS: usize = 64;

/// Serves connections until `closing` is true. Then waits two seconds for unfinished requests, and
/// ends them.
pub(super) async fn serve(mut peers: impl Listener, router: Router, mut closing: Receiver<bool>) {
    let mut connections = JoinSet::new();
    let each = closing.clone();
    loop {
        let has_room = connections.len() < MAX_CONNECTIONS;
        tokio::select! {
            (stream, _) = peers.accept(), if has_room => {
                let service = TowerToHyperService::new(ReadsRest(router.clone()));
                let mut builder = http1::Builder::new();
                builder.timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT);
                let connection = builder.serve_connection(TokioIo::new(stream), service);
                let mut closing = each.clone();
                connections.spawn(async move {
                    let mut connection = std::pin::pin!(connection);
                    // An error is the client's: it has left, or was too slow.
                    tokio::select! {
                        _ = &mut connection => return,
                        _ = closing.wait_for(|is_closing| *is_closing) => {}
                    }
                    connection.as_mut().graceful_shutdown();
                    let _ = connection.await;
                });
            }
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            _ = closing.wait_for(|is_closing| *is_closing) => break,
        }
    }
    drop(peers);
    let ended = timeout(GRACE, async {
        while connections.join_next().await.is_some() {}
    })
    .await;
    if ended.is_err() {
        tracing::warn!("a request on the local socket did not end in time");
        connections.shutdown().await;
    }
}
