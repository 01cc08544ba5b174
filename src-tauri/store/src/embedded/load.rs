//! Reading of all users or links, to build a catalogue or to check that none is missing.

use std::collections::BTreeMap;
use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use super::catalogue::{Catalogue, CutOff, Kind, Links, Row, Update, Users, first_eight};
use super::errors::{damaged, storage};
use super::journal::{Journal, View};
use super::keys;
use super::ledger;
use super::record::{Counters, Summary};
use latchkey_core::Result;
use latchkey_core::verdict::Status;

/// Number of ranges of keys. There are more ranges than threads, because their sizes are guessed.
const RANGES: u64 = 64;
/// Maximum number of rows for which space is reserved in advance, because the number comes from the
/// disk.
const MAX_EXPECTED: usize = 4_000_000;
/// Maximum number of threads. More would only wait for the disk and for each other.
const MAX_THREADS: usize = 4;

/// A summary of rows, which are added in the order of their keys.
trait Gathered: Default + Send {
    /// Prefix of the keys.
    const PREFIX: &'static [u8];

    /// Adds a row. Returns `None` if it is damaged.
    fn add(&mut self, key: &[u8], bytes: &[u8]) -> Option<()>;
    /// Appends the summary of later rows.
    fn append(&mut self, next: Self);
}

/// Kind of rows that are stored in the tree.
trait Stored: Kind {
    /// Prefix of the keys.
    const PREFIX: &'static [u8];

    /// Decodes a row. Returns `None` if it is damaged.
    fn row<'a>(key: &'a [u8], bytes: &'a [u8]) -> Option<Row<'a, Self>>;
}

impl Stored for Users {
    const PREFIX: &'static [u8] = keys::USERS;

    fn row<'a>(key: &'a [u8], bytes: &'a [u8]) -> Option<Row<'a, Self>> {
        let (user, _): (Summary<'_>, _) = postcard::take_from_bytes(bytes).ok()?;
        Some(user.into_row(keys::id_of(key)?))
    }
}

impl Stored for Links {
    const PREFIX: &'static [u8] = keys::LINKS;

    fn row<'a>(key: &'a [u8], bytes: &'a [u8]) -> Option<Row<'a, Self>> {
        ledger::row_in(keys::link_id_of(key)?, bytes)
    }
}

impl<K: Stored> Gathered for Catalogue<K> {
    const PREFIX: &'static [u8] = K::PREFIX;

    fn add(&mut self, key: &[u8], bytes: &[u8]) -> Option<()> {
        self.load(&K::row(key, bytes)?);
        Some(())
    }

    fn append(&mut self, next: Self) {
        Self::append(self, next);
    }
}

/// Cutoffs of users, or of addresses.
#[derive(Default)]
struct CutOffs<const OF_EMAILS: bool>(Vec<Update<Links>>);

impl<const OF_EMAILS: bool> Gathered for CutOffs<OF_EMAILS> {
    const PREFIX: &'static [u8] = if OF_EMAILS {
        keys::EMAIL_CUTOFFS
    } else {
        keys::PERSON_CUTOFFS
    };

    fn add(&mut self, key: &[u8], bytes: &[u8]) -> Option<()> {
        self.0.push(cut_off(key, Some(bytes))?);
        Some(())
    }

    fn append(&mut self, next: Self) {
        self.0.extend(next.0);
    }
}

/// Numbers of users.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counted {
    users: u64,
    active: u64,
}

impl Gathered for Counted {
    const PREFIX: &'static [u8] = keys::USERS;

    fn add(&mut self, key: &[u8], bytes: &[u8]) -> Option<()> {
        let user = Users::row(key, bytes)?;
        self.users += 1;
        self.active += u64::from(user.values.status == Status::Active);
        Some(())
    }

    fn append(&mut self, next: Self) {
        self.users += next.users;
        self.active += next.active;
    }
}

/// Reads all users. Returns whether there are as many as the counters say. Fails if a row cannot be
/// decoded.
pub(super) fn are_complete(tree: &sled::Tree, counters: &Counters) -> Result<bool> {
    let counted: Counted = read_all(tree, Counted::default())?;
    let expected = Counted {
        users: counters.users,
        active: counters.active,
    };
    Ok(counted == expected)
}

