//! Queries of lists.

use axum::extract::rejection::QueryRejection;
use axum::http::StatusCode;
use latchkey_core::{Error, ErrorCode};

use super::refused::Refused;
use crate::api::problem::Problem;

/// Returns the problem for a query that cannot be read.
pub(super) fn bad_query(cause: &QueryRejection) -> Problem {
    Problem::of(StatusCode::BAD_REQUEST, &format!("{}.", cause.body_text()))
}

/// Returns the number of rows to return. Fails unless it is between 1 and the maximum.
pub(super) fn page_size(limit: Option<u32>, maximum: u32) -> Result<usize, Refused> {
    let limit = limit.unwrap_or(maximum);
    if limit == 0 || limit > maximum {
        let message = format!("A page has from 1 to {maximum} rows.");
        return Err(Error::new(ErrorCode::TooMany, message)
            .about("limit")
            .into());
    }
    Ok(usize::try_from(limit).unwrap_or(usize::MAX))
}
