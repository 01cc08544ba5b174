//! Suite of tests of snapshots.

use latchkey_core::activity::EventData;
use latchkey_core::directory::{Directory, Row, Snapshot};
use latchkey_core::instance::{Policy, Retention};
use latchkey_core::ledger::{Revocation, RevocationScope, TakenLink};
use latchkey_core::link::short_code::ShortCodeHash;
use latchkey_core::protocol::claims::Claims;
use latchkey_core::protocol::lifetime::Lifetime;
use latchkey_store::{EmbeddedDirectory, Wait as _};

use super::{at, code, id, new_user, person};
use crate::{by, revoke_link};

/// Returns the rest of a snapshot, sorted.
pub(crate) fn rest(snapshot: &mut dyn Snapshot) -> Vec<String> {
    let mut rows = Vec::new();
    while let Some(some) = snapshot.next().wait().unwrap() {
        rows.extend(some.iter().map(|row| serde_json::to_string(row).unwrap()));
    }
    rows.sort();
    rows
}

/// Returns all rows of a directory, sorted.
pub(crate) fn rows(directory: &dyn Directory) -> Vec<String> {
    rest(&mut *directory.snapshot().wait().unwrap())
}

fn fill(directory: &dyn Directory) {
    for begin in (0..1000).step_by(250) {
        let users: Vec<_> = (begin..begin + 250)
            .map(|number| {
                let email = format!("user-{number}@acme.example");
                person(&format!("user-{number}"), Some(&email))
            })
            .collect();
        directory.import(&users, &by(at(-400))).wait().unwrap();
    }
    for number in 0..300 {
        directory
            .suspend(&id(&format!("user-{number}")), &by(at(-300)))
            .wait()
            .unwrap();
    }
}

pub(super) fn a_snapshot_has_every_row_of_the_moment_when_it_began(directory: &dyn Directory) {
    fill(directory);
    let before = rows(directory);
    let mut snapshot = directory.snapshot().wait().unwrap();
    let first = snapshot.next().wait().unwrap().unwrap();
    assert!(matches!(first[..], [Row::Totals(_)]));
    for number in 200..600 {
        let who = id(&format!("user-{number}"));
        match number % 3 {
            0 => directory.remove(&who, &by(at(-200))).wait().unwrap(),
            1 => drop(directory.sign_out(&who, &by(at(-200))).wait().unwrap()),
            _ => drop(directory.suspend(&who, &by(at(-200))).wait().unwrap()),
        }
    }
    for number in 0..200 {
        let user = person(&format!("a-new-user-{number}"), None);
        directory.add(&user, &by(at(-100))).wait().unwrap();
    }
    let mut found: Vec<String> = rest(&mut *snapshot);
    found.extend(first.iter().map(|row| serde_json::to_string(row).unwrap()));
    found.sort();
    assert!(
        found == before,
        "{} rows, expected {}",
        found.len(),
        before.len()
    );
    assert!(rows(directory) != before);
}

pub(super) fn two_snapshots_are_read_at_once(directory: &dyn Directory) {
    fill(directory);
    let before = rows(directory);
    let mut first = directory.snapshot().wait().unwrap();
    directory
        .remove(&id("user-999"), &by(at(-100)))
        .wait()
        .unwrap();
    let after = rows(directory);
    let mut second = directory.snapshot().wait().unwrap();
    directory
        .remove(&id("user-998"), &by(at(-100)))
        .wait()
        .unwrap();
    for number in 0..100 {
        let user = person(&format!("a-new-user-{number}"), None);
        directory.add(&user, &by(at(-100))).wait().unwrap();
    }
    assert!(rest(&mut *second) == after);
    assert!(rest(&mut *first) == before);
}

