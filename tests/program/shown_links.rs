//! Test of a link on the screen that a person scans without copying it.

use serde_json::{Value, json};

use crate::boundary::{Boundary, new_user};

#[test]
fn a_link_that_is_shown_after_a_removal_works_at_once() {
    let (boundary, _) = Boundary::with_instance();
    let instance = boundary.ask("sample_instance_add", Value::Null).unwrap();
    let here = instance["id"].as_str().unwrap();
    boundary.ask("user_add", new_user(here, "ada")).unwrap();
    boundary
        .ask("user_remove", json!({ "instance": here, "id": "ada" }))
        .unwrap();
    let who = json!({
        "kind": "user", "id": "ada", "email": "", "metadata": { "kind": "fields", "fields": [] },
    });
    let request = json!({
        "instance": here, "who": who, "expires_in": "7 days", "not_before": null,
        "uses": null, "anew": false,
    });
    let preview = boundary.ask("compose", request).unwrap();
    let parts = ["header", "claims", "signature"];
    let code = parts.map(|part| preview["link"][part].as_str().unwrap());
    let source = json!({ "kind": "text", "text": code.join(".") });
    let inspected = boundary
        .ask("inspect", json!({ "instance": here, "source": source }))
        .unwrap();
    assert_eq!(inspected["forecast"]["verdict"], "provisioned");
    let revision = &inspected["revision"];
    let redeemed = boundary
        .ask("redeem", json!({ "instance": here, "revision": revision }))
        .unwrap();
    assert_eq!(redeemed["user"]["user"]["id"], "ada");
}
