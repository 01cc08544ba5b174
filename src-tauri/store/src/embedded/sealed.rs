//! Tests of the seals over a directory whose rows somebody changes behind its back. Each changed
//! row is encoded like a right one, with its index, so that nothing else notices the change.

use std::fs;
use std::path::Path;

use jiff::Timestamp;
use latchkey_core::activity::{
    ActivityQuery, Actor, AuditContext, Comparison, Event, EventData, Fault, FaultKind, Mark,
    SealRow, Sealing, Verification,
};
use latchkey_core::directory::Directory as _;
use latchkey_core::instance::Retention;
use latchkey_core::protocol::code::CodeFault;
use latchkey_core::protocol::lifetime::Lifetime;
use latchkey_core::protocol::user_id::UserId;
use latchkey_core::verdict::Refusal;
use tempfile::TempDir;

use super::blocks::{Entries, read_block, rows_of};
use super::open::{SLED, open as open_tree};
use super::rows::{decoded, encoded, write_rows};
use super::{EmbeddedDirectory, Loading, keys};
use crate::wait::Wait as _;

/// Time of the first entry.
const BEGIN: i64 = 1_700_000_000;

fn open(folder: &Path) -> EmbeddedDirectory {
    EmbeddedDirectory::open(folder, "a test").unwrap()
}

/// Records an entry for each number. Every third is a refusal, each from its own address.
fn record(directory: &EmbeddedDirectory, numbers: std::ops::Range<i64>) {
    for number in numbers {
        let at = Timestamp::from_second(BEGIN + number).unwrap();
        let address = format!("10.{}.{}.1", number / 250, number % 250);
        let by = AuditContext {
            address: Some(address.parse().unwrap()),
            ..AuditContext::new(Actor::Visitor, at)
        };
        let user = UserId::parse(&format!("user-{number}"), "id").unwrap();
        let data = if number % 3 == 0 {
            EventData::Refused(Refusal::Code(CodeFault::Expired))
        } else {
            EventData::SignedIn
        };
        let event = Event::from(data).of(&user);
        directory.record(event, &by).wait().unwrap();
    }
}

/// Makes a closed directory with 300 entries.
fn directory() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(folder.path());
    record(&directory, 1..301);
    let found = directory.verify_activity(None).wait().unwrap();
    assert_eq!((found.entries, found.faults), (300, Vec::new()));
    folder
}

fn verify(folder: &Path, expected: Option<Mark>) -> Verification {
    open(folder).verify_activity(expected).wait().unwrap()
}

/// Works with the rows of a closed directory.
fn with_rows(folder: &Path, work: impl FnOnce(&sled::Db)) {
    let tree = open_tree(&folder.join(SLED)).unwrap();
    work(&tree);
    tree.flush().unwrap();
}

/// Changes the entries of the block that has the entry with a number.
fn change_block(tree: &sled::Db, number: u64, change: impl FnOnce(&mut Entries)) {
    let row = tree.range(keys::block(0)..=keys::block(number)).next_back();
    let (first, mut entries) = read_block(row.unwrap()).unwrap();
    change(&mut entries);
    write_rows(tree, rows_of(first, &entries).unwrap()).unwrap();
}

/// Changes a letter of an event in the block that has the entry with a number, so that the event has
/// no meaning any more.
fn make_unreadable(tree: &sled::Db, number: u64) {
    let row = tree.range(keys::block(0)..=keys::block(number)).next_back();
    let (key, block) = row.unwrap().unwrap();
    let (word, mut bytes) = (b"signed_in", block.to_vec());
    let mut words = bytes.windows(word.len());
    let at = words.position(|found| found == word).unwrap();
    bytes[at] = b'x';
    tree.insert(key, bytes).unwrap();
}

/// Returns the one fault of a directory after a change. Requires that entries up to 100 and from
/// 200 are not in doubt.
fn fault_after(change: impl FnOnce(&sled::Db)) -> Fault {
    let folder = directory();
    with_rows(folder.path(), change);
    let found = verify(folder.path(), None);
    assert!(!found.is_sound());
    let [fault] = &found.faults[..] else {
        panic!("one fault: {:?}", found.faults);
    };
    let (after, through) = (fault.after.unwrap(), fault.through.unwrap());
    assert!(after.number < 150 && after.number >= 50, "{fault:?}");
    assert!(through.number >= 150 && through.number < 250, "{fault:?}");
    let at = BEGIN + i64::try_from(after.number).unwrap();
    assert_eq!(after.at, Some(at), "the time is that of the entry");
    fault.clone()
}

