//! The seals of the activity: every change of a sealed entry or seal is found.

use latchkey_core::activity::{
    Actor, Comparison, EntryRow, Event, EventData, FaultKind, Mark, Reference, Removal, Removed,
    Repeats, SealRow, Sealing, Verification, Verifier,
};
use latchkey_core::protocol::code::CodeFault;
use latchkey_core::verdict::Refusal;
use serde_json::json;

/// A sequence of numbers that look random and are the same in each run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

/// An activity as an engine stores it.
#[derive(Clone, Default)]
struct Stored {
    entries: Vec<EntryRow>,
    seals: Vec<(u64, SealRow)>,
    sealing: Option<Sealing>,
    removed: Option<Removed>,
    last: u64,
}

fn entry(number: u64, data: EventData) -> EntryRow {
    EntryRow {
        number,
        at: 1_700_000_000 + i64::try_from(number).unwrap(),
        actor: Actor::Visitor,
        address: Some("192.0.2.7".parse().unwrap()),
        reference: None,
        repeats: None,
        user: None,
        event: Event {
            subject: Some(format!("user-{}", number % 5)),
            link: Some(format!("link-{}", number % 3)),
            ..data.into()
        },
    }
}

fn refused() -> EventData {
    EventData::Refused(Refusal::Code(CodeFault::Expired))
}

impl Stored {
    /// Records and seals an entry.
    fn record(&mut self, data: EventData) {
        // A change without an entry has a number, too.
        self.last += 1 + self.last % 2;
        let entry = entry(self.last, data);
        let begin = || Sealing::begin(self.entries.last().map_or(0, |entry| entry.number));
        let mut sealing = self.sealing.unwrap_or_else(begin);
        sealing.last.add(&entry);
        self.sealing = Some(sealing);
        self.entries.push(entry);
    }

    fn store_seal(&mut self) {
        if let Some(row) = self.sealing.as_mut().and_then(Sealing::store) {
            self.seals.push((row.seal.number, row));
        }
    }

    /// Removes some of the oldest entries like the retention.
    fn remove(&mut self, removal: Removal, count: usize) {
        let sealing = self.sealing.unwrap();
        let mut left = count;
        let (gone, kept) = self.entries.iter().cloned().partition(|entry: &EntryRow| {
            let goes = left > 0 && (removal == Removal::Oldest || entry.is_refusal());
            left -= usize::from(goes);
            goes
        });
        let (gone, kept): (Vec<EntryRow>, Vec<EntryRow>) = (gone, kept);
        let last = gone.last().map_or(0, |entry| entry.number);
        let mut seals = self.seals.iter().rev().map(|(_, row)| row.seal);
        let seal = seals.find(|seal| seal.number <= last);
        let mut removed = self.removed.unwrap_or_else(|| Removed::none(&sealing));
        removed.add(removal, &gone, seal.as_ref());
        let through = removed.through();
        self.seals.retain(|(number, _)| {
            let goes = *number <= through;
            if goes {
                removed.stored = *number;
            }
            !goes
        });
        (self.removed, self.entries) = (Some(removed), kept);
    }

    fn verify(&self, expected: Option<Mark>) -> Verification {
        let seals = self.seals.clone();
        let mut verifier = Verifier::new(self.sealing, self.removed, seals, expected);
        self.entries.iter().for_each(|entry| verifier.read(entry));
        verifier.finish()
    }

    /// Requires that a change of the entry with a number is found, and its place.
    fn require_found(&self, kinds: &[FaultKind], number: u64, what: &str) {
        let found = self.verify(None);
        let near = found.faults.iter().find(|fault| {
            let after = fault.after.map_or(0, |place| place.number);
            let through = fault.through.map_or(u64::MAX, |place| place.number);
            kinds.contains(&fault.kind) && after <= number && number <= through
        });
        assert!(near.is_some(), "{what} {number}: {:?}", found.faults);
        assert!(!found.is_sound());
    }
}

