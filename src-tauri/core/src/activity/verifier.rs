//! Verification of the activity by its seals.

use std::iter::Peekable;
use std::vec::IntoIter;

use super::row::EntryRow;
use super::seal::{Chain, Mark, Removed, Seal, SealRow, Sealing};
use super::verification::{Comparison, Fault, FaultKind, Place, Verification};

/// Maximum number of faults in a result.
const MAX_FAULTS: usize = 100;

/// A verification that reads the entries in their order.
///
/// It finds what was changed by somebody who does not compute the seals again. Somebody who can
/// write all files can also compute all seals, and can put an older copy of all files in place. Both
/// are found only by an expected [`Mark`] that was kept elsewhere. Even then, removing the oldest
/// entries or refusals looks like the retention.
pub struct Verifier {
    sealing: Option<Sealing>,
    removed: Option<Removed>,
    rows: Peekable<IntoIter<(u64, SealRow)>>,
    /// Chains of the entries that were read.
    read: Seal,
    /// Place of the last seal.
    since: Option<Place>,
    /// Number of the last stored seal that was read.
    stored: u64,
    expected: Option<Mark>,
    is_same: Option<bool>,
    /// Entries that the retention should have removed.
    left_over: Stray,
    /// Entries after the last seal.
    unsealed: Stray,
    found: Verification,
}

/// Entries that no seal covers.
#[derive(Default)]
struct Stray {
    count: u64,
    last: Option<Place>,
}

impl Stray {
    fn add(&mut self, entry: &EntryRow) {
        self.count += 1;
        self.last = Some(Place {
            number: entry.number,
            at: Some(entry.at),
        });
    }

    fn fault(&self, after: Option<Place>) -> Option<Fault> {
        (self.count > 0).then_some(Fault {
            kind: FaultKind::Added,
            count: self.count,
            after,
            through: self.last,
        })
    }
}

impl Verifier {
    /// Begins a verification. `rows` has the stored seals with the numbers in their keys, in
    /// ascending order.
    #[must_use]
    pub fn new(
        sealing: Option<Sealing>,
        removed: Option<Removed>,
        rows: Vec<(u64, SealRow)>,
        expected: Option<Mark>,
    ) -> Self {
        let mut verifier = Self {
            sealing,
            removed,
            rows: rows.into_iter().peekable(),
            read: Seal::default(),
            since: None,
            stored: removed.map_or(0, |removed| removed.stored),
            expected,
            is_same: None,
            left_over: Stray::default(),
            unsealed: Stray::default(),
            found: Verification::default(),
        };
        if let Some(sealing) = sealing {
            verifier.read.number = sealing.after;
        } else if removed.is_some() || verifier.rows.peek().is_some() {
            verifier.add_fault(FaultKind::SealingMissing, 1, None);
        }
        if let Some(removed) = removed {
            verifier.read.others = removed.others.chain;
            verifier.read.refusals = removed.refusals.chain;
            let after = sealing.map_or(0, |sealing| sealing.after);
            let through = |number: u64| (number > after).then_some(number);
            verifier.found.removed_through = through(removed.others.through);
            verifier.found.refusals_removed_through = through(removed.refusals.through);
            verifier.since = through(removed.through()).map(|number| Place { number, at: None });
        }
        verifier
    }

    /// Reads the next entry.
    pub fn read(&mut self, entry: &EntryRow) {
        let Some(sealing) = self.sealing else {
            self.found.before_sealing += 1;
            return;
        };
        if entry.number <= sealing.after {
            self.found.before_sealing += 1;
        } else if self.removed.is_some_and(|removed| removed.has(entry)) {
            self.left_over.add(entry);
        } else if entry.number > sealing.last.number {
            self.unsealed.add(entry);
        } else {
            while let Some((number, row)) = self.rows.next_if(|(number, _)| *number < entry.number)
            {
                self.pass(number, &row);
            }
            self.read.add(entry);
            self.found.entries += 1;
            if self.is_complete_at(entry.number) {
                self.compare(self.read.mark());
            }
        }
    }

