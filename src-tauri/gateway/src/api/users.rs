//! API requests for users: a part of TypingMind's API.

use std::sync::Arc;

use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Extension, Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use latchkey_core::activity::AuditContext;
use latchkey_core::directory::{self, PageStart, Profile, Sort, SortBy, UserQuery};
use latchkey_core::error::Warning;
use latchkey_core::protocol::email::Email;
use latchkey_core::protocol::link_id;
use latchkey_core::protocol::metadata::Metadata;
use latchkey_core::protocol::payload::NewUser;
use latchkey_core::verdict::Status;
use latchkey_core::{Error, time};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

use super::body::{Body, answer, some, user_in};
use super::problem::{Problem, ProblemDetails};

use crate::gateway::Gateway;

/// Default and maximum number of users on a page.
const PAGE: u32 = 1000;

/// A user.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct User {
    /// ID by which links name the user.
    id: String,
    /// E-mail address. `null` if the user has none.
    email: Option<String>,
    /// Time at which the user was created.
    #[schema(format = DateTime)]
    created_at: String,
    /// Names of the groups, from the metadata.
    groups: Vec<String>,
    /// Whether the user may sign in. A suspended user may not, nor one whose account has ended. Such
    /// users take no seat.
    status: Status,
    /// Time at which the account ends or has ended. `null` if it has no end.
    #[schema(format = DateTime)]
    ends_at: Option<String>,
    /// All other metadata.
    metadata: Map<String, Value>,
    /// Warnings about the members that were added or changed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<Warning>,
}

impl User {
    /// Returns the response for a user who was added or changed.
    fn with_warnings(user: directory::User, by: &AuditContext) -> Self {
        Self {
            warnings: user.metadata.warnings(),
            ..Self::at(user, by)
        }
    }

    /// Returns the response for a user at the time of a request.
    fn at(user: directory::User, by: &AuditContext) -> Self {
        let user = user.as_of(by.at.as_second());
        let groups = user.metadata.groups().map(str::to_owned).collect();
        let mut metadata = user.metadata.members().clone();
        metadata.shift_remove("groups");
        Self {
            id: user.id.as_str().to_owned(),
            email: user.email.map(|email| email.as_str().to_owned()),
            created_at: Timestamp::from_second(user.created_at)
                .unwrap_or_default()
                .to_string(),
            groups,
            status: user.status,
            ends_at: user.ends_at.map(time::exact),
            metadata,
            warnings: Vec::new(),
        }
    }
}

/// A page of users in the order of their IDs.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Users {
    /// Users of the page.
    data: Vec<User>,
    /// Value of `after` for the next page. `null` on the last page.
    next: Option<String>,
}

/// Selection of users.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// Returns only the user with this address. Case does not count.
    #[param(max_length = 254)]
    email: Option<String>,
    /// Maximum number of users to return.
    #[param(minimum = 1, maximum = 1000, default = 1000)]
    limit: Option<u32>,
    /// Returns only the users after this one: `next` of the page before.
    after: Option<String>,
}