/// Returns an activity of some hundred entries after a random history.
fn random(seed: u64) -> Stored {
    let (mut stored, mut numbers) = (Stored::default(), Numbers(seed));
    for _ in 0..200 {
        match numbers.below(12) {
            0..=3 => stored.record(EventData::SignedIn),
            4..=7 => stored.record(refused()),
            8 | 9 => stored.store_seal(),
            10 if !stored.entries.is_empty() => {
                let count = usize::try_from(numbers.below(6)).unwrap();
                stored.remove(Removal::OldestRefusals, count);
            }
            11 if !stored.entries.is_empty() => {
                let count = usize::try_from(numbers.below(3)).unwrap();
                stored.remove(Removal::Oldest, count);
            }
            _ => {}
        }
        let found = stored.verify(None);
        assert!(found.is_sound(), "{seed}: {:?}", found.faults);
        assert_eq!(found.entries, stored.entries.len() as u64);
    }
    stored.record(EventData::SignedIn);
    stored.record(refused());
    stored.record(EventData::Added);
    stored
}

/// All kinds of faults about entries.
const ENTRIES: [FaultKind; 3] = [FaultKind::Missing, FaultKind::Added, FaultKind::Altered];

#[test]
fn a_removed_altered_added_or_swapped_entry_is_found_and_its_place_is_named() {
    for seed in 1..12 {
        let stored = random(seed);
        for at in 0..stored.entries.len() {
            let number = stored.entries[at].number;
            let mut changed = stored.clone();
            changed.entries.remove(at);
            changed.require_found(&[FaultKind::Missing], number, "removed");

            let mut changed = stored.clone();
            changed.entries[at].event.subject = Some("mallory".into());
            changed.require_found(&ENTRIES, number, "altered");

            let mut changed = stored.clone();
            changed.entries[at].at -= 3600;
            changed.require_found(&ENTRIES, number, "altered");

            let mut changed = stored.clone();
            changed.entries.insert(at, stored.entries[at].clone());
            changed.require_found(&[FaultKind::Added], number, "added");

            if at > 0 {
                let mut changed = stored.clone();
                changed.entries.swap(at - 1, at);
                changed.entries[at - 1].number = stored.entries[at - 1].number;
                changed.entries[at].number = number;
                changed.require_found(&ENTRIES, number, "swapped");
            }
        }
    }
}

#[test]
fn a_missing_altered_or_added_seal_is_found() {
    for seed in 1..12 {
        let stored = random(seed);
        for at in 0..stored.seals.len() {
            let number = stored.seals[at].0;
            let mut changed = stored.clone();
            changed.seals.remove(at);
            changed.require_found(&[FaultKind::SealMissing], number, "missing");
            let alterations: [fn(&mut SealRow); 6] = [
                |row| row.seal.number += 1,
                |row| row.seal.at += 1,
                |row| row.seal.others.count += 1,
                |row| row.seal.refusals = row.seal.others,
                |row| row.hash = Sealing::begin(7).last.hash(),
                |row| row.seal.others.hash = row.hash,
            ];
            for alter in alterations {
                let mut changed = stored.clone();
                alter(&mut changed.seals[at].1);
                if changed.seals[at] != stored.seals[at] {
                    changed.require_found(&[FaultKind::SealAltered], number, "altered");
                }
            }
        }
        let mut changed = stored.clone();
        let last = stored.sealing.unwrap().last;
        let row = SealRow::new(last, stored.sealing.unwrap().stored);
        changed.seals.push((last.number, row));
        changed.require_found(&[FaultKind::SealAltered], last.number, "added");
        let mut changed = stored.clone();
        changed.sealing = None;
        if !stored.seals.is_empty() {
            assert!(!changed.verify(None).is_sound());
        }
    }
}

#[test]
fn a_cut_tail_is_found_with_or_without_its_seals() {
    for seed in 1..12 {
        let stored = random(seed);
        let last = stored.sealing.unwrap().last.number;
        for kept in 0..stored.entries.len() {
            let mut changed = stored.clone();
            changed.entries.truncate(kept);
            changed.require_found(&[FaultKind::Missing], last, "cut");
            let end = changed.entries.last().map_or(0, |entry| entry.number);
            changed.seals.retain(|(number, _)| *number <= end);
            changed.require_found(&[FaultKind::Missing], last, "cut with its seals");
        }
    }
}

