//! Queries of lists.

use latchkey_core::{Error, ErrorCode};

use super::refused::Refused;

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

/// Returns the position at which a page begins. Fails for a negative number.
pub(super) fn position(number: i64, field: &str) -> Result<u64, Refused> {
    u64::try_from(number).map_err(|_| {
        let message = format!("'{field}' is not a negative number.");
        Error::new(ErrorCode::InvalidCursor, message)
            .about(field)
            .into()
    })
}