/// Reads the catalogue of users while changes go on. Returns it and the number of the last change
/// that it may include. The caller must then apply all changes since the call.
pub(super) fn read_users(journal: &Journal) -> Result<(Catalogue<Users>, u64)> {
    // Pending rows come first, because a writer may write them into the tree at any time.
    let view = journal.view();
    let counters: Counters = view.read(keys::COUNTERS)?.unwrap_or_default();
    let pending = pending(&view, update::<Users>)?;
    drop(view);
    let expected =
        usize::try_from(counters.users).map_or(MAX_EXPECTED, |all| all.min(MAX_EXPECTED));
    let mut catalogue = read_all(journal.tree(), Catalogue::with_capacity(expected))?;
    catalogue.apply_all(pending);
    Ok((catalogue, last_change(journal)?))
}

/// Reads the catalogue of links, like [`read_users`].
pub(super) fn read_links(journal: &Journal) -> Result<(Catalogue<Links>, u64)> {
    let view = journal.view();
    let mut latest = pending(&view, update::<Links>)?;
    for prefix in [keys::PERSON_CUTOFFS, keys::EMAIL_CUTOFFS] {
        latest.extend(pending_of(&view, prefix, cut_off)?);
    }
    drop(view);
    let mut catalogue: Catalogue<Links> = read_all(journal.tree(), Catalogue::default())?;
    let of_users: CutOffs<false> = read_all(journal.tree(), CutOffs::default())?;
    let of_emails: CutOffs<true> = read_all(journal.tree(), CutOffs::default())?;
    catalogue.apply_all(of_users.0);
    catalogue.apply_all(of_emails.0);
    catalogue.apply_all(latest);
    Ok((catalogue, last_change(journal)?))
}

fn last_change(journal: &Journal) -> Result<u64> {
    let counters: Option<Counters> = journal.view().read(keys::COUNTERS)?;
    Ok(counters.unwrap_or_default().changes)
}

/// Returns the update for a pending row of a kind.
type ToUpdate<K> = fn(&[u8], Option<&[u8]>) -> Option<Update<K>>;

/// Returns the updates for the pending rows.
fn pending<K: Stored>(view: &View<'_>, update: ToUpdate<K>) -> Result<Vec<Update<K>>> {
    pending_of(view, K::PREFIX, update)
}

fn pending_of<K: Kind>(
    view: &View<'_>,
    prefix: &[u8],
    update: ToUpdate<K>,
) -> Result<Vec<Update<K>>> {
    let rows = view.pending_rows(prefix);
    rows.map(|(key, value)| update(key, value).ok_or_else(damaged))
        .collect()
}

/// Returns the update for a row. A removed row has no value.
fn update<K: Stored>(key: &[u8], value: Option<&[u8]>) -> Option<Update<K>> {
    if let Some(bytes) = value {
        return Some(Update::Put(Box::new(K::row(key, bytes)?.into_owned())));
    }
    let id = key.strip_prefix(K::PREFIX)?;
    Some(Update::Remove(std::str::from_utf8(id).ok()?.to_owned()))
}

/// Returns the update for the cutoffs of a person.
fn cut_off(key: &[u8], value: Option<&[u8]>) -> Option<Update<Links>> {
    let person = if let Some(user) = key.strip_prefix(keys::PERSON_CUTOFFS) {
        std::str::from_utf8(user).ok()?.to_owned()
    } else {
        let email = key.strip_prefix(keys::EMAIL_CUTOFFS)?;
        ledger::name_of_email(std::str::from_utf8(email).ok()?)
    };
    let cutoffs = value.map(postcard::from_bytes).transpose().ok()?;
    let cutoffs = cutoffs.unwrap_or_default();
    Some(Update::Note(CutOff { person, cutoffs }))
}

