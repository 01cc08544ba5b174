//! Tests of open requests for new links in the embedded engine.

use latchkey_core::ErrorCode;
use latchkey_core::directory::{Directory as _, Row};
use latchkey_core::instance::{Policy, Retention};
use latchkey_core::ledger::{Asking, NewLinkRequest};
use latchkey_core::protocol::lifetime::Lifetime;
use latchkey_store::embedded::Loading;
use latchkey_store::{EmbeddedDirectory, Wait as _};

use super::embedded::tree;
use super::snapshots::rows;
use super::{at, code, id};
use crate::by;

const DAY: i64 = 86_400;

/// Uses a link of a user up, and asks for a new one.
fn ask(directory: &EmbeddedDirectory, user: &str, second: i64) {
    let payload = format!(r#""user":{{"id":"{user}"}},"jti":"{user}","single_use":true"#);
    let code = code(&payload, -60);
    let by = by(at(second));
    let redeemed = directory.redeem(Ok(&code), Policy::default(), &by);
    redeemed.wait().unwrap();
    let asking = Asking {
        code: code.into(),
        policy: Policy::default(),
        browser: Some("Mozilla/5.0".to_owned()),
    };
    directory.ask_for_link(asking, &by).wait().unwrap();
}

fn open(directory: &EmbeddedDirectory) -> Vec<NewLinkRequest> {
    directory.link_requests().wait().unwrap()
}

fn subjects(directory: &EmbeddedDirectory) -> Vec<String> {
    let open = open(directory);
    open.iter().map(|open| open.subject().to_owned()).collect()
}

#[test]
fn requests_are_there_again_after_the_directory_was_closed_the_newest_first() {
    let folder = tempfile::tempdir().unwrap();
    let directory = EmbeddedDirectory::open(folder.path(), "a test").unwrap();
    for user in ["ada", "bob", "eve"] {
        ask(&directory, user, 0);
    }
    let before = open(&directory);
    assert_eq!(subjects(&directory), ["eve", "bob", "ada"]);
    drop(directory);
    let directory = EmbeddedDirectory::open(folder.path(), "a test").unwrap();
    assert_eq!(open(&directory), before);
    let bob = directory.link_request(before[1].number).wait().unwrap();
    let by = by(at(1));
    directory
        .dismiss_request(bob.reference(), &by)
        .wait()
        .unwrap();
    directory.suspend(&id("ada"), &by).wait().unwrap();
    assert_eq!(subjects(&directory), ["eve"]);
    drop(directory);
    let directory = EmbeddedDirectory::open(folder.path(), "a test").unwrap();
    assert_eq!(subjects(&directory), ["eve"]);
}

#[test]
fn a_snapshot_has_the_requests_and_another_directory_loads_them() {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (folder.path().join("from"), folder.path().join("to"));
    let directory = EmbeddedDirectory::open(&from, "a test").unwrap();
    ask(&directory, "ada", 0);
    let before = rows(&directory);
    let is_request = |row: &&String| row.starts_with(r#"{"link_request":{"number":"#);
    assert_eq!(before.iter().filter(is_request).count(), 1);
    let mut snapshot = directory.snapshot().wait().unwrap();
    let mut loading: Option<Loading> = None;
    while let Some(some) = snapshot.next().wait().unwrap() {
        for row in some {
            // As in a file.
            let json = serde_json::to_string(&row).unwrap();
            let row: Row = serde_json::from_str(&json).unwrap();
            match &mut loading {
                Some(loading) => loading.put(row).unwrap(),
                None => loading = Some(Loading::begin(&to, row).unwrap()),
            }
        }
    }
    loading.unwrap().finish().unwrap();
    let loaded = EmbeddedDirectory::open(&to, "a test").unwrap();
    assert_eq!(open(&loaded), open(&directory));
    assert!(rows(&loaded) == before);
}

#[test]
fn a_request_stays_open_for_30_days_or_as_long_as_links_are_kept() {
    let month = Lifetime::Secs(30 * DAY);
    for (links, open_secs) in [
        (Lifetime::Never, 30 * DAY),
        (Lifetime::Secs(365 * DAY), 30 * DAY),
        (month, 30 * DAY),
        (Lifetime::Secs(DAY), DAY),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let directory = EmbeddedDirectory::open(folder.path(), "a test").unwrap();
        ask(&directory, "ada", 0);
        ask(&directory, "bob", 10);
        // Requests in the journal are not removed before they are in the rows.
        drop(directory);
        let directory = EmbeddedDirectory::open(folder.path(), "a test").unwrap();
        let retention = Retention {
            links,
            ..Retention::default()
        };
        let prune = |second| while directory.prune(retention, at(second)).wait().unwrap() {};
        prune(open_secs);
        assert_eq!(subjects(&directory), ["bob", "ada"], "{links:?}");
        prune(open_secs + 1);
        assert_eq!(subjects(&directory), ["bob"], "{links:?}");
        drop(directory);
        let directory = EmbeddedDirectory::open(folder.path(), "a test").unwrap();
        assert_eq!(subjects(&directory), ["bob"], "{links:?}");
        // The person can ask again.
        ask(&directory, "ada", open_secs + 2);
        assert_eq!(subjects(&directory), ["ada", "bob"], "{links:?}");
    }
}

#[test]
fn a_damaged_link_does_not_keep_requests_that_are_too_old() {
    let folder = tempfile::tempdir().unwrap();
    let directory = EmbeddedDirectory::open(folder.path(), "a test").unwrap();
    ask(&directory, "ada", 0);
    drop(directory);
    let rows = tree(&folder);
    rows.insert("l:damaged", "?").unwrap();
    rows.flush().unwrap();
    drop(rows);
    let directory = EmbeddedDirectory::open(folder.path(), "a test").unwrap();
    let retention = Retention {
        links: Lifetime::Secs(DAY),
        ..Retention::default()
    };
    let pruned = directory.prune(retention, at(DAY + 1)).wait();
    assert_eq!(pruned.unwrap_err().code, ErrorCode::DamagedFile);
    assert!(subjects(&directory).is_empty());
}
