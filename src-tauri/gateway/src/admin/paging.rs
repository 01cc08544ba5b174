//! Queries of lists.

use latchkey_core::paging::PageStart;
use latchkey_core::{Error, ErrorCode};
use serde::de::DeserializeOwned;

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

/// Returns the beginning of a page: after a row of an earlier page, at a row, or the first.
pub(super) fn page_start<By: DeserializeOwned>(
    after: Option<&str>,
    row: Option<i64>,
) -> Result<PageStart<By>, Refused> {
    match (after, row) {
        (Some(_), Some(_)) => {
            let message =
                "A page begins either after an earlier one or at a row. Give 'after' or 'row'.";
            Err(Error::new(ErrorCode::InvalidCursor, message)
                .about("row")
                .into())
        }
        (Some(cursor), None) => Ok(PageStart::After(cursor.parse()?)),
        (None, Some(row)) => Ok(PageStart::Row(position(row, "row")?)),
        (None, None) => Ok(PageStart::First),
    }
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
