//! Cutoffs: moments before which links do not work any more.

use serde::{Deserialize, Deserializer, Serialize};

use super::terms::LinkTerms;
use crate::time;

/// Maximum number of earlier cutoffs that are kept for a person or the instance. Without an earlier
/// cutoff, the next one says when a link stopped working.
const MAX_EARLIER: usize = 16;

/// Maximum number of retirements of keys that are kept. The links of such old keys have expired.
const MAX_RETIREMENTS: usize = 100;

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
        !issued_at.is_some_and(|at| time::is_surely_after(at, self.moment()))
    }

    /// Returns the later of two cutoffs. Both end sessions if either does.
    #[must_use]
    pub fn merged(self, earlier: Option<Self>) -> Self {
        let Some(earlier) = earlier else {
            return self;
        };
        Self {
            ends_sessions: self.ends_sessions || earlier.ends_sessions,
            ..if self.covers_more_than(&earlier) {
                self
            } else {
                earlier
            }
        }
    }

    fn covers_more_than(&self, earlier: &Self) -> bool {
        match (self.before, earlier.before) {
            (None, _) => true,
            (Some(new), Some(old)) => new >= old,
            (Some(_), None) => false,
        }
    }

    /// Returns whether a clock that was ahead wrote the cutoff. Until its time, it keeps codes of
    /// other systems out.
    fn is_ahead(&self, now: i64) -> bool {
        time::is_ahead(self.moment(), now) || time::is_ahead(self.at, now)
    }

    /// Sets times that lie in the future to now.
    fn corrected(self, now: i64) -> Self {
        Self {
            at: self.at.min(now),
            before: self.before.map(|before| before.min(now)),
            ..self
        }
    }

    /// Returns the time with which `iat` of a code of another system is compared.
    fn moment(&self) -> i64 {
        self.before.unwrap_or(self.at)
    }

    /// Replaces a known cutoff by this one, as [`merged`](Self::merged) does. Keeps the known one
    /// among the earlier ones if this one covers more.
    fn replace<K>(self, known: &mut Option<Self>, earlier: &mut Vec<K>, kept: impl Fn(Self) -> K) {
        if let Some(known) = known.filter(|known| self.covers_more_than(known)) {
            if earlier.len() >= MAX_EARLIER {
                earlier.remove(0);
            }
            earlier.push(kept(known));
        }
        *known = Some(self.merged(*known));
    }
}

/// Cutoffs for the links of a person.
///
/// A cutoff that covers more replaces the one before. The earlier ones stay, because they say when
/// a link stopped working.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonCutoffs {
    /// Links that were revoked.
    pub revoked: Option<Cutoff>,
    /// Links that a later link has replaced.
    pub superseded: Option<Cutoff>,
    /// Links from before the person was removed. They count as revoked. The verdict on their codes
    /// depends on the removal itself.
    #[serde(default, deserialize_with = "last_field")]
    pub removed: Option<Cutoff>,
    /// Earlier cutoffs of revoked links and of removals, the earliest first.
    #[serde(default, deserialize_with = "last_field")]
    pub earlier_revoked: Vec<Cutoff>,
    /// Earlier cutoffs of replaced links, the earliest first.
    #[serde(default, deserialize_with = "last_field")]
    pub earlier_superseded: Vec<Cutoff>,
}

/// Reads one of the last fields of a row. Rows that were written before it was added end there.
#[expect(clippy::unnecessary_wraps, reason = "serde calls it")]
pub(super) fn last_field<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(T::deserialize(deserializer).unwrap_or_default())
}

impl PersonCutoffs {
    /// Returns the cutoffs of a person without any.
    #[must_use]
    pub const fn none() -> Self {
        Self {
            revoked: None,
            superseded: None,
            removed: None,
            earlier_revoked: Vec::new(),
            earlier_superseded: Vec::new(),
        }
    }