#[test]
fn an_older_copy_is_found_only_by_the_expected_seal() {
    let mut stored = random(5);
    stored.store_seal();
    let older = stored.clone();
    stored.record(EventData::Removed);
    stored.store_seal();
    let expected = stored.sealing.unwrap().last.mark();
    assert!(older.verify(None).is_sound());
    assert_eq!(
        stored.verify(Some(expected)).expected,
        Some(Comparison::Same)
    );
    assert_eq!(
        older.verify(Some(expected)).expected,
        Some(Comparison::Ended)
    );
    // Somebody who can write everything seals a forged activity again.
    let mut forged = Stored {
        last: 0,
        ..Stored::default()
    };
    while forged.last < expected.number {
        forged.record(EventData::SignedIn);
    }
    assert!(forged.verify(None).is_sound());
    let found = forged.verify(Some(expected));
    assert_eq!(found.expected, Some(Comparison::Different));
    assert!(!found.is_sound());
    // Each seal of the past is still the expected one, until the retention removes its entries.
    let past = stored.seals[0].1.seal.mark();
    assert_eq!(stored.verify(Some(past)).expected, Some(Comparison::Same));
    stored.remove(Removal::Oldest, stored.entries.len() - 1);
    let found = stored.verify(Some(past));
    assert_eq!(found.expected, Some(Comparison::Unknown));
    assert_eq!(found.faults, []);
    assert_eq!(
        stored.verify(Some(expected)).expected,
        Some(Comparison::Same)
    );
}

#[test]
fn entries_before_the_sealing_began_are_counted_and_not_verified() {
    let mut stored = Stored::default();
    for number in 1..=3 {
        stored.entries.push(entry(number, EventData::SignedIn));
    }
    stored.last = 3;
    let found = stored.verify(None);
    assert_eq!(
        (found.before_sealing, found.entries, found.last),
        (3, 0, None)
    );
    assert_eq!(found.title(), "No entry is sealed yet.");
    stored.record(refused());
    stored.record(EventData::SignedIn);
    stored.entries[1].event.subject = None;
    let found = stored.verify(None);
    assert_eq!((found.before_sealing, found.entries), (3, 2));
    assert!(found.is_sound());
    stored.remove(Removal::Oldest, 2);
    assert!(stored.verify(None).is_sound());
    assert_eq!(stored.verify(None).removed_through, None);
}

#[test]
fn entries_that_the_retention_has_removed_cannot_come_back() {
    let mut stored = random(9);
    stored.store_seal();
    let forged = stored.entries[0].clone();
    stored.remove(Removal::Oldest, 2);
    stored.entries.insert(0, forged);
    let found = stored.verify(None);
    assert_eq!(found.faults.len(), 1);
    assert_eq!(found.faults[0].kind, FaultKind::Added);
}

#[test]
fn damage_is_removed_with_the_damaged_entries() {
    let mut stored = Stored::default();
    for round in 0..4 {
        for _ in 0..5 {
            stored.record(EventData::SignedIn);
            stored.record(refused());
        }
        stored.store_seal();
        if round == 0 {
            stored.entries[3].event.subject = Some("mallory".into());
        }
    }
    assert!(!stored.verify(None).is_sound());
    stored.remove(Removal::Oldest, 12);
    assert_eq!(stored.verify(None).faults, []);
}

/// The hashes of published entries. A change of this test breaks the seals of every directory.
#[test]
fn the_hash_of_an_entry_never_changes() {
    let mut full = entry(
        7,
        EventData::ApiKeyRevoked {
            name: "CRM \u{e9}\n".into(),
        },
    );
    full.actor = Actor::ApiKey("CRM".into());
    full.user = Some("ada".into());
    full.reference = Some(serde_json::from_value(json!("abcdefgh")).unwrap());
    full.repeats = Some(Repeats {
        count: 2,
        since: 3,
        references: vec![serde_json::from_value::<Reference>(json!("bcdefghj")).unwrap()],
    });
    let mut sealing = Sealing::begin(0);
    let hashes = [entry(1, EventData::SignedIn), entry(2, refused()), full].map(|entry| {
        sealing.last.add(&entry);
        sealing.last.mark().to_string()
    });
    let expected = [
        "1:18873ba79f3f757245ffeddb87395d58776d1ec3078b6bf067727c31500abe1e",
        "2:07108a11ba854eea0606f524d5b01883d1cc7d747e2dc097da33e0850384cd68",
        "7:7431564ac07f9e86bc8c152421b14f4df269cfcb43b4aaf333ff6a856141ba37",
    ];
    assert_eq!(hashes, expected);
}

#[test]
fn a_mark_is_read_as_it_was_written() {
    let mark = random(3).sealing.unwrap().last.mark();
    assert_eq!(mark.to_string().parse::<Mark>().unwrap(), mark);
    for text in [
        "",
        "7",
        "7:",
        "x:00",
        ":",
        "-1:00",
        &format!("7:{}", "+1".repeat(32)),
    ] {
        assert!(text.parse::<Mark>().is_err(), "{text}");
    }
}
