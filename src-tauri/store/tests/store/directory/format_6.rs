//! A directory in format 6, with the file of its instance beside it: the folder `format-6`.
//! `activity.json` has the output of `latchkey activity list` of that version.
//!
//! The command line and visitors of a gateway made these changes, one after the other:
//!
//! - *Ada* and *Bob* were added. A link created *Eve*, and Bob signed in by his address.
//! - Codes for unknown users and texts that are not codes were refused. Some refusals were counted.
//! - Ada was suspended, refused and reactivated. Bob was signed out everywhere and removed.
//! - *Zoe* found no free seat.
//! - Settings were changed. *Zed* was added and removed.
//!
//! A link for Zed, a change of settings and an API key wait in the file of the instance.

use std::fs;
use std::path::Path;

use latchkey_core::activity::{ActivityQuery, EventData, Kind};
use latchkey_core::directory::Directory as _;
use latchkey_core::instance::Policy;
use latchkey_store::EmbeddedDirectory;
use latchkey_store::Wait as _;
use latchkey_store::home::Home;
use latchkey_store::keys::KeychainUse;
use serde_json::Value;
use tempfile::TempDir;

use super::code;
use super::copied::copy;
use super::kept::about;

/// Returns the path of the folder.
fn kept() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/store/directory/format-6")
}

/// Returns a data folder with the instance.
fn data_folder() -> TempDir {
    let data = tempfile::tempdir().unwrap();
    let instance = data.path().join("instances/acme");
    copy(&kept(), &instance.join("directory"));
    fs::copy(kept().join("instance.json"), instance.join("instance.json")).unwrap();
    data
}

#[test]
fn entries_and_waiting_changes_of_format_6_keep_their_words() {
    let data = data_folder();
    let home = Home::open(data.path().to_owned(), KeychainUse::Never).unwrap();
    let mut expected: Vec<Value> =
        serde_json::from_slice(&fs::read(kept().join("activity.json")).unwrap()).unwrap();
    for _ in 0..2 {
        let instance = home.instances().find("acme").unwrap();
        let directory = home.directory(&instance, "a test").unwrap();
        let everything = ActivityQuery::default();
        let page = directory.activity(&everything, None, 99).wait();
        let entries = page.unwrap().entries;
        let mut found = serde_json::to_value(&entries).unwrap();
        for (found, expected) in found.as_array_mut().unwrap().iter_mut().zip(&mut expected) {
            let parameters = found.as_object_mut().unwrap().remove("parameters");
            assert!(parameters.unwrap().as_object().unwrap().is_empty());
            assert_eq!(found, expected);
        }
        assert_eq!(entries.len(), expected.len());
        let worded = |code: &str| {
            let entry = entries.iter().find(|entry| entry.event.data.code() == code);
            matches!(entry.unwrap().event.data, EventData::Worded(_))
        };
        assert!(worded("settings_changed") && worded("no_seats") && worded("several_refusals"));
        assert!(!worded("signed_in") && !worded("link_made"));
    }
    let file = fs::read_to_string(data.path().join("instances/acme/instance.json")).unwrap();
    assert!(file.contains(r#""format": 7"#), "{file}");
}

#[test]
fn entries_of_format_6_are_found_and_pruned_with_new_ones() {
    let data = data_folder();
    let home = Home::open(data.path().to_owned(), KeychainUse::Never).unwrap();
    let instance = home.instances().find("acme").unwrap();
    let directory = home.directory(&instance, "a test").unwrap();
    assert_eq!(about(&*directory, "EVE@example.com"), ["provisioned"]);
    assert_eq!(about(&*directory, "ada").len(), 4);
    let of = |kind, text: &str| {
        let query = ActivityQuery {
            kind: Some(kind),
            text: text.to_owned(),
            ..ActivityQuery::default()
        };
        let page = directory.activity(&query, None, 99).wait().unwrap();
        page.entries.len()
    };
    assert_eq!(of(Kind::Refusal, ""), 6);
    assert_eq!(of(Kind::Refusal, "malformed_code 2"), 1);
    assert_eq!(of(Kind::SignIn, "signed in"), 1);
    assert_eq!(of(Kind::Act, "settings changed"), 2);
}

/// The order of links, removals and edits depends on waiting changes.
#[test]
fn a_link_that_waited_in_format_6_is_newer_than_the_removal_before_it() {
    let data = data_folder();
    let home = Home::open(data.path().to_owned(), KeychainUse::Never).unwrap();
    let instance = home.instances().find("acme").unwrap();
    let folder = data.path().join("instances/acme/directory");
    let directory = EmbeddedDirectory::open(&folder, "a test").unwrap();
    let link = code(
        r#""user":{"id":"zed"},"jti":"94Tak-qba5yAYp6t""#,
        -86_400 * 365,
    );
    let verdict = || {
        let verdict = directory.dry_run(Ok(&link), Policy::default());
        verdict.wait().unwrap().code().to_owned()
    };
    assert_eq!(verdict(), "user_removed");
    home.record_outbox(&instance, &directory).wait().unwrap();
    assert_eq!(verdict(), "provisioned");
}
