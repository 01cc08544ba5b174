//! State of a link in the ledger, judged from its record and the cutoffs.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::cutoff::{Cutoff, InstanceCutoffs, PersonCutoffs};
use super::issued_link::IssuedLink;
use super::new_link_request::REQUEST_SECS;
use super::terms::LinkTerms;
use crate::protocol::code::LEEWAY_SECS;
use crate::session::{REPEAT_SECS, Session, SessionRules};

/// State of a link in the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum LinkStatus {
    /// It works, and nobody has signed in by it.
    NotUsed,
    /// It works, and somebody has signed in by it.
    InUse,
    /// It has no uses left.
    UsedUp,
    /// Its time is over.
    Expired,
    /// The administrator has taken it back.
    Revoked,
    /// A later link of the same person has replaced it.
    Superseded,
}

impl LinkStatus {
    /// All states.
    pub const ALL: [Self; 6] = [
        Self::NotUsed,
        Self::InUse,
        Self::UsedUp,
        Self::Expired,
        Self::Revoked,
        Self::Superseded,
    ];

    /// Returns the stable name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NotUsed => "not_used",
            Self::InUse => "in_use",
            Self::UsedUp => "used_up",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
            Self::Superseded => "superseded",
        }
    }

    /// Returns the state in words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::NotUsed => "not used",
            Self::InUse => "in use",
            Self::UsedUp => "used up",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
            Self::Superseded => "superseded",
        }
    }

    /// Returns whether the link still signs in.
    #[must_use]
    pub const fn works(self) -> bool {
        matches!(self, Self::NotUsed | Self::InUse)
    }
}

/// State of a link, with the time of its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// State.
    pub status: LinkStatus,
    /// Time when the link stopped working, in Unix seconds. `None` if it works, or if the time is
    /// not known.
    pub ended_at: Option<i64>,
    /// Whether sessions that the link began ended with it.
    pub ends_sessions: bool,
}

impl Standing {
    /// Returns how a link was revoked or superseded. `None` if it was neither.
    #[must_use]
    pub fn taken_back(
        link: &LinkTerms<'_>,
        person: &PersonCutoffs,
        instance: &InstanceCutoffs,
    ) -> Option<Self> {
        let covers = |cutoff: &Cutoff| cutoff.covers(link);
        let revoked = [
            person.revoked,
            instance.revoked,
            link.key.and_then(|key| instance.of_key(key)),
        ];
        let by_itself = link.revoked_at;
        let by_itself = by_itself.map(|at| (at, link.revoked_ends_sessions));
        let cutoffs = revoked
            .into_iter()
            .flatten()
            .filter(covers)
            .map(|cutoff| (cutoff.at, cutoff.ends_sessions));
        let all = by_itself.into_iter().chain(cutoffs);
        let revoked = all.reduce(|(a, ends), (b, also)| (a.min(b), ends || also));
        let (status, (at, ends_sessions)) = if let Some(revoked) = revoked {
            (LinkStatus::Revoked, revoked)
        } else {
            let cutoff = person.superseded.filter(covers)?;
            (LinkStatus::Superseded, (cutoff.at, cutoff.ends_sessions))
        };
        Some(Self {
            status,
            ended_at: Some(at).filter(|at| *at > 0),
            ends_sessions,
        })
    }

    /// Returns whether a session has ended with its link. A link that is not in the ledger any more
    /// was issued before the session began.
    #[must_use]
    pub fn ends(
        session: &Session,
        link: Option<&IssuedLink>,
        person: &PersonCutoffs,
        instance: &InstanceCutoffs,
    ) -> bool {
        let began = Some(session.created_at.saturating_sub(LEEWAY_SECS));
        let terms = link.map_or_else(|| LinkTerms::unknown(began), IssuedLink::terms);
        let taken_back = Self::taken_back(&terms, person, instance);
        taken_back.is_some_and(|standing| standing.ends_sessions)
    }

    /// Returns what became of a link in the ledger.
    #[must_use]
    pub fn of(
        link: &LinkTerms<'_>,
        person: &PersonCutoffs,
        instance: &InstanceCutoffs,
        now: i64,
    ) -> Self {
        if let Some(taken_back) = Self::taken_back(link, person, instance) {
            return taken_back;
        }
        let (status, ended_at) = if link.uses.are_spent_by(link.used) {
            (LinkStatus::UsedUp, link.last_use)
        } else if link.over_at().is_some_and(|at| now >= at) {
            (LinkStatus::Expired, link.expires_at)
        } else if link.used > 0 {
            (LinkStatus::InUse, None)
        } else {
            (LinkStatus::NotUsed, None)
        };
        Self {
            status,
            ended_at,
            ends_sessions: false,
        }
    }

    /// Returns whether a link stopped working before a time, in Unix seconds, and nothing depends on
    /// its record any more. Without the record, a code would have all its uses again, so the code
    /// must have expired. A link that ends its sessions stays while one of them could go on
    /// otherwise. A revoked link stays while a new one could be asked for with its code.
    ///
    /// A code of another system that never expires can go when its last use was before that time. The
    /// next use enters it again.
    #[must_use]
    pub fn is_prunable(&self, link: &LinkTerms<'_>, ended_before: i64, now: i64) -> bool {
        let (ended_at, is_askable) = match link.over_at() {
            Some(over_at) if now >= over_at => (
                self.ended_at.unwrap_or(over_at),
                now < over_at.saturating_add(REQUEST_SECS),
            ),
            None if link.is_entered_again() => match link.last_use {
                Some(last_use) => (self.ended_at.map_or(last_use, |at| at.max(last_use)), false),
                None => return false,
            },
            Some(_) | None => return false,
        };
        // A browser may repeat the last use, which begins another session.
        let sessions_end = ended_at.saturating_add(SessionRules::LONGEST_SECS + REPEAT_SECS);
        let is_needed =
            (self.ends_sessions && now < sessions_end) || (link.revoked_at.is_some() && is_askable);
        !is_needed && ended_at < ended_before
    }
}
