//! Tests of the journal.

use std::collections::BTreeMap;
use std::path::Path;
use std::thread;

use jiff::Timestamp;

use super::super::rows::encoded;
use super::*;
use latchkey_core::activity::{Actor, AuditContext, EventData};

fn journal(path: &Path) -> Journal {
    loop {
        // The journal that was dropped may still be closing.
        if let Ok(tree) = sled::open(path) {
            return Journal::open(tree, Disk::open(path).unwrap()).unwrap();
        }
        thread::yield_now();
    }
}

fn change(number: u64, writes: Vec<Write>) -> Change {
    let by = AuditContext::new(Actor::Studio, Timestamp::UNIX_EPOCH);
    let entry = EntryRecord::new(EventData::Imported { users: number }.into(), &by);
    Change {
        writes,
        entry: Some(entry),
    }
}

/// Makes changes like the writer.
fn write(journal: &Journal, first: u64, changes: &[Change]) {
    journal.stage(first, changes);
    journal.commit(first, changes).unwrap();
    journal.checkpoint_if_much();
}

fn numbers(journal: &Journal, before: u64) -> Vec<u64> {
    journal
        .entries(before)
        .map(|row| {
            let (number, entry) = row.unwrap();
            let data = EventData::Imported { users: number };
            assert_eq!(entry.into_entry(number).event.data, data);
            number
        })
        .collect()
}

fn journaled(journal: &Journal) -> usize {
    let all = journal.tree.range(keys::change(0)..=keys::change(u64::MAX));
    all.count()
}

/// Returns rows of which some are written often, some once, and some are removed again.
fn writes(number: u64) -> Vec<(String, Option<u64>)> {
    let mut writes = vec![
        ("u:counter".to_owned(), Some(number)),
        (format!("u:{}", number % 7), Some(number)),
        (format!("e:{number}"), Some(number)),
    ];
    if number.is_multiple_of(3) {
        writes.push((format!("e:{}", number / 2), None));
    }
    writes
}

#[test]
fn rows_are_whole_wherever_the_journal_is_cut() {
    let folder = tempfile::tempdir().unwrap();
    let (mut rows, mut number) = (BTreeMap::new(), 0);
    for (changes, together) in [
        (1, 1),
        (62, 1),
        (1, 1),
        (63, 3),
        (64, 1),
        (66, 2),
        (128, 32),
        (5, 5),
        (0, 1),
        (3, 1),
        (200, 100),
        (7, 7),
    ] {
        let journal = journal(folder.path());
        assert_eq!(journaled(&journal), 0, "all is carried over by opening");
        for _ in 0..changes / together {
            let first = number + 1;
            let mut all = Vec::new();
            for _ in 0..together {
                number += 1;
                let written = writes(number);
                let encode = |value: Option<u64>| value.map(|value| encoded(&value).unwrap());
                let bytes = written.iter().cloned();
                let bytes = bytes.map(|(key, value)| (key.into_bytes(), encode(value)));
                all.push(change(number, bytes.collect()));
                rows.extend(written);
            }
            write(&journal, first, &all);
            assert!(journaled(&journal) * together < CHANGES);
        }
        journal.flush().unwrap();
        for (key, value) in &rows {
            let read: Option<u64> = journal.view().read(key.as_bytes()).unwrap();
            assert_eq!(read, *value, "{key} after {number}");
        }
        let all: Vec<u64> = (1..=number).rev().collect();
        assert_eq!(numbers(&journal, u64::MAX), all);
        for before in [number, number.saturating_sub(3), 1] {
            let some: Vec<u64> = (1..before).rev().collect();
            assert_eq!(numbers(&journal, before), some);
        }
    }
}

#[test]
fn a_change_of_many_rows_is_checkpointed_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let journal = journal(folder.path());
    let rows = |count: usize| {
        let rows = 0..count;
        rows.map(|row| (format!("u:{row}").into_bytes(), Some(vec![1])))
            .collect()
    };
    let write = |number, rows| super::tests::write(&journal, number, &[change(number, rows)]);
    write(1, rows(ROWS - 1));
    assert_eq!(journaled(&journal), 1);
    write(2, rows(3 * ROWS));
    assert_eq!(journaled(&journal), 0);
    assert_eq!(journal.tree.scan_prefix("u:").count(), 3 * ROWS);
}

#[test]
fn a_view_does_not_change_while_it_is_held() {
    let folder = tempfile::tempdir().unwrap();
    let journal = journal(folder.path());
    let write = |number: u64| {
        let row = (b"u:x".to_vec(), Some(encoded(&number).unwrap()));
        super::tests::write(&journal, number, &[change(number, vec![row])]);
    };
    write(1);
    let view = journal.view();
    thread::scope(|scope| {
        let writer = scope.spawn(|| write(2));
        thread::sleep(std::time::Duration::from_millis(50));
        assert!(!writer.is_finished());
        assert_eq!(view.read::<u64>(b"u:x").unwrap(), Some(1));
        drop(view);
        writer.join().unwrap();
    });
    assert_eq!(journal.view().read::<u64>(b"u:x").unwrap(), Some(2));
}

#[test]
fn a_change_without_an_entry_is_written_and_has_none() {
    let folder = tempfile::tempdir().unwrap();
    let write_one = |journal: &Journal, number: u64, entry: bool| {
        let row = (b"u:x".to_vec(), Some(encoded(&number).unwrap()));
        let mut change = change(number, vec![row]);
        if !entry {
            change.entry = None;
        }
        write(journal, number, &[change]);
    };
    let opened = journal(folder.path());
    for number in 1..=200 {
        write_one(&opened, number, number == 3);
    }
    assert!(journaled(&opened) < CHANGES);
    opened.flush().unwrap();
    drop(opened);
    let opened = journal(folder.path());
    assert_eq!(numbers(&opened, u64::MAX), [3]);
    assert_eq!(opened.view().read::<u64>(b"u:x").unwrap(), Some(200));
}

#[test]
fn a_damaged_change_is_detected() {
    for (key, bytes) in [(keys::change(1), vec![9]), (b"j:short".to_vec(), vec![])] {
        let folder = tempfile::tempdir().unwrap();
        let tree = sled::open(folder.path()).unwrap();
        tree.insert(key, bytes).unwrap();
        let disk = Disk::open(folder.path()).unwrap();
        let refused = Journal::open(tree, disk).err();
        assert_eq!(refused.unwrap().code, latchkey_core::ErrorCode::DamagedFile);
    }
}
