//! Answers that say no.

use axum::Extension;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use latchkey_core::protocol::code::CodeRefusal;
use latchkey_core::verdict::Refusal;
use latchkey_core::{Error, ErrorCode};
use serde_json::json;

use crate::config::GatewayConfig;
use crate::pages;
use crate::request_scope::reference;

/// Answer to a refused or failed request: a page, or a problem (RFC 9457) for programs that ask for JSON.
pub(crate) struct ErrorPage {
    status: StatusCode,
    title: &'static str,
    sentence: String,
    line: LogLine,
}

/// Log line about a refusal. The answer carries it to [`middleware`](crate::middleware), which knows the visitor's
/// address and writes the line in the request's span.
#[derive(Clone, Debug)]
pub(crate) enum LogLine {
    /// A code was refused.
    Code(&'static str),
    /// Something was asked for in a wrong way.
    Request(StatusCode, String),
    /// Something does not work here.
    Failure(String),
}

impl LogLine {
    pub(crate) fn write(&self) {
        match self {
            Self::Code(verdict) => tracing::info!(verdict, "refused"),
            Self::Request(status, sentence) => {
                tracing::info!(status = status.as_u16(), "{sentence}");
            }
            Self::Failure(causes) => tracing::error!("{causes}"),
        }
    }
}

impl ErrorPage {
    /// A code was refused. The reason is for the administrator alone, who finds it by the reference.
    pub(crate) fn code(refusal: &Refusal) -> Self {
        let status = match refusal {
            Refusal::Code(CodeRefusal::Expired { .. })
            | Refusal::LinkAlreadyUsed
            | Refusal::LinkRevoked => StatusCode::GONE,
            _ => StatusCode::FORBIDDEN,
        };
        let line = LogLine::Code(refusal.code());
        Self::with(status, refusal.for_visitor(), line)
    }

    /// Something does not work here.
    pub(crate) fn failure(error: &Error) -> Self {
        let line = LogLine::Failure(error.logged().to_string());
        let status = StatusCode::SERVICE_UNAVAILABLE;
        if error.code == ErrorCode::HostedElsewhere {
            let sentence = "Nobody signs in here any more. Ask whoever gave you your link for a new one, or open the application's own page.";
            let mut refused = Self::with(status, sentence, line);
            refused.title = "Sign in somewhere else";
            return refused;
        }
        if error.code == ErrorCode::Internal {
            let sentence = "Something went wrong here. Try again in a few minutes.";
            let status = StatusCode::INTERNAL_SERVER_ERROR;
            return Self::with(status, sentence, line);
        }
        let sentence = "Signing in does not work at the moment. Try again in a few minutes.";
        Self::with(status, sentence, line)
    }

    /// What was asked for is not there, or was asked for in a wrong way. The log has it by its reference.
    pub(crate) fn new(status: StatusCode, sentence: &str) -> Self {
        let line = LogLine::Request(status, sentence.to_owned());
        Self::with(status, sentence, line)
    }

    fn with(status: StatusCode, sentence: &str, line: LogLine) -> Self {
        Self {
            status,
            title: title(status),
            sentence: sentence.to_owned(),
            line,
        }
    }

    /// A page, or for programs that ask for it a problem (RFC 9457).
    pub(crate) fn answer(&self, config: Option<&GatewayConfig>, headers: &HeaderMap) -> Response {
        let line = Extension(self.line.clone());
        let reference = reference().to_string();
        if wants_json(headers) {
            let body = json!({
                "type": "about:blank",
                "title": self.status.canonical_reason(),
                "status": self.status.as_u16(),
                "detail": self.sentence,
                "reference": reference,
            });
            let kind = HeaderValue::from_static("application/problem+json");
            let kind = [(CONTENT_TYPE, kind)];
            return (self.status, line, kind, body.to_string()).into_response();
        }
        let page = pages::refused(config, self.title, &self.sentence, &reference);
        (self.status, line, page).into_response()
    }
}

/// The title of a page that refuses. It says no more than the status does.
fn title(status: StatusCode) -> &'static str {
    match status {
        StatusCode::FORBIDDEN => "Not let in",
        StatusCode::NOT_FOUND => "Page not found",
        StatusCode::METHOD_NOT_ALLOWED => "Not possible on this page",
        StatusCode::GONE => "Link no longer works",
        StatusCode::TOO_MANY_REQUESTS => "Too many attempts",
        StatusCode::REQUEST_TIMEOUT => "Took too long",
        StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => "Request too large",
        StatusCode::INTERNAL_SERVER_ERROR => "Something went wrong",
        StatusCode::SERVICE_UNAVAILABLE => "Not available at the moment",
        _ => "Request not understood",
    }
}

/// Whether JSON is asked for and a page is not.
fn wants_json(headers: &HeaderMap) -> bool {
    let accept = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok());
    accept.is_some_and(|accept| accept.contains("json") && !accept.contains("html"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_inside_is_told_from_one_of_the_disk() {
        let status = |error: Error| {
            let answer = ErrorPage::failure(&error).answer(None, &HeaderMap::new());
            answer.status()
        };
        assert_eq!(status(Error::internal("a panic")), 500);
        assert_eq!(
            status(Error::new(ErrorCode::Storage, "The disk is full.")),
            503
        );
    }
}
