//! Cutoffs: moments before which links do not work any more.

use serde::{Deserialize, Serialize};

use super::terms::LinkTerms;
use crate::time;

/// A moment before which links do not work any more.
///
/// The order of links that Latchkey has given out is known by the numbers of their changes. Other
/// codes are compared by `iat`. The clock of their issuer may be a minute ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cutoff {
    /// Time of the command, in Unix seconds.
    pub at: i64,
    /// Only links that were issued before this time, in Unix seconds. `None` for all links until
    /// the command.
    pub before: Option<i64>,
    /// Number of the change.
    pub change: u64,
    /// Whether sessions that such a link began end with it.
    pub ends_sessions: bool,
}

impl Cutoff {
    /// Returns whether a link is before the moment.
    #[must_use]
    pub fn covers(&self, link: &LinkTerms<'_>) -> bool {
        let issued_at = link.issued_at;
        if let Some(change) = link.taken_in {
            let is_earlier = |before| issued_at.is_none_or(|at| at < before);
            return change < self.change && self.before.is_none_or(is_earlier);
        }
        let moment = self.before.unwrap_or(self.at);
        !issued_at.is_some_and(|at| time::is_surely_after(at, moment))
    }

    /// Returns the later of two cutoffs. Both end sessions if either does.
    #[must_use]
    pub fn merged(self, earlier: Option<Self>) -> Self {
        let Some(earlier) = earlier else {
            return self;
        };
        let covers_more = match (self.before, earlier.before) {
            (None, _) => true,
            (Some(new), Some(old)) => new >= old,
            (Some(_), None) => false,
        };
        Self {
            ends_sessions: self.ends_sessions || earlier.ends_sessions,
            ..if covers_more { self } else { earlier }
        }
    }
}

/// Cutoffs for the links of a person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonCutoffs {
    /// Links that were revoked.
    pub revoked: Option<Cutoff>,
    /// Links that a later link has replaced.
    pub superseded: Option<Cutoff>,
}

impl PersonCutoffs {
    /// Returns whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.revoked.is_none() && self.superseded.is_none()
    }
}

/// Cutoffs for the links of the instance.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InstanceCutoffs {
    /// Links that were revoked by their time.
    pub revoked: Option<Cutoff>,
    /// Links that were revoked with the key that signed them, by the ID of the key.
    pub keys: Vec<(String, Cutoff)>,
    /// Whether any link was revoked with the sessions that it began. Until then, no session needs
    /// to be compared with its link.
    pub any_ends_sessions: bool,
}

impl InstanceCutoffs {
    /// Returns the cutoff of a signing key.
    #[must_use]
    pub fn of_key(&self, key: &str) -> Option<Cutoff> {
        let found = self.keys.iter().find(|(known, _)| known == key);
        found.map(|(_, cutoff)| *cutoff)
    }
}
