//! Error pages, and problem details for programs.

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

/// Response to a refused or failed request: a page, or problem details (RFC 9457) if the client
/// asks for JSON.
pub(crate) struct ErrorPage {
    status: StatusCode,
    title: &'static str,
    sentence: String,
    /// Whether the page has a button to ask for a new link.
    offers_new_link: bool,
    line: LogLine,
}

/// Log line about a refusal. The response carries it to [`middleware`](crate::middleware), which
/// knows the visitor's address and writes the line in the span of the request.
#[derive(Clone, Debug)]
pub(crate) enum LogLine {
    /// A code was refused.
    Code(&'static str),
    /// The request was wrong.
    Request(StatusCode, String),
    /// A request of the API was refused.
    Api(ApiRefusal),
    /// The gateway has failed.
    Failure(String),
}

/// Refusal of a request of the API, without any text of the request.
#[derive(Clone, Debug)]
pub(crate) struct ApiRefusal {
    pub(crate) status: StatusCode,
    /// Stable error code, if a rule was broken.
    pub(crate) code: Option<String>,
    /// Method and route, such as `GET /api/v2/users/{id}`. `None` for an unknown path.
    pub(crate) request: Option<String>,
}

impl LogLine {
    pub(crate) fn write(&self) {
        match self {
            Self::Code(verdict) => tracing::info!(verdict, "refused"),
            Self::Request(status, sentence) => {
                tracing::info!(status = status.as_u16(), "{sentence}");
            }
            Self::Api(refusal) => {
                let ApiRefusal {
                    status,
                    code,
                    request,
                } = refusal;
                let (status, code, request) =
                    (status.as_u16(), code.as_deref(), request.as_deref());
                tracing::info!(status, code, request, "a request of the API was refused");
            }
            Self::Failure(causes) => tracing::error!("{causes}"),
        }
    }
}

impl ErrorPage {
    /// Returns the page for a refused code. It hides the reason, which the administrator finds by
    /// the reference.
    pub(crate) fn code(refusal: &Refusal) -> Self {
        let status = match refusal {
            Refusal::Code(CodeRefusal::Expired { .. })
            | Refusal::LinkAlreadyUsed
            | Refusal::LinkRevoked
            | Refusal::LinkSuperseded => StatusCode::GONE,
            _ => StatusCode::FORBIDDEN,
        };
        let line = LogLine::Code(refusal.code());
        Self::with(status, refusal.for_visitor(), line)
    }

    /// Returns the page for an error of the gateway.
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

    /// Returns the page for a wrong request. The log names it by the reference.
    pub(crate) fn new(status: StatusCode, sentence: &str) -> Self {
        let line = LogLine::Request(status, sentence.to_owned());
        Self::with(status, sentence, line)
    }

    fn with(status: StatusCode, sentence: &str, line: LogLine) -> Self {
        Self {
            status,
            title: title(status),
            sentence: sentence.to_owned(),
            offers_new_link: false,
            line,
        }
    }

    /// Adds a button to ask for a new link. Its form is sent to the link itself.
    pub(crate) fn offering_new_link(self) -> Self {
        Self {
            offers_new_link: true,
            ..self
        }
    }

    /// Converts the page to a response: HTML, or problem details (RFC 9457) if the client asks for
    /// JSON.
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
        let page = pages::refused(
            config,
            self.title,
            &self.sentence,
            self.offers_new_link,
            &reference,
        );
        (self.status, line, page).into_response()
    }
}

/// Returns the title of the page for a status. It reveals no more than the status does.
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

/// Returns whether the client accepts JSON and not HTML.
fn wants_json(headers: &HeaderMap) -> bool {
    let accept = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok());
    accept.is_some_and(|accept| accept.contains("json") && !accept.contains("html"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_internal_error_has_another_status_than_a_failing_disk() {
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