    /// Ends the verification.
    #[must_use]
    pub fn finish(mut self) -> Verification {
        if let Some(fault) = self.left_over.fault(None) {
            self.push(fault);
        }
        let rows = std::mem::replace(&mut self.rows, Vec::new().into_iter().peekable());
        let Some(sealing) = self.sealing else {
            self.found.expected = self.expected.map(|_| Comparison::Unknown);
            return self.found;
        };
        for (number, row) in rows {
            self.pass(number, &row);
        }
        let last = sealing.last;
        self.require_stored(sealing.stored, last.number);
        self.check(&last);
        if self.read != last && self.must_have(last.number) {
            self.add_fault(FaultKind::SealAltered, 1, Some(place(&last)));
        }
        self.compare(last.mark());
        if let Some(fault) = self.unsealed.fault(Some(place(&last))) {
            self.push(fault);
        }
        if last.number > sealing.after {
            self.found.last = Some(last.mark());
            self.found.last_at = Some(last.at);
        }
        self.found.expected = self.expected.map(|expected| match self.is_same {
            Some(true) => Comparison::Same,
            Some(false) => Comparison::Different,
            None if expected.number > last.number => Comparison::Ended,
            None if self.must_have(expected.number) => Comparison::Different,
            None => Comparison::Unknown,
        });
        let after = |fault: &Fault| fault.after.map_or(0, |place| place.number);
        self.found.faults.sort_by_key(after);
        self.found
    }

    /// Returns whether both chains are known at a sealed entry.
    fn is_complete_at(&self, number: u64) -> bool {
        let after = self.sealing.map_or(u64::MAX, |sealing| sealing.after);
        number > after && (number >= self.removed_through())
    }

    /// Returns whether the retention has not removed a sealed entry.
    fn must_have(&self, number: u64) -> bool {
        self.is_complete_at(number) && number > self.removed_through()
    }

    /// Returns the number of the last removed entry.
    fn removed_through(&self) -> u64 {
        self.removed.map_or(0, |removed| {
            removed.others.through.max(removed.refusals.through)
        })
    }

    /// Compares a seal with the expected one, if it has the same number.
    fn compare(&mut self, mark: Mark) {
        if let Some(expected) = self.expected
            && expected.number == mark.number
        {
            self.is_same = Some(self.is_same != Some(false) && mark == expected);
        }
    }

    /// Reads a stored seal after the entries that it covers.
    fn pass(&mut self, number: u64, row: &SealRow) {
        let SealRow { seal, before, hash } = row;
        let is_intact = *hash == seal.hash() && seal.number == number;
        let is_known = self.sealing.is_some_and(|sealing| number <= sealing.stored);
        if is_intact && is_known {
            self.require_stored(*before, number);
            self.check(seal);
            self.compare(seal.mark());
        } else {
            let through = Place { number, at: None };
            self.add_fault(FaultKind::SealAltered, 1, Some(through));
        }
        self.stored = number;
    }

    /// Finds a missing seal. `before` is the number of the seal that should have been read last.
    fn require_stored(&mut self, before: u64, number: u64) {
        if before > self.stored {
            let through = Place {
                number: before.min(number),
                at: None,
            };
            self.add_fault(FaultKind::SealMissing, 1, Some(through));
        }
    }

    /// Compares the entries since the last seal with the next one.
    fn check(&mut self, seal: &Seal) {
        let (mut missing, mut added, mut differs) = (0, 0, false);
        let removed = |is_refusal: bool| {
            self.removed.is_some_and(|removed| {
                let chain = if is_refusal {
                    removed.refusals
                } else {
                    removed.others
                };
                seal.number < chain.through
            })
        };
        let are_removed = (removed(false), removed(true));
        let mut check = |is_removed: bool, read: &mut Chain, sealed: Chain| {
            if !is_removed {
                missing += sealed.count.saturating_sub(read.count);
                added += read.count.saturating_sub(sealed.count);
                differs |= *read != sealed;
                *read = sealed;
            }
        };
        check(are_removed.0, &mut self.read.others, seal.others);
        check(are_removed.1, &mut self.read.refusals, seal.refusals);
        let through = Some(place(seal));
        if missing > 0 {
            self.add_fault(FaultKind::Missing, missing, through);
        }
        if added > 0 {
            self.add_fault(FaultKind::Added, added, through);
        }
        if differs && missing == 0 && added == 0 {
            self.add_fault(FaultKind::Altered, 1, through);
        }
        if differs {
            (self.read.number, self.read.at) = (seal.number, seal.at);
        }
        self.since = through;
    }

    fn add_fault(&mut self, kind: FaultKind, count: u64, through: Option<Place>) {
        let after = self.since;
        self.push(Fault {
            kind,
            count,
            after,
            through,
        });
    }

    fn push(&mut self, fault: Fault) {
        if self.found.faults.len() < MAX_FAULTS {
            self.found.faults.push(fault);
        } else {
            self.found.has_more_faults = true;
        }
    }
}

const fn place(seal: &Seal) -> Place {
    Place {
        number: seal.number,
        at: Some(seal.at),
    }
}
