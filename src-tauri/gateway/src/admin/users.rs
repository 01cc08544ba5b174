//! Users, seats and recorded times.

use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Extension, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use latchkey_core::Error;
use latchkey_core::activity::AuditContext;
use latchkey_core::admin::{
    AccountEndChange, Addition, Additions, Corrected, Edit, LookedUp, SeatLimit, SharedEmails,
    Sought, Times, TimesAhead, UserList,
};
use latchkey_core::directory::{
    Command, Counts, Newcomer, Origin, Search, Sort, SortBy, User, UserQuery, unknown_user,
};
use latchkey_core::protocol::email::Email;
use latchkey_core::verdict::{Seats, Status};
use serde::Deserialize;
use utoipa::IntoParams;

use super::administration::Administration;
use super::paging::{page_size, page_start};
use super::params::Params;
use super::refused::Refused;
use crate::api::{Body, answer, user_in};

/// Default and maximum number of users on a page.
const PAGE: u32 = 1000;

type Admin = State<Arc<Administration>>;
type By = Extension<AuditContext>;

/// Selection, order and beginning of a page of users.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// Returns only the user with this address. Case does not count. All other parameters are
    /// ignored.
    #[param(max_length = 254)]
    email: Option<String>,
    /// Words that must all occur in the ID, the address or a name of a user. Case does not count.
    #[serde(default)]
    search: String,
    /// Only users with this status.
    status: Option<Status>,
    /// Only users who were created in this way.
    origin: Option<Origin>,
    /// Field to sort by.
    #[serde(default)]
    #[param(inline)]
    sort: SortBy,
    /// Whether the order is reversed.
    #[serde(default)]
    descending: bool,
    /// Begins after this user: `next` of the page before. It belongs to one order.
    after: Option<String>,
    /// Begins at this row, counted from 0.
    #[param(minimum = 0)]
    row: Option<i64>,
    /// Maximum number of users to return.
    #[param(minimum = 1, maximum = 1000, default = 1000)]
    limit: Option<u32>,
}

/// List users
///
/// Returns the users in the requested order, a page at a time, or the one user of an address.
#[utoipa::path(
    get, path = "/users", tag = "Users", params(Wanted),
    responses(
        (status = 200, description = "The page", body = UserList),
    ),
)]
pub(super) async fn list(
    State(admin): Admin,
    Extension(by): By,
    Params(wanted): Params<Wanted>,
) -> Result<Response, Refused> {
    if let Some(email) = &wanted.email {
        let email = Email::parse(email, "email")?;
        let users: Vec<User> = admin
            .directory
            .user_by_email(&email)
            .await?
            .into_iter()
            .map(|user| user.as_of(by.at.as_second()))
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
    let start = page_start(wanted.after.as_deref(), wanted.row)?;
    let mut page = admin.directory.users(&query, sort, &start, limit).await?;
    page.set_statuses(by.at);
    Ok(answer(StatusCode::OK, &UserList::from(page))?)
}

/// Add a user
///
/// The user takes a seat.
#[utoipa::path(
    post, path = "/users", tag = "Users", request_body = Addition,
    responses(
        (status = 201, description = "The user was added", body = User),
        (status = 409, description = "The user exists already, the address belongs to another user, or no seat is left"),
    ),
)]
pub(super) async fn add(
    State(admin): Admin,
    Extension(by): By,
    Body(addition): Body<Addition>,
) -> Result<Response, Refused> {
    let newcomer = addition.parse().map_err(Error::about_user)?;
    admin.settings().await?;
    let added = admin.directory.execute(Command::Add(newcomer), &by).await?;
    Ok(answer(StatusCode::CREATED, &added.user()?)?)
}

