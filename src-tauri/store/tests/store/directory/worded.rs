//! Tests that the activity stores codes and parameters, and no words.

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use latchkey_core::activity::{ActivityQuery, AuditContext, Event, EventData, OutboxEntry};
use latchkey_core::directory::{Directory as _, JudgedCode};
use latchkey_core::instance::Policy;
use latchkey_core::protocol::code::CodeRefusal;
use latchkey_store::EmbeddedDirectory;
use latchkey_store::Wait as _;
use serde_json::Value;

use super::embedded::open;
use super::{at, id, new_user};
use crate::by;

/// Returns whether a file in a folder or below it contains a text.
pub(super) fn contains(folder: &Path, text: &str) -> bool {
    fs::read_dir(folder).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return contains(&path, text);
        }
        let bytes = fs::read(path).unwrap();
        bytes
            .windows(text.len())
            .any(|part| part == text.as_bytes())
    })
}

/// Returns every event, as the tests of core list them.
fn every_event() -> Vec<Event> {
    let table = include_str!("../../../../core/tests/core/events.json");
    let table: Vec<Value> = serde_json::from_str(table).unwrap();
    let events = table.into_iter().map(|mut row| {
        let data: EventData = serde_json::from_value(row["stored"].take()).unwrap();
        Event::from(data).of(&id("ada"))
    });
    events.collect()
}

/// Returns all events, oldest first.
fn recorded(directory: &EmbeddedDirectory) -> Vec<Event> {
    let page = directory
        .activity(&ActivityQuery::default(), None, 999)
        .wait();
    let entries = page.unwrap().entries.into_iter().rev();
    entries.map(|entry| entry.event).collect()
}

#[test]
fn every_event_comes_back_from_the_journal_and_from_the_rows() {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(&folder).unwrap();
    let events = every_event();
    assert!(events.len() > 40);
    for (number, event) in events.iter().enumerate() {
        // Each refusal has another address, because refusals from one address are counted.
        let address = Ipv4Addr::from_bits(u32::try_from(number).unwrap());
        let by = AuditContext {
            address: Some(IpAddr::V4(address)),
            ..by(at(0))
        };
        directory.record(event.clone(), &by).wait().unwrap();
    }
    assert_eq!(recorded(&directory), events);
    drop(directory);
    // Opening makes a checkpoint of the journal.
    let directory = open(&folder).unwrap();
    assert_eq!(recorded(&directory), events);
}

#[test]
fn every_event_comes_back_from_the_file_of_an_instance() {
    for event in every_event() {
        let entry = OutboxEntry {
            number: 1,
            at: 2,
            actor: by(at(0)).actor,
            address: None,
            event,
        };
        let file = serde_json::to_string(&entry).unwrap();
        let read: OutboxEntry = serde_json::from_str(&file).unwrap();
        assert_eq!(read, entry);
    }
}

#[test]
fn no_words_are_stored() {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(&folder).unwrap();
    let (ada, eve, by) = (new_user("ada"), new_user("eve"), by(at(0)));
    let redeem = |code: JudgedCode<'_>| {
        let redeemed = directory.redeem(code, Policy::default(), &by);
        redeemed.wait().unwrap();
    };
    redeem(Ok(&ada));
    redeem(Ok(&ada));
    redeem(Err(&CodeRefusal::BadSignature));
    directory.set_seat_limit(Some(1), &by).wait().unwrap();
    redeem(Ok(&eve));
    let everything = ActivityQuery::default();
    let page = directory.activity(&everything, None, 99).wait();
    let entries = page.unwrap().entries;
    assert_eq!(entries.len(), 5);
    drop(directory);
    for _ in 0..2 {
        for entry in &entries {
            assert!(contains(folder.path(), entry.event.data.code()));
            assert!(!contains(folder.path(), &entry.title()), "{entry:?}");
            if let Some(words) = entry.detail() {
                assert!(!contains(folder.path(), &words), "{entry:?}");
            }
        }
        // The second time the entries are in the rows, too.
        drop(open(&folder).unwrap());
    }
}
