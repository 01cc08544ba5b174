//! Tests of the ledger of links through the boundary.

use serde_json::{Value, json};

use crate::boundary::{Boundary, compose_request, new_user, notes};

/// Returns a Studio, and an instance that is hosted here and has the user `ada`.
fn hosted_here() -> (Boundary, String) {
    let (boundary, _) = Boundary::with_instance();
    let instance = boundary.ask("sample_instance_add", Value::Null).unwrap();
    let id = instance["id"].as_str().unwrap().to_owned();
    boundary.ask("user_add", new_user(&id, "ada")).unwrap();
    (boundary, id)
}

/// Composes a link for `ada`, and returns its preview.
fn composed(boundary: &Boundary, instance: &str, uses: &Value) -> Value {
    let mut request = compose_request(instance);
    request["who"] = json!({ "kind": "id", "id": "ada", "as_text": true });
    request["uses"] = uses.clone();
    boundary.ask("compose", request).unwrap()
}

/// Copies a link. The clipboard may be missing here, but the ledger comes first.
fn copy(boundary: &Boundary, instance: &str, preview: &Value, notes: &Value) -> Option<Value> {
    let request = json!({
        "instance": instance, "revision": preview["revision"], "what": "link", "notes": notes,
    });
    let refused = boundary.ask("copy", request).err();
    refused.filter(|refused| refused["code"] != "clipboard_unavailable")
}

fn links(boundary: &Boundary, instance: &str) -> Vec<Value> {
    let query = json!({
        "search": "", "status": null, "user": "ada", "sort_by": "entered", "descending": true,
    });
    let request = json!({
        "instance": instance, "query": query, "place": { "kind": "first" }, "limit": 10,
    });
    let page = boundary.ask("links", request).unwrap();
    page["links"].as_array().unwrap().clone()
}

fn verdict(boundary: &Boundary, instance: &str, preview: &Value) -> Value {
    let parts = ["header", "claims", "signature"];
    let code = parts.map(|part| preview["link"][part].as_str().unwrap());
    let source = json!({ "kind": "text", "text": code.join(".") });
    let inspected = boundary.ask("inspect", json!({ "instance": instance, "source": source }));
    inspected.unwrap()["forecast"]["verdict"].clone()
}

#[test]
fn a_copied_link_is_in_the_ledger_stays_the_same_and_is_copied_again_until_it_is_revoked() {
    let (boundary, here) = hosted_here();
    let preview = composed(&boundary, &here, &json!(3));
    assert!(
        links(&boundary, &here).is_empty(),
        "a preview is not given out"
    );
    let noted = json!({ "note": "Loan laptop", "supersedes": false, "short": false });
    assert_eq!(copy(&boundary, &here, &preview, &noted), None);
    let kept = composed(&boundary, &here, &json!(3));
    assert_eq!(kept["link"], preview["link"]);
    assert_eq!(kept["taken"], true);
    let listed = links(&boundary, &here);
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0]["status"], "not_used");
    assert_eq!(listed[0]["note"], "Loan laptop");
    assert_eq!(listed[0]["uses"], 3);
    assert_eq!(listed[0]["given"][0]["by"], "in Studio");
    let by_id = json!({ "instance": here, "id": listed[0]["id"] });
    let details = boundary.ask("link", by_id.clone()).unwrap();
    assert_eq!(details["not_copyable"], Value::Null);
    assert_eq!(details["terms"]["who"]["id"], "ada");
    assert_eq!(details["terms"]["expires_in"], "7 days");
    let again = json!({ "instance": here, "id": listed[0]["id"], "what": "code" });
    let _ = boundary.ask("link_copy", again.clone());
    assert_eq!(links(&boundary, &here)[0]["given"][1]["given"], "code");
    let revocation = json!({
        "instance": here, "links": { "link": listed[0]["id"], "end_sessions": false },
    });
    boundary.ask("links_revoke", revocation).unwrap();
    assert_eq!(verdict(&boundary, &here, &preview), "link_revoked");
    let counts = boundary
        .ask("link_counts", json!({ "instance": here }))
        .unwrap();
    assert_eq!(
        (&counts["revoked"], &counts["not_used"]),
        (&json!(1), &json!(0))
    );
    let refused = boundary.ask("link_copy", again).unwrap_err();
    assert_eq!(refused["code"], "not_copyable");
}