/// Add several users
///
/// Adds all or none.
#[utoipa::path(
    post, path = "/imports", tag = "Users", request_body = Additions,
    responses(
        (status = 204, description = "All users were added"),
        (status = 409, description = "A user exists already, an address belongs to another user, or too few seats are left"),
    ),
)]
pub(super) async fn import(
    State(admin): Admin,
    Extension(by): By,
    Body(additions): Body<Additions>,
) -> Result<Response, Refused> {
    let users = additions.users.into_iter().map(Addition::parse);
    let users: Vec<Newcomer> = users.collect::<Result<_, Error>>()?;
    admin.settings().await?;
    admin.directory.execute(Command::Import(users), &by).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Look many people and addresses up
///
/// For the preview of an import. Changes nothing.
#[utoipa::path(
    post, path = "/lookups", tag = "Users", request_body = Sought,
    responses((status = 200, description = "The users who are there", body = LookedUp)),
)]
pub(super) async fn look_up(
    State(admin): Admin,
    Extension(by): By,
    Body(sought): Body<Sought>,
) -> Result<Response, Refused> {
    let lookup = sought.parse()?;
    let facts = admin.directory.look_up(&lookup, by.at).await?;
    Ok(answer(StatusCode::OK, &LookedUp::new(&lookup, &facts))?)
}

/// Show a user
#[utoipa::path(
    get, path = "/users/{id}", tag = "Users", params(("id" = String, Path, description = "ID of the user")),
    responses(
        (status = 200, description = "The user", body = User),
    ),
)]
pub(super) async fn show(
    State(admin): Admin,
    Extension(by): By,
    path: Result<Path<String>, PathRejection>,
) -> Result<Response, Refused> {
    let id = user_in(path)?;
    let user = admin.directory.user(&id).await?;
    let user = user.ok_or_else(|| unknown_user(&id))?;
    Ok(answer(StatusCode::OK, &user.as_of(by.at.as_second()))?)
}

/// Edit a user
///
/// Links that were issued before do not undo the change. With `if_email` and `if_metadata`, the
/// user is only edited if the profile is still the one that the client has seen.
#[utoipa::path(
    patch, path = "/users/{id}", tag = "Users", params(("id" = String, Path, description = "ID of the user")), request_body = Edit,
    responses(
        (status = 200, description = "The user as it is now", body = User),
        (status = 409, description = "The address belongs to another user, or the user does not have the profile of `if_email` and `if_metadata`"),
    ),
)]
pub(super) async fn edit(
    State(admin): Admin,
    Extension(by): By,
    path: Result<Path<String>, PathRejection>,
    Body(edit): Body<Edit>,
) -> Result<Response, Refused> {
    let (id, seen) = (user_in(path)?, edit.seen()?);
    let profile = edit.parse()?;
    let command = match seen {
        Some(seen) => Command::EditSeen(id, profile, seen),
        None => Command::Edit(id, profile),
    };
    change(&admin, command, &by).await
}

/// Suspend a user
///
/// Ends the sessions of the user, and frees the seat.
#[utoipa::path(
    post, path = "/users/{id}/suspend", tag = "Users", params(("id" = String, Path, description = "ID of the user")),
    responses(
        (status = 200, description = "The user as it is now", body = User),
    ),
)]
pub(super) async fn suspend(
    State(admin): Admin,
    Extension(by): By,
    path: Result<Path<String>, PathRejection>,
) -> Result<Response, Refused> {
    let id = user_in(path)?;
    change(&admin, Command::Suspend(id), &by).await
}

/// Reactivate a user
///
/// The user takes a seat.
#[utoipa::path(
    post, path = "/users/{id}/reactivate", tag = "Users", params(("id" = String, Path, description = "ID of the user")),
    responses(
        (status = 200, description = "The user as it is now", body = User),
        (status = 409, description = "No seat is left, or the account has ended"),
    ),
)]
pub(super) async fn reactivate(
    State(admin): Admin,
    Extension(by): By,
    path: Result<Path<String>, PathRejection>,
) -> Result<Response, Refused> {
    let id = user_in(path)?;
    change(&admin, Command::Reactivate(id), &by).await
}

