//! Answers that say no.

use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use latchkey_core::Error;
use latchkey_core::activity::Reference;
use latchkey_core::code::CodeRefusal;
use latchkey_core::verdict::Refusal;
use serde_json::json;

use crate::gateway::Hosted;
use crate::pages;

/// What a visitor is told who is not let in.
pub(crate) struct Refused {
    status: StatusCode,
    sentence: String,
    reference: Reference,
}

impl Refused {
    /// A code was refused. The reason is for the administrator alone, who finds it by the reference.
    pub(crate) fn code(refusal: &Refusal, reference: Reference) -> Self {
        let status = match refusal {
            Refusal::Code(CodeRefusal::Expired { .. })
            | Refusal::LinkAlreadyUsed
            | Refusal::LinkRevoked => StatusCode::GONE,
            _ => StatusCode::FORBIDDEN,
        };
        tracing::info!(verdict = refusal.code(), %reference, "refused");
        Self {
            status,
            sentence: refusal.for_visitor().to_owned(),
            reference,
        }
    }

    /// Something does not work here.
    pub(crate) fn failure(error: &Error) -> Self {
        let reference = Reference::random();
        tracing::error!(error = ?error, %reference, "failed");
        Self {
            status: StatusCode::SERVICE_UNAVAILABLE,
            sentence: "Signing in does not work at the moment. Try again in a few minutes."
                .to_owned(),
            reference,
        }
    }

    /// What was asked for is not there, or was asked for in a wrong way. The log has it by its reference.
    pub(crate) fn new(status: StatusCode, sentence: &str) -> Self {
        let reference = Reference::random();
        tracing::info!(status = status.as_u16(), %reference, "{sentence}");
        Self {
            status,
            sentence: sentence.to_owned(),
            reference,
        }
    }

    /// A page, or for programs that ask for it a problem (RFC 9457).
    pub(crate) fn answer(&self, hosted: Option<&Hosted>, headers: &HeaderMap) -> Response {
        if wants_json(headers) {
            let body = json!({
                "type": "about:blank",
                "title": self.status.canonical_reason(),
                "status": self.status.as_u16(),
                "detail": self.sentence,
                "reference": self.reference.to_string(),
            });
            let kind = HeaderValue::from_static("application/problem+json");
            return (self.status, [(CONTENT_TYPE, kind)], body.to_string()).into_response();
        }
        let reference = self.reference.to_string();
        let page = pages::refused(hosted, title(self.status), &self.sentence, &reference);
        (self.status, page).into_response()
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
        StatusCode::SERVICE_UNAVAILABLE => "Not available at the moment",
        _ => "Request not understood",
    }
}

/// Whether JSON is asked for and a page is not.
fn wants_json(headers: &HeaderMap) -> bool {
    let accept = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok());
    accept.is_some_and(|accept| accept.contains("json") && !accept.contains("html"))
}
