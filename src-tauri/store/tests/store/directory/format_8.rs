//! A directory in format 8, with the file of its instance in format 4 beside it: the folder
//! `format-8`. `activity.json` has the output of `latchkey activity list` of that version.
//!
//! *Ada* and *Bob* were added, and *Dan* by the API key *CRM*. A link created *Eve*. The key *HR*
//! lacked a scope twice, the key *ERP* had expired, and one request had a wrong key. Bob was
//! suspended. A waiting change is in the file of the instance.

use std::fs;
use std::path::Path;

use jiff::Timestamp;
use latchkey_core::activity::{ActivityQuery, Actor, AuditContext, EventData};
use latchkey_core::instance::api_key::NewApiKey;
use latchkey_core::instance::scope::Scope;
use latchkey_store::Wait as _;
use latchkey_store::home::Home;
use latchkey_store::keys::KeychainUse;
use serde_json::Value;

use super::copied::copy;

#[test]
fn refused_api_keys_of_format_8_are_kept_and_events_of_format_9_are_recorded() {
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/store/directory/format-8");
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().join("instances/acme");
    copy(&kept, &folder.join("directory"));
    fs::copy(kept.join("instance.json"), folder.join("instance.json")).unwrap();
    let home = Home::open(data.path().to_owned(), KeychainUse::Never).unwrap();
    let expected = fs::read(kept.join("activity.json")).unwrap();
    let expected: Value = serde_json::from_slice(&expected).unwrap();

    let instance = home.instances().find("acme").unwrap();
    let keys = instance.api_keys.iter();
    let keys: Vec<(&str, &[Scope], bool)> = keys
        .map(|key| {
            let expires = key.expires_at.is_some();
            (key.name.as_str(), key.scopes.as_slice(), expires)
        })
        .collect();
    assert_eq!(
        keys,
        [
            ("CRM", &[Scope::Users][..], false),
            ("HR", &[Scope::UsersRead][..], false),
            ("ERP", &[Scope::Links, Scope::Users][..], true),
            ("Later", &[Scope::Links][..], false),
        ]
    );
    let directory = home.directory(&instance, "a test").unwrap();
    let entries = || {
        let everything = ActivityQuery::default();
        let page = directory.activity(&everything, None, 99).wait();
        page.unwrap().entries
    };
    // The first is the change that waited in the file.
    let (made, kept) = (entries()[0].clone(), &entries()[1..]);
    assert_eq!(made.event.data.code(), "api_key_made");
    assert_eq!(serde_json::to_value(kept).unwrap(), expected);
    let counts = directory.counts(crate::signed::now()).wait().unwrap();
    assert_eq!((counts.users, counts.active), (4, 3));
    // Sealing begins with the entry that waited.
    let verified = directory.verify_activity(None).wait().unwrap();
    assert!(verified.is_sound());
    let old = u64::try_from(kept.len()).unwrap();
    assert_eq!((verified.before_sealing, verified.entries), (old, 1));

    let now = Timestamp::from_second(1_795_725_500).unwrap();
    let by = AuditContext::new(Actor::CommandLine, now);
    let new = [
        EventData::PairingRefused,
        EventData::TypingMindUserAdded {
            id: "7".to_owned(),
            unconfirmed: false,
        },
    ];
    for event in &new {
        let recorded = directory.record(event.clone().into(), &by);
        recorded.wait().unwrap();
    }
    let latest = entries().into_iter().map(|entry| entry.event.data);
    let latest: Vec<EventData> = latest.take(2).collect();
    assert_eq!(latest, [new[1].clone(), new[0].clone()]);

    home.make_pairing(&instance.id, &NewApiKey::new("laptop"), &by)
        .unwrap();
    let file = fs::read_to_string(folder.join("instance.json")).unwrap();
    assert!(file.contains(r#""format": 7"#), "{file}");
    assert_eq!(home.instances().find("acme").unwrap().pairings.len(), 1);
}
