//! Sealing, verification and removal of the entries of the activity. [`seal_rows`](super::seal_rows)
//! describes the rows.

use std::sync::TryLockError;

use latchkey_core::Result;
use latchkey_core::activity::{
    EntryRow, Mark, Removal, Removed, SealRow, Sealing, Verification, Verifier,
};

use super::blocks::{Entries, read_block};
use super::errors::{damaged, storage};
use super::facts;
use super::journal::{Change, Journal};
use super::keys;
use super::rows::{Write, decoded, encoded};
use super::seal_rows::{read, seals_through};

/// Sealed part of the activity at the beginning of a verification.
pub(super) struct SealedPart {
    sealing: Option<Sealing>,
    /// Number of the last change. Later entries are not verified.
    changes: u64,
}

impl Journal {
    /// Returns the row of the seal after the entries of some changes. `None` if they have no entry.
    pub(super) fn sealed(&self, first: u64, changes: &[Change]) -> Result<Option<Write>> {
        let mut sealing: Option<Sealing> = None;
        for (number, change) in (first..).zip(changes) {
            let Some(entry) = &change.entry else { continue };
            let sealing = match &mut sealing {
                Some(sealing) => sealing,
                none => none.insert(self.last_sealing(number)?),
            };
            sealing.last.add(&entry.clone().into_snapshot(number));
        }
        let row = sealing.map(|sealing| Ok((keys::SEALING.to_vec(), Some(encoded(&sealing)?))));
        row.transpose()
    }

    /// Returns the state of the sealing before the entry with a number.
    fn last_sealing(&self, number: u64) -> Result<Sealing> {
        let known = self.view().read(keys::SEALING)?;
        Ok(known.unwrap_or_else(|| Sealing::begin(number.saturating_sub(1))))
    }

    /// Begins a verification. Only the writer may call it.
    pub(super) fn sealed_part(&self) -> Result<SealedPart> {
        self.checkpoint()?;
        Ok(SealedPart {
            sealing: read(self.tree(), keys::SEALING)?,
            changes: facts::counters(&self.view())?.changes,
        })
    }

    /// Verifies the activity. Nothing is pruned in the meantime.
    pub(super) fn verify(&self, part: &SealedPart, expected: Option<Mark>) -> Result<Verification> {
        let _no_pruning = self.pruning().read();
        let SealedPart { sealing, changes } = *part;
        let seals = self.tree().range(keys::seal(0)..=keys::seal(changes));
        let seals = seals.map(|row| {
            let (key, bytes) = row.map_err(storage)?;
            let number = keys::number_of(&key).ok_or_else(damaged)?;
            Ok((number, decoded::<SealRow>(&bytes)?))
        });
        let seals: Vec<_> = seals.collect::<Result<_>>()?;
        let removed = read(self.tree(), keys::REMOVED)?;
        let mut verifier = Verifier::new(sealing, removed, seals, expected);
        let blocks = self.tree().range(keys::block(0)..=keys::block(changes));
        for row in blocks {
            let (_, entries) = read_block(row)?;
            for (number, entry) in entries {
                if number <= changes {
                    verifier.read(&entry.into_snapshot(number));
                }
            }
        }
        Ok(verifier.finish())
    }

    /// Prunes unless a verification reads the entries. Returns `None` in that case.
    pub(super) fn while_unverified<T>(
        &self,
        prune: impl FnOnce() -> Result<T>,
    ) -> Option<Result<T>> {
        match self.pruning().try_write() {
            Ok(_guard) => Some(prune()),
            Err(TryLockError::Poisoned(poisoned)) => {
                let _guard = poisoned.into_inner();
                Some(prune())
            }
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// Notes which entries are removed, before they are removed.
    pub(super) fn note_removed(&self, removal: Removal, entries: &Entries) -> Result<()> {
        let tree = self.tree();
        let Some(last) = entries.last().map(|(number, _)| *number) else {
            return Ok(());
        };
        let sealing: Option<Sealing> = self.view().read(keys::SEALING)?;
        let Some(sealing) = sealing.filter(|sealing| last > sealing.after) else {
            return Ok(());
        };
        let removed: Option<Removed> = read(tree, keys::REMOVED)?;
        let mut removed = removed.unwrap_or_else(|| Removed::none(&sealing));
        let seal = tree.range(keys::seal(0)..=keys::seal(last)).next_back();
        let seal = seal.map(|row| decoded::<SealRow>(&row.map_err(storage)?.1));
        let seal = seal.transpose()?;
        let rows: Vec<EntryRow> = entries
            .iter()
            .map(|(number, entry)| entry.clone().into_snapshot(*number))
            .collect();
        removed.add(removal, &rows, seal.map(|row| row.seal).as_ref());
        let old = seals_through(tree, removed.through())?;
        if let Some(number) = old.last().and_then(|key| keys::number_of(key)) {
            removed.stored = number;
        }
        let noted = (keys::REMOVED.to_vec(), Some(encoded(&removed)?.into()));
        let old = old.into_iter().map(|key| (key, None));
        self.write(std::iter::once(noted).chain(old))
    }
}
