//! Reading of all users or links, to build a catalogue or to check that none is missing.

use super::catalogue::{Catalogue, CutOff, Kind, Links, Row, Update, Users};
use super::errors::damaged;
use super::journal::{Journal, View};
use super::keys;
use super::ledger;
use super::ranges::{Gathered, read_all};
use super::record::{Counters, Summary};
use latchkey_core::Result;
use latchkey_core::verdict::Status;

/// Maximum number of rows for which space is reserved in advance, because the number comes from the
/// disk.
const MAX_EXPECTED: usize = 4_000_000;

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

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;

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
