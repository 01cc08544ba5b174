//! Removal of the links that the retention does not keep. A pass reads all links, a slice at a time,
//! once a day and after each opening.

use std::ops::Bound;

use latchkey_core::Result;
use latchkey_core::protocol::lifetime::Lifetime;
use sled::IVec;

use super::catalogue::{Links, Update};
use super::errors::{damaged, storage};
use super::journal::Journal;
use super::{keys, ledger};

/// Number of links that are read at once.
const SLICE: usize = 512;
/// Time from the beginning of a pass to that of the next, in seconds.
const PASS_SECS: i64 = 86_400;

/// Progress of the passes over all links.
#[derive(Default)]
pub(super) struct LinkPass {
    /// Key from which the pass goes on. `None` between two passes.
    next: Option<Vec<u8>>,
    /// Beginning of the last pass, in Unix seconds, and its retention.
    last: Option<(i64, Lifetime)>,
}

/// Result of a slice.
pub(super) struct Slice {
    /// Updates of the catalogue.
    pub(super) updates: Vec<Update<Links>>,
    /// Key from which to go on. `None` after the last link.
    next: Option<Vec<u8>>,
}

impl Slice {
    pub(super) const fn goes_on(&self) -> bool {
        self.next.is_some()
    }
}

impl LinkPass {
    /// Prunes the next slice of links. `retention` is the maximum time since a link stopped working.
    /// The removal is durable after the next flush. Returns `None` if no pass is due. After an
    /// error, the next call begins with the same slice.
    pub(super) fn prune(
        &mut self,
        journal: &Journal,
        retention: Lifetime,
        now: i64,
    ) -> Result<Option<Slice>> {
        let Lifetime::Secs(secs) = retention else {
            return Ok(None);
        };
        let is_done = self.last.is_some_and(|(begun, known)| {
            known == retention && (begun..begun.saturating_add(PASS_SECS)).contains(&now)
        });
        let from = match &self.next {
            Some(next) => next.as_slice(),
            None if is_done => return Ok(None),
            None => keys::LINKS,
        };
        let ended_before = now.saturating_sub(secs);
        // If this slice fails, the next call tries it again.
        let slice = journal.prune_links(from, ended_before, now)?;
        if self.next.is_none() {
            self.last = Some((now, retention));
        }
        self.next.clone_from(&slice.next);
        Ok(Some(slice))
    }
}

impl Journal {
    /// Removes links that stopped working before a time, with claims and short links, from a key
    /// on. Links that are still in the journal stay.
    fn prune_links(&self, from: &[u8], ended_before: i64, now: i64) -> Result<Slice> {
        let (mut updates, mut rows, mut next) = (Vec::new(), Vec::new(), None);
        let view = self.view();
        let range = (Bound::Included(from), Bound::Unbounded);
        let found = self.tree().range::<&[u8], _>(range).keys();
        for (number, key) in found.enumerate() {
            let key = key.map_err(storage)?;
            if !key.starts_with(keys::LINKS) {
                break;
            }
            if number >= SLICE {
                next = Some(key.to_vec());
                break;
            }
            let id = keys::link_id_of(&key).ok_or_else(damaged)?;
            if view.is_pending(&key) {
                continue;
            }
            let Some(listed) = ledger::listed(&view, id, now)? else {
                continue;
            };
            let terms = listed.link.terms();
            if listed.standing.is_prunable(&terms, ended_before, now) {
                let claims = ledger::claims_keys(&listed.link);
                rows.extend(claims.into_iter().map(|key| (key, None::<IVec>)));
                let short = ledger::short_link_keys(&view, id)?;
                rows.extend(short.into_iter().map(|key| (key, None)));
                rows.push((key.to_vec(), None));
                updates.push(Update::Remove(id.to_owned()));
            }
        }
        drop(view);
        self.write(rows)?;
        Ok(Slice { updates, next })
    }
}

#[cfg(test)]
mod tests {
    use latchkey_core::ledger::{IssuedLink, LinkOrigin};

    use super::super::disk::Disk;
    use super::super::ledger::StoredLink;
    use super::super::rows::encoded;
    use super::*;

    #[test]
    fn a_slice_that_fails_is_tried_again_by_the_next_call() {
        let folder = tempfile::tempdir().unwrap();
        let tree = sled::open(folder.path()).unwrap();
        for number in 0..=SLICE {
            let id = format!("{number:04}");
            let mut link = IssuedLink::new(id.clone(), LinkOrigin::Taken, 1);
            link.expires_at = Some(1);
            let row = encoded(&StoredLink::Issued(Box::new(link))).unwrap();
            tree.insert(keys::link(&id), row).unwrap();
        }
        let journal = Journal::open(tree, Disk::open(folder.path()).unwrap()).unwrap();
        let mut pass = LinkPass::default();
        for number in [0, SLICE] {
            let key = keys::link(&format!("{number:04}"));
            let row = journal.tree().insert(&*key, b"?").unwrap().unwrap();
            let mut prune = || pass.prune(&journal, Lifetime::Secs(10), 1_000);
            assert!(prune().is_err(), "{number}");
            assert!(prune().is_err(), "{number}");
            journal.tree().insert(&*key, row).unwrap();
            let slice = prune().unwrap().expect("the pass is not over");
            assert_eq!(slice.goes_on(), number == 0);
        }
        assert!(journal.tree().scan_prefix(keys::LINKS).next().is_none());
        let again = pass.prune(&journal, Lifetime::Secs(10), 1_000);
        assert!(again.unwrap().is_none(), "the next pass is a day later");
    }
}
