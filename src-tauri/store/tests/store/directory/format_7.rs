//! A directory in format 7, with the file of its instance in format 3 beside it: the folder
//! `format-7`. `activity.json` has the output of `latchkey activity list` of that version.
//!
//! *Ada* and *Bob* were added, and *Dan* by the API key *CRM*. A link created *Eve*. Three requests
//! had a wrong API key, and a code named an unknown user. Bob was suspended. A waiting change is in
//! the file of the instance.

use std::fs;
use std::path::Path;

use jiff::Timestamp;
use latchkey_core::activity::{ActivityQuery, Actor, AuditContext, EventData};
use latchkey_core::instance::api_key::{NewApiKey, authorize};
use latchkey_core::instance::scope::Scope;
use latchkey_core::protocol::lifetime::Lifetime;
use latchkey_store::Wait as _;
use latchkey_store::home::Home;
use latchkey_store::keys::KeychainUse;
use serde_json::Value;

use super::copied::copy;

#[test]
fn entries_and_api_keys_of_format_7_are_kept_and_new_refusals_are_recorded() {
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/store/directory/format-7");
    let data = tempfile::tempdir().unwrap();
    let folder = data.path().join("instances/acme");
    copy(&kept, &folder.join("directory"));
    fs::copy(kept.join("instance.json"), folder.join("instance.json")).unwrap();
    let home = Home::open(data.path().to_owned(), KeychainUse::Never).unwrap();
    let expected = fs::read(kept.join("activity.json")).unwrap();
    let expected: Value = serde_json::from_slice(&expected).unwrap();

    let instance = home.instances().find("acme").unwrap();
    assert_eq!(instance.api_keys.len(), 3);
    for key in &instance.api_keys {
        assert_eq!(key.scopes, [Scope::Links, Scope::Users], "{}", key.name);
        assert_eq!(key.expires_at, None, "{}", key.name);
    }
    let directory = home.directory(&instance, "a test").unwrap();
    let entries = || {
        let everything = ActivityQuery::default();
        let page = directory.activity(&everything, None, 99).wait();
        page.unwrap().entries
    };
    assert_eq!(serde_json::to_value(entries()).unwrap(), expected);

    let by = |actor| AuditContext::new(actor, Timestamp::from_second(1_795_705_400).unwrap());
    let of_key = by(Actor::ApiKey("CRM".to_owned()));
    let scope = Scope::Links;
    let refusals = [
        EventData::ApiKeyExpired,
        EventData::ApiKeyScopeMissing { scope },
    ];
    for event in &refusals {
        let recorded = directory.record(event.clone().into(), &of_key);
        recorded.wait().unwrap();
    }
    let latest: Vec<EventData> = entries()
        .into_iter()
        .map(|entry| entry.event.data)
        .collect();
    assert_eq!(latest[..2], [refusals[1].clone(), refusals[0].clone()]);

    let new = NewApiKey {
        scopes: vec![Scope::UsersRead],
        lifetime: Lifetime::Secs(60),
        ..NewApiKey::new("narrow")
    };
    let made_at = by(Actor::Studio);
    let (_, secret) = home.make_api_key(&instance.id, &new, &made_at).unwrap();
    let file = fs::read_to_string(folder.join("instance.json")).unwrap();
    assert!(file.contains(r#""format": 7"#), "{file}");
    let keys = home.instances().get(&instance.id).unwrap().api_keys;
    let ask = |needed| authorize(&keys, secret.expose(), Some(needed), made_at.at).is_ok();
    assert!(ask(Scope::UsersRead) && !ask(Scope::Users) && !ask(Scope::Links));
    let made = EventData::ApiKeyMade {
        name: "narrow".to_owned(),
        scopes: vec![Scope::UsersRead],
        expires_at: Some(made_at.at.as_second() + 60),
    };
    let waiting = home.instances().get(&instance.id).unwrap().outbox.waiting;
    assert_eq!(waiting.last().unwrap().event.data, made);
}