/// Set the end of an account
///
/// An account that has ended becomes active again, which takes a seat. A suspended user stays
/// suspended.
#[utoipa::path(
    put, path = "/users/{id}/account-end", tag = "Users", params(("id" = String, Path, description = "ID of the user")), request_body = AccountEndChange,
    responses(
        (status = 200, description = "The user as it is now", body = User),
        (status = 409, description = "No seat is left"),
    ),
)]
pub(super) async fn set_account_end(
    State(admin): Admin,
    Extension(by): By,
    path: Result<Path<String>, PathRejection>,
    Body(change_of): Body<AccountEndChange>,
) -> Result<Response, Refused> {
    let (id, end) = (user_in(path)?, change_of.parse()?);
    change(&admin, Command::SetAccountEnd(id, end), &by).await
}

/// Sign a user out
///
/// Ends all sessions of the user.
#[utoipa::path(
    post, path = "/users/{id}/sign-out", tag = "Users", params(("id" = String, Path, description = "ID of the user")),
    responses(
        (status = 200, description = "The user as it is now", body = User),
    ),
)]
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
    Ok(answer(StatusCode::OK, &user.as_of(by.at.as_second()))?)
}

/// Remove a user
///
/// Frees the seat. Links that were issued before do not bring the user back.
#[utoipa::path(
    delete, path = "/users/{id}", tag = "Users", params(("id" = String, Path, description = "ID of the user")),
    responses(
        (status = 204, description = "The user is removed"),
    ),
)]
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

/// Count users and seats
#[utoipa::path(
    get, path = "/counts", tag = "Seats",
    responses(
        (status = 200, description = "The numbers", body = Counts),
    ),
)]
pub(super) async fn counts(State(admin): Admin, Extension(by): By) -> Result<Response, Refused> {
    let counts = admin.directory.counts(by.at).await?;
    Ok(answer(StatusCode::OK, &counts)?)
}

/// Set the number of seats
///
/// Nobody who has a seat loses it.
#[utoipa::path(
    put, path = "/seats", tag = "Seats", request_body = SeatLimit,
    responses(
        (status = 200, description = "The seats as they are now", body = Seats),
    ),
)]
pub(super) async fn set_seats(
    State(admin): Admin,
    Extension(by): By,
    Body(SeatLimit { limit }): Body<SeatLimit>,
) -> Result<Response, Refused> {
    admin.settings().await?;
    let seats = admin.directory.set_seat_limit(limit, &by).await?;
    Ok(answer(StatusCode::OK, &seats)?)
}

/// List addresses that several users have
///
/// Links by such an address are refused.
#[utoipa::path(
    get, path = "/shared-emails", tag = "Users",
    responses(
        (status = 200, description = "The addresses", body = SharedEmails),
    ),
)]
pub(super) async fn shared_emails(State(admin): Admin) -> Result<Response, Refused> {
    let shared_emails = admin.directory.shared_emails().await?;
    Ok(answer(StatusCode::OK, &SharedEmails { shared_emails })?)
}

/// List recorded times that lie in the future
///
/// Only a wrong clock causes them.
#[utoipa::path(
    get, path = "/times-ahead", tag = "Users",
    responses(
        (status = 200, description = "The times", body = TimesAhead),
    ),
)]
pub(super) async fn times_ahead(
    State(admin): Admin,
    Extension(by): By,
) -> Result<Response, Refused> {
    let times = admin.directory.times_ahead(by.at).await?;
    let all_links = admin.directory.cutoff_ahead(by.at).await?;
    Ok(answer(StatusCode::OK, &TimesAhead { times, all_links })?)
}

/// Set recorded times to now
///
/// Corrects those of the given times that are still recorded.
#[utoipa::path(
    post, path = "/times-ahead/correct", tag = "Users", request_body = Times,
    responses(
        (status = 200, description = "The number of corrected times", body = Corrected),
    ),
)]
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
