//! Revoking links of an application that decides itself who signs in.

use serde::Serialize;

use super::revocation::Revocation;
use crate::instance::{Hosted, Settings};
use crate::{Error, ErrorCode, Result};

/// Ways to stop links at an application that does not know the ledger, in sentences without a full
/// stop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct StopsElsewhere {
    /// Reason why revoked links still work.
    pub reason: String,
    /// Way to stop the links of a person at the application.
    pub of_person: String,
    /// Way to stop the links of everybody at the application.
    pub of_everybody: String,
}

impl StopsElsewhere {
    /// Returns the ways to stop links of an instance. `None` if revoked links stop by themselves.
    #[must_use]
    pub fn of(settings: &Settings) -> Option<Self> {
        (settings.hosted == Hosted::Elsewhere).then(|| Self {
            reason: format!(
                "{} decides who signs in and does not know this list, so the codes still work there",
                settings.url.authority()
            ),
            of_person: "To stop the links of one person, except those that create the person, remove the person there".into(),
            of_everybody: "To stop all links of everybody, change the secret there, and then here".into(),
        })
    }
}

impl Revocation {
    /// Checks that an instance can do what is asked.
    ///
    /// Fails with [`ErrorCode::HostedElsewhere`] if sessions shall end that an application elsewhere
    /// has.
    pub fn require_possible(&self, settings: &Settings) -> Result<()> {
        if settings.hosted == Hosted::Elsewhere && self.ends_sessions {
            let message = format!(
                "Sessions are at {}, and do not end with their links there.",
                settings.url.authority()
            );
            return Err(Error::new(ErrorCode::HostedElsewhere, message).about("end_sessions"));
        }
        Ok(())
    }
}
