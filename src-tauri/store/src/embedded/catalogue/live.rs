//! The catalogue of an open directory. The first query builds it, and a queue of updates keeps it
//! current.

use std::path::PathBuf;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use super::Catalogue;
use super::kind::{Kind, Totals};
use super::row::Update;
use crate::embedded::errors::damaged_folder;
use latchkey_core::{Error, ErrorCode, Result};

/// Maximum number of queued updates. Above it the catalogue is dropped.
const MAX_WAITING: usize = 65_536;
/// Maximum time for which a new catalogue waits for changes that are written but not yet enqueued.
const MAX_WAIT: Duration = Duration::from_secs(10);

/// A catalogue with one caller that updates it and many that query it. It takes no memory before
/// the first query.
///
/// The caller that updates it never waits for a query: updates are queued, and the next query
/// applies them.
pub(in crate::embedded) struct LiveCatalogue<K: Kind> {
    folder: PathBuf,
    /// Locked during a query, also while it builds the catalogue.
    catalogue: Mutex<Option<Catalogue<K>>>,
    queue: Mutex<Queue<K>>,
    /// Signals that the queue has reached a later change.
    reached: Condvar,
}

/// Updates that are not in the catalogue yet.
struct Queue<K: Kind> {
    /// `None` while there is no catalogue and none is being built.
    updates: Option<Vec<Update<K>>>,
    is_building: bool,
    /// Whether a new catalogue waits for [`LiveCatalogue::reached`].
    is_awaited: bool,
    /// Totals after the last enqueued change.
    totals: Totals,
}

/// Stops the queue if a catalogue could not be built.
struct Building<'a, K: Kind>(&'a LiveCatalogue<K>);

impl<K: Kind> Drop for Building<'_, K> {
    fn drop(&mut self) {
        let mut queue = self.0.queue();
        if queue.is_building {
            queue.is_building = false;
            queue.is_awaited = false;
            queue.updates = None;
        }
    }
}

impl<K: Kind> LiveCatalogue<K> {
    /// Returns the catalogue of the directory in `folder`, with the current totals.
    pub(in crate::embedded) fn new(folder: PathBuf, totals: Totals) -> Self {
        Self {
            folder,
            catalogue: Mutex::new(None),
            queue: Mutex::new(Queue {
                updates: None,
                is_building: false,
                is_awaited: false,
                totals,
            }),
            reached: Condvar::new(),
        }
    }

    /// Enqueues the updates of changes. `totals` are the counters after the last of them. One
    /// caller must enqueue all changes in their order, even those without updates.
    pub(in crate::embedded) fn enqueue(&self, updates: Vec<Update<K>>, totals: Totals) {
        let mut queue = self.queue();
        queue.totals = totals;
        if queue.is_awaited {
            self.reached.notify_all();
        }
        let Some(waiting) = &mut queue.updates else {
            return;
        };
        waiting.extend(updates);
        if waiting.len() > MAX_WAITING && !queue.is_building {
            queue.updates = None;
            drop(queue);
            self.drop_catalogue();
        }
    }

    /// Drops the catalogue on another thread, because freeing its memory takes milliseconds. If a
    /// query is using it, that query drops it later.
    fn drop_catalogue(&self) {
        if let Ok(mut catalogue) = self.catalogue.try_lock() {
            let catalogue = catalogue.take();
            drop(thread::Builder::new().spawn(move || drop(catalogue)));
        }
    }

    /// Works with the current catalogue. If there is none, `read` reads one. It also returns the
    /// number of the last change that the catalogue may include.
    pub(in crate::embedded) fn with<T>(
        &self,
        read: impl FnOnce() -> Result<(Catalogue<K>, u64)>,
        work: impl FnOnce(&mut Catalogue<K>) -> Result<T>,
    ) -> Result<T> {
        let mut known = self.catalogue.lock().unwrap_or_else(|poisoned| {
            self.catalogue.clear_poison();
            let mut known = poisoned.into_inner();
            *known = None;
            known
        });
        let updates = self.queue().updates.as_mut().map(std::mem::take);
        // A catalogue whose updates were dropped is out of date.
        let mut catalogue = match (known.take(), updates) {
            (Some(mut catalogue), Some(updates)) => {
                catalogue.apply_all(updates);
                catalogue
            }
            (outdated, _) => {
                drop(outdated);
                self.build(read)?
            }
        };
        let done = work(&mut catalogue);
        *known = Some(catalogue);
        done
    }

