//! State of a link in the ledger, judged from its record and the cutoffs.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::cutoff::{Cutoff, InstanceCutoffs, PersonCutoffs};
use super::issued_link::IssuedLink;
use super::new_link_request::REQUEST_SECS;
use super::terms::LinkTerms;
use crate::protocol::code::LEEWAY_SECS;
use crate::protocol::user_id::UserId;
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

    /// Returns whether the link has ended by itself, so that nothing is left to take back.
    #[must_use]
    pub const fn ended_by_itself(self) -> bool {
        matches!(self, Self::UsedUp | Self::Expired)
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
    /// Returns how a link was revoked or superseded. `None` if it was neither. The removal of its
    /// person does not count, because the verdict knows it, and its sessions have ended.
    #[must_use]
    pub fn taken_back(
        link: &LinkTerms<'_>,
        person: &PersonCutoffs,
        instance: &InstanceCutoffs,
    ) -> Option<Self> {
        let of_person = first(person.revoked, &person.earlier_revoked, link);
        let of_instance = first(instance.revoked, instance.earlier_of(None), link);
        let of_key = link.key.and_then(|key| {
            let earlier = instance.earlier_of(Some(key));
            first(instance.of_key(key), earlier, link)
        });
        let ends_sessions = (link.revoked_at.is_some() && link.revoked_ends_sessions)
            || person.ends_sessions(link)
            || instance.ends_sessions(link);
        let revoked = [link.revoked_at, of_person, of_instance, of_key];
        if let Some(at) = revoked.into_iter().flatten().min() {
            return Some(Self::revoked(at, ends_sessions));
        }
        let at = first(person.superseded, &person.earlier_superseded, link)?;
        Some(Self {
            status: LinkStatus::Superseded,
            ..Self::revoked(at, ends_sessions)
        })
    }

    /// Returns the state of a link that was revoked at a time, in Unix seconds. Formats before 10
    /// stored 0 instead of the time.
    fn revoked(at: i64, ends_sessions: bool) -> Self {
        Self {
            status: LinkStatus::Revoked,
            ended_at: Some(at).filter(|at| *at > 0),
            ends_sessions,
        }
    }

    /// Returns whether a link counts as revoked, although nobody has revoked it: its person was
    /// removed, or the only key that verifies it has retired. A short link needs no key.
    fn lapsed(
        link: &LinkTerms<'_>,
        person: &PersonCutoffs,
        instance: &InstanceCutoffs,
        now: i64,
    ) -> Option<Self> {
        let removed = first(person.removed, &person.earlier_revoked, link);
        let key = link.key.filter(|_| !link.has_short);
        let retired = key.and_then(|key| instance.retires_at(key));
        let retired = retired.filter(|at| *at <= now);
        let at = removed.into_iter().chain(retired).min()?;
        Some(Self::revoked(at, false))
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

    /// Returns what became of a link in the ledger. The state that came first stays: a link that
    /// was used up or had expired is not revoked or superseded later, but its sessions may end.
    #[must_use]
    pub fn of(
        link: &LinkTerms<'_>,
        person: &PersonCutoffs,
        instance: &InstanceCutoffs,
        now: i64,
    ) -> Self {
        let taken_back = Self::taken_back(link, person, instance);
        let lapsed = Self::lapsed(link, person, instance, now);
        let ends_sessions = taken_back.is_some_and(|standing| standing.ends_sessions);
        let ended = taken_back.into_iter().chain(lapsed);
        let ended = ended.min_by_key(|standing| standing.ended_at);
        let is_over = link.had_expired_at(now)
            && ended.is_none_or(|back| back.ended_at.is_some_and(|at| link.had_expired_at(at)));
        let (status, ended_at) = if link.uses.are_spent_by(link.used) {
            // A link that was taken back signs nobody in, so all uses were before.
            (LinkStatus::UsedUp, link.last_use)
        } else if is_over {
            (LinkStatus::Expired, link.expires_at)
        } else if let Some(ended) = ended {
            (ended.status, ended.ended_at)
        } else if link.used > 0 {
            (LinkStatus::InUse, None)
        } else {
            (LinkStatus::NotUsed, None)
        };
        Self {
            status,
            ended_at,
            ends_sessions,
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

impl IssuedLink {
    /// Notes the user who has had the address of the link. The cutoffs of the user apply to it from
    /// then on. A link that only the cutoffs of the address have taken back is revoked by itself.
    pub fn bind(&mut self, user: &UserId, of_email: &PersonCutoffs, of_user: &PersonCutoffs) {
        let (terms, none) = (self.terms(), InstanceCutoffs::default());
        let by_email = Standing::taken_back(&terms, of_email, &none);
        let by_user = Standing::taken_back(&terms, of_user, &none);
        self.user.get_or_insert_with(|| user.clone());
        if let (Some(back), None) = (by_email, by_user) {
            self.revoked_at = Some(back.ended_at.unwrap_or_default());
            self.revoked_ends_sessions = back.ends_sessions;
        }
    }
}

/// Returns the time of the first cutoff that covers a link, in Unix seconds. `None` if the latest
/// cutoff does not cover the link.
fn first<'a>(
    latest: Option<Cutoff>,
    earlier: impl IntoIterator<Item = &'a Cutoff>,
    link: &LinkTerms<'_>,
) -> Option<i64> {
    let latest = latest.filter(|cutoff| cutoff.covers(link))?;
    let earlier = earlier.into_iter().filter(|cutoff| cutoff.covers(link));
    Some(earlier.map(|cutoff| cutoff.at).fold(latest.at, i64::min))
}
