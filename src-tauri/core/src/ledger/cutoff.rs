//! Cutoffs: moments before which links do not work any more.

use serde::{Deserialize, Serialize};

use super::terms::LinkTerms;
use crate::last_field::last_field;
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

    /// Returns a cutoff for the links of two cutoffs: the one that covers more, with the number of the
    /// later change if both have a time. It ends sessions if both do.
    #[must_use]
    pub fn merged(self, earlier: Option<Self>) -> Self {
        let Some(earlier) = earlier else {
            return self;
        };
        let more = if self.covers_more_than(&earlier) {
            self
        } else {
            earlier
        };
        let change = match (self.before, earlier.before) {
            (Some(_), Some(_)) => self.change.max(earlier.change),
            _ => more.change,
        };
        Self {
            change,
            ends_sessions: self.ends_sessions && earlier.ends_sessions,
            ..more
        }
    }

    /// Returns the cutoff for links whose sessions have ended, after this cutoff has followed a
    /// `known` one. Rows of earlier versions have it only in the known one.
    fn ending(self, known: Option<Self>, ended: Option<Self>) -> Option<Self> {
        let both = [known, Some(self)].into_iter().flatten();
        let ending = both.filter(|cutoff| cutoff.ends_sessions);
        ending.fold(ended, |ended, cutoff| Some(cutoff.merged(ended)))
    }

    /// Returns the cutoff for all links that were issued until this one.
    fn by_time(self) -> Self {
        Self {
            before: Some(self.at.saturating_add(1)),
            ..self
        }
    }

    const fn without_sessions(self) -> Self {
        Self {
            ends_sessions: false,
            ..self
        }
    }

    fn ends_sessions_of(&self, link: &LinkTerms<'_>) -> bool {
        self.ends_sessions && self.covers(link)
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
    /// Revoked links whose sessions ended with them.
    #[serde(default, deserialize_with = "last_field")]
    pub ended: Option<Cutoff>,
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
            ended: None,
        }
    }

    /// Returns whether no link was revoked or replaced.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.revoked.is_none() && self.superseded.is_none()
    }

    /// Returns whether sessions of a link ended because it was revoked with them.
    pub(super) fn ends_sessions(&self, link: &LinkTerms<'_>) -> bool {
        let mut all = [self.ended, self.revoked, self.superseded]
            .into_iter()
            .flatten();
        all.any(|cutoff| cutoff.ends_sessions_of(link))
    }

    /// Revokes the links that a cutoff covers, and ends their sessions if it says so.
    pub fn revoke(&mut self, cutoff: Cutoff) {
        self.ended = cutoff.ending(self.revoked, self.ended);
        let cutoff = cutoff.without_sessions();
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

    /// Adds the cutoffs of a user to those of an address that the user gets, because the links for the
    /// address are links of the user then.
    pub fn add(&mut self, of_user: &Self) {
        let (revoked, superseded) = (&mut self.earlier_revoked, &mut self.earlier_superseded);
        revoked.extend(&of_user.earlier_revoked);
        superseded.extend(&of_user.earlier_superseded);
        add(&mut self.revoked, of_user.revoked, revoked);
        add(&mut self.removed, of_user.removed, revoked);
        add(&mut self.superseded, of_user.superseded, superseded);
        add(&mut self.ended, of_user.ended, &mut Vec::new());
        for earlier in [revoked, superseded] {
            earlier.sort_by_key(|cutoff| cutoff.change);
            earlier.dedup();
            earlier.drain(..earlier.len().saturating_sub(MAX_EARLIER));
        }
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
        let current = [
            &mut self.revoked,
            &mut self.superseded,
            &mut self.removed,
            &mut self.ended,
        ];
        let earlier = [&mut self.earlier_revoked, &mut self.earlier_superseded];
        let earlier = earlier.into_iter().flatten();
        correct(current.into_iter().flatten().chain(earlier), now)
    }
}

