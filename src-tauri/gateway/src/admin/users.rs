//! Users, seats, sessions and recorded times.

use std::sync::Arc;

use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Extension, Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use latchkey_core::Error;
use latchkey_core::activity::AuditContext;
use latchkey_core::admin::{
    Addition, Additions, Corrected, Edit, LookedUp, SeatLimit, SessionRecord, Sessions,
    SharedEmails, SignedIn, Sought, Times, UserList,
};
use latchkey_core::directory::{
    Command, Origin, PageStart, Search, Sort, SortBy, User, UserQuery, unknown_user,
};
use latchkey_core::protocol::email::Email;
use latchkey_core::protocol::payload::NewUser;
use latchkey_core::verdict::Status;
use serde::Deserialize;

use super::administration::Administration;
use super::paging::{bad_query, page_size};
use super::refused::Refused;
use crate::api::{Body, answer, user_in};

/// Default and maximum number of users on a page.
const PAGE: u32 = 1000;

type Admin = State<Arc<Administration>>;
type By = Extension<AuditContext>;

/// Selection, order and beginning of a page of users.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// Returns only the user with this address.
    email: Option<String>,
    #[serde(default)]
    search: String,
    status: Option<Status>,
    origin: Option<Origin>,
    #[serde(default)]
    sort: SortBy,
    #[serde(default)]
    descending: bool,
    after: Option<String>,
    row: Option<u64>,
    limit: Option<u32>,
}

