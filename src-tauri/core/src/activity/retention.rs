use serde::{Deserialize, Serialize};

use crate::protocol::lifetime::Lifetime;

/// How much of its activity an instance keeps that is hosted here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(default)]
pub struct Retention {
    /// Age up to which entries are kept. 365 days by default.
    #[cfg_attr(feature = "ts", ts(as = "String"))]
    pub age: Lifetime,
    /// Maximum number of refusals that are kept, the latest ones. 100,000 by default.
    #[cfg_attr(feature = "ts", ts(type = "number"))]
    pub refusals: u64,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            age: Lifetime::Secs(365 * 86_400),
            refusals: 100_000,
        }
    }
}
