//! The entries of the activity, pending ones included.

use super::super::blocks::{self, About, Entries, refusals};
use super::super::record::EntryRecord;
use super::Journal;
use latchkey_core::Result;

impl Journal {
    /// Returns the number of refusals that are not in the rows yet.
    pub(in crate::embedded) fn pending_refusals(&self) -> u64 {
        let view = self.view();
        refusals(view.pending.entries.iter().map(|(_, entry)| entry))
    }

    /// Returns the entries of the activity before a number, newest first.
    pub(in crate::embedded) fn entries(
        &self,
        before: u64,
    ) -> impl Iterator<Item = Result<(u64, EntryRecord)>> {
        let (pending, before) = self.pending_entries(before, |_| true);
        let carried = blocks::before(&self.tree, before);
        pending.into_iter().map(Ok).chain(carried)
    }

    /// Returns the entries about something before a number, newest first.
    pub(in crate::embedded) fn entries_about(
        &self,
        about: About,
        before: u64,
    ) -> impl Iterator<Item = Result<(u64, EntryRecord)>> {
        let (pending, before) = self.pending_entries(before, |entry| about.has(entry));
        let carried = blocks::about(&self.tree, about, before);
        pending.into_iter().map(Ok).chain(carried)
    }

    /// Returns the pending entries before a number, newest first, and the number before which all
    /// other entries are. An entry that a checkpoint writes in the meantime is not found twice.
    fn pending_entries(
        &self,
        before: u64,
        is_wanted: impl Fn(&EntryRecord) -> bool,
    ) -> (Entries, u64) {
        let view = self.view();
        let pending = view.pending.entries.iter();
        let wanted = pending
            .clone()
            .rev()
            .filter(|(number, entry)| *number < before && is_wanted(entry));
        let first = pending.map(|(number, _)| *number).next();
        (
            wanted.cloned().collect(),
            before.min(first.unwrap_or(before)),
        )
    }
}
