//! Used and free seats of an instance.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Number of used seats, and of all seats.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Seats {
    /// Number of seats that active users take.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub used: u64,
    /// Number of all seats. `None` for no limit. It may be lower than that of used seats.
    #[cfg_attr(feature = "ts", ts(type = "number | null"))]
    pub limit: Option<u64>,
}

impl Seats {
    /// Returns whether one more user can be active.
    #[must_use]
    pub fn has_free(self) -> bool {
        self.limit.is_none_or(|limit| self.used < limit)
    }
}
