//! Maximum size of a request body.

use std::error::Error as _;

use axum::body::{Bytes, to_bytes};
use axum::extract::{DefaultBodyLimit, Request};
use axum::http::StatusCode;
use axum::http::request::Parts;
use http_body_util::LengthLimitError;

use crate::api::problem::Problem;

/// Maximum size of the body of a request, in KiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct BodyLimit {
    pub(crate) kib: usize,
}

/// Limit of the requests of visitors and of other systems.
pub(crate) const USUAL: BodyLimit = BodyLimit { kib: 16 };

impl BodyLimit {
    /// Sets the limit of a request.
    pub(crate) fn apply(self, request: &mut Request) {
        DefaultBodyLimit::max(self.bytes()).apply(request);
        request.extensions_mut().insert(self);
    }

    const fn bytes(self) -> usize {
        self.kib * 1024
    }
}

/// Reads the body of a request up to the limit of the request.
///
/// Fails with 413 for a longer body, and with 400 for one that ends too early.
pub(crate) async fn read(request: Request) -> Result<(Parts, Bytes), Problem> {
    let (head, body) = request.into_parts();
    let limit = head.extensions.get().copied().unwrap_or(USUAL);
    let read = to_bytes(body, limit.bytes()).await.map_err(|cause| {
        let is_too_long = matches!(cause.source(), Some(source) if source.is::<LengthLimitError>());
        if is_too_long {
            let message = format!(
                "The body is longer than {} KiB, the maximum here.",
                limit.kib
            );
            Problem::of(StatusCode::PAYLOAD_TOO_LARGE, &message)
        } else {
            Problem::of(
                StatusCode::BAD_REQUEST,
                "The body is incomplete. Send the request again.",
            )
        }
    });
    Ok((head, read?))
}
