//! Users, for another system: a part of what TypingMind's API has.

use std::sync::Arc;

use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Extension, Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use latchkey_core::Error;
use latchkey_core::activity::AuditContext;
use latchkey_core::directory::{self, PageStart, Profile, Sort, SortBy, UserQuery};
use latchkey_core::error::Warning;
use latchkey_core::protocol::claims;
use latchkey_core::protocol::email::Email;
use latchkey_core::protocol::metadata::Metadata;
use latchkey_core::protocol::payload::NewUser;
use latchkey_core::verdict::Status;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::{IntoParams, ToSchema};

use super::body::{Body, answer, some, user_in};
use super::problem::{Problem, ProblemDetails};

use crate::gateway::Gateway;

/// How many users are on a page, if nothing else is said, and at most.
const PAGE: u32 = 1000;

/// A user.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(super) struct User {
    /// The key by which links name the user.
    id: String,
    /// The address, if there is one.
    email: Option<String>,
    /// When the user came in.
    #[schema(format = DateTime)]
    created_at: String,
    /// The groups that the metadata name.
    groups: Vec<String>,
    /// Whether the user may sign in: a suspended one may not, and takes no seat.
    status: Status,
    /// Everything else.
    metadata: Map<String, Value>,
    /// Warnings about the members that were added or changed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<Warning>,
}

impl User {
    /// A user who was added or changed.
    fn with_warnings(user: directory::User) -> Self {
        Self {
            warnings: user.metadata.warnings(),
            ..user.into()
        }
    }
}

impl From<directory::User> for User {
    fn from(user: directory::User) -> Self {
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
            metadata,
            warnings: Vec::new(),
        }
    }
}

/// Users, in the order of their ids.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Users {
    /// The users.
    data: Vec<User>,
    /// What `after` is for the users that follow; nothing, if none do.
    next: Option<String>,
}

/// Which users.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// Only the user with this address, in whatever case.
    #[param(max_length = 254)]
    email: Option<String>,
    /// How many, at most.
    #[param(minimum = 1, maximum = 1000, default = 1000)]
    limit: Option<u32>,
    /// Only those that follow: `next` of the page before.
    after: Option<String>,
}

/// List users
///
/// All users in the order of their ids, a page at a time, or the one with an address.
#[utoipa::path(
    get, path = "/api/v2/users", tag = "Users", params(Wanted),
    responses(
        (status = 200, description = "The users", body = Users),
        (status = 400, description = "A parameter is not known, or not what it has to be", body = ProblemDetails, content_type = "application/problem+json"),
        (status = 422, description = "The address is none, or `after` is not a page's `next`", body = ProblemDetails, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn list(
    State(gateway): State<Arc<Gateway>>,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Response, Problem> {
    let Query(wanted) = wanted.map_err(|cause| {
        Problem::of(StatusCode::BAD_REQUEST, &format!("{}.", cause.body_text()))
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
            data: found.into_iter().map(Into::into).collect(),
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
    let users = Users {
        data: page.users.into_iter().map(Into::into).collect(),
        next: page.next.map(|cursor| cursor.to_string()),
    };
    answer(StatusCode::OK, &users)
}

/// A user who is to be added.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Addition {
    /// The key by which links name the user: up to 255 bytes, without control characters and without
    /// white space around it. One is made where it is left out.
    #[schema(min_length = 1, max_length = 255, nullable = false)]
    #[serde(default, deserialize_with = "some")]
    id: Option<String>,
    /// The address.
    #[schema(min_length = 3, max_length = 254)]
    email: Option<String>,
    /// The groups.
    #[serde(default)]
    groups: Vec<String>,
    /// Everything else: members that are neither `id` nor `email` nor `groups`, up to 8 KiB of JSON.
    #[serde(default)]
    metadata: Map<String, Value>,
}

/// Add a user
///
/// The user takes a seat.
#[utoipa::path(
    post, path = "/api/v2/users", tag = "Users", request_body = Addition,
    responses(
        (status = 200, description = "The user was added", body = User),
        (status = 400, description = "The body is no JSON", body = ProblemDetails, content_type = "application/problem+json"),
        (status = 409, description = "There is such a user already, the address belongs to somebody else, or there is no seat", body = ProblemDetails, content_type = "application/problem+json"),
        (status = 413, description = "The body is longer than 16 KiB"),
        (status = 415, description = "The body is not said to be JSON", body = ProblemDetails, content_type = "application/problem+json"),
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
        None => claims::new_id()?,
    };
    let groups = (!wanted.groups.is_empty()).then_some(wanted.groups);
    let metadata = with_groups(wanted.metadata, groups)?;
    let metadata = Metadata::new(metadata, "metadata")?;
    let user = NewUser::parse(&id, wanted.email.as_deref(), metadata);
    let user = user.map_err(Error::about_user)?;
    let added = gateway.directory.add(&user, &by);
    answer(StatusCode::OK, &User::with_warnings(added.await?))
}

/// Show a user
#[utoipa::path(
    get, path = "/api/v2/users/{id}", tag = "Users",
    params(("id" = String, Path, description = "The user's id")),
    responses(
        (status = 200, description = "The user", body = User),
        (status = 404, description = "There is no such user", body = ProblemDetails, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn show(
    State(gateway): State<Arc<Gateway>>,
    path: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    let id = user_in(path)?;
    let user = gateway.directory.known_user(&id);
    answer(StatusCode::OK, &User::from(user.await?))
}

/// What is to be changed of a user; what is left out stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UserChange {
    /// Another address; `null` for none.
    #[schema(min_length = 3, max_length = 254)]
    #[serde(default, deserialize_with = "some")]
    #[expect(clippy::option_option, reason = "`null` is told from what is left out")]
    email: Option<Option<String>>,
    /// Other groups, in place of those there are.
    #[schema(nullable = false)]
    #[serde(default, deserialize_with = "some")]
    groups: Option<Vec<String>>,
    /// Members of the metadata, each in place of the one of its name; `null` removes one.
    #[serde(default)]
    metadata: Map<String, Value>,
}

/// Change a user
///
/// What older links say of the user does not come back by them.
#[utoipa::path(
    patch, path = "/api/v2/users/{id}", tag = "Users", request_body = UserChange,
    params(("id" = String, Path, description = "The user's id")),
    responses(
        (status = 200, description = "The user as it is now", body = User),
        (status = 400, description = "The body is no JSON", body = ProblemDetails, content_type = "application/problem+json"),
        (status = 404, description = "There is no such user", body = ProblemDetails, content_type = "application/problem+json"),
        (status = 409, description = "The address belongs to somebody else", body = ProblemDetails, content_type = "application/problem+json"),
        (status = 413, description = "The body is longer than 16 KiB"),
        (status = 415, description = "The body is not said to be JSON", body = ProblemDetails, content_type = "application/problem+json"),
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
    answer(StatusCode::OK, &User::with_warnings(user.await?))
}

/// Remove a user
///
/// The seat is free again, and older links do not bring the user back.
#[utoipa::path(
    delete, path = "/api/v2/users/{id}", tag = "Users",
    params(("id" = String, Path, description = "The user's id")),
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

/// Groups are a member of the metadata.
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
