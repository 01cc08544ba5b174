//! Responses to refused API requests.

use axum::Extension;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use latchkey_core::{Error, ErrorCode};
use serde::Serialize;
use utoipa::ToSchema;

use crate::error_page::{ApiRefusal, LogLine};
use crate::request_scope::reference;

/// Problem details of a refused request (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ProblemDetails {
    /// `about:blank`, because the status says what kind of problem it is.
    r#type: &'static str,
    /// Reason phrase of the status.
    title: &'static str,
    /// HTTP status.
    status: u16,
    /// Sentence that says what is wrong and what to do.
    detail: String,
    /// Stable error code, such as `email_in_use`. A path that does not exist has none, nor has a 409 to a repeated change.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<ErrorCodeText>,
    /// Member of the request that the problem is about, such as `email`.
    #[serde(skip_serializing_if = "Option::is_none")]
    field: Option<String>,
    /// Reference of the request. The log has a line with it, unless there are too many such lines.
    reference: String,
}

/// Stable error code in snake case.
#[derive(Debug, Serialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String)]
struct ErrorCodeText(ErrorCode);

/// Response to a refused request.
#[derive(Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    details: Box<ProblemDetails>,
    header: Option<(HeaderName, HeaderValue)>,
    /// Message and causes for the log, if the gateway has failed.
    failure: Option<String>,
}

impl Problem {
    pub(crate) fn of(status: StatusCode, detail: &str) -> Self {
        Self {
            status,
            details: Box::new(ProblemDetails {
                r#type: "about:blank",
                title: status.canonical_reason().unwrap_or_default(),
                status: status.as_u16(),
                detail: detail.to_owned(),
                code: usual_code(status).map(ErrorCodeText),
                field: None,
                reference: reference().to_string(),
            }),
            header: None,
            failure: None,
        }
    }

    /// Sets the error code.
    pub(crate) fn code(mut self, code: ErrorCode) -> Self {
        self.details.code = Some(ErrorCodeText(code));
        self
    }

    fn failed(status: StatusCode, detail: &str, error: &Error) -> Self {
        Self {
            failure: Some(error.logged().to_string()),
            ..Self::of(status, detail)
        }
    }

    /// Returns the log line, which the middleware writes.
    fn line(&self) -> LogLine {
        if let Some(failure) = &self.failure {
            return LogLine::Failure(failure.clone());
        }
        let code = self.details.code.as_ref();
        let code = code.and_then(|code| serde_json::to_value(code).ok());
        LogLine::Api(ApiRefusal {
            status: self.status,
            code: code.and_then(|code| code.as_str().map(str::to_owned)),
            request: None,
        })
    }

    /// Sets the member of the request that the problem is about.
    pub(crate) fn about(mut self, member: &str) -> Self {
        self.details.field = Some(member.to_owned());
        self
    }

    /// Returns the problem for an error whose message the client may read.
    pub(crate) fn of_error(status: StatusCode, error: Error) -> Self {
        let mut problem = Self::of(status, &error.message);
        problem.details.code = Some(ErrorCodeText(error.code));
        problem.details.field = error.field;
        problem
    }

    pub(crate) fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.header = Some((name, value));
        self
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let status = match error.code {
            ErrorCode::UnknownUser | ErrorCode::UnknownSession => StatusCode::NOT_FOUND,
            ErrorCode::UserExists | ErrorCode::EmailInUse | ErrorCode::NoSeats => {
                StatusCode::CONFLICT
            }
            ErrorCode::InvalidPayload
            | ErrorCode::AmbiguousPayload
            | ErrorCode::InvalidLifetime
            | ErrorCode::InvalidTime
            | ErrorCode::CodeTooLong
            | ErrorCode::NoCode
            | ErrorCode::InvalidCursor
            | ErrorCode::InvalidImport => StatusCode::UNPROCESSABLE_ENTITY,
            ErrorCode::Internal => {
                return Self::failed(
                    StatusCode::INTERNAL_SERVER_ERROR,
                    "Something went wrong here. Try again in a few minutes.",
                    &error,
                );
            }
            _ => {
                return Self::failed(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "This does not work at the moment. Nothing was changed.",
                    &error,
                );
            }
        };
        let mut problem = Self::of(status, &error.message);
        problem.details.code = Some(ErrorCodeText(error.code));
        problem.details.field = error.field.map(|field| member(error.code, field));
        problem
    }
}

/// Returns the error code of most problems with a status.
fn usual_code(status: StatusCode) -> Option<ErrorCode> {
    match status {
        StatusCode::BAD_REQUEST
        | StatusCode::METHOD_NOT_ALLOWED
        | StatusCode::PAYLOAD_TOO_LARGE
        | StatusCode::UNSUPPORTED_MEDIA_TYPE
        | StatusCode::UNPROCESSABLE_ENTITY => Some(ErrorCode::InvalidRequest),
        StatusCode::UNAUTHORIZED => Some(ErrorCode::KeyRefused),
        StatusCode::REQUEST_TIMEOUT
        | StatusCode::TOO_MANY_REQUESTS
        | StatusCode::SERVICE_UNAVAILABLE => Some(ErrorCode::Busy),
        StatusCode::INTERNAL_SERVER_ERROR => Some(ErrorCode::Internal),
        _ => None,
    }
}

/// Returns the name that the API has for a field of core.
fn member(code: ErrorCode, field: String) -> String {
    match (code, field.as_str()) {
        // These errors are about a user that the request adds or changes, so the field is a member
        // of the request.
        (ErrorCode::UserExists | ErrorCode::EmailInUse, _) => {
            field.trim_start_matches("user.").to_owned()
        }
        _ => field,
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = serde_json::to_string(&self.details).unwrap_or_default();
        let kind = HeaderValue::from_static("application/problem+json");
        let line = Extension(self.line());
        let mut answer = (self.status, line, [(CONTENT_TYPE, kind)], body).into_response();
        if let Some((name, value)) = self.header {
            answer.headers_mut().insert(name, value);
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request_scope::in_request_scope;

    #[tokio::test]
    async fn a_problem_has_the_reference_of_its_request() {
        let (problem, of_request) = in_request_scope(async {
            let problem = Problem::from(Error::internal("a panic"));
            (problem, reference().to_string())
        })
        .await;
        assert_eq!(problem.details.reference, of_request);
    }

    #[test]
    fn an_internal_error_has_another_status_than_a_failing_disk() {
        let status = |error: Error| Problem::from(error).into_response().status();
        assert_eq!(status(Error::internal("a panic")), 500);
        assert_eq!(
            status(Error::new(ErrorCode::Storage, "The disk is full.")),
            503
        );
    }
}
