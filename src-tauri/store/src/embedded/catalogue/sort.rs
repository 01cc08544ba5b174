//! Sorting of rows. A text is compared in pieces of 16 bytes that lie beside the row, because the
//! texts themselves are far apart in memory.

use std::num::NonZero;
use std::thread;

use super::kind::{Kind, Part};
use super::row_id::RowId;
use super::rows::Rows;
use latchkey_core::paging::Sort;

/// Number of bytes of a text that are compared at once.
const PIECE: usize = 16;
/// Number of rows from which several threads sort.
const MANY: usize = 32_768;
/// Maximum number of threads that sort.
const MAX_THREADS: usize = 4;

/// A piece of a text or a time, as numbers with the same order.
type Rank = (u64, u64);

#[derive(Clone, Copy)]
struct Ranked {
    rank: Rank,
    row: RowId,
}

impl Ranked {
    /// Returns what rows are sorted by. Rows with the same rank keep their order, which is mostly
    /// that of their IDs, so that sorting them by their IDs finds them sorted.
    fn key(&self) -> (Rank, RowId) {
        (self.rank, self.row)
    }
}

/// Returns rows in an order. Rows without a key come last, in the order of their IDs.
pub(super) fn sorted<K: Kind>(
    rows: &Rows<K>,
    sort: Sort<K::By>,
    mut some: Vec<RowId>,
) -> Vec<RowId> {
    let part = K::part(sort.by);
    if part == Part::Id
        && some
            .iter()
            .max()
            .is_none_or(|last| rows.is_in_order_to(*last))
    {
        some.sort_unstable();
        if sort.descending {
            some.reverse();
        }
        return some;
    }
    let has_key = |row: &RowId| match part {
        Part::Id => true,
        Part::Text => !rows.folded_text(*row).is_empty(),
        Part::Time => rows.time(sort.by, *row).is_some(),
    };
    let (keyed, mut last): (Vec<RowId>, Vec<RowId>) = some.into_iter().partition(has_key);
    let unranked = |row| Ranked { rank: (0, 0), row };
    let mut ranked: Vec<Ranked> = keyed.into_iter().map(unranked).collect();
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let sorter = Sorter { rows, sort, part };
    sorter.sort(&mut ranked, 0, threads.min(MAX_THREADS));
    last.sort_unstable_by(|a, b| rows.compare_ids(*a, *b));
    let ranked = ranked.into_iter().map(|ranked| ranked.row);
    ranked.chain(last).collect()
}

struct Sorter<'a, K: Kind> {
    rows: &'a Rows<K>,
    sort: Sort<K::By>,
    part: Part,
}

impl<K: Kind> Sorter<'_, K> {
    /// Sorts rows that are equal in all pieces before `piece`.
    fn sort(&self, some: &mut [Ranked], piece: usize, threads: usize) {
        self.rank_all(some, piece, threads);
        sort_by_rank(some, threads);
        self.sort_alike(some, piece, threads);
    }

    fn rank_all(&self, some: &mut [Ranked], piece: usize, threads: usize) {
        in_two(some, some.len() / 2, threads, |some, threads| {
            if threads > 1 && some.len() >= MANY {
                self.rank_all(some, piece, threads);
                return;
            }
            for ranked in some {
                ranked.rank = self.rank(ranked.row, piece);
            }
        });
    }

    /// Sorts the rows of each rank by the next piece, or by their IDs after the last piece.
    fn sort_alike(&self, some: &mut [Ranked], piece: usize, threads: usize) {
        // Rows with the same rank stay together, because the same thread sorts them.
        let (before, after) = some.split_at(some.len() / 2);
        let is_alike = |other: &Ranked| before.last().is_some_and(|last| last.rank == other.rank);
        let middle = before.len() + after.partition_point(is_alike);
        if threads > 1 && some.len() >= MANY && middle < some.len() {
            in_two(some, middle, threads, |some, threads| {
                self.sort_alike(some, piece, threads);
            });
            return;
        }
        for alike in some.chunk_by_mut(|a, b| a.rank == b.rank) {
            let Some(first) = alike.first().filter(|_| alike.len() > 1) else {
                continue;
            };
            if self.is_last(first.rank) {
                alike.sort_unstable_by(|a, b| self.rows.compare_ids(a.row, b.row));
            } else {
                self.sort(alike, piece + 1, threads);
            }
        }
    }

    fn rank(&self, row: RowId, piece: usize) -> Rank {
        let rank = match self.part {
            Part::Id => rank_of_text(self.rows.folded_id(row), piece),
            Part::Text => rank_of_text(self.rows.folded_text(row), piece),
            Part::Time => (
                rank_of_time(self.rows.time(self.sort.by, row).unwrap_or_default()),
                0,
            ),
        };
        if self.sort.descending {
            (!rank.0, !rank.1)
        } else {
            rank
        }
    }

    /// Returns whether a key ends with a piece of this rank. Texts contain no zero byte.
    fn is_last(&self, rank: Rank) -> bool {
        let last = if self.sort.descending {
            !rank.1
        } else {
            rank.1
        };
        last.trailing_zeros() >= u8::BITS
    }
}

