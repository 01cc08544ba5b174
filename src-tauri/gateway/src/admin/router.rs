//! The table of routes, and the router of each listener.

use std::sync::Arc;

use axum::extract::Request;
use axum::middleware::map_request;
use axum::{Extension, Router, middleware};
use latchkey_core::admin::ROOT;
use latchkey_core::instance::scope::Scope::{Activity, Admin, Links, Users, UsersRead};

use super::administration::Administration;
use super::changes::EndsWith;
use super::route::Access::{AnyKey, Key, Local, PairingCode};
use super::route::{BODY_LIMIT, Route, delete, get, patch, post, put};
use super::{
    activity, api_keys, changes, codes, context, document, gateway_state, keys, ledger, links,
    pairing, program, requests, sessions, settings, snapshots, users,
};
use crate::api::{no_such_method, no_such_path};
use crate::request_scope::in_request_scope;

/// Returns the routes of the API: method, path, access and handler.
///
/// Only a program of the same user records events, links or waiting changes of its own, because it
/// could change the files of the directory as well. So these routes are not on the network. Neither
/// are snapshots, which have everything that a backup has.
///
/// The routes of the ledger also serve an instance that is hosted elsewhere, for other programs of
/// this computer.
pub(super) fn routes() -> Vec<Route> {
    vec![
        get("/", AnyKey, program::about).of_ledger(),
        get("/users", Key(UsersRead), users::list),
        post("/users", Key(Users), users::add),
        post("/imports", Key(Users), users::import),
        post("/lookups", Key(UsersRead), users::look_up),
        get("/users/{id}", Key(UsersRead), users::show),
        patch("/users/{id}", Key(Users), users::edit),
        delete("/users/{id}", Key(Users), users::remove),
        post("/users/{id}/suspend", Key(Users), users::suspend).without_body(),
        post("/users/{id}/reactivate", Key(Users), users::reactivate).without_body(),
        put(
            "/users/{id}/account-end",
            Key(Users),
            users::set_account_end,
        ),
        post("/users/{id}/sign-out", Key(Users), users::sign_out).without_body(),
        get("/users/{id}/sessions", Key(UsersRead), sessions::list),
        delete("/users/{id}/sessions", Key(Users), sessions::end_all),
        delete("/users/{id}/sessions/{session}", Key(Users), sessions::end),
        get("/signed-in", Key(UsersRead), sessions::signed_in),
        get("/counts", Key(UsersRead), users::counts),
        put("/seats", Key(Users), users::set_seats),
        get("/shared-emails", Key(UsersRead), users::shared_emails),
        get("/times-ahead", Key(UsersRead), users::times_ahead),
        post("/times-ahead/correct", Key(Users), users::correct_times),
        get("/activity", Key(Activity), activity::list).of_ledger(),
        get("/activity/verification", Key(Activity), activity::verify).of_ledger(),
        post("/activity", Local, activity::record).of_ledger(),
        post("/activity/outbox", Local, activity::record_outbox).of_ledger(),
        post("/dry-runs", Key(Links), codes::dry_run),
        post("/redemptions", Key(Admin), codes::redeem),
        get("/links", Key(Links), ledger::list).of_ledger(),
        get("/link-counts", Key(Links), ledger::counts).of_ledger(),
        get("/links/{id}", Key(Links), ledger::show).of_ledger(),
        post("/taken-links", Local, ledger::take).of_ledger(),
        post("/shown-links", Local, ledger::note_shown).of_ledger(),
        post("/links/{id}/revoke", Key(Links), ledger::revoke_one)
            .with_optional_body()
            .of_ledger(),
        post("/links/{id}/copies", Key(Links), links::copy),
        post("/revocations", Key(Links), ledger::revoke).of_ledger(),
        get("/requests", Key(Links), requests::list),
        post("/requests/{number}/grant", Key(Links), requests::grant),
        post("/requests/{number}/dismiss", Key(Links), requests::dismiss).without_body(),
        post("/snapshots", Local, snapshots::begin)
            .without_body()
            .of_ledger(),
        post("/snapshots/{id}/next", Local, snapshots::next)
            .without_body()
            .of_ledger(),
        delete("/snapshots/{id}", Local, snapshots::end).of_ledger(),
        get("/changes", Key(UsersRead), changes::stream).of_ledger(),
        post("/pairings", PairingCode, pairing::exchange),
        post("/links", Key(Links), links::make),
        post("/inspections", Key(Links), links::inspect),
        get("/settings", Key(Admin), settings::show),
        patch("/settings", Key(Admin), settings::change),
        put("/signing-key", Key(Admin), keys::replace),
        get("/signing-keys", Key(Admin), keys::list),
        post("/signing-keys/rotations", Key(Admin), keys::rotate),
        post("/signing-keys/{id}/retirement", Key(Admin), keys::retire),
        get("/api-keys", Key(Admin), api_keys::list),
        post("/api-keys", Key(Admin), api_keys::make),
        delete("/api-keys/{id}", Key(Admin), api_keys::revoke),
        get("/gateway", Key(Admin), gateway_state::show),
        get("/openapi.json", AnyKey, |key| async {
            document::show(key, routes())
        })
        .of_ledger(),
        post("/give-way", Local, program::give_way)
            .without_body()
            .of_ledger(),
    ]
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

/// Sets the maximum size of the body of a request.
pub(super) async fn limit_body(mut request: Request) -> Request {
    BODY_LIMIT.apply(&mut request);
    request
}

/// Returns the routes for a local socket, whose clients could also change the files themselves.
pub(super) fn local_router(administration: Arc<Administration>) -> Router {
    let closing = EndsWith::closing(administration.is_closing.subscribe());
    let local = routes().into_iter();
    let changes = Arc::clone(&administration.idempotency);
    let served = Arc::clone(&administration);
    let local = local
        .filter(|route| route.access != PairingCode)
        .map(|route| route.repeatable(&changes))
        .map(|route| route.refusing_elsewhere(&served));
    router(local, administration)
        .layer(middleware::from_fn(context::local))
        .layer(Extension(closing))
        .layer(map_request(limit_body))
        .layer(middleware::from_fn(
            |request: Request, next: middleware::Next| in_request_scope(next.run(request)),
        ))
}
