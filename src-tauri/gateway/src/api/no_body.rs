//! Requests that take no body.

use axum::body::Body;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::Response;
use hyper::body::Body as _;
use latchkey_core::protocol::json;
use serde_json::Value;

use super::problem::Problem;
use crate::body_limit;

/// Refuses a request with a body, because what the client asks for in it would not be done. Some
/// clients send an empty object in place of nothing.
pub(crate) async fn require_no_body(request: Request, next: Next) -> Result<Response, Problem> {
    if request.body().is_end_stream() {
        return Ok(next.run(request).await);
    }
    let (head, bytes) = body_limit::read(request).await?;
    if !is_nothing(&bytes) {
        return Err(Problem::of(
            StatusCode::UNPROCESSABLE_ENTITY,
            "This request takes no body. Nothing was changed. Send it without one.",
        ));
    }
    Ok(next.run(Request::from_parts(head, Body::empty())).await)
}

/// Returns whether a body asks for nothing.
fn is_nothing(body: &[u8]) -> bool {
    body.trim_ascii().is_empty()
        || matches!(json::parse_exact(body), Ok(Value::Object(members)) if members.is_empty())
}