pub(super) async fn list(
    State(admin): Admin,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Response, Refused> {
    let Query(wanted) = wanted.map_err(|cause| bad_query(&cause))?;
    if let Some(email) = &wanted.email {
        let email = Email::parse(email, "email")?;
        let users: Vec<User> = admin
            .directory
            .user_by_email(&email)
            .await?
            .into_iter()
            .collect();
        let list = UserList {
            total: users.len().try_into().unwrap_or(u64::MAX),
            users,
            first_row: 0,
            next: None,
        };
        return Ok(answer(StatusCode::OK, &list)?);
    }
    let limit = page_size(wanted.limit, PAGE)?;
    let query = UserQuery {
        search: Search::new(&wanted.search),
        status: wanted.status,
        origin: wanted.origin,
    };
    let sort = Sort {
        by: wanted.sort,
        descending: wanted.descending,
    };
    let start = match (wanted.after, wanted.row) {
        (Some(cursor), _) => PageStart::After(cursor.parse()?),
        (None, Some(row)) => PageStart::Row(row),
        (None, None) => PageStart::First,
    };
    let page = admin.directory.users(&query, sort, &start, limit).await?;
    Ok(answer(StatusCode::OK, &UserList::from(page))?)
}

pub(super) async fn add(
    State(admin): Admin,
    Extension(by): By,
    Body(addition): Body<Addition>,
) -> Result<Response, Refused> {
    let user = addition.parse()?;
    admin.settings().await?;
    let user = admin.directory.add(&user, &by).await?;
    Ok(answer(StatusCode::CREATED, &user)?)
}

pub(super) async fn import(
    State(admin): Admin,
    Extension(by): By,
    Body(additions): Body<Additions>,
) -> Result<Response, Refused> {
    let users = additions.users.into_iter().map(Addition::parse);
    let users: Vec<NewUser> = users.collect::<Result<_, Error>>()?;
    admin.settings().await?;
    admin.directory.import(&users, &by).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Returns many people and addresses at once, such as those of an import.
pub(super) async fn look_up(
    State(admin): Admin,
    Body(sought): Body<Sought>,
) -> Result<Response, Refused> {
    let lookup = sought.parse()?;
    let facts = admin.directory.look_up(&lookup).await?;
    Ok(answer(StatusCode::OK, &LookedUp::new(&lookup, &facts))?)
}

pub(super) async fn show(
    State(admin): Admin,
    path: Result<Path<String>, PathRejection>,
) -> Result<Response, Refused> {
    let id = user_in(path)?;
    let user = admin.directory.user(&id).await?;
    let user = user.ok_or_else(|| unknown_user(&id))?;
    Ok(answer(StatusCode::OK, &user)?)
}

pub(super) async fn edit(
    State(admin): Admin,
    Extension(by): By,
    path: Result<Path<String>, PathRejection>,
    Body(edit): Body<Edit>,
) -> Result<Response, Refused> {
    let (id, profile) = (user_in(path)?, edit.parse()?);
    change(&admin, Command::Edit(id, profile), &by).await
}

pub(super) async fn suspend(
    State(admin): Admin,
    Extension(by): By,
    path: Result<Path<String>, PathRejection>,
) -> Result<Response, Refused> {
    let id = user_in(path)?;
    change(&admin, Command::Suspend(id), &by).await
}

pub(super) async fn reactivate(
    State(admin): Admin,
    Extension(by): By,
    path: Result<Path<String>, PathRejection>,
) -> Result<Response, Refused> {
    let id = user_in(path)?;
    change(&admin, Command::Reactivate(id), &by).await
}

pub(super) async fn sign_out(
    State(admin): Admin,
    Extension(by): By,
    path: Result<Path<String>, PathRejection>,
) -> Result<Response, Refused> {
    let id = user_in(path)?;
    change(&admin, Command::SignOut(id), &by).await
}

/// Carries out a command that changes a user. The answer is the changed user.
async fn change(
    admin: &Administration,
    command: Command,
    by: &AuditContext,
) -> Result<Response, Refused> {
    admin.settings().await?;
    let user = admin.directory.execute(command, by).await?.user()?;
    Ok(answer(StatusCode::OK, &user)?)
}

pub(super) async fn remove(
    State(admin): Admin,
    Extension(by): By,
    path: Result<Path<String>, PathRejection>,
) -> Result<Response, Refused> {
    let id = user_in(path)?;
    admin.settings().await?;
    admin.directory.remove(&id, &by).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

pub(super) async fn sessions(
    State(admin): Admin,
    path: Result<Path<String>, PathRejection>,
) -> Result<Response, Refused> {
    let sessions = admin.directory.sessions_of(&user_in(path)?).await?;
    let sessions = sessions.into_iter();
    let sessions = Sessions {
        sessions: sessions
            .map(|(key, session)| SessionRecord { key, session })
            .collect(),
    };
    Ok(answer(StatusCode::OK, &sessions)?)
}

pub(super) async fn signed_in(State(admin): Admin) -> Result<Response, Refused> {
    let rules = admin.settings().await?.session_rules();
    let users = admin.directory.count_signed_in(rules, Timestamp::now());
    let signed_in = SignedIn {
        users: users.await?,
    };
    Ok(answer(StatusCode::OK, &signed_in)?)
}

pub(super) async fn counts(State(admin): Admin) -> Result<Response, Refused> {
    Ok(answer(StatusCode::OK, &admin.directory.counts().await?)?)
}

pub(super) async fn set_seats(
    State(admin): Admin,
    Extension(by): By,
    Body(SeatLimit { limit }): Body<SeatLimit>,
) -> Result<Response, Refused> {
    admin.settings().await?;
    let seats = admin.directory.set_seat_limit(limit, &by).await?;
    Ok(answer(StatusCode::OK, &seats)?)
}

pub(super) async fn shared_emails(State(admin): Admin) -> Result<Response, Refused> {
    let shared_emails = admin.directory.shared_emails().await?;
    Ok(answer(StatusCode::OK, &SharedEmails { shared_emails })?)
}

pub(super) async fn times_ahead(
    State(admin): Admin,
    Extension(by): By,
) -> Result<Response, Refused> {
    let times = admin.directory.times_ahead(by.at).await?;
    Ok(answer(StatusCode::OK, &Times { times })?)
}

pub(super) async fn correct_times(
    State(admin): Admin,
    Extension(by): By,
    Body(Times { times }): Body<Times>,
) -> Result<Response, Refused> {
    let corrected = admin.directory.execute(Command::CorrectTimes(times), &by);
    let corrected = Corrected {
        corrected: corrected.await?.count()?,
    };
    Ok(answer(StatusCode::OK, &corrected)?)
}
