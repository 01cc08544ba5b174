//! Number of sign-ins for which a code works.

use serde::{Deserialize, Serialize};

use crate::{Error, ErrorCode, Result};

/// Maximum number of uses of a code with a limit.
pub const MAX_USES: u16 = 1000;

/// Number of sign-ins for which a code works. In JSON it is a number, or `null` without a limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Uses(Option<u16>);

impl Uses {
    /// The code works any number of times until it expires.
    pub const UNLIMITED: Self = Self(None);
    /// The first sign-in uses the code up.
    pub const ONCE: Self = Self(Some(1));

    /// Returns a limit. `None` unless it is from 1 to [`MAX_USES`].
    #[must_use]
    pub fn limited(uses: u64) -> Option<Self> {
        let uses = u16::try_from(uses).ok()?;
        (1..=MAX_USES).contains(&uses).then_some(Self(Some(uses)))
    }

    /// Parses a number that an administrator has entered. `None` sets no limit.
    ///
    /// Fails with [`ErrorCode::InvalidPayload`] about `field`.
    pub fn parse(uses: Option<u64>, field: &str) -> Result<Self> {
        let Some(uses) = uses else {
            return Ok(Self::UNLIMITED);
        };
        Self::limited(uses).ok_or_else(|| {
            let message = format!("A link works from 1 to {MAX_USES} times, or without a limit.");
            Error::new(ErrorCode::InvalidPayload, message).about(field)
        })
    }

    /// Returns the maximum number of sign-ins. `None` if there is none.
    #[must_use]
    pub fn limit(self) -> Option<u64> {
        self.0.map(u64::from)
    }

    /// Returns whether the number of sign-ins is limited.
    #[must_use]
    pub const fn is_limited(self) -> bool {
        self.0.is_some()
    }

    /// Returns the number of sign-ins that are left after a number of them. `None` without a limit.
    #[must_use]
    pub fn left_after(self, used: u64) -> Option<u64> {
        self.limit().map(|limit| limit.saturating_sub(used))
    }

    /// Returns the smaller one of two numbers of sign-ins.
    #[must_use]
    pub fn min(self, other: Self) -> Self {
        match (self.0, other.0) {
            (Some(one), Some(two)) => Self(Some(one.min(two))),
            (one, two) => Self(one.or(two)),
        }
    }

    /// Returns whether a number of sign-ins has used the code up.
    #[must_use]
    pub fn are_spent_by(self, used: u64) -> bool {
        self.limit().is_some_and(|limit| used >= limit)
    }
}
