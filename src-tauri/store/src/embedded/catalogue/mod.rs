//! Indexes of all users and of all links in memory, for searching and sorting. The tree itself finds
//! a row only by its ID.
//!
//! The first query builds a catalogue from the rows. Each change updates it after it is on the disk.
//! Verdicts do not use it: they read the tree.

mod interned;
mod judge;
mod kind;
mod links;
mod live;
mod order;
mod row;
mod row_id;
mod rows;
mod scan;
mod sort;
mod states;
mod text_hash;
mod users;
mod written;

use std::collections::HashMap;
use std::collections::hash_map::Entry;

pub(super) use kind::{Kind, Totals};
pub(super) use links::{CutOff, LinkValues, Links};
pub(super) use live::LiveCatalogue;
pub(super) use row::{Row, Update};
pub(super) use sort::first_eight;
pub(super) use users::{UserValues, Users};

use self::kind::Part;
use self::order::Order;
use self::row_id::RowId;
use self::rows::{Changed, Rows, count};
use latchkey_core::Result;
use latchkey_core::paging::{Cursor, PageStart, Sort};

/// All rows of a kind, and the orders and answers of earlier queries.
pub(super) struct Catalogue<K: Kind> {
    rows: Rows<K>,
    orders: HashMap<Sort<K::By>, Order<K>>,
    answer: Option<Answer<K>>,
}

/// Rows that match a query, in order, and the state of the catalogue for which they are valid.
struct Answer<K: Kind> {
    query: K::Query,
    sort: Sort<K::By>,
    changes: u64,
    version: u64,
    rows: Vec<RowId>,
}

/// A page of IDs. The rows themselves are in the tree.
pub(super) struct PageOfIds<B> {
    pub(super) ids: Vec<String>,
    pub(super) first_row: u64,
    pub(super) total: u64,
    pub(super) next: Option<Cursor<B>>,
}

impl<K: Kind> Default for Catalogue<K> {
    fn default() -> Self {
        Self {
            rows: Rows::default(),
            orders: HashMap::new(),
            answer: None,
        }
    }
}

impl<K: Kind> Catalogue<K> {
    /// Creates an empty catalogue with space for a number of rows.
    pub(super) fn with_capacity(rows: usize) -> Self {
        Self {
            rows: Rows::with_capacity(rows),
            ..Self::default()
        }
    }

    /// Adds a row to a part that will be [appended](Self::append).
    pub(super) fn load(&mut self, row: &Row<'_, K>) {
        self.rows.load(row);
    }

    /// Appends the rows of a part. Parts must come in the order of their IDs.
    pub(super) fn append(&mut self, part: Self) {
        self.rows.append(part.rows);
    }

    pub(super) fn apply_all(&mut self, updates: Vec<Update<K>>) {
        for update in updates {
            self.apply(update);
        }
        if self.rows.is_mostly_dead() {
            self.rows = self.rows.compacted();
            self.orders.clear();
            self.answer = None;
        }
    }

    fn apply(&mut self, update: Update<K>) {
        match update {
            Update::Put(row) => {
                if let Changed::Fields(row, before) = self.rows.put(&row) {
                    self.move_row(row, &before);
                }
            }
            Update::Remove(id) => self.rows.tombstone(&id),
            Update::Note(note) => self.rows.note(note),
        }
    }

    /// Notes a change of the fields of a row in the orders that depend on it.
    fn move_row(&mut self, row: RowId, before: &K::Fields) {
        let rows = &self.rows;
        let has_moved = |sort: Sort<K::By>| {
            K::part(sort.by) == Part::Time && rows.time(sort.by, row) != K::time(sort.by, before)
        };
        for order in self.orders.values_mut() {
            if has_moved(order.sort()) {
                order.move_row(row);
            }
        }
        // Sorting again takes less time than moving many rows.
        let many = rows.len();
        self.orders.retain(|_, order| order.moves() <= many);
        self.answer.take_if(|answer| has_moved(answer.sort));
    }

    pub(super) fn is_complete(&self, totals: &Totals) -> bool {
        let rows = self.rows.living().map(|(_, fields)| fields);
        K::is_complete(rows, totals)
    }

