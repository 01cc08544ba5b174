//! Reading all rows into a catalogue: what takes long when a directory with many users is opened.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::{panic, thread};

use super::catalogue::{Catalogue, Row};
use super::keys;
use super::record::Summary;
use latchkey_core::verdict::Status;

/// Into how many slices the ids are cut. There are more than threads, because the cuts are a guess.
const SLICES: u64 = 64;
/// For so many rows room is made before they are there: the number comes from the disk.
const MOST_EXPECTED: usize = 4_000_000;
/// More threads than this wait for the disk and for each other.
const MOST_THREADS: usize = 4;

/// What the rows are.
#[derive(Default)]
pub(super) struct Loaded {
    pub(super) users: u64,
    pub(super) active: u64,
    pub(super) catalogue: Catalogue,
}

/// Why they cannot be read.
pub(super) enum Trouble {
    /// The operating system or sled refuses.
    Storage(sled::Error),
    /// They are not what was written.
    Damage(&'static str),
}

impl Loaded {
    /// Adds those of another, whose ids come after these.
    fn append(&mut self, other: Self) {
        self.users += other.users;
        self.active += other.active;
        self.catalogue.append(other.catalogue);
    }
}

impl From<sled::Error> for Trouble {
    fn from(cause: sled::Error) -> Self {
        Self::Storage(cause)
    }
}

/// Reads all users, of whom there should be so many. sled may panic on damaged bytes, and so does this. Several threads read a slice of the ids each and
/// understand it, and what they found is put together in the order of the ids.
pub(super) fn load(tree: &sled::Tree, expected: u64) -> Result<Loaded, Trouble> {
    let mut users = tree.scan_prefix(keys::USERS);
    let (first, last) = (users.next().transpose()?, users.next_back().transpose()?);
    drop(users);
    let cuts = match (&first, &last) {
        (Some((first, _)), Some((last, _))) => cuts(first, last),
        // Nobody, or one user.
        _ => vec![keys::USERS.to_vec(), keys::AFTER_USERS.to_vec()],
    };
    let expected = usize::try_from(expected).map_or(MOST_EXPECTED, |all| all.min(MOST_EXPECTED));
    let all = Loaded {
        catalogue: Catalogue::with_capacity(expected),
        ..Loaded::default()
    };
    let threads = thread::available_parallelism().map_or(1, |all| all.get().min(MOST_THREADS));
    let slices = Slices {
        tree,
        cuts,
        taken: AtomicUsize::new(0),
    };
    thread::scope(|scope| {
        let (sender, received) = mpsc::channel();
        let (slices, mut parts) = (&slices, Parts::new(all));
        let readers: Vec<_> = (1..threads)
            .map(|_| {
                let sender = sender.clone();
                // The receiver is there until all have ended.
                scope.spawn(move || slices.read_all(|part| drop(sender.send(part))))
            })
            .collect();
        drop(sender);
        let own = slices.read_all(|part| {
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

/// What was read of a slice, and which one that is.
type Part = (usize, Loaded);

/// Parts that are put together in their order, whichever comes first.
struct Parts {
    all: Loaded,
    next: usize,
    ahead: BTreeMap<usize, Loaded>,
}

impl Parts {
    fn new(all: Loaded) -> Self {
        Self {
            all,
            next: 0,
            ahead: BTreeMap::new(),
        }
    }

    fn take(&mut self, (slice, loaded): Part) {
        self.ahead.insert(slice, loaded);
        while let Some(loaded) = self.ahead.remove(&self.next) {
            self.all.append(loaded);
            self.next += 1;
        }
    }
}

/// The slices of the users.
struct Slices<'a> {
    tree: &'a sled::Tree,
    cuts: Vec<Vec<u8>>,
    /// So many are read, or being read.
    taken: AtomicUsize,
}

impl Slices<'_> {
    /// Reads slices that nobody has taken, until there are none.
    fn read_all(&self, mut give: impl FnMut(Part)) -> Result<(), Trouble> {
        loop {
            let slice = self.taken.fetch_add(1, Ordering::Relaxed);
            let Some([from, to]) = self.cuts.get(slice..slice + 2) else {
                return Ok(());
            };
            give((slice, self.read(from, to)?));
        }
    }

    /// Reads the users whose keys are from one on, and before another.
    fn read(&self, from: &[u8], to: &[u8]) -> Result<Loaded, Trouble> {
        let mut loaded = Loaded::default();
        for row in self.tree.range(from..to) {
            let (key, bytes) = row?;
            let row = understood(&key, &bytes).ok_or(Trouble::Damage("a row cannot be read"))?;
            loaded.users += 1;
            loaded.active += u64::from(row.status == Status::Active);
            loaded.catalogue.load(&row);
        }
        Ok(loaded)
    }
}

/// `None` where it is not what was written.
fn understood<'a>(key: &'a [u8], bytes: &'a [u8]) -> Option<Row<'a>> {
    let (user, _): (Summary<'_>, _) = postcard::take_from_bytes(bytes).ok()?;
    Some(user.into_row(keys::id_of(key)?))
}

/// Where the keys of users are cut, evenly between the bytes in which the first and the last differ.
fn cuts(first: &[u8], last: &[u8]) -> Vec<Vec<u8>> {
    let alike = first.iter().zip(last).take_while(|(a, b)| a == b).count();
    let (prefix, first) = first.split_at(alike);
    let (from, to) = (number(first), number(last.get(alike..).unwrap_or_default()));
    let step = to.saturating_sub(from) / SLICES;
    let between = (1..SLICES).map(|slice| [prefix, &(from + step * slice).to_be_bytes()].concat());
    let mut cuts = vec![keys::USERS.to_vec()];
    cuts.extend(between);
    cuts.push(keys::AFTER_USERS.to_vec());
    cuts
}

/// The first eight bytes as a number.
fn number(bytes: &[u8]) -> u64 {
    let mut eight = [0; 8];
    for (to, from) in eight.iter_mut().zip(bytes) {
        *to = *from;
    }
    u64::from_be_bytes(eight)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embedded::record::UserRecord;
    use latchkey_core::directory::Origin;
    use latchkey_core::directory::query::{PageStart, Sort, UserQuery};
    use latchkey_core::protocol::metadata::Metadata;
    use latchkey_core::protocol::payload::NewUser;
    use latchkey_core::protocol::user_id::UserId;

    fn record() -> UserRecord {
        let user = NewUser {
            id: UserId::parse("somebody", "id").unwrap(),
            email: None,
            metadata: Metadata::default(),
        };
        UserRecord::new(&user, Origin::Link, 1, 1, 1)
    }

    fn keys_of(ids: &[&str]) -> Vec<Vec<u8>> {
        ids.iter().map(|id| keys::user(id)).collect()
    }

    #[test]
    fn cuts_go_up_from_before_the_first_to_after_the_last() {
        for ids in [
            ["a", "b"],
            ["user-1", "user-999999"],
            ["a", "a\u{1}"],
            ["\u{1}", "\u{10ffff}"],
            ["same-beginning", "same-beginning-and-more"],
            ["0123456789abcdef", "0123456789abcdeg"],
        ] {
            let ids = keys_of(&ids);
            let cuts = cuts(&ids[0], &ids[1]);
            assert_eq!(cuts.len(), 65);
            assert!(cuts.is_sorted());
            assert!(cuts[0] <= ids[0] && ids[1] < cuts[64], "{ids:?}");
        }
    }

    #[test]
    fn ids_that_are_spread_evenly_are_cut_evenly() {
        let ids: Vec<_> = (0..6400_u32)
            .map(|id| keys::user(&format!("customers/{:08x}", id * 671_088)))
            .collect();
        let cuts = cuts(&ids[0], &ids[6399]);
        let most = cuts.windows(2).map(|ends| {
            ids.iter()
                .filter(|id| ends[0] <= **id && **id < ends[1])
                .count()
        });
        assert!(most.max().unwrap() <= 1000);
    }

    #[test]
    fn every_row_is_read_once_and_in_order_whatever_the_ids_are() {
        let evenly: Vec<String> = (0..3000).map(|id| format!("user-{id}")).collect();
        let mut apart: Vec<String> = (0..100).map(|id| format!("aaaaaaaaaaaaaaaa{id}")).collect();
        apart.extend(["\u{1}".to_owned(), "zz".to_owned(), "\u{10ffff}".to_owned()]);
        for mut ids in [Vec::new(), vec!["ada".to_owned()], evenly, apart] {
            let folder = tempfile::tempdir().unwrap();
            let tree = sled::open(folder.path()).unwrap();
            for (number, id) in ids.iter().enumerate() {
                let mut record = record();
                if number % 3 == 0 {
                    record.status = Status::Suspended;
                }
                let bytes = postcard::to_allocvec(&record).unwrap();
                tree.insert(keys::user(id), bytes).unwrap();
            }
            // What is beside the users is not read.
            for beside in ["m:x", "t:x", "u", "u;", "v:x"] {
                tree.insert(beside, "no user").unwrap();
            }
            let mut loaded = load(&tree, 7).ok().unwrap();
            ids.sort();
            let page = loaded.catalogue.find(
                &UserQuery::default(),
                Sort::default(),
                &PageStart::First,
                usize::MAX,
            );
            assert_eq!(page.unwrap().ids, ids);
            assert_eq!(loaded.users, ids.len() as u64);
            assert_eq!(
                loaded.active,
                ids.len() as u64 - ids.len().div_ceil(3) as u64
            );
        }
    }

    #[test]
    fn a_row_that_is_not_what_was_written_is_found_wherever_it_is() {
        for id in ["a", "m", "z"] {
            let folder = tempfile::tempdir().unwrap();
            let tree = sled::open(folder.path()).unwrap();
            let bytes = postcard::to_allocvec(&record()).unwrap();
            for good in ["b", "n", "y"] {
                tree.insert(keys::user(good), bytes.as_slice()).unwrap();
            }
            assert!(load(&tree, 3).is_ok());
            tree.insert(keys::user(id), "?").unwrap();
            assert!(matches!(load(&tree, 4), Err(Trouble::Damage(_))));
        }
    }
}