#[test]
fn a_short_link_is_in_the_ledger_before_it_is_shown_and_stays_the_same() {
    let (boundary, here) = hosted_here();
    let short = json!({ "note": "", "supersedes": false, "short": true });
    let preview = composed(&boundary, &here, &Value::Null);
    assert_eq!(preview["short"], Value::Null);
    let refused = copy(&boundary, &here, &preview, &short).unwrap();
    assert_eq!(refused["code"], "not_copyable", "it does not work yet");
    assert!(links(&boundary, &here).is_empty());
    let sign = |preview: &Value| {
        let request = json!({
            "instance": here, "revision": preview["revision"], "given": "qr_code", "notes": short,
        });
        boundary.ask("link_sign", request)
    };
    let made = sign(&preview).unwrap();
    let url = made["short"]["url"].as_str().unwrap();
    assert!(url.starts_with("HTTP://LOCALHOST:8787/AUTH/L/"), "{url}");
    let version = made["short"]["qr"]["version"].as_i64().unwrap();
    assert!([3, 4].contains(&version), "{version}");
    assert_eq!(
        (&made["link"], &made["taken"]),
        (&preview["link"], &json!(true))
    );
    let listed = links(&boundary, &here);
    assert_eq!(listed[0]["has_short"], true);
    assert_eq!(listed[0]["given"][0]["given"], "qr_code");
    // Neither another preview nor another way makes another short link.
    let kept = composed(&boundary, &here, &Value::Null);
    assert_eq!(kept["short"], made["short"]);
    assert_eq!(sign(&kept).unwrap()["short"], made["short"]);
    assert_eq!(copy(&boundary, &here, &kept, &short), None);
    let listed = links(&boundary, &here);
    assert_eq!(
        (listed.len(), listed[0]["given"].as_array().unwrap().len()),
        (1, 2)
    );
    let mut anew = compose_request(&here);
    anew["who"] = json!({ "kind": "id", "id": "ada", "as_text": true });
    anew["anew"] = json!(true);
    assert_eq!(boundary.ask("compose", anew).unwrap()["short"], Value::Null);
}

#[test]
fn what_is_wanted_after_a_short_link_was_shown_enters_the_ledger_with_the_copy() {
    let (boundary, here) = hosted_here();
    let older = composed(&boundary, &here, &Value::Null);
    assert_eq!(copy(&boundary, &here, &older, &notes()), None);
    let preview = composed(&boundary, &here, &json!(2));
    let short = json!({ "note": "", "supersedes": false, "short": true });
    let copied_as_qr = |notes: &Value| {
        let request = json!({
            "instance": here, "revision": preview["revision"], "what": "qr", "notes": notes,
        });
        let refused = boundary.ask("copy", request).err();
        refused.filter(|refused| refused["code"] != "clipboard_unavailable")
    };
    let sign = json!({
        "instance": here, "revision": preview["revision"], "given": "qr_code", "notes": short,
    });
    boundary.ask("link_sign", sign).unwrap();
    assert_eq!(verdict(&boundary, &here, &older), "signed_in");
    let more = json!({ "note": "Loan laptop", "supersedes": true, "short": true });
    assert_eq!(copied_as_qr(&more), None);
    assert_eq!(verdict(&boundary, &here, &older), "link_superseded");
    assert_eq!(verdict(&boundary, &here, &preview), "signed_in");
    let listed = links(&boundary, &here);
    let entry = listed.iter().find(|link| link["id"] == preview["id"]);
    assert_eq!(entry.unwrap()["note"], "Loan laptop");
}

