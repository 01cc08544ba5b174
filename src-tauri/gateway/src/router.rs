use std::sync::Arc;

use axum::Router;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::middleware;
use axum::routing::{get, post};
use tower_http::limit::RequestBodyLimitLayer;

use crate::gateway::Gateway;
use crate::{api, headers, metrics, pages, verify, visit, widget};

/// The largest body that a visitor sends, in bytes: a code has 8 KiB at most.
const MAX_BODY: usize = 16 * 1024;

/// Everything that the gateway answers to.
///
/// | path | what it is |
/// |---|---|
/// | `/auth/verify` | who somebody is, for a proxy |
/// | `/auth/sign-in` | where a proxy sends whoever is not signed in |
/// | `/auth/continue`, `/auth/sign-out` | the buttons of pages |
/// | `/api/…` | users and links, for other systems |
/// | `/widget.js` | the widget, for pages of other sites |
/// | `/auth/widget/…` | its frame, and what the frame's script asks for |
/// | `/healthz` | 200 while it runs |
/// | any other | a link, where a code is in it; else who is signed in |
pub fn router(gateway: Arc<Gateway>) -> Router {
    Router::new()
        .route("/auth/verify", get(verify::verify))
        .route("/auth/sign-in", get(visit::sign_in_page))
        .route("/auth/continue", post(visit::confirmed))
        .route("/auth/sign-out", post(visit::sign_out))
        .route(
            pages::STYLE_PATH,
            get(|| async { ([(CONTENT_TYPE, "text/css; charset=utf-8")], pages::STYLE) }),
        )
        .nest("/api", api::router(&gateway))
        .merge(widget::routes())
        .route("/healthz", get(|| async { (StatusCode::OK, "ok\n") }))
        .fallback(visit::page)
        .layer(RequestBodyLimitLayer::new(MAX_BODY))
        .layer(middleware::from_fn_with_state(
            Arc::clone(&gateway),
            metrics::count,
        ))
        .layer(middleware::from_fn_with_state(
            Arc::clone(&gateway),
            headers::protect,
        ))
        .with_state(gateway)
}