    /// Returns whether no link was revoked or replaced.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.revoked.is_none() && self.superseded.is_none()
    }

    /// Revokes the links that a cutoff covers.
    pub fn revoke(&mut self, cutoff: Cutoff) {
        cutoff.replace(&mut self.revoked, &mut self.earlier_revoked, |known| known);
    }

    /// Replaces the links that a cutoff covers.
    pub fn supersede(&mut self, cutoff: Cutoff) {
        let earlier = &mut self.earlier_superseded;
        cutoff.replace(&mut self.superseded, earlier, |known| known);
    }

    /// Revokes the links that a cutoff covers, because the person is removed.
    pub fn remove(&mut self, cutoff: Cutoff) {
        cutoff.replace(&mut self.removed, &mut self.earlier_revoked, |known| known);
    }

    /// Returns the latest time up to which they keep codes of other systems out, in Unix seconds.
    /// After a removal, the time of the removal does that.
    #[must_use]
    pub fn latest(&self) -> Option<i64> {
        let current = [self.revoked, self.superseded];
        let all = current.into_iter().flatten();
        all.map(|cutoff| cutoff.at.max(cutoff.moment())).max()
    }

    /// Sets times that lie in the future to now. Returns whether there are any.
    pub fn correct(&mut self, now: i64) -> bool {
        let current = [&mut self.revoked, &mut self.superseded, &mut self.removed];
        let earlier = [&mut self.earlier_revoked, &mut self.earlier_superseded];
        let earlier = earlier.into_iter().flatten();
        correct(current.into_iter().flatten().chain(earlier), now)
    }
}

/// Sets times of cutoffs that lie in the future to now. Returns whether there are any.
fn correct<'a>(cutoffs: impl Iterator<Item = &'a mut Cutoff>, now: i64) -> bool {
    let mut is_any = false;
    for cutoff in cutoffs.filter(|cutoff| cutoff.is_ahead(now)) {
        *cutoff = cutoff.corrected(now);
        is_any = true;
    }
    is_any
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
    /// Earlier cutoffs, the earliest first, with the ID of the key if only its links were revoked.
    #[serde(default, deserialize_with = "last_field")]
    pub earlier: Vec<(Option<String>, Cutoff)>,
    /// Times from which signing keys do not verify any more, in Unix seconds, by the ID of the key.
    /// Some lie in the future. Links that only such a key verifies count as revoked from then on.
    #[serde(default, deserialize_with = "last_field")]
    pub retirements: Vec<(String, i64)>,
}

impl InstanceCutoffs {
    /// Returns the cutoff of a signing key.
    #[must_use]
    pub fn of_key(&self, key: &str) -> Option<Cutoff> {
        let found = self.keys.iter().find(|(known, _)| known == key);
        found.map(|(_, cutoff)| *cutoff)
    }

    /// Returns the earlier cutoffs of a key, or of all links.
    pub(super) fn earlier_of(&self, key: Option<&str>) -> impl Iterator<Item = &Cutoff> {
        let earlier = self.earlier.iter();
        let of_key = earlier.filter(move |(known, _)| known.as_deref() == key);
        of_key.map(|(_, cutoff)| cutoff)
    }

    /// Returns the time from which a signing key does not verify any more, in Unix seconds.
    #[must_use]
    pub fn retires_at(&self, key: &str) -> Option<i64> {
        let found = self.retirements.iter().find(|(known, _)| known == key);
        found.map(|(_, at)| *at)
    }

    /// Returns the next retirement after a time, in Unix seconds.
    #[must_use]
    pub fn next_retirement(&self, now: i64) -> Option<i64> {
        let times = self.retirements.iter().map(|(_, at)| *at);
        times.filter(|at| *at > now).min()
    }

    /// Revokes the links that a cutoff covers.
    pub fn revoke(&mut self, cutoff: Cutoff) {
        let kept = |known| (None, known);
        cutoff.replace(&mut self.revoked, &mut self.earlier, kept);
    }

    /// Revokes the links of a key that a cutoff covers. The key is the last one then.
    pub fn revoke_key(&mut self, key: &str, cutoff: Cutoff) {
        let mut known = self.of_key(key);
        let kept = |known| (Some(key.to_owned()), known);
        cutoff.replace(&mut known, &mut self.earlier, kept);
        self.keys.retain(|(other, _)| other != key);
        let known = known.map(|known| (key.to_owned(), known));
        self.keys.extend(known);
    }

    /// Notes from when a key does not verify any more, in Unix seconds. `None` if it verifies.
    pub fn set_retirement(&mut self, key: &str, at: Option<i64>) {
        self.retirements.retain(|(known, _)| known != key);
        if self.retirements.len() >= MAX_RETIREMENTS {
            self.retirements.remove(0);
        }
        self.retirements.extend(at.map(|at| (key.to_owned(), at)));
    }

    /// Sets times of cutoffs that lie in the future to now. Returns whether there are any.
    pub fn correct(&mut self, now: i64) -> bool {
        let keys = self.keys.iter_mut().map(|(_, cutoff)| cutoff);
        let earlier = self.earlier.iter_mut().map(|(_, cutoff)| cutoff);
        correct(self.revoked.iter_mut().chain(keys).chain(earlier), now)
    }
}
