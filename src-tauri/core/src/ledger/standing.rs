//! What became of a link.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::cutoff::{Cutoff, InstanceCutoffs, PersonCutoffs};
use super::issued_link::IssuedLink;
use crate::protocol::code::LEEWAY_SECS;
use crate::session::Session;

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

    /// Returns whether the link still signs in.
    #[must_use]
    pub const fn works(self) -> bool {
        matches!(self, Self::NotUsed | Self::InUse)
    }
}

/// What became of a link.
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

/// Returns the cutoff that ended a link.
fn cut_off(
    cutoff: Option<Cutoff>,
    link: Option<&IssuedLink>,
    issued_at: Option<i64>,
) -> Option<Cutoff> {
    cutoff.filter(|cutoff| cutoff.covers(link, issued_at))
}

impl Standing {
    /// Returns whether a link was revoked or superseded. `issued_at` is the time in the code, for a
    /// code that is not in the ledger.
    #[must_use]
    pub fn taken_back(
        link: Option<&IssuedLink>,
        issued_at: Option<i64>,
        person: &PersonCutoffs,
        instance: &InstanceCutoffs,
    ) -> Option<Self> {
        let key = link.and_then(|link| link.key.as_deref());
        let revoked = [
            person.revoked,
            instance.revoked,
            key.and_then(|key| instance.of_key(key)),
        ];
        let by_itself = link.and_then(|link| {
            let at = link.revoked_at?;
            Some((at, link.revoked_ends_sessions))
        });
        let cutoffs = revoked
            .into_iter()
            .filter_map(|cutoff| cut_off(cutoff, link, issued_at))
            .map(|cutoff| (cutoff.at, cutoff.ends_sessions));
        let all = by_itself.into_iter().chain(cutoffs);
        let revoked = all.reduce(|(a, ends), (b, also)| (a.min(b), ends || also));
        let (status, (at, ends_sessions)) = if let Some(revoked) = revoked {
            (LinkStatus::Revoked, revoked)
        } else {
            let cutoff = cut_off(person.superseded, link, issued_at)?;
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
        let taken_back = Self::taken_back(link, began, person, instance);
        taken_back.is_some_and(|standing| standing.ends_sessions)
    }

    /// Returns what became of a link in the ledger.
    #[must_use]
    pub fn of(
        link: &IssuedLink,
        person: &PersonCutoffs,
        instance: &InstanceCutoffs,
        now: i64,
    ) -> Self {
        if let Some(taken_back) = Self::taken_back(Some(link), None, person, instance) {
            return taken_back;
        }
        let is_over = |at: i64| now >= at.saturating_add(LEEWAY_SECS);
        let (status, ended_at) = if link.uses.are_spent_by(link.used) {
            let last = link.last_use.as_ref();
            (LinkStatus::UsedUp, last.map(|last| last.at))
        } else if link.expires_at.is_some_and(is_over) {
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
}