    /// Builds the catalogue while changes go on. Updates are queued before the rows are read, so
    /// that each change is in the rows, in the queue, or in both. The queue is applied last.
    fn build(&self, read: impl FnOnce() -> Result<(Catalogue<K>, u64)>) -> Result<Catalogue<K>> {
        let building = self.begin();
        let (mut catalogue, latest) = read()?;
        let (updates, totals) = self.wait_for(latest)?;
        catalogue.apply_all(updates);
        if !catalogue.is_complete(&totals) {
            return Err(damaged_folder(&self.folder, "rows are missing"));
        }
        self.queue().is_building = false;
        drop(building);
        Ok(catalogue)
    }

    fn begin(&self) -> Building<'_, K> {
        let mut queue = self.queue();
        queue.updates = Some(Vec::new());
        queue.is_building = true;
        Building(self)
    }

    /// Waits until the queue has reached a written change. Takes the queued updates.
    fn wait_for(&self, change: u64) -> Result<(Vec<Update<K>>, Totals)> {
        let mut queue = self.queue();
        queue.is_awaited = true;
        let waited = self
            .reached
            .wait_timeout_while(queue, MAX_WAIT, |queue| queue.totals.changes < change);
        let (mut queue, _) = waited.unwrap_or_else(PoisonError::into_inner);
        queue.is_awaited = false;
        if queue.totals.changes < change {
            let message = format!(
                "The {} could not be listed, because a change is still being written. Try again in a moment.",
                K::NAME
            );
            return Err(Error::new(ErrorCode::Busy, message));
        }
        let updates = queue.updates.as_mut().map(std::mem::take);
        Ok((updates.unwrap_or_default(), queue.totals))
    }

    /// Drops the catalogue, so that the next query builds it.
    #[cfg(test)]
    pub(in crate::embedded) fn forget(&self) {
        let mut queue = self.queue();
        if !queue.is_building {
            queue.updates = None;
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue<K>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::embedded::catalogue::{Row, UserValues, Users};
    use latchkey_core::directory::{Origin, PageStart, Sort, UserQuery};
    use latchkey_core::verdict::Status;

    fn put(id: &str) -> Update<Users> {
        Update::Put(Box::new(Row {
            id: id.to_owned().into(),
            text: None,
            others: [None, None, None],
            values: UserValues {
                status: Status::Active,
                origin: Origin::Link,
                created_at: 1,
                last_sign_in: None,
            },
        }))
    }

    fn remove(id: &str) -> Update<Users> {
        Update::Remove(id.into())
    }

    fn totals(changes: u64, users: u64) -> Totals {
        Totals {
            changes,
            users,
            active: users,
        }
    }

    fn live(changes: u64, users: u64) -> LiveCatalogue<Users> {
        LiveCatalogue::new("folder".into(), totals(changes, users))
    }

    fn read(ids: &[&str], latest: u64) -> (Catalogue<Users>, u64) {
        let mut catalogue = Catalogue::default();
        catalogue.apply_all(ids.iter().map(|id| put(id)).collect());
        (catalogue, latest)
    }

    fn ids(
        live: &LiveCatalogue<Users>,
        read: impl FnOnce() -> Result<(Catalogue<Users>, u64)>,
    ) -> Result<Vec<String>> {
        let (query, sort) = (UserQuery::default(), Sort::default());
        let start = PageStart::First;
        let page = live.with(read, |all| all.find(&query, sort, &start, usize::MAX));
        page.map(|page| page.ids)
    }

    fn known(live: &LiveCatalogue<Users>) -> Vec<String> {
        ids(live, || panic!("the catalogue is read again")).unwrap()
    }

    #[test]
    fn nothing_is_kept_before_the_first_query() {
        let live = live(7, 1);
        live.enqueue(vec![put("bob")], totals(8, 2));
        assert!(live.queue().updates.is_none());
        let found = ids(&live, || Ok(read(&["ada", "bob"], 8)));
        assert_eq!(found.unwrap(), ["ada", "bob"]);
        live.enqueue(vec![remove("ada")], totals(9, 1));
        assert_eq!(known(&live), ["bob"]);
    }

    #[test]
    fn a_change_while_the_rows_are_read_wins_over_them() {
        let live = live(7, 2);
        let found = ids(&live, || {
            live.enqueue(vec![remove("ada"), put("eve")], totals(9, 2));
            live.enqueue(vec![remove("eve"), put("ada"), put("joe")], totals(12, 3));
            // One row was read before these changes, and one after them.
            Ok(read(&["ada", "bob", "joe"], 12))
        });
        assert_eq!(found.unwrap(), ["ada", "bob", "joe"]);
    }

    #[test]
    fn a_build_waits_for_a_change_that_was_read_and_is_not_enqueued() {
        let live = live(7, 1);
        thread::scope(|scope| {
            let asked = scope.spawn(|| ids(&live, || Ok(read(&["ada", "bob"], 9))));
            while !live.queue().is_awaited {
                thread::yield_now();
            }
            live.enqueue(vec![put("bob")], totals(8, 2));
            live.enqueue(Vec::new(), totals(9, 2));
            assert_eq!(asked.join().unwrap().unwrap(), ["ada", "bob"]);
        });
    }

    #[test]
    fn missing_rows_are_an_error_each_time() {
        let live = live(7, 2);
        for _ in 0..2 {
            let refused = ids(&live, || Ok(read(&["ada"], 7))).unwrap_err();
            assert_eq!(refused.code, ErrorCode::DamagedFile);
            assert!(live.queue().updates.is_none());
        }
        assert_eq!(
            ids(&live, || Ok(read(&["ada", "bob"], 7))).unwrap().len(),
            2
        );
    }

    #[test]
    fn a_catalogue_without_queries_is_dropped() {
        let live = live(0, 0);
        let reads = Cell::new(0);
        let count = |changes, all: &[&str]| {
            ids(&live, || {
                reads.set(reads.get() + 1);
                Ok(read(all, changes))
            })
        };
        assert_eq!(count(0, &[]).unwrap().len(), 0);
        let half = MAX_WAITING as u64 / 2;
        let many = |live: &LiveCatalogue<Users>, changes| {
            let updates = (0..half).map(|_| put("ada")).collect();
            live.enqueue(updates, totals(changes, 1));
        };
        // A query in between applies the queued updates.
        for round in 1..=4 {
            many(&live, round * half);
            assert_eq!(count(0, &[]).unwrap(), ["ada"]);
        }
        assert_eq!(reads.get(), 1);
        for round in 5..=7 {
            many(&live, round * half);
        }
        assert!(live.queue().updates.is_none());
        assert!(live.catalogue.lock().unwrap().is_none());
        assert_eq!(count(7 * half, &["ada"]).unwrap(), ["ada"]);
        assert_eq!(reads.get(), 2);
    }

    #[test]
    fn an_update_never_waits_for_a_query() {
        let live = live(0, 0);
        ids(&live, || Ok(read(&[], 0))).unwrap();
        let question = live.catalogue.lock().unwrap();
        for change in 1..=2 {
            let updates = (0..MAX_WAITING).map(|_| put("ada")).collect();
            live.enqueue(updates, totals(change, 1));
        }
        drop(question);
        // The catalogue that was in use is out of date.
        assert_eq!(ids(&live, || Ok(read(&["ada"], 2))).unwrap(), ["ada"]);
    }
}
