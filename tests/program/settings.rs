//! Tests of changing an instance's settings.

use serde_json::{Value, json};

use crate::boundary::{Boundary, PASSPHRASE};

/// Returns the settings of an instance after a change of `draft` by `edit`.
fn saved(boundary: &Boundary, draft: &Value, edit: impl FnOnce(&mut Value)) -> Value {
    let mut settings = draft.clone();
    edit(&mut settings);
    let request = json!({ "instance": draft["id"], "settings": settings, "before": draft });
    boundary.ask("instance_update", request).unwrap()
}

#[test]
fn a_saved_setting_does_not_undo_what_another_window_saved_meanwhile() {
    let (boundary, id) = Boundary::with_instance();
    let by_id = json!({ "instance": id });
    let draft = boundary.ask("instance_refresh", by_id).unwrap();
    saved(&boundary, &draft, |settings| {
        settings["policy"]["require_expiry"] = json!(true);
        settings["audiences"] = json!(["acme-chat"]);
    });
    let after = saved(&boundary, &draft, |settings| {
        settings["lifetime"] = json!("3 days");
    });
    assert_eq!(after["lifetime"], "3 days");
    assert_eq!(after["policy"]["require_expiry"], true);
    assert_eq!(after["audiences"], json!(["acme-chat"]));
}

#[test]
fn an_address_without_a_scheme_is_completed() {
    let boundary = Boundary::new();
    boundary
        .ask("keys_create", json!({ "passphrase": PASSPHRASE }))
        .unwrap();
    for (typed, url, name) in [
        (
            "chat.acme.example",
            "https://chat.acme.example/",
            "chat.acme.example",
        ),
        ("localhost:4711", "http://localhost:4711/", "localhost:4711"),
    ] {
        let request = json!({
            "name": "", "url": typed, "hosted": "here", "secret": { "kind": "generate" },
        });
        let instance = boundary.ask("instance_add", request).unwrap();
        assert_eq!(
            (&instance["url"], &instance["name"]),
            (&json!(url), &json!(name))
        );
        let changed = saved(&boundary, &instance, |settings| {
            settings["visiting"]["return_to"] = json!(["app.acme.example", "localhost:4712"]);
        });
        let origins = json!(["https://app.acme.example", "http://localhost:4712"]);
        assert_eq!(changed["visiting"]["return_to"], origins);
    }
}