#[test]
fn entries_that_are_removed_while_a_snapshot_is_read_are_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let directory = EmbeddedDirectory::open(folder.path(), "a test").unwrap();
    fill(&directory);
    let before = rows(&directory);
    let mut snapshot = directory.snapshot().wait().unwrap();
    let nothing = Retention {
        age: Lifetime::Secs(1),
        refusals: 0,
        links: Lifetime::Secs(1),
    };
    while directory.prune(nothing, at(0)).wait().unwrap() {}
    let entries = |rows: &[String]| {
        rows.iter()
            .filter(|row| row.starts_with(r#"{"entry"#))
            .count()
    };
    assert!(entries(&before) > 300);
    assert!(entries(&rows(&directory)) < 64);
    assert!(rest(&mut *snapshot) == before);
}

#[test]
fn a_snapshot_ends_when_its_directory_is_closed_and_does_not_keep_it_open() {
    let folder = tempfile::tempdir().unwrap();
    let directory = EmbeddedDirectory::open(folder.path(), "a test").unwrap();
    fill(&directory);
    let mut snapshot = directory.snapshot().wait().unwrap();
    assert!(snapshot.next().wait().unwrap().is_some());
    drop(directory);
    let again = EmbeddedDirectory::open(folder.path(), "a test").unwrap();
    assert!(snapshot.next().wait().is_err());
    drop(snapshot);
    assert_eq!(again.count().wait().unwrap(), 1000);
}

#[test]
fn a_snapshot_has_links_sessions_removals_and_moved_addresses() {
    let folder = tempfile::tempdir().unwrap();
    let directory = EmbeddedDirectory::open(folder.path(), "a test").unwrap();
    let redeem = |payload: &str| {
        let code = code(payload, -60);
        directory
            .redeem(Ok(&code), Policy::default(), &by(at(0)))
            .wait()
            .unwrap()
    };
    redeem(r#""user":{"id":"ada"},"jti":"once","single_use":true"#);
    revoke_link(&directory, "revoked", at(0));
    let revocation = Revocation {
        scope: RevocationScope::Person(id("ada")),
        ends_sessions: true,
        allows_unknown: true,
    };
    directory
        .revoke_links(revocation, &by(at(0)))
        .wait()
        .unwrap();
    let claims = serde_json::json!({"id": "ada", "jti": "taken", "iat": 1});
    let claims = Claims::from_signed(claims.as_object().unwrap()).unwrap();
    let taken = TakenLink {
        short: Some(ShortCodeHash::of("a short code")),
        ..TakenLink::new(claims, Some("key".to_owned()))
    };
    directory.take_link(taken, &by(at(0))).wait().unwrap();
    let bob = person("bob", Some("bob@acme.example"));
    directory.add(&bob, &by(at(0))).wait().unwrap();
    directory.remove(&id("bob"), &by(at(0))).wait().unwrap();
    let eve = new_user("eve");
    directory
        .redeem(Ok(&eve), Policy::default(), &by(at(0)))
        .wait()
        .unwrap();
    directory
        .record(EventData::GatewayRecovered.into(), &by(at(0)))
        .wait()
        .unwrap();
    let rows = rows(&directory);
    for expected in [
        r#"{"totals":{"#,
        r#"{"user":{"id":"ada""#,
        r#"{"user":{"id":"eve""#,
        r#"{"issued_link":{"id":"once","user":"ada","#,
        r#"{"issued_link":{"id":"revoked","user":null,"#,
        r#"{"issued_link":{"id":"taken","user":"ada","#,
        r#"{"claims":{"person":{"user":"ada"},"link":"taken","claims":{"#,
        r#"{"short_link":{"link":"taken","code":""#,
        r#"{"cutoffs":{"user":"ada","cutoffs":{"revoked":{"#,
        r#"{"removal":{"user":"bob","at":"#,
        r#"{"former_users":{"email":"bob@acme.example","users":[["bob","#,
        r#"{"entry":{"number":"#,
    ] {
        let is_there = rows.iter().any(|row| row.starts_with(expected));
        assert!(is_there, "{expected}: {rows:#?}");
    }
}
