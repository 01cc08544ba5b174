//! Sessions of users.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Extension, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use latchkey_core::activity::AuditContext;
use latchkey_core::admin::SignedIn;
use latchkey_core::session::{SessionCursor, SessionHandle, SessionPage, SessionQuery};
use serde::Deserialize;
use utoipa::IntoParams;

use super::administration::Administration;
use super::paging::page_size;
use super::params::Params;
use super::refused::Refused;
use crate::api::{answer, user_in};

/// Default and maximum number of sessions on a page.
const PAGE: u32 = 1000;

type Admin = State<Arc<Administration>>;
type By = Extension<AuditContext>;

/// Page of a list of sessions.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// Begins after this session: `next` of the page before.
    after: Option<String>,
    /// Maximum number of sessions to return.
    #[param(minimum = 1, maximum = 1000, default = 1000)]
    limit: Option<u32>,
}

/// List the sessions of a user
///
/// Only those in which the user is signed in now. The latest first.
#[utoipa::path(
    get, path = "/users/{id}/sessions", tag = "Sessions", params(("id" = String, Path, description = "ID of the user"), Wanted),
    responses(
        (status = 200, description = "The page", body = SessionPage),
    ),
)]
pub(super) async fn list(
    State(admin): Admin,
    path: Result<Path<String>, PathRejection>,
    Params(wanted): Params<Wanted>,
) -> Result<Response, Refused> {
    let user = user_in(path)?;
    let after = wanted.after.as_deref().map(str::parse::<SessionCursor>);
    let (after, limit) = (after.transpose()?, page_size(wanted.limit, PAGE)?);
    let settings = admin.settings().await?;
    let query = SessionQuery {
        user,
        policy: settings.policy,
        rules: settings.session_rules(),
        after,
        limit,
    };
    let page = admin
        .directory
        .sessions_of(&query, Timestamp::now())
        .await?;
    if page.total == 0 {
        admin.directory.known_user(&query.user).await?;
    }
    Ok(answer(StatusCode::OK, &page)?)
}

/// End a session of a user
///
/// Every copy of its cookie is refused from now on.
#[utoipa::path(
    delete, path = "/users/{id}/sessions/{session}", tag = "Sessions",
    params(("id" = String, Path, description = "ID of the user"), ("session" = String, Path, description = "`id` of the session in the list")),
    responses(
        (status = 204, description = "The session has ended"),
    ),
)]
pub(super) async fn end(
    State(admin): Admin,
    Extension(by): By,
    path: Result<Path<(String, String)>, PathRejection>,
) -> Result<Response, Refused> {
    let (user, session) = match path {
        Ok(Path((user, session))) => (Ok(Path(user)), session),
        Err(unreadable) => (Err(unreadable), String::new()),
    };
    let (user, session) = (user_in(user)?, session.parse::<SessionHandle>()?);
    admin.settings().await?;
    let known = admin.directory.known_user(&user).await?;
    admin
        .directory
        .end_session_of(&known.id, session, &by)
        .await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// End all sessions of a user
#[utoipa::path(
    delete, path = "/users/{id}/sessions", tag = "Sessions", params(("id" = String, Path, description = "ID of the user")),
    responses(
        (status = 204, description = "All sessions have ended"),
    ),
)]
pub(super) async fn end_all(
    State(admin): Admin,
    Extension(by): By,
    path: Result<Path<String>, PathRejection>,
) -> Result<Response, Refused> {
    let user = user_in(path)?;
    admin.settings().await?;
    admin.directory.sign_out(&user, &by).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Count the users who are signed in
#[utoipa::path(
    get, path = "/signed-in", tag = "Sessions",
    responses(
        (status = 200, description = "The number", body = SignedIn),
    ),
)]
pub(super) async fn signed_in(State(admin): Admin) -> Result<Response, Refused> {
    let rules = admin.settings().await?.session_rules();
    let users = admin.directory.count_signed_in(rules, Timestamp::now());
    let signed_in = SignedIn {
        users: users.await?,
    };
    Ok(answer(StatusCode::OK, &signed_in)?)
}
