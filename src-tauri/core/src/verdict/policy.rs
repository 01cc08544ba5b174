use serde::{Deserialize, Serialize};

/// The rules of an instance that is hosted here.
#[expect(clippy::struct_excessive_bools, reason = "four independent switches")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct Policy {
    /// Off: every code is refused. On by default.
    pub external_auth: bool,
    /// Refuse codes without `exp`. Off by default.
    pub require_expiry: bool,
    /// Create users whom a code names for the first time. On by default.
    pub provisioning: bool,
    /// Take a returning user's e-mail and metadata from a newer code. On by default.
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