#[test]
fn a_removed_altered_or_swapped_entry_is_found_between_two_numbers_and_times() {
    let removed = fault_after(|tree| {
        change_block(tree, 150, |entries| {
            entries.retain(|(number, _)| *number != 150);
        });
    });
    assert_eq!((removed.kind, removed.count), (FaultKind::Missing, 1));
    let sentence = removed.sentence();
    assert!(sentence.ends_with(": 1 entry is missing."), "{sentence}");

    let altered = fault_after(|tree| {
        change_block(tree, 150, |entries| {
            let one = entries.iter_mut().find(|(number, _)| *number == 150);
            let (number, entry) = one.unwrap();
            let mut row = entry.clone().into_snapshot(*number);
            row.event.subject = Some("mallory".to_owned());
            *entry = super::record::EntryRecord::from_snapshot(row);
        });
    });
    assert_eq!(altered.kind, FaultKind::Altered);

    let unreadable = fault_after(|tree| make_unreadable(tree, 150));
    assert_eq!(unreadable.kind, FaultKind::Altered);

    let swapped = fault_after(|tree| {
        change_block(tree, 150, |entries| {
            let at = entries.iter().position(|(number, _)| *number == 150);
            let at = at.unwrap();
            entries.swap(at, at + 1);
            let (before, after) = entries.split_at_mut(at + 1);
            std::mem::swap(&mut before[at].0, &mut after[0].0);
        });
    });
    assert_eq!(swapped.kind, FaultKind::Altered);
}

#[test]
fn an_entry_that_cannot_be_read_hides_no_other() {
    let folder = directory();
    with_rows(folder.path(), |tree| make_unreadable(tree, 150));
    let directory = open(folder.path());
    let query = ActivityQuery::default();
    let page = directory.activity(&query, None, 1000).wait().unwrap();
    let codes = page.entries.iter().map(|entry| entry.event.data.code());
    let unreadable = codes.clone().filter(|code| *code == "unreadable");
    assert_eq!((codes.count(), unreadable.count()), (300, 1));
}

#[test]
fn a_missing_or_altered_seal_is_found() {
    let seal_near = |tree: &sled::Db| {
        let row = tree.range(keys::seal(150)..).next().unwrap().unwrap();
        (row.0.to_vec(), decoded::<SealRow>(&row.1).unwrap())
    };
    let missing = fault_after(|tree| {
        tree.remove(seal_near(tree).0).unwrap();
    });
    assert_eq!(missing.kind, FaultKind::SealMissing);
    let altered = fault_after(|tree| {
        let (key, mut row) = seal_near(tree);
        row.seal.others.count += 1;
        tree.insert(key, encoded(&row).unwrap()).unwrap();
    });
    assert_eq!(altered.kind, FaultKind::SealAltered);
    let folder = directory();
    with_rows(folder.path(), |tree| {
        tree.remove(keys::SEALING).unwrap();
    });
    let found = verify(folder.path(), None);
    assert_eq!(found.faults[0].kind, FaultKind::SealingMissing);
}

/// Removes all rows of the activity after an entry.
fn cut(tree: &sled::Db, after: u64, with_seals: bool) {
    let remove = |keys: std::ops::RangeFrom<Vec<u8>>, prefix: &[u8]| {
        for row in tree.range(keys) {
            let key = row.unwrap().0;
            if key.starts_with(prefix) {
                tree.remove(key).unwrap();
            }
        }
    };
    change_block(tree, after, |entries| {
        entries.retain(|(number, _)| *number <= after);
    });
    remove(keys::block(after + 1).., keys::BLOCKS);
    remove(keys::index(after + 1).., keys::INDEXES);
    if with_seals {
        remove(keys::seal(after + 1).., keys::SEALS);
    }
}

#[test]
fn a_cut_tail_is_found_and_an_older_state_only_by_the_expected_seal() {
    for with_seals in [false, true] {
        let folder = directory();
        with_rows(folder.path(), |tree| cut(tree, 290, with_seals));
        let found = verify(folder.path(), None);
        let missing = found.faults.iter();
        let missing = missing.filter(|fault| fault.kind == FaultKind::Missing);
        let missing: Vec<_> = missing.collect();
        assert_eq!(missing.iter().map(|fault| fault.count).sum::<u64>(), 10);
        assert_eq!(missing[0].through.unwrap().number, 300);
    }
    // Somebody who can write everything also puts the state of the sealing back.
    let folder = directory();
    let expected = verify(folder.path(), None).last.unwrap();
    with_rows(folder.path(), |tree| {
        cut(tree, 290, true);
        let row = tree
            .scan_prefix(keys::SEALS)
            .next_back()
            .unwrap()
            .unwrap()
            .1;
        let last: SealRow = decoded(&row).unwrap();
        let sealing = Sealing {
            after: 0,
            last: last.seal,
            stored: last.seal.number,
        };
        cut(tree, last.seal.number, true);
        tree.insert(keys::SEALING, encoded(&sealing).unwrap())
            .unwrap();
    });
    assert!(verify(folder.path(), None).is_sound());
    let found = verify(folder.path(), Some(expected));
    assert_eq!(found.expected, Some(Comparison::Ended));
    assert!(!found.is_sound());
}

