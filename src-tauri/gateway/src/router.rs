//! The paths of the gateway, each with its handler.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::Response;
use axum::routing::{MethodRouter, get, post};
use tower::Service;

use crate::gateway::Gateway;
use crate::middleware::with_middleware;
use crate::{api, own_sessions, pages, visit, widget};

/// Returns the router of all paths of the gateway.
///
/// | path | purpose |
/// |---|---|
/// | `/auth/verify` | tells a proxy who the visitor is; handled before the routes |
/// | `/auth/sign-in` | page to which a proxy sends visitors who are not signed in |
/// | `/auth/sign-out` | target of the sign-out button |
/// | `/auth/l/…`, `/AUTH/L/…` | opens a short link |
/// | `/auth/sessions` | shows who is signed in, with the person's other browsers |
/// | `/auth/sessions/…` | targets of the buttons that sign the person's other browsers out |
/// | `/api/…` | users and links, for other systems |
/// | `/widget.js` | the widget, for pages of other sites |
/// | `/auth/widget/…` | the frame of the widget, and the requests of its script |
/// | `/healthz` | 200 while links can be opened, else 503 |
/// | any other | opens a link if the query has a code; else shows who is signed in |
pub fn router(
    gateway: Arc<Gateway>,
) -> impl Service<Request, Response = Response, Error = Infallible, Future: Send> + Clone + Send + 'static
{
    let routes = Router::new()
        .route("/auth/sign-in", get(visit::sign_in_page))
        .route("/auth/sign-out", post(visit::sign_out))
        .route("/auth/l/{code}", short_link())
        .route("/AUTH/L/{code}", short_link())
        .route(pages::SESSIONS_PATH, get(own_sessions::page))
        .route(pages::END_SESSION_PATH, post(own_sessions::end))
        .route(pages::END_SESSIONS_PATH, post(own_sessions::end_all))
        .route(
            pages::STYLE_PATH,
            get(|| async { ([(CONTENT_TYPE, "text/css; charset=utf-8")], pages::STYLE) }),
        )
        .nest("/api", api::router(&gateway))
        .merge(widget::routes())
        .route("/healthz", get(health))
        .fallback(visit::page)
        .method_not_allowed_fallback(visit::wrong_method)
        .with_state(Arc::clone(&gateway));
    with_middleware(gateway, routes)
}

/// Returns the handlers of a short link, which also is the target of its own confirm page.
fn short_link() -> MethodRouter<Arc<Gateway>> {
    get(visit::short_link).post(visit::short_link)
}

async fn health(State(gateway): State<Arc<Gateway>>) -> (StatusCode, &'static str) {
    if gateway.is_healthy().await {
        (StatusCode::OK, "ok\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "failing\n")
    }
}