/// List users
///
/// Returns all users in the order of their IDs, one page at a time, or the one user of an address.
#[utoipa::path(
    get, path = "/api/v2/users", tag = "Users", security(("key" = ["users:read"])), params(Wanted),
    responses(
        (status = 200, description = "The users", body = Users),
        (status = 400, description = "A parameter is unknown or has a wrong value", body = ProblemDetails, content_type = "application/problem+json"),
        (status = 422, description = "The address is not valid, or `after` is not the `next` of a page", body = ProblemDetails, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn list(
    State(gateway): State<Arc<Gateway>>,
    Extension(by): Extension<AuditContext>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(wanted) = wanted.map_err(|_| {
        let message = "A parameter is unknown, is there twice, or has a wrong value. The parameters are 'email', 'limit' and 'after'.";
        Problem::of(StatusCode::BAD_REQUEST, message)
    })?;
    let limit = wanted.limit.unwrap_or(PAGE);
    if limit == 0 || limit > PAGE {
        let message = format!("'limit' is a number from 1 to {PAGE}.");
        return Err(Problem::of(StatusCode::BAD_REQUEST, &message));
    }
    let directory = &gateway.directory;
    if let Some(email) = &wanted.email {
        let found = directory
            .user_by_email(&Email::parse(email, "email")?)
            .await?;
        let users = Users {
            data: found.into_iter().map(|user| User::at(user, &by)).collect(),
            next: None,
        };
        return answer(StatusCode::OK, &users);
    }
    let place = match &wanted.after {
        Some(cursor) => PageStart::After(cursor.parse()?),
        None => PageStart::First,
    };
    let sort = Sort {
        by: SortBy::Id,
        descending: false,
    };
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let page = directory
        .users(&UserQuery::default(), sort, &place, limit)
        .await?;
    let found = page.users.into_iter();
    let users = Users {
        data: found.map(|user| User::at(user, &by)).collect(),
        next: page.next.map(|cursor| cursor.to_string()),
    };
    answer(StatusCode::OK, &users)
}

/// Request to add a user.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Addition {
    /// ID by which links name the user: up to 255 bytes, without control characters and without
    /// white space around it. Defaults to a random ID.
    #[schema(min_length = 1, max_length = 255, nullable = false)]
    #[serde(default, deserialize_with = "some")]
    id: Option<String>,
    /// E-mail address.
    #[schema(min_length = 3, max_length = 254)]
    email: Option<String>,
    /// Names of the groups.
    #[serde(default)]
    groups: Vec<String>,
    /// All other metadata: members that are not `id`, `email` or `groups`, up to 8 KiB of JSON.
    #[serde(default)]
    metadata: Map<String, Value>,
}

/// Add a user
///
/// The user takes a seat.
#[utoipa::path(
    post, path = "/api/v2/users", tag = "Users", security(("key" = ["users"])), request_body = Addition,
    responses(
        (status = 200, description = "The user was added", body = User),
        (status = 400, description = "The body is no JSON", body = ProblemDetails, content_type = "application/problem+json"),
        (status = 409, description = "The user exists already, the address belongs to another user, or no seat is left", body = ProblemDetails, content_type = "application/problem+json"),
        (status = 413, description = "The body is longer than 16 KiB"),
        (status = 415, description = "The header Content-Type does not say JSON", body = ProblemDetails, content_type = "application/problem+json"),
        (status = 422, description = "A member breaks a rule", body = ProblemDetails, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn add(
    State(gateway): State<Arc<Gateway>>,
    Extension(by): Extension<AuditContext>,
    Body(wanted): Body<Addition>,
) -> Result<Response, Problem> {
    let id = match wanted.id {
        Some(id) => id,
        None => link_id::random_id()?,
    };
    let groups = (!wanted.groups.is_empty()).then_some(wanted.groups);
    let metadata = with_groups(wanted.metadata, groups)?;
    let metadata = Metadata::new(metadata, "metadata")?;
    let user = NewUser::parse(&id, wanted.email.as_deref(), metadata);
    let user = user.map_err(Error::about_user)?;
    let added = gateway.directory.add(&user, &by);
    answer(StatusCode::OK, &User::with_warnings(added.await?, &by))
}

/// Show a user
#[utoipa::path(
    get, path = "/api/v2/users/{id}", tag = "Users", security(("key" = ["users:read"])),
    params(("id" = String, Path, description = "ID of the user")),
    responses(
        (status = 200, description = "The user", body = User),
        (status = 404, description = "There is no such user", body = ProblemDetails, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn show(
    State(gateway): State<Arc<Gateway>>,
    Extension(by): Extension<AuditContext>,
    path: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    let id = user_in(path)?;
    let user = gateway.directory.known_user(&id);
    answer(StatusCode::OK, &User::at(user.await?, &by))
}

/// Request to change a user. Members that are left out keep their values.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UserChange {
    /// New e-mail address. `null` removes it.
    #[schema(min_length = 3, max_length = 254)]
    #[serde(default, deserialize_with = "some")]
    #[expect(clippy::option_option, reason = "`null` differs from a missing member")]
    email: Option<Option<String>>,
    /// New groups. They replace all groups of the user.
    #[schema(nullable = false)]
    #[serde(default, deserialize_with = "some")]
    groups: Option<Vec<String>>,
    /// Members to replace in the metadata. `null` removes a member.
    #[serde(default)]
    metadata: Map<String, Value>,
}

/// Change a user
///
/// Links that were issued before the change do not undo it.
#[utoipa::path(
    patch, path = "/api/v2/users/{id}", tag = "Users", security(("key" = ["users"])), request_body = UserChange,
    params(("id" = String, Path, description = "ID of the user")),
    responses(
        (status = 200, description = "The user as it is now", body = User),
        (status = 400, description = "The body is no JSON", body = ProblemDetails, content_type = "application/problem+json"),
        (status = 404, description = "There is no such user", body = ProblemDetails, content_type = "application/problem+json"),
        (status = 409, description = "The address belongs to another user", body = ProblemDetails, content_type = "application/problem+json"),
        (status = 413, description = "The body is longer than 16 KiB"),
        (status = 415, description = "The header Content-Type does not say JSON", body = ProblemDetails, content_type = "application/problem+json"),
        (status = 422, description = "A member breaks a rule", body = ProblemDetails, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn change(
    State(gateway): State<Arc<Gateway>>,
    Extension(by): Extension<AuditContext>,
    path: Result<Path<String>, PathRejection>,
    Body(wanted): Body<UserChange>,
) -> Result<Response, Problem> {
    let id = user_in(path)?;
    let email = wanted
        .email
        .map(|email| email.map(|email| Email::parse(&email, "email")).transpose());
    let profile = Profile {
        email: email.transpose()?,
        members: with_groups(wanted.metadata, wanted.groups)?,
    };
    gateway.record_outbox().await?;
    let user = gateway.directory.edit(&id, &profile, &by);
    answer(StatusCode::OK, &User::with_warnings(user.await?, &by))
}

/// Remove a user
///
/// Frees the seat. Links that were issued before the removal do not bring the user back.
#[utoipa::path(
    delete, path = "/api/v2/users/{id}", tag = "Users", security(("key" = ["users"])),
    params(("id" = String, Path, description = "ID of the user")),
    responses(
        (status = 204, description = "The user is removed"),
        (status = 404, description = "There is no such user", body = ProblemDetails, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn remove(
    State(gateway): State<Arc<Gateway>>,
    Extension(by): Extension<AuditContext>,
    path: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    let id = user_in(path)?;
    gateway.record_outbox().await?;
    gateway.directory.remove(&id, &by).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Adds the groups to the metadata, where they are stored.
fn with_groups(
    mut metadata: Map<String, Value>,
    groups: Option<Vec<String>>,
) -> Result<Map<String, Value>, Problem> {
    if metadata.contains_key("groups") {
        let message = "'groups' is not metadata: it has a member of its own.";
        return Err(Problem::of(StatusCode::UNPROCESSABLE_ENTITY, message));
    }
    if let Some(groups) = groups {
        let value = if groups.is_empty() {
            Value::Null
        } else {
            groups.into()
        };
        metadata.insert("groups".to_owned(), value);
    }
    Ok(metadata)
}