#[test]
fn the_chain_goes_on_after_a_kill_at_any_time() {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(folder.path());
    for round in 0..20 {
        record(&directory, round * 17 + 1..round * 17 + 18);
        let killed = tempfile::tempdir().unwrap();
        copy(folder.path(), killed.path());
        let copied = open(killed.path());
        let found = copied.verify_activity(None).wait().unwrap();
        let count = u64::try_from(round * 17 + 17).unwrap();
        assert_eq!((found.entries, found.faults), (count, Vec::new()));
        let kept = found.last.unwrap();
        record(&copied, 1000..1010);
        let found = copied.verify_activity(Some(kept)).wait().unwrap();
        assert_eq!((found.entries, found.is_sound()), (count + 10, true));
    }
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            fs::create_dir(&to).unwrap();
            copy(&entry.path(), &to);
        } else if entry.file_name() != "lock" {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

#[test]
fn the_retention_does_not_look_like_damage() {
    let folder = directory();
    let noted = verify(folder.path(), None).last.unwrap();
    for (age, refusals, left) in [(250, 1000, 250), (250, 30, 196), (60, 10, 50), (0, 0, 0)] {
        let directory = open(folder.path());
        let now = Timestamp::from_second(BEGIN + 301).unwrap();
        let retention = Retention {
            age: Lifetime::Secs(age),
            refusals,
            links: Lifetime::Never,
        };
        while directory.prune(retention, now).wait().unwrap() {
            let found = directory.verify_activity(Some(noted)).wait().unwrap();
            assert_eq!(found.faults, []);
        }
        let found = directory.verify_activity(Some(noted)).wait().unwrap();
        assert_eq!(
            (found.entries, found.is_sound()),
            (left, true),
            "{age} {refusals}"
        );
        let through = found.refusals_removed_through.unwrap();
        assert!(found.removed_through.is_some_and(|all| all <= through));
    }
    let directory = open(folder.path());
    record(&directory, 400..450);
    let found = directory.verify_activity(Some(noted)).wait().unwrap();
    assert_eq!((found.entries, found.is_sound()), (50, false));
    assert_eq!(found.expected, Some(Comparison::Unknown));
    assert_eq!(found.faults, []);
}

#[test]
fn a_removal_that_was_interrupted_is_finished_at_the_next_opening() {
    let folder = directory();
    let blocks = {
        let mut blocks = Vec::new();
        with_rows(folder.path(), |tree| {
            blocks = tree
                .scan_prefix(keys::BLOCKS)
                .collect::<Result<_, _>>()
                .unwrap();
        });
        blocks
    };
    let directory = open(folder.path());
    let retention = Retention {
        age: Lifetime::Secs(270),
        refusals: 1000,
        links: Lifetime::Never,
    };
    let now = Timestamp::from_second(BEGIN + 301).unwrap();
    assert!(directory.prune(retention, now).wait().unwrap());
    drop(directory);
    // As if the program had ended before it wrote the block.
    with_rows(folder.path(), |tree| {
        let (first, entries) = read_block(Ok(blocks[0].clone())).unwrap();
        write_rows(tree, rows_of(first, &entries).unwrap()).unwrap();
    });
    let found = verify(folder.path(), None);
    assert_eq!((found.faults.len(), found.entries), (0, 270));
}

#[test]
fn a_snapshot_and_the_directory_that_is_made_of_it_have_the_chain() {
    let folder = directory();
    let directory = open(folder.path());
    let retention = Retention {
        age: Lifetime::Secs(280),
        refusals: 50,
        links: Lifetime::Never,
    };
    let now = Timestamp::from_second(BEGIN + 301).unwrap();
    while directory.prune(retention, now).wait().unwrap() {}
    let found = directory.verify_activity(None).wait().unwrap();
    let mut snapshot = directory.snapshot().wait().unwrap();
    record(&directory, 301..500);
    let restored = tempfile::tempdir().unwrap();
    let mut loading: Option<Loading> = None;
    while let Some(rows) = snapshot.next().wait().unwrap() {
        for row in rows {
            let json = serde_json::to_string(&row).unwrap();
            let row = serde_json::from_str(&json).unwrap();
            match &mut loading {
                Some(loading) => loading.put(row).unwrap(),
                none => *none = Some(Loading::begin(restored.path(), row).unwrap()),
            }
        }
    }
    loading.unwrap().finish().unwrap();
    let again = verify(restored.path(), found.last);
    assert!(again.is_sound());
    assert_eq!(again.last, found.last);
    assert_eq!(again.entries, found.entries);
    let directory = open(restored.path());
    record(&directory, 301..350);
    let found = directory.verify_activity(found.last).wait().unwrap();
    assert!(found.is_sound(), "{:?}", found.faults);
}
