//! Tests of short links in the embedded engine.

use latchkey_core::directory::Directory as _;
use latchkey_core::ledger::{RevocationScope, TakenLink};
use latchkey_core::link::short_code::ShortCode;
use latchkey_core::protocol::payload::Payload;
use latchkey_store::{EmbeddedDirectory, Wait as _};
use serde_json::json;

use super::conformance::redeem;
use super::made_links::{Made, made, made_with, revoke_at};
use super::{at, id};
use crate::by;
use crate::signed::RULES;

/// Gives a link out with a short link.
fn give(directory: &EmbeddedDirectory, link: &Made) -> ShortCode {
    let code = ShortCode::new().unwrap();
    let taken = TakenLink {
        short: Some(code.hash()),
        ..link.taken()
    };
    directory.take_link(taken, &by(at(0))).wait().unwrap();
    code
}

fn found(directory: &EmbeddedDirectory, code: &ShortCode) -> Option<String> {
    let found = directory.short_link(&code.hash()).wait().unwrap();
    found.map(|short| short.id)
}

#[test]
fn a_short_link_is_found_by_its_hash_with_the_claims_and_the_key_of_its_link() {
    let folder = tempfile::tempdir().unwrap();
    let open = || EmbeddedDirectory::open(folder.path(), "a test").unwrap();
    let directory = open();
    let (ada, bob) = (made("ada"), made("bob"));
    let codes = [&ada, &bob].map(|link| give(&directory, link));
    drop(directory);
    let directory = open();
    assert_eq!(found(&directory, &codes[1]).as_deref(), Some(bob.id()));
    let short = directory.short_link(&codes[0].hash()).wait().unwrap();
    let short = short.unwrap();
    assert_eq!(
        (short.id.as_str(), short.key.as_deref()),
        (ada.id(), Some("key-1"))
    );
    let code = short.verify(RULES, at(0)).unwrap();
    assert_eq!(code.members, ada.code.members);
    assert!(matches!(code.payload, Payload::User(_)));
    assert_eq!(redeem(&directory, &code), "provisioned");
    assert_eq!(found(&directory, &ShortCode::new().unwrap()), None);
    assert_eq!(
        directory
            .link(ada.id(), at(0))
            .wait()
            .unwrap()
            .unwrap()
            .0
            .link
            .used,
        1
    );
}

#[test]
fn a_short_link_ends_with_the_user_and_no_other_does() {
    let folder = tempfile::tempdir().unwrap();
    let directory = EmbeddedDirectory::open(folder.path(), "a test").unwrap();
    let by_id = made_with(
        &json!({ "user": { "id": "ada", "email": "ada@b.example" } }),
        None,
        at(0),
    );
    // The address is nobody's when the link is given out.
    let by_email = made_with(&json!({ "email": "ada@b.example" }), None, at(0));
    let other = made("adam");
    let codes = [&by_id, &by_email, &other].map(|link| give(&directory, link));
    assert_eq!(redeem(&directory, &by_id.code), "provisioned");
    revoke_at(&directory, RevocationScope::Person(id("ada")), false, at(0));
    assert!(codes.iter().all(|code| found(&directory, code).is_some()));
    directory.remove(&id("ada"), &by(at(0))).wait().unwrap();
    let known = codes
        .each_ref()
        .map(|code| found(&directory, code).is_some());
    assert_eq!(known, [false, false, true]);
    // A later backup does not contain them either.
    let rows = super::snapshots::rows(&directory);
    let short = rows
        .iter()
        .filter(|row| row.starts_with(r#"{"short_link""#));
    assert_eq!(short.count(), 1);
}