/// Reads all rows into `all`. Several threads read ranges of keys, and the parts are joined in the
/// order of the keys.
fn read_all<T: Gathered>(tree: &sled::Tree, all: T) -> Result<T> {
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
    use crate::embedded::EmbeddedDirectory;
    use crate::embedded::catalogue::Totals;
    use crate::embedded::record::UserRecord;
    use crate::wait::Wait as _;
    use jiff::Timestamp;
    use latchkey_core::ErrorCode;
    use latchkey_core::activity::{Actor, AuditContext};
    use latchkey_core::directory::query::{PageStart, Search, Sort, UserQuery};
    use latchkey_core::directory::{Directory as _, Origin, User};
    use latchkey_core::protocol::metadata::Metadata;
    use latchkey_core::protocol::payload::NewUser;
    use latchkey_core::protocol::user_id::UserId;

    fn record() -> UserRecord {
        UserRecord::of(&User {
            id: UserId::parse("somebody", "id").unwrap(),
            email: None,
            metadata: Metadata::default(),
            status: Status::Active,
            origin: Origin::Link,
            created_at: 1,
            last_sign_in: None,
            sign_ins: 0,
            profile_as_of: 1,
            generation: 1,
            ends_at: None,
        })
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
            let cuts = cuts(keys::USERS, &ids[0], &ids[1]);
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
        let cuts = cuts(keys::USERS, &ids[0], &ids[6399]);
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
            // Rows beside the users are not read.
            for beside in ["m:x", "t:x", "u", "u;", "v:x"] {
                tree.insert(beside, "no user").unwrap();
            }
            let mut catalogue: Catalogue<Users> = read_all(&tree, Catalogue::default()).unwrap();
            ids.sort();
            let page = catalogue.find(
                &UserQuery::default(),
                Sort::default(),
                &PageStart::First,
                usize::MAX,
            );
            assert_eq!(page.unwrap().ids, ids);
            let users = ids.len() as u64;
            let counted = Counted {
                users,
                active: users - users.div_ceil(3),
            };
            let totals = Totals {
                changes: 0,
                users,
                active: counted.active,
            };
            assert!(catalogue.is_complete(&totals));
            assert_eq!(read_all(&tree, Counted::default()).unwrap(), counted);
        }
    }

    #[test]
    fn a_damaged_row_is_found_anywhere() {
        for id in ["a", "m", "z"] {
            let folder = tempfile::tempdir().unwrap();
            let tree = sled::open(folder.path()).unwrap();
            let bytes = postcard::to_allocvec(&record()).unwrap();
            for good in ["b", "n", "y"] {
                tree.insert(keys::user(good), bytes.as_slice()).unwrap();
            }
            assert!(read_all(&tree, Counted::default()).is_ok());
            tree.insert(keys::user(id), "?").unwrap();
            let refused = read_all(&tree, Counted::default()).unwrap_err();
            assert_eq!(refused.code, ErrorCode::DamagedFile);
        }
    }

    /// Each thread adds, signs in and removes its own users, so it knows who exists. At the same
    /// time catalogues are built, also while changes are written into the tree.
    #[test]
    fn a_catalogue_that_is_built_while_users_change_is_right() {
        const THREADS: usize = 3;
        const ROUNDS: usize = 60;
        let folder = tempfile::tempdir().unwrap();
        let directory = EmbeddedDirectory::open(folder.path(), "a test").unwrap();
        let by = AuditContext::new(Actor::Studio, Timestamp::UNIX_EPOCH);
        let person = |id: &str| NewUser {
            id: UserId::parse(id, "id").unwrap(),
            email: None,
            metadata: Metadata::default(),
        };
        let ids = |search: &str| {
            let query = UserQuery {
                search: Search::new(search),
                ..UserQuery::default()
            };
            let (sort, start) = (Sort::default(), PageStart::First);
            let page = directory
                .users(&query, sort, &start, usize::MAX)
                .wait()
                .unwrap();
            let ids = page.users.iter().map(|user| user.id.to_string());
            ids.collect::<Vec<_>>()
        };
        let builds = AtomicUsize::new(0);
        let (builds, ids, directory_ref) = (&builds, &ids, &directory);
        thread::scope(|scope| {
            let writers: Vec<_> = (0..THREADS)
                .map(|thread| {
                    let (by, person) = (by.clone(), &person);
                    scope.spawn(move || {
                        for round in 0..ROUNDS {
                            let many: Vec<_> = (0..5)
                                .map(|user| person(&format!("t{thread}-{round:03}-{user}")))
                                .collect();
                            directory_ref.import(&many, &by).wait().unwrap();
                            let [gone, suspended, ..] = &many[..] else {
                                panic!("there are five");
                            };
                            directory_ref.remove(&gone.id, &by).wait().unwrap();
                            directory_ref.suspend(&suspended.id, &by).wait().unwrap();
                            let kept = many[1..].iter().map(|user| user.id.to_string());
                            let found = ids(&format!("t{thread}-{round:03}-"));
                            assert_eq!(found, kept.collect::<Vec<_>>());
                        }
                    })
                })
                .collect();
            while !writers.iter().all(thread::ScopedJoinHandle::is_finished) {
                directory_ref
                    .shared
                    .opened
                    .with(|state| {
                        state.users.forget();
                        Ok(())
                    })
                    .unwrap();
                ids("");
                builds.fetch_add(1, Ordering::Relaxed);
            }
        });
        assert_eq!(ids("").len(), THREADS * ROUNDS * 4);
        assert!(builds.load(Ordering::Relaxed) > 5);
    }
}