fn rank_of_text(text: &[u8], piece: usize) -> Rank {
    let left = text.get(piece * PIECE..).unwrap_or_default();
    let next = left.get(PIECE / 2..).unwrap_or_default();
    (first_eight(left), first_eight(next))
}

/// Returns the first eight bytes as a number with the same order.
pub(in crate::embedded) fn first_eight(bytes: &[u8]) -> u64 {
    if let Some(eight) = bytes.first_chunk() {
        return u64::from_be_bytes(*eight);
    }
    let mut eight = [0; 8];
    for (to, from) in eight.iter_mut().zip(bytes) {
        *to = *from;
    }
    u64::from_be_bytes(eight)
}

/// Converts a time to an unsigned number with the same order.
fn rank_of_time(time: i64) -> u64 {
    time.cast_unsigned() ^ 1 << 63
}

fn sort_by_rank(some: &mut [Ranked], threads: usize) {
    let middle = some.len() / 2;
    if threads > 1 && some.len() >= MANY {
        some.select_nth_unstable_by_key(middle, Ranked::key);
        in_two(some, middle, threads, sort_by_rank);
    } else {
        some.sort_unstable_by_key(Ranked::key);
    }
}

/// Works on two parts of a slice at the same time, each with half of the threads.
fn in_two(
    some: &mut [Ranked],
    middle: usize,
    threads: usize,
    work: impl Fn(&mut [Ranked], usize) + Sync,
) {
    if threads < 2 || some.len() < MANY {
        work(some, threads);
        return;
    }
    let (before, after) = some.split_at_mut(middle);
    thread::scope(|scope| {
        scope.spawn(|| work(before, threads / 2));
        work(after, threads - threads / 2);
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embedded::catalogue::Row;
    use crate::embedded::catalogue::users::{UserValues, Users};
    use latchkey_core::directory::{Origin, SortBy};
    use latchkey_core::verdict::Status;

    /// Returns texts that share long beginnings, that end with a piece, and that are the beginning
    /// of others.
    fn text(number: usize) -> String {
        let beginning = [
            "",
            "a",
            "with.the.same.beginning.as.others.",
            "exactly.16.bytes",
            "é",
        ];
        let beginning = beginning[number % 5];
        format!("{beginning}{}", number.wrapping_mul(2_654_435_761) % 977)
    }

    fn rows(count: usize, is_in_order: bool) -> Rows<Users> {
        let mut rows = Rows::default();
        for number in 0..count {
            let id = match (is_in_order, number % 3) {
                (true, _) => format!("user-{number:06}"),
                (false, 0) => format!("U{}-{number}", text(number)),
                (false, _) => format!("u{}-{number}", text(number)),
            };
            let last_sign_in = i64::try_from(number % 31).unwrap() - 9;
            rows.put(&Row {
                id: id.into(),
                text: (number % 7 > 0).then(|| format!("{}@a.example", text(number / 2)).into()),
                others: [None, None, None],
                values: UserValues {
                    status: Status::Active,
                    origin: Origin::Link,
                    created_at: i64::try_from(number % 13).unwrap() - 6,
                    last_sign_in: (number % 5 > 0).then_some(last_sign_in),
                },
            });
        }
        rows
    }

    #[test]
    fn rows_are_sorted_as_users_are_compared() {
        for (count, is_in_order) in [(0, false), (1, false), (3000, true), (3000, false)] {
            let rows = rows(count, is_in_order);
            require_sorted(&rows);
        }
    }

    #[test]
    fn several_threads_sort_as_one_does() {
        require_sorted(&rows(2 * MANY + 1, false));
    }

    fn require_sorted(rows: &Rows<Users>) {
        for by in [
            SortBy::Id,
            SortBy::Email,
            SortBy::Created,
            SortBy::LastSignIn,
        ] {
            for descending in [false, true] {
                let sort = Sort { by, descending };
                let sorted = sorted(rows, sort, rows.all().rev().collect());
                assert_eq!(sorted.len(), rows.len());
                let position = |row: RowId| rows.position(sort, row);
                for pair in sorted.windows(2) {
                    let (a, b) = (position(pair[0]), position(pair[1]));
                    assert!(sort.compare(&a, &b).is_lt(), "{sort:?}: {a:?}, {b:?}");
                }
            }
        }
    }
}
