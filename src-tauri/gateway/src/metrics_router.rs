//! The path `/metrics`, for Prometheus.

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use jiff::Timestamp;

use crate::gateway::Gateway;
use crate::host::is_this_computer;

/// Returns the route for Prometheus, `/metrics`. It needs a listener of its own, which visitors
/// cannot reach.
pub fn metrics_router(gateway: Arc<Gateway>) -> Router {
    Router::new()
        .route("/metrics", get(text))
        .with_state(gateway)
}

async fn text(State(gateway): State<Arc<Gateway>>, headers: HeaderMap) -> Response {
    if !is_this_computer(&headers) {
        let sentence = "The counters are for this computer only. Ask for them at localhost.\n";
        return (StatusCode::FORBIDDEN, sentence).into_response();
    }
    match gateway.directory.counts(Timestamp::now()).await {
        Ok(counts) => gateway.metrics.users(counts.users, counts.seats()),
        Err(cause) => tracing::error!(error = %cause.logged(), "the users cannot be counted"),
    }
    let Ok(text) = gateway.metrics.text() else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(CONTENT_TYPE, kind)], text).into_response()
}
