use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post, put};
use axum::{Router, middleware};
use latchkey_core::admin::ROOT;
use latchkey_core::{Error, ErrorCode};

use super::administration::Administration;
use super::refused::Refused;
use super::{activity, changes, codes, context, users};
use crate::api::answer;
use crate::api::problem::Problem;
use crate::request_scope::in_request_scope;

/// Maximum size of a request body, in bytes. An import has up to 250 users with 8 KiB of metadata
/// each.
const MAX_BODY: usize = 4 * 1024 * 1024;
/// Returns the routes for a local socket, whose clients could also change the files themselves.
pub(super) fn local_router(administration: Arc<Administration>) -> Router {
    let routes = Router::new()
        .route("/", get(about))
        .route("/users", get(users::list).post(users::add))
        .route("/imports", post(users::import))
        .route(
            "/users/{id}",
            get(users::show).patch(users::edit).delete(users::remove),
        )
        .route("/users/{id}/suspend", post(users::suspend))
        .route("/users/{id}/reactivate", post(users::reactivate))
        .route("/users/{id}/sign-out", post(users::sign_out))
        .route("/users/{id}/sessions", get(users::sessions))
        .route("/signed-in", get(users::signed_in))
        .route("/counts", get(users::counts))
        .route("/seats", put(users::set_seats))
        .route("/shared-emails", get(users::shared_emails))
        .route("/times-ahead", get(users::times_ahead))
        .route("/times-ahead/correct", post(users::correct_times))
        .route("/activity", get(activity::list).post(activity::record))
        .route("/activity/outbox", post(activity::record_outbox))
        .route("/dry-runs", post(codes::dry_run))
        .route("/redemptions", post(codes::redeem))
        .route("/links/made", post(codes::link_made))
        .route("/links/shown", post(codes::link_shown))
        .route("/links/{id}/revoke", post(codes::revoke))
        .route("/changes", get(changes::stream))
        .route("/give-way", post(give_way));
    Router::new()
        .nest(ROOT, routes)
        .fallback(|| async { Problem::of(StatusCode::NOT_FOUND, "There is no such path.") })
        .method_not_allowed_fallback(|| async {
            Problem::of(
                StatusCode::METHOD_NOT_ALLOWED,
                "This path does not support this method.",
            )
        })
        .layer(middleware::from_fn(context::local))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(middleware::from_fn(|request, next: middleware::Next| {
            in_request_scope(next.run(request))
        }))
        .with_state(administration)
}

async fn about(State(administration): State<Arc<Administration>>) -> Result<Response, Refused> {
    Ok(answer(StatusCode::OK, &administration.about)?)
}

/// Closes the directory for a program that wants to hold it, such as a gateway that starts.
async fn give_way(
    State(administration): State<Arc<Administration>>,
) -> Result<StatusCode, Refused> {
    if administration.give_way() {
        return Ok(StatusCode::ACCEPTED);
    }
    let holder = &administration.about.holder;
    let message = format!("{holder} has the directory open, and needs it.");
    Err(Error::new(ErrorCode::DirectoryHeld, message).into())
}
