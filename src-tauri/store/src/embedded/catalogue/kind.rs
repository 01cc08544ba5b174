//! Kinds of rows that a catalogue can have.

use std::hash::Hash;

use super::row_id::RowId;
use latchkey_core::paging::Search;

/// Kind of rows, such as users.
pub(in crate::embedded) trait Kind: Sized + 'static {
    /// Values of a row beside its texts.
    type Values<'a>;
    /// Values in a form of fixed size.
    type Fields: Copy + Send + Sync;
    /// Values that several rows share, and what follows from all rows.
    type Shared: Default + Send + Sync;
    /// Change of a shared value.
    type Note;
    /// Field by which rows are sorted.
    type By: Copy + Eq + Hash + Send + Sync;
    /// Filter of rows. By default it matches all rows.
    type Query: Clone + Default + PartialEq + Send;

    /// Name of the rows for messages.
    const NAME: &'static str;

    fn into_owned<'a>(values: Self::Values<'_>) -> Self::Values<'a>;

    fn fields(values: &Self::Values<'_>, shared: &mut Self::Shared) -> Self::Fields;

    /// Adds the shared values of other rows. Returns how the fields of these rows change.
    fn join(
        shared: &mut Self::Shared,
        other: &Self::Shared,
    ) -> impl Fn(Self::Fields) -> Self::Fields + use<Self>;

    fn note(shared: &mut Self::Shared, note: Self::Note);

    /// Notes that a row was added, changed or removed.
    fn touch(_shared: &mut Self::Shared, _row: RowId) {}

    /// Notes that all rows have got new indexes.
    fn renumber(_shared: &mut Self::Shared) {}

    /// Returns the part of a row that an order depends on.
    fn part(by: Self::By) -> Part;

    /// Returns the time by which a row is sorted, if it has one.
    fn time(by: Self::By, fields: &Self::Fields) -> Option<i64>;

    fn search(query: &Self::Query) -> &Search;

    /// Returns the filter of a query, without its search.
    fn filter<'a>(
        query: &'a Self::Query,
        shared: &'a Self::Shared,
    ) -> impl Fn(RowId, &Self::Fields) -> bool;

    /// Returns whether rows with these fields match the same queries.
    fn is_alike(a: &Self::Fields, b: &Self::Fields) -> bool;

    /// Returns a number that changes when other rows match the query although no row has changed.
    fn version(query: &Self::Query, shared: &Self::Shared) -> u64;

    /// Returns whether there are as many rows as the totals say.
    fn is_complete<'a>(rows: impl Iterator<Item = &'a Self::Fields>, totals: &Totals) -> bool
    where
        Self::Fields: 'a;
}

/// Counters of the directory after a change, which a new catalogue must match.
#[derive(Clone, Copy)]
pub(in crate::embedded) struct Totals {
    /// Number of the change.
    pub(in crate::embedded) changes: u64,
    pub(in crate::embedded) users: u64,
    pub(in crate::embedded) active: u64,
}

/// Part of a row that an order depends on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::embedded) enum Part {
    Id,
    /// The text for sorting.
    Text,
    Time,
}

/// A time, or none, in eight bytes. An `Option` would double the size.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct MaybeTime(i64);

impl MaybeTime {
    const NEVER: i64 = i64::MIN;

    pub(super) fn get(self) -> Option<i64> {
        Some(self.0).filter(|time| *time != Self::NEVER)
    }
}

impl From<Option<i64>> for MaybeTime {
    fn from(time: Option<i64>) -> Self {
        Self(time.unwrap_or(Self::NEVER))
    }
}
