use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use latchkey_core::{Error, ErrorCode};

use crate::api::problem::Problem;

/// A refused request of an administrator, who is told the reason of every error.
#[derive(Debug)]
pub(super) struct Refused(Problem);

impl From<Problem> for Refused {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        let status = match error.code {
            ErrorCode::KeyRefused => StatusCode::UNAUTHORIZED,
            ErrorCode::UnknownUser
            | ErrorCode::UnknownSession
            | ErrorCode::UnknownApiKey
            | ErrorCode::UnknownSigningKey
            | ErrorCode::UnknownLink
            | ErrorCode::UnknownRequest => StatusCode::NOT_FOUND,
            ErrorCode::UserExists
            | ErrorCode::UserChanged
            | ErrorCode::UserEnded
            | ErrorCode::NotCopyable
            | ErrorCode::EmailInUse
            | ErrorCode::NoSeats
            | ErrorCode::InstanceExists
            | ErrorCode::HostedElsewhere
            | ErrorCode::NoSigningKey
            | ErrorCode::KeysLocked
            | ErrorCode::KeysMissing
            | ErrorCode::DirectoryHeld => StatusCode::CONFLICT,
            ErrorCode::InvalidRequest
            | ErrorCode::InvalidPayload
            | ErrorCode::AmbiguousPayload
            | ErrorCode::InvalidSetting
            | ErrorCode::InvalidUrl
            | ErrorCode::InvalidLifetime
            | ErrorCode::InvalidTime
            | ErrorCode::InvalidSecret
            | ErrorCode::EmptySecret
            | ErrorCode::WeakSecret
            | ErrorCode::CodeTooLong
            | ErrorCode::NoCode
            | ErrorCode::InvalidCursor
            | ErrorCode::InvalidImport
            | ErrorCode::TooMany => StatusCode::UNPROCESSABLE_ENTITY,
            ErrorCode::InputTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            ErrorCode::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            _ => StatusCode::SERVICE_UNAVAILABLE,
        };
        if status.is_server_error() {
            tracing::error!(error = %error.logged(), "a request of an administrator failed");
        }
        Self(Problem::of_error(status, named_as_in_requests(error)))
    }
}

/// Names a field of core as the requests about users do, in which a user is not a member.
fn named_as_in_requests(error: Error) -> Error {
    match error.code {
        ErrorCode::UserExists | ErrorCode::EmailInUse => error.about_user(),
        _ => error,
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        self.0.into_response()
    }
}
