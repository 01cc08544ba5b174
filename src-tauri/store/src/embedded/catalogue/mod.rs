//! What is asked of all users at once, in memory: a tree finds one user by id, and nothing else.
//!
//! It is built from the rows while the directory is opened, and follows each change after the
//! change is on disk. It decides nothing: a verdict looks at the tree.

mod follow;
mod order;
mod rows;
mod scan;

use std::collections::HashMap;
use std::collections::hash_map::Entry;

pub(super) use follow::Followed;
pub(super) use rows::Row;

use self::order::Order;
use self::rows::{RowId, Rows};
use latchkey_core::Result;
use latchkey_core::directory::query::{Cursor, PageStart, Sort, UserQuery};

/// A change of a user, as the catalogue follows it.
pub(super) enum Update {
    /// The user is there now, as this.
    Put(Box<Row<'static>>),
    /// The user of this id is gone.
    Remove(String),
}

/// All users, and the orders and answers that were asked for.
#[derive(Default)]
pub(super) struct Catalogue {
    rows: Rows,
    orders: HashMap<Sort, Order>,
    answer: Option<Answer>,
}

/// Who answered a query, in order, and what the catalogue had been through then.
struct Answer {
    query: UserQuery,
    sort: Sort,
    changes: u64,
    rows: Vec<RowId>,
}

/// A page by ids: the users themselves are in the tree.
pub(super) struct PageOfIds {
    pub(super) ids: Vec<String>,
    pub(super) first_row: u64,
    pub(super) total: u64,
    pub(super) next: Option<Cursor>,
}

impl Catalogue {
    /// An empty one with room for so many users.
    pub(super) fn with_capacity(users: usize) -> Self {
        Self {
            rows: Rows::with_capacity(users),
            ..Self::default()
        }
    }

    /// Adds a user to a part that is going to be [appended](Self::append).
    pub(super) fn load(&mut self, row: &Row<'_>) {
        self.rows.load(row);
    }

    /// Adds users while opening; they come in the order of their ids.
    pub(super) fn append(&mut self, part: Self) {
        self.rows.append(part.rows);
    }

    pub(super) fn apply(&mut self, update: Update) {
        match update {
            Update::Put(row) => {
                self.rows.tombstone(&row.id);
                self.rows.push(&row);
            }
            Update::Remove(id) => self.rows.tombstone(&id),
        }
        if self.rows.is_mostly_dead() {
            self.rows = self.rows.compacted();
            self.orders.clear();
            self.answer = None;
        }
    }

    /// A page of those who answer `query`.
    pub(super) fn find(
        &mut self,
        query: &UserQuery,
        sort: Sort,
        place: &PageStart,
        limit: usize,
    ) -> Result<PageOfIds> {
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
        let found = if *query == UserQuery::default() {
            order.rows()
        } else {
            let is_still_good = answer.as_ref().is_some_and(|answer| {
                answer.changes == rows.changes() && answer.sort == sort && answer.query == *query
            });
            if !is_still_good {
                let matching = scan::matching(rows, query);
                let ordered = order.rows().iter().copied();
                *answer = Some(Answer {
                    query: query.clone(),
                    sort,
                    changes: rows.changes(),
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
                    sort.compare(&sort.position(rows.sortable(*row)), position)
                        .is_le()
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
            next: next.map(|row| Cursor::new(sort, &sort.position(rows.sortable(*row)))),
        })
    }
}

/// A `usize` has no more than 64 bits.
fn count(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use latchkey_core::directory::{Origin, Search, SortBy};
    use latchkey_core::verdict::Status;

    fn row(id: &str, created_at: i64, last_sign_in: Option<i64>) -> Row<'static> {
        Row {
            id: id.to_owned().into(),
            // Long ones that begin alike, and do not come in the order of the ids.
            email: (created_at % 3 != 0).then(|| {
                let part = (created_at * 7).rem_euclid(5);
                format!("with.the.same.beginning.{part}@{id}.com").into()
            }),
            names: format!("Name\n{created_at}").into(),
            status: Status::Active,
            origin: Origin::Link,
            created_at,
            last_sign_in,
        }
    }

    fn all(catalogue: &mut Catalogue, search: &str, by: SortBy, descending: bool) -> Vec<String> {
        let query = UserQuery {
            search: Search::new(search),
            ..UserQuery::default()
        };
        let sort = Sort { by, descending };
        let page = catalogue.find(&query, sort, &PageStart::First, usize::MAX);
        page.unwrap().ids
    }

    /// Random numbers that are the same in each run.
    fn numbers() -> impl FnMut(u64) -> u64 {
        let mut state = 1_u64;
        move |below| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        }
    }

    /// Few changes between two questions and many, rows that come and go unseen, and so many dead
    /// ones that the rows are compacted.
    #[test]
    fn it_is_after_any_changes_what_a_new_one_would_be() {
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
                if next(4) == 0 {
                    there.remove(&id);
                    catalogue.apply(Update::Remove(id));
                } else {
                    let created = next(40).cast_signed() - 20;
                    let last = (next(3) > 0).then(|| next(50).cast_signed() - 25);
                    catalogue.apply(Update::Put(Box::new(row(&id, created, last))));
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
    fn parts_are_in_order_however_they_come() {
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
            // Where all else is alike, the ids decide, byte by byte.
            let mut ids = parts.concat();
            ids.sort_unstable();
            let found = all(&mut catalogue, "", SortBy::Created, false);
            assert_eq!(found, ids);
            for id in &ids {
                catalogue.apply(Update::Put(Box::new(row(id, 2, None))));
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
    fn an_answer_is_good_until_the_next_change() {
        let mut catalogue = Catalogue::default();
        for (number, id) in ["ada", "adam", "adele"].into_iter().enumerate() {
            catalogue.apply(Update::Put(Box::new(row(id, 1, None))));
            let found = all(&mut catalogue, "ad", SortBy::Id, false);
            assert_eq!(found.len(), number + 1);
        }
    }

    #[test]
    fn a_word_is_not_found_across_what_is_between_texts() {
        let mut catalogue = Catalogue::default();
        catalogue.load(&row("ab", 1, None));
        catalogue.load(&row("cd", 1, None));
        for (word, found) in [("2@ab.com", 1), ("name 1", 2), ("bab", 0), ("1cd", 0)] {
            let ids = all(&mut catalogue, word, SortBy::Id, false);
            assert_eq!(ids.len(), found, "{word}");
        }
    }

    #[test]
    fn changes_are_taken_in_their_order_whichever_is_told_first() {
        let followed = Followed::new(Catalogue::default(), 7);
        let put = |created| vec![Update::Put(Box::new(row("ada", created, None)))];
        let found = || {
            let sort = Sort::default();
            let page = followed.find(&UserQuery::default(), sort, &PageStart::First, 9);
            page.unwrap().ids.len()
        };
        followed.tell(9, vec![Update::Remove("ada".into())]);
        assert_eq!(found(), 0);
        followed.tell(10, Vec::new());
        followed.tell(8, put(1));
        assert_eq!(found(), 0, "the removal came last");
        followed.tell(11, put(2));
        assert_eq!(found(), 1);
    }
}
