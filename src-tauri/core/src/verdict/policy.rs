//! The settings of an instance that a verdict depends on.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Rules of an instance that is hosted here.
#[expect(clippy::struct_excessive_bools, reason = "four independent switches")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Policy {
    /// Whether codes are accepted at all. On by default.
    pub external_auth: bool,
    /// Whether codes without `exp` are refused. Off by default.
    pub require_expiry: bool,
    /// Whether a code for a new user creates the user. On by default.
    pub provisioning: bool,
    /// Whether a newer code updates the address and the metadata of a returning user. On by
    /// default.
    pub refresh_profile: bool,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            external_auth: true,
            require_expiry: false,
            provisioning: true,
            refresh_profile: true,
        }
    }
}