/// Adds a cutoff to a known one in the order of their changes.
fn add(known: &mut Option<Cutoff>, other: Option<Cutoff>, earlier: &mut Vec<Cutoff>) {
    let both = [*known, other].into_iter().flatten();
    let (first, last) = (
        both.clone().min_by_key(|cutoff| cutoff.change),
        both.max_by_key(|cutoff| cutoff.change),
    );
    *known = first;
    if let Some(last) = last.filter(|last| Some(*last) != first) {
        last.replace(known, earlier, |known| known);
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
    /// Revoked links whose sessions ended with them, with the ID of the key if only its links were
    /// revoked.
    #[serde(default, deserialize_with = "last_field")]
    pub ended: Vec<(Option<String>, Cutoff)>,
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

    /// Returns whether sessions of a link ended because it was revoked with them.
    pub(super) fn ends_sessions(&self, link: &LinkTerms<'_>) -> bool {
        let of_all = [self.revoked, self.ended_of(None)];
        let of_key = link
            .key
            .map(|key| [self.of_key(key), self.ended_of(Some(key))]);
        let all = of_all.into_iter().chain(of_key.into_iter().flatten());
        all.flatten().any(|cutoff| cutoff.ends_sessions_of(link))
    }

    fn ended_of(&self, key: Option<&str>) -> Option<Cutoff> {
        let mut ended = self.ended.iter();
        let found = ended.find(|(known, _)| known.as_deref() == key);
        found.map(|(_, cutoff)| *cutoff)
    }

    /// Notes that sessions end with the links of a cutoff, if it says so.
    fn note_ended(&mut self, key: Option<&str>, cutoff: Cutoff) {
        let known = match key {
            Some(key) => self.of_key(key),
            None => self.revoked,
        };
        let ended = cutoff.ending(known, self.ended_of(key));
        self.ended.retain(|(other, _)| other.as_deref() != key);
        let ended = ended.map(|ended| (key.map(str::to_owned), ended));
        self.ended.extend(ended);
    }

    /// Revokes the links that a cutoff covers, and ends their sessions if it says so.
    pub fn revoke(&mut self, cutoff: Cutoff) {
        self.note_ended(None, cutoff);
        let kept = |known| (None, known);
        let cutoff = cutoff.without_sessions();
        cutoff.replace(&mut self.revoked, &mut self.earlier, kept);
    }

    /// Revokes the links of a key that a cutoff covers, and ends their sessions if it says so. The key
    /// is the last one then.
    pub fn revoke_key(&mut self, key: &str, cutoff: Cutoff) {
        self.note_ended(Some(key), cutoff);
        let mut known = self.of_key(key);
        let kept = |known| (Some(key.to_owned()), known);
        let cutoff = cutoff.without_sessions();
        cutoff.replace(&mut known, &mut self.earlier, kept);
        self.keys.retain(|(other, _)| other != key);
        let known = known.map(|known| (key.to_owned(), known));
        self.keys.extend(known);
    }

    /// Replaces the cutoff of the first key by one for all links that were issued until then, because
    /// a short link works without its key. Returns that one.
    pub fn drop_first_key(&mut self) -> Option<Cutoff> {
        if self.keys.is_empty() {
            return None;
        }
        let (key, of_key) = self.keys.remove(0);
        let ended = of_key.ending(None, self.ended_of(Some(&key)));
        self.ended
            .retain(|(known, _)| known.as_deref() != Some(key.as_str()));
        if let Some(ended) = ended {
            self.note_ended(None, ended.by_time());
        }
        let by_time = of_key.by_time();
        self.revoke(by_time.without_sessions());
        Some(Cutoff {
            ends_sessions: ended.is_some(),
            ..by_time
        })
    }

    /// Notes from when a key does not verify any more, in Unix seconds. `None` if it verifies.
    pub fn set_retirement(&mut self, key: &str, at: Option<i64>) {
        self.retirements.retain(|(known, _)| known != key);
        if self.retirements.len() >= MAX_RETIREMENTS {
            self.retirements.remove(0);
        }
        self.retirements.extend(at.map(|at| (key.to_owned(), at)));
    }

    /// Returns the latest time of a cutoff, in Unix seconds, if it lies in the future because a clock
    /// was wrong.
    #[must_use]
    pub fn ahead(&self, now: i64) -> Option<i64> {
        let keys = self.keys.iter().map(|(_, cutoff)| cutoff);
        let others = self.earlier.iter().chain(&self.ended);
        let others = others.map(|(_, cutoff)| cutoff);
        let all = self.revoked.iter().chain(keys).chain(others);
        let ahead = all.filter(|cutoff| cutoff.is_ahead(now));
        ahead.map(|cutoff| cutoff.at.max(cutoff.moment())).max()
    }

    /// Sets times of cutoffs that lie in the future to now. Returns whether there are any.
    pub fn correct(&mut self, now: i64) -> bool {
        let keys = self.keys.iter_mut().map(|(_, cutoff)| cutoff);
        let earlier = self.earlier.iter_mut().map(|(_, cutoff)| cutoff);
        let ended = self.ended.iter_mut().map(|(_, cutoff)| cutoff);
        let all = self.revoked.iter_mut().chain(keys).chain(earlier);
        correct(all.chain(ended), now)
    }
}
