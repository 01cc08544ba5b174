use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::protocol::lifetime::Lifetime;

/// Retention of the activity and the ledger of an instance that is hosted here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(default)]
pub struct Retention {
    /// Maximum age of entries. 365 days by default.
    #[cfg_attr(feature = "ts", ts(as = "String"))]
    #[schema(required, value_type = String, example = "365 days")]
    pub age: Lifetime,
    /// Maximum number of refusals. The latest are kept. 100,000 by default.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    #[schema(required)]
    pub refusals: u64,
    /// Maximum time since a link in the ledger stopped working. 365 days by default. A link whose
    /// code has not expired stays in the ledger.
    #[cfg_attr(feature = "ts", ts(as = "String"))]
    #[schema(required, value_type = String, example = "365 days")]
    pub links: Lifetime,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            age: Lifetime::Secs(365 * 86_400),
            refusals: 100_000,
            links: Lifetime::Secs(365 * 86_400),
        }
    }
}
