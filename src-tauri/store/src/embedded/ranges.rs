//! Reading of all rows with a prefix. Several threads read ranges of keys.

use std::collections::BTreeMap;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use super::catalogue::first_eight;
use super::errors::{damaged, storage};
use latchkey_core::Result;

/// Number of ranges of keys. There are many more ranges than threads, because their sizes are
/// guessed, and IDs of few different signs fill only some of them. The last range must be small,
/// because only one thread works then.
const RANGES: u64 = 512;
/// Maximum number of threads. More would only wait for the disk and for each other.
const MAX_THREADS: usize = 4;

/// A summary of rows, which are added in the order of their keys.
pub(super) trait Gathered: Default + Send {
    /// Prefix of the keys.
    const PREFIX: &'static [u8];

    /// Adds a row. Returns `None` if it is damaged.
    fn add(&mut self, key: &[u8], bytes: &[u8]) -> Option<()>;
    /// Appends the summary of later rows.
    fn append(&mut self, next: Self);
}

/// Reads all rows into `all`. Several threads read ranges of keys, and the parts are joined in the
/// order of the keys.
pub(super) fn read_all<T: Gathered>(tree: &sled::Tree, all: T) -> Result<T> {
    // sled may panic on damaged bytes.
    panic::catch_unwind(AssertUnwindSafe(|| read_ranges(tree, all)))
        .unwrap_or_else(|_| Err(damaged()))
}

fn read_ranges<T: Gathered>(tree: &sled::Tree, all: T) -> Result<T> {
    let mut rows = tree.scan_prefix(T::PREFIX);
    let first = rows.next().transpose().map_err(storage)?;
    let last = rows.next_back().transpose().map_err(storage)?;
    drop(rows);
    let cuts = match (&first, &last) {
        (Some((first, _)), Some((last, _))) => cuts(T::PREFIX, first, last),
        // There is at most one row.
        _ => vec![T::PREFIX.to_vec(), after(T::PREFIX)],
    };
    let threads = thread::available_parallelism().map_or(1, |all| all.get().min(MAX_THREADS));
    let ranges = Ranges {
        tree,
        cuts,
        taken: AtomicUsize::new(0),
    };
    thread::scope(|scope| {
        let (sender, received) = mpsc::channel();
        let (ranges, mut parts) = (&ranges, Parts::new(all));
        let readers: Vec<_> = (1..threads)
            .map(|_| {
                let sender = sender.clone();
                // The receiver lives until all threads have ended.
                scope.spawn(move || ranges.read_all(|part| drop(sender.send(part))))
            })
            .collect();
        drop(sender);
        let own = ranges.read_all(|part| {
            parts.take(part);
            for part in received.try_iter() {
                parts.take(part);
            }
        });
        for part in received {
            parts.take(part);
        }
        for reader in readers {
            reader
                .join()
                .unwrap_or_else(|cause| panic::resume_unwind(cause))?;
        }
        own.map(|()| parts.all)
    })
}

/// Parts that arrive in any order and are joined in the order of their ranges.
struct Parts<T> {
    all: T,
    next: usize,
    ahead: BTreeMap<usize, T>,
}

impl<T: Gathered> Parts<T> {
    fn new(all: T) -> Self {
        Self {
            all,
            next: 0,
            ahead: BTreeMap::new(),
        }
    }

    fn take(&mut self, (range, part): (usize, T)) {
        self.ahead.insert(range, part);
        while let Some(part) = self.ahead.remove(&self.next) {
            self.all.append(part);
            self.next += 1;
        }
    }
}

/// Ranges of keys.
struct Ranges<'a> {
    tree: &'a sled::Tree,
    cuts: Vec<Vec<u8>>,
    /// Number of ranges that were taken by a thread.
    taken: AtomicUsize,
}

impl Ranges<'_> {
    /// Reads ranges that no thread has taken, until there are none left.
    fn read_all<T: Gathered>(&self, mut give: impl FnMut((usize, T))) -> Result<()> {
        loop {
            let range = self.taken.fetch_add(1, Ordering::Relaxed);
            let Some([from, to]) = self.cuts.get(range..range + 2) else {
                return Ok(());
            };
            give((range, self.read(from, to)?));
        }
    }

    /// Reads the rows with keys from one up to, but not including, another.
    fn read<T: Gathered>(&self, from: &[u8], to: &[u8]) -> Result<T> {
        let mut part = T::default();
        for row in self.tree.range(from..to) {
            let (key, bytes) = row.map_err(storage)?;
            part.add(&key, &bytes).ok_or_else(damaged)?;
        }
        Ok(part)
    }
}

/// Cuts the keys with a prefix evenly by the first bytes in which the first and the last key differ.
fn cuts(prefix: &[u8], first: &[u8], last: &[u8]) -> Vec<Vec<u8>> {
    let end = after(prefix);
    let alike = first.iter().zip(last).take_while(|(a, b)| a == b).count();
    let (beginning, first) = first.split_at(alike);
    let last = last.get(alike..).unwrap_or_default();
    let (from, to) = (first_eight(first), first_eight(last));
    let step = to.saturating_sub(from) / RANGES;
    let between =
        (1..RANGES).map(|range| [beginning, &(from + step * range).to_be_bytes()].concat());
    let mut cuts = vec![prefix.to_vec()];
    cuts.extend(between);
    cuts.push(end);
    cuts
}

/// Returns the end of the range of all keys with a prefix.
fn after(prefix: &[u8]) -> Vec<u8> {
    let mut end = prefix.to_vec();
    if let Some(last) = end.last_mut() {
        *last += 1;
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embedded::keys;

    fn keys_of(ids: &[&str]) -> Vec<Vec<u8>> {
        ids.iter().map(|id| keys::user(id)).collect()
    }

    #[test]
    fn cuts_go_up_from_before_the_first_to_after_the_last() {
        let ranges = usize::try_from(RANGES).unwrap();
        for ids in [
            ["a", "b"],
            ["user-1", "user-999999"],
            ["a", "a\u{1}"],
            ["\u{1}", "\u{10ffff}"],
            ["same-beginning", "same-beginning-and-more"],
            ["0123456789abcdef", "0123456789abcdeg"],
        ] {
            let ids = keys_of(&ids);
            let cuts = cuts(keys::USERS, &ids[0], &ids[1]);
            assert_eq!(cuts.len(), ranges + 1);
            assert!(cuts.is_sorted());
            assert!(cuts[0] <= ids[0] && ids[1] < cuts[ranges], "{ids:?}");
        }
    }

    #[test]
    fn ids_that_are_spread_evenly_are_cut_evenly() {
        let ids: Vec<_> = (0..6400_u32)
            .map(|id| keys::user(&format!("customers/{:08x}", id * 671_088)))
            .collect();
        let cuts = cuts(keys::USERS, &ids[0], &ids[6399]);
        let most = cuts.windows(2).map(|ends| {
            ids.iter()
                .filter(|id| ends[0] <= **id && **id < ends[1])
                .count()
        });
        assert!(most.max().unwrap() <= 400);
    }
}
