//! The table of routes, and the router of each listener.

use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, State};
use axum::handler::Handler;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{MethodFilter, MethodRouter, on};
use axum::{Extension, Router, middleware};
use latchkey_core::admin::ROOT;
use latchkey_core::instance::scope::Scope;
use latchkey_core::instance::scope::Scope::{Activity, Admin, Links, Users, UsersRead};
use latchkey_core::{Error, ErrorCode};

use super::administration::Administration;
use super::changes::EndsWith;
use super::refused::Refused;
use super::{activity, changes, codes, context, snapshots, users};
use crate::api::{answer, no_such_method, no_such_path};
use crate::request_scope::in_request_scope;

/// Maximum size of a request body, in bytes. An import has up to 250 users with 8 KiB of metadata
/// each.
pub(super) const MAX_BODY: usize = 4 * 1024 * 1024;

/// Listeners that serve a route, and the permission that a request from the network needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// The local socket only.
    Local,
    /// Any API key.
    AnyKey,
    /// An API key with the scope.
    Key(Scope),
}

use Access::{AnyKey, Key, Local};

/// A route of the API.
pub(super) struct Route {
    /// Path below [`ROOT`].
    pub(super) path: &'static str,
    pub(super) access: Access,
    /// Handler for the method of the route.
    pub(super) handler: MethodRouter<Arc<Administration>>,
}

/// Returns the routes of the API: method, path, access and handler.
///
/// Only a program of the same user records events, links or waiting changes of its own, because it
/// could change the files of the directory as well. So these routes are not on the network. Neither
/// are snapshots, which have everything that a backup has.
pub(super) fn routes() -> Vec<Route> {
    vec![
        get("/", AnyKey, about),
        get("/users", Key(UsersRead), users::list),
        post("/users", Key(Users), users::add),
        post("/imports", Key(Users), users::import),
        post("/lookups", Key(UsersRead), users::look_up),
        get("/users/{id}", Key(UsersRead), users::show),
        patch("/users/{id}", Key(Users), users::edit),
        delete("/users/{id}", Key(Users), users::remove),
        post("/users/{id}/suspend", Key(Users), users::suspend),
        post("/users/{id}/reactivate", Key(Users), users::reactivate),
        post("/users/{id}/sign-out", Key(Users), users::sign_out),
        get("/users/{id}/sessions", Key(UsersRead), users::sessions),
        get("/signed-in", Key(UsersRead), users::signed_in),
        get("/counts", Key(UsersRead), users::counts),
        put("/seats", Key(Users), users::set_seats),
        get("/shared-emails", Key(UsersRead), users::shared_emails),
        get("/times-ahead", Key(UsersRead), users::times_ahead),
        post("/times-ahead/correct", Key(Users), users::correct_times),
        get("/activity", Key(Activity), activity::list),
        post("/activity", Local, activity::record),
        post("/activity/outbox", Local, activity::record_outbox),
        post("/dry-runs", Key(Links), codes::dry_run),
        post("/redemptions", Key(Admin), codes::redeem),
        post("/links/made", Local, codes::link_made),
        post("/links/shown", Local, codes::link_shown),
        post("/links/{id}/revoke", Key(Links), codes::revoke),
        post("/snapshots", Local, snapshots::begin),
        post("/snapshots/{id}/next", Local, snapshots::next),
        delete("/snapshots/{id}", Local, snapshots::end),
        get("/changes", Key(UsersRead), changes::stream),
        post("/give-way", Local, give_way),
    ]
}

fn get<T: 'static>(path: &'static str, access: Access, handler: impl ServesRoute<T>) -> Route {
    route(MethodFilter::GET, path, access, handler)
}

fn post<T: 'static>(path: &'static str, access: Access, handler: impl ServesRoute<T>) -> Route {
    route(MethodFilter::POST, path, access, handler)
}

fn put<T: 'static>(path: &'static str, access: Access, handler: impl ServesRoute<T>) -> Route {
    route(MethodFilter::PUT, path, access, handler)
}

fn patch<T: 'static>(path: &'static str, access: Access, handler: impl ServesRoute<T>) -> Route {
    route(MethodFilter::PATCH, path, access, handler)
}

fn delete<T: 'static>(path: &'static str, access: Access, handler: impl ServesRoute<T>) -> Route {
    route(MethodFilter::DELETE, path, access, handler)
}

/// Handler of a route.
trait ServesRoute<T>: Handler<T, Arc<Administration>> {}

impl<T, H: Handler<T, Arc<Administration>>> ServesRoute<T> for H {}

fn route<T: 'static>(
    method: MethodFilter,
    path: &'static str,
    access: Access,
    handler: impl ServesRoute<T>,
) -> Route {
    Route {
        path,
        access,
        handler: on(method, handler),
    }
}

/// Returns the router of some routes.
pub(super) fn router(
    routes: impl Iterator<Item = Route>,
    administration: Arc<Administration>,
) -> Router {
    let routes = routes.fold(Router::new(), |router, route| {
        router.route(route.path, route.handler)
    });
    Router::new()
        .nest(ROOT, routes)
        .fallback(no_such_path)
        .method_not_allowed_fallback(no_such_method)
        .with_state(administration)
}

/// Returns the routes for a local socket, whose clients could also change the files themselves.
pub(super) fn local_router(administration: Arc<Administration>) -> Router {
    let closing = EndsWith::closing(administration.is_closing.subscribe());
    router(routes().into_iter(), administration)
        .layer(middleware::from_fn(context::local))
        .layer(Extension(closing))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(middleware::from_fn(|request, next: middleware::Next| {
            in_request_scope(next.run(request))
        }))
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
