use latchkey_core::directory::Profile;
use latchkey_core::protocol::email::Email;
use latchkey_core::protocol::metadata::Metadata;
use serde_json::{Map, Value, json};

fn metadata(members: &Value) -> Metadata {
    Metadata::new(members.as_object().unwrap().clone(), "metadata").unwrap()
}

#[test]
fn the_changes_between_two_profiles_leave_out_what_is_equal() {
    let [old, new] = ["ada@acme.example", "ada@other.example"]
        .map(|email| Email::parse(email, "email").unwrap());
    let before = metadata(&json!({ "team": "Research", "level": 3, "tags": { "a": 1, "b": 2 } }));
    let after = metadata(&json!({ "level": 3, "tags": { "a": 1 }, "site": "Oslo" }));

    let same = Profile::between((Some(&old), &before), (Some(&old), &before));
    assert_eq!(same, Profile::default());

    let all = Profile::between((Some(&old), &before), (Some(&new), &after));
    assert_eq!(all.email, Some(Some(new.clone())));
    let expected = json!({ "team": null, "tags": { "a": 1 }, "site": "Oslo" });
    assert_eq!(Value::Object(all.members.clone()), expected);
    // The changes lead from the one to the other.
    let merged = before.merged(&all.members).unwrap();
    let sorted = |metadata: &Metadata| -> Vec<(String, Value)> {
        let mut members: Vec<_> = metadata.members().clone().into_iter().collect();
        members.sort_by(|one, other| one.0.cmp(&other.0));
        members
    };
    assert_eq!(sorted(&merged), sorted(&after));

    let removed = Profile::between((Some(&old), &before), (None, &before));
    assert_eq!((removed.email, removed.members), (Some(None), Map::new()));
    // Another spelling of the same address is a change.
    let written = Email::parse("Ada@Acme.example", "email").unwrap();
    let other = Profile::between((Some(&old), &before), (Some(&written), &before));
    assert_eq!(other.email, Some(Some(written)));
}
