//! Reading of API request bodies and paths, and writing of API responses.

use axum::extract::rejection::PathRejection;
use axum::extract::{FromRequest, OptionalFromRequest, Path, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use latchkey_core::protocol::json::{self, Unreadable};
use latchkey_core::protocol::user_id::UserId;
use latchkey_core::{Error, ErrorCode};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::members;
use super::problem::Problem;
use crate::body_limit;

/// Extractor for a request body that is a JSON object. The types that are read from it have no
/// nested structs.
pub(crate) struct Body<T>(pub(crate) T);

impl<T: DeserializeOwned, S: Sync> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let kind = request.headers().get(CONTENT_TYPE);
        let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let is_json = kind.split(';').next().map(str::trim);
        if !is_json.is_some_and(|kind| kind.eq_ignore_ascii_case("application/json")) {
            return Err(Problem::of(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "The body must be JSON, and the header Content-Type must say so.",
            ));
        }
        let (_, bytes) = body_limit::read(request).await?;
        // Refuses duplicate members and deep nesting, as in a code.
        let value = json::parse_exact(&bytes).map_err(|reason| match &reason {
            Unreadable::NoJson(_) => {
                let message = format!("The body cannot be read: {reason}. Send a JSON object.");
                Problem::of(StatusCode::BAD_REQUEST, &message)
            }
            Unreadable::InexactNumber(_) => not_expected(&format!("In the body, {reason}.")),
        })?;
        let Value::Object(members) = value else {
            return Err(not_expected("The body is not a JSON object. Send one."));
        };
        members::read(members)
            .map(Self)
            .map_err(|wrong| match wrong.member() {
                Some(member) => not_expected(&wrong.to_string()).about(member),
                None => not_expected(&wrong.to_string()),
            })
    }
}

impl<T: DeserializeOwned, S: Sync> OptionalFromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Option<Self>, Problem> {
        let (head, bytes) = body_limit::read(request).await?;
        if bytes.is_empty() {
            return Ok(None);
        }
        let request = Request::from_parts(head, bytes.into());
        <Self as FromRequest<S>>::from_request(request, state)
            .await
            .map(Some)
    }
}

/// Returns the problem for a body that is valid JSON of another form than expected.
fn not_expected(message: &str) -> Problem {
    Problem::of(StatusCode::UNPROCESSABLE_ENTITY, message)
}

/// Deserializes a member that is present. `null` becomes `Some(None)`, and a missing member stays
/// `None`.
pub(crate) fn some<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// Returns the user ID in a path. Fails with 404 if no user can have this ID.
pub(crate) fn user_in(path: Result<Path<String>, PathRejection>) -> Result<UserId, Problem> {
    let unknown = || {
        Problem::of(StatusCode::NOT_FOUND, "There is no such user.").code(ErrorCode::UnknownUser)
    };
    let Path(id) = path.map_err(|_| unknown())?;
    UserId::parse(&id, "id").map_err(|_: Error| unknown())
}

/// Returns a JSON response.
pub(crate) fn answer(
    status: StatusCode,
    body: &impl serde::Serialize,
) -> Result<Response, Problem> {
    let body = serde_json::to_string(body).map_err(|cause| {
        tracing::error!(%cause, "an answer cannot be written");
        Problem::of(
            StatusCode::INTERNAL_SERVER_ERROR,
            "The response cannot be written.",
        )
    })?;
    let kind = HeaderValue::from_static("application/json");
    Ok((status, [(CONTENT_TYPE, kind)], body).into_response())
}