    /// Returns a page of the rows that match `query`.
    pub(super) fn find(
        &mut self,
        query: &K::Query,
        sort: Sort<K::By>,
        place: &PageStart<K::By>,
        limit: usize,
    ) -> Result<PageOfIds<K::By>> {
        let Self {
            rows,
            orders,
            answer,
        } = self;
        let order = match orders.entry(sort) {
            Entry::Occupied(known) => {
                let order = known.into_mut();
                order.follow(rows);
                order
            }
            Entry::Vacant(unknown) => unknown.insert(Order::new(rows, sort)),
        };
        let found = if *query == K::Query::default() {
            order.rows()
        } else {
            let (changes, version) = (rows.changes(), K::version(query, rows.shared()));
            let is_still_good = answer.as_ref().is_some_and(|answer| {
                (answer.changes, answer.version) == (changes, version)
                    && answer.sort == sort
                    && answer.query == *query
            });
            if !is_still_good {
                let matching = scan::matching(rows, query);
                let ordered = order.rows().iter().copied();
                *answer = Some(Answer {
                    query: query.clone(),
                    sort,
                    changes,
                    version,
                    rows: ordered.filter(|row| matching.contains(*row)).collect(),
                });
            }
            answer.as_ref().map_or(&[][..], |answer| &answer.rows)
        };
        let first = match place {
            PageStart::First => 0,
            PageStart::Row(row) => {
                usize::try_from(*row).map_or(found.len(), |row| row.min(found.len()))
            }
            PageStart::After(cursor) => {
                let position = cursor.position(sort)?;
                found.partition_point(|row| {
                    sort.compare(&rows.position(sort, *row), position).is_le()
                })
            }
        };
        let page: Vec<RowId> = found.iter().skip(first).take(limit).copied().collect();
        let goes_on = first + page.len() < found.len();
        let next = page.last().filter(|_| goes_on);
        Ok(PageOfIds {
            ids: page.iter().map(|row| rows.id(*row).to_owned()).collect(),
            first_row: count(first),
            total: count(found.len()),
            next: next.map(|row| Cursor::new(sort, &rows.position(sort, *row))),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use latchkey_core::directory::{Origin, Search, SortBy, UserQuery};
    use latchkey_core::verdict::Status;

    fn row(id: &str, created_at: i64, last_sign_in: Option<i64>) -> Row<'static, Users> {
        Row {
            id: id.to_owned().into(),
            // Long texts with the same beginning, in another order than the IDs.
            text: (created_at % 3 != 0).then(|| {
                let part = (created_at * 7).rem_euclid(5);
                format!("with.the.same.beginning.{part}@{id}.com").into()
            }),
            others: [Some(format!("Name\n{created_at}").into()), None, None],
            values: UserValues {
                status: Status::Active,
                origin: Origin::Link,
                created_at,
                last_sign_in,
            },
        }
    }

    fn put(id: &str, created_at: i64, last_sign_in: Option<i64>) -> Update<Users> {
        Update::Put(Box::new(row(id, created_at, last_sign_in)))
    }

    fn all(
        catalogue: &mut Catalogue<Users>,
        search: &str,
        by: SortBy,
        descending: bool,
    ) -> Vec<String> {
        let query = UserQuery {
            search: Search::new(search),
            ..UserQuery::default()
        };
        let sort = Sort { by, descending };
        let page = catalogue.find(&query, sort, &PageStart::First, usize::MAX);
        page.unwrap().ids
    }

    /// Returns random numbers that are the same in each run.
    fn numbers() -> impl FnMut(u64) -> u64 {
        let mut state = 1_u64;
        move |below| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        }
    }

    /// Few and many changes between two queries, rows that are added and removed unseen, and so
    /// many dead rows that they are compacted.
    #[test]
    fn a_changed_catalogue_equals_a_new_one() {
        let mut next = numbers();
        let mut catalogue = Catalogue::default();
        let mut there: BTreeMap<String, (i64, Option<i64>)> = BTreeMap::new();
        let mut was_compacted = false;
        for round in 0..120 {
            for _ in 0..=next(if round % 4 == 0 { 3 } else { 400 }) {
                let number = next(300);
                let first = if number.is_multiple_of(3) { 'U' } else { 'u' };
                let id = format!("{first}ser-{number}");
                let before = catalogue.rows.len();
                let known = there.get_mut(&id).filter(|_| next(3) == 0);
                if let Some((created, last)) = known {
                    *last = Some(next(50).cast_signed() - 25);
                    catalogue.apply_all(vec![put(&id, *created, *last)]);
                } else if next(4) == 0 {
                    there.remove(&id);
                    catalogue.apply_all(vec![Update::Remove(id)]);
                } else {
                    let created = next(40).cast_signed() - 20;
                    let last = (next(3) > 0).then(|| next(50).cast_signed() - 25);
                    catalogue.apply_all(vec![put(&id, created, last)]);
                    there.insert(id, (created, last));
                }
                was_compacted |= catalogue.rows.len() < before;
            }
            let mut anew = Catalogue::default();
            let mut part = Catalogue::default();
            for (number, (id, (created, last))) in there.iter().enumerate() {
                part.load(&row(id, *created, *last));
                if number % 7 == 0 {
                    anew.append(std::mem::take(&mut part));
                }
            }
            anew.append(part);
            for by in [
                SortBy::Id,
                SortBy::Email,
                SortBy::Created,
                SortBy::LastSignIn,
            ] {
                for descending in [false, true] {
                    for search in ["", "1", "user-12 ing.2", "name", "none"] {
                        assert_eq!(
                            all(&mut catalogue, search, by, descending),
                            all(&mut anew, search, by, descending),
                            "round {round}: {search:?} {by:?} {descending}"
                        );
                    }
                }
            }
        }
        assert!(was_compacted, "there were too few changes");
    }

    #[test]
    fn parts_are_joined_in_order_however_they_arrive() {
        for parts in [
            [["a", "b"], ["c", "d"], ["e", "f"]],
            [["b", "d"], ["a", "c"], ["e", "f"]],
            [["b", "a"], ["c", "d"], ["e", "f"]],
            [["a", "b"], ["d", "c"], ["e", "f"]],
            [["a", "F"], ["b", "E"], ["c", "D"]],
        ] {
            let mut catalogue = Catalogue::default();
            for ids in parts {
                let mut part = Catalogue::default();
                for id in ids {
                    part.load(&row(id, 1, None));
                }
                catalogue.append(part);
            }
            // Equal users are in the order of their IDs, byte by byte.
            let mut ids = parts.concat();
            ids.sort_unstable();
            let found = all(&mut catalogue, "", SortBy::Created, false);
            assert_eq!(found, ids);
            for id in &ids {
                catalogue.apply(put(id, 2, None));
            }
            let found = all(&mut catalogue, "", SortBy::Created, false);
            assert_eq!(found, ids);
            for id in &ids {
                catalogue.apply(Update::Remove((*id).into()));
            }
            assert!(all(&mut catalogue, "", SortBy::Id, false).is_empty());
        }
    }

    #[test]
    fn a_sign_in_changes_only_its_row_and_the_orders_by_sign_in() {
        let mut catalogue = Catalogue::default();
        for (id, at) in [("ada", 3), ("bob", 2), ("eve", 1)] {
            catalogue.apply(put(id, 1, Some(at)));
        }
        let ids = |catalogue: &mut Catalogue<Users>, by| all(catalogue, "e", by, false);
        assert_eq!(ids(&mut catalogue, SortBy::Id), ["ada", "bob", "eve"]);
        assert!(catalogue.answer.is_some());
        let by_sign_in = all(&mut catalogue, "", SortBy::LastSignIn, true);
        assert_eq!(by_sign_in, ["ada", "bob", "eve"]);
        let (rows, text) = (catalogue.rows.len(), catalogue.rows.text().to_vec());
        let sign_in = |id: &str, at| put(id, 1, Some(at));
        catalogue.apply_all(vec![sign_in("eve", 9), sign_in("eve", 4)]);
        assert_eq!(catalogue.rows.len(), rows);
        assert_eq!(catalogue.rows.text(), text);
        assert!(catalogue.rows.dead().is_empty());
        assert!(
            catalogue.answer.is_some(),
            "the answer does not depend on it"
        );
        let by_sign_in = all(&mut catalogue, "", SortBy::LastSignIn, true);
        assert_eq!(by_sign_in, ["eve", "ada", "bob"]);
        assert_eq!(
            ids(&mut catalogue, SortBy::LastSignIn),
            ["bob", "ada", "eve"]
        );
        catalogue.apply_all(vec![sign_in("bob", 8)]);
        assert_eq!(
            ids(&mut catalogue, SortBy::LastSignIn),
            ["ada", "eve", "bob"]
        );
    }

    #[test]
    fn an_answer_is_reused_until_the_next_change() {
        let mut catalogue = Catalogue::default();
        for (number, id) in ["ada", "adam", "adele"].into_iter().enumerate() {
            catalogue.apply(put(id, 1, None));
            let found = all(&mut catalogue, "ad", SortBy::Id, false);
            assert_eq!(found.len(), number + 1);
        }
    }

    #[test]
    fn a_word_is_not_found_across_two_texts() {
        let mut catalogue = Catalogue::default();
        catalogue.load(&row("ab", 1, None));
        catalogue.load(&row("cd", 1, None));
        for (word, found) in [("2@ab.com", 1), ("name 1", 2), ("bab", 0), ("1cd", 0)] {
            let ids = all(&mut catalogue, word, SortBy::Id, false);
            assert_eq!(ids.len(), found, "{word}");
        }
    }
}