#[test]
fn links_of_a_key_and_those_that_work_are_listed_apart() {
    let (boundary, here) = hosted_here();
    let first = composed(&boundary, &here, &Value::Null);
    assert_eq!(copy(&boundary, &here, &first, &notes()), None);
    let details = json!({ "instance": here, "id": first["id"] });
    let key = boundary.ask("link", details).unwrap()["key"].clone();
    let second = composed(&boundary, &here, &json!(1));
    let superseding = json!({ "note": "", "supersedes": true, "short": false });
    assert_eq!(copy(&boundary, &here, &second, &superseding), None);
    let listed = |works: Value, key: &Value| {
        let query = json!({
            "search": "", "status": null, "works": works, "user": null, "key": key,
            "sort_by": "entered", "descending": true,
        });
        let request = json!({
            "instance": here, "query": query, "place": { "kind": "first" }, "limit": 10,
        });
        let page = boundary.ask("links", request).unwrap();
        let links = page["links"].as_array().unwrap().iter();
        links.map(|link| link["id"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(listed(Value::Null, &key).len(), 2);
    assert_eq!(listed(json!(true), &key), [second["id"].clone()]);
    assert_eq!(listed(json!(false), &key), [first["id"].clone()]);
    assert!(listed(Value::Null, &json!("another")).is_empty());
}

#[test]
fn a_newer_link_supersedes_older_ones_and_a_revocation_of_a_person_ends_all() {
    let (boundary, here) = hosted_here();
    let first = composed(&boundary, &here, &Value::Null);
    copy(&boundary, &here, &first, &notes());
    let second = composed(&boundary, &here, &json!(1));
    let superseding = json!({ "note": "", "supersedes": true, "short": false });
    assert_eq!(copy(&boundary, &here, &second, &superseding), None);
    assert_eq!(verdict(&boundary, &here, &first), "link_superseded");
    assert_eq!(verdict(&boundary, &here, &second), "signed_in");
    let revocation = json!({
        "instance": here, "links": { "user": "ada", "end_sessions": true },
    });
    boundary.ask("links_revoke", revocation).unwrap();
    assert_eq!(verdict(&boundary, &here, &second), "link_revoked");
}

#[test]
fn links_of_a_removed_user_are_revoked_and_the_links_of_nobody_cannot_be() {
    let (boundary, here) = hosted_here();
    let preview = composed(&boundary, &here, &Value::Null);
    copy(&boundary, &here, &preview, &notes());
    let revocation = json!({
        "instance": here, "links": { "user": "nobody", "end_sessions": false },
    });
    let refused = boundary.ask("links_revoke", revocation).unwrap_err();
    assert_eq!(refused["code"], "unknown_user");
    assert_eq!(links(&boundary, &here)[0]["status"], "not_used");
    let user = json!({ "instance": here, "id": "ada" });
    boundary.ask("user_remove", user).unwrap();
    assert_eq!(links(&boundary, &here)[0]["status"], "revoked");
}

#[test]
fn a_link_that_cannot_be_entered_is_not_given_out() {
    let (boundary, here) = hosted_here();
    let preview = composed(&boundary, &here, &Value::Null);
    let too_long = json!({ "note": "x".repeat(201), "supersedes": false, "short": false });
    let refused = copy(&boundary, &here, &preview, &too_long).unwrap();
    assert_eq!(refused["field"], "note");
    assert!(links(&boundary, &here).is_empty());
}

#[test]
fn links_of_an_application_elsewhere_are_marked_as_revoked_and_sessions_there_do_not_end() {
    let (boundary, elsewhere) = Boundary::with_instance();
    let preview = composed(&boundary, &elsewhere, &Value::Null);
    copy(&boundary, &elsewhere, &preview, &notes());
    let mut revocation = json!({
        "instance": elsewhere, "links": { "user": "ada", "end_sessions": true },
    });
    let refused = boundary
        .ask("links_revoke", revocation.clone())
        .unwrap_err();
    assert_eq!(refused["code"], "hosted_elsewhere");
    assert_eq!(links(&boundary, &elsewhere)[0]["status"], "not_used");
    revocation["links"]["end_sessions"] = json!(false);
    boundary.ask("links_revoke", revocation).unwrap();
    assert_eq!(links(&boundary, &elsewhere)[0]["status"], "revoked");
}
