//! Tests of the commands for TypingMind's users, against the stand-in for its API.

use serde_json::{Value, json};

use crate::boundary::{Boundary, notes};
use crate::stand_in::{KEY, StandIn};

#[test]
#[expect(clippy::too_many_lines, reason = "one story")]
fn a_copy_is_shown_and_forecast_and_what_is_done_there_is_in_the_activity() {
    let typingmind = StandIn::start(3);
    let boundary = Boundary::new();
    boundary
        .ask(
            "keys_create",
            json!({ "passphrase": "correct horse battery" }),
        )
        .unwrap();
    let added = boundary.ask(
        "instance_add",
        json!({ "name": "Chat", "url": "https://chat.example", "hosted": "elsewhere", "secret": { "kind": "generate" } }),
    );
    let instance = added.unwrap()["id"].as_str().unwrap().to_owned();
    let by_id = json!({ "instance": instance });
    let rows = |search: &str| {
        let request = json!({ "instance": instance, "search": search, "group": null, "sort_by": "email", "descending": false, "first": 0, "limit": 9 });
        boundary.ask("typingmind_users", request)
    };
    assert_eq!(rows("").unwrap_err()["code"], "not_connected");

    let connect = json!({ "instance": instance, "region": typingmind.url(), "key": KEY });
    let connected = boundary.ask("typingmind_connect", connect).unwrap();
    assert!(
        connected["typingmind"]["key_set_at"].is_number(),
        "{connected}"
    );
    assert!(!connected.to_string().contains(KEY));
    assert_eq!(rows("").unwrap()["at"], Value::Null);
    let synced = boundary.ask("typingmind_sync", by_id.clone()).unwrap();
    assert_eq!(synced["users"], 3);
    let found = rows("user-2").unwrap();
    assert_eq!(
        (&found["total"], &found["everybody"]),
        (&1.into(), &3.into())
    );
    assert_eq!(found["users"][0]["groups"], json!(["Sales", "Support"]));

    let forecast = |email: &str| {
        let request = json!({
            "instance": instance, "who": { "kind": "email", "email": email }, "expires_in": "7 days",
            "not_before": null, "uses": null, "anew": false,
        });
        boundary.ask("compose", request).unwrap()["forecast"].clone()
    };
    let known = forecast("USER-1@acme.example");
    let detail = known["detail"].as_str().unwrap();
    assert!(
        detail.starts_with("USER-1@acme.example exists there, as of "),
        "{detail}"
    );
    assert_eq!(known["tone"], "good");
    let unknown = forecast("nobody@acme.example");
    assert_eq!(unknown["tone"], "caution", "{unknown}");

    // A link leads to the user whom it signs in, by address or by TypingMind's ID.
    let there = |who: Value| {
        let request = json!({
            "instance": instance, "who": who, "expires_in": "7 days", "not_before": null, "uses": null,
            "anew": false,
        });
        let preview = boundary.ask("compose", request).unwrap();
        let copy = json!({
            "instance": instance, "revision": preview["revision"], "what": "link", "notes": notes(),
        });
        let refused = boundary.ask("copy", copy).err();
        assert!(
            refused.is_none_or(|refused| refused["code"] == "clipboard_unavailable"),
            "the clipboard may be missing here"
        );
        let link = json!({ "instance": instance, "id": preview["id"] });
        boundary.ask("typingmind_user_of_link", link).unwrap()["id"].clone()
    };
    let by_email = |email: &str| there(json!({ "kind": "email", "email": email }));
    assert_eq!(by_email("USER-2@acme.example"), "2");
    assert_eq!(by_email("nobody@acme.example"), Value::Null);
    let by_number = json!({ "kind": "id", "id": "3", "as_text": false });
    assert_eq!(there(by_number), "3");
    let new_person = |email: &str| {
        there(json!({
            "kind": "user", "id": "grace", "email": email, "metadata": { "kind": "fields", "fields": [] },
        }))
    };
    assert_eq!(new_person("user-1@acme.example"), "1");
    assert_eq!(new_person(""), Value::Null);
    let user = |id: &str| {
        let request = json!({ "instance": instance, "id": id });
        boundary.ask("typingmind_user", request).unwrap()["email"].clone()
    };
    assert_eq!(user("2"), "user-2@acme.example");
    assert_eq!(user("user-2"), Value::Null);

    let new = json!({ "instance": instance, "email": "ada@acme.example" });
    let ada = boundary.ask("typingmind_user_add", new).unwrap();
    assert_eq!(ada["id"], "4");
    let who = json!({ "instance": instance, "id": "1" });
    boundary.ask("typingmind_user_remove", who).unwrap();
    let activity = json!({ "instance": instance, "kind": null, "subject": null, "link": null, "text": "", "before": null, "limit": 9 });
    let activity = boundary.ask("activity", activity).unwrap();
    let titles: Vec<&str> = activity["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["title"].as_str().unwrap())
        .collect();
    assert_eq!(
        titles[..2],
        ["Removed at TypingMind", "Added at TypingMind"]
    );
    assert!(titles.contains(&"TypingMind connected"), "{titles:?}");

    // A failure keeps the copy, with the changes.
    typingmind.set_mode("500");
    let failed = boundary.ask("typingmind_sync", by_id.clone()).unwrap_err();
    assert_eq!(failed["code"], "unexpected_answer");
    assert_eq!(rows("").unwrap()["everybody"], 3);
    let removed = boundary.ask("typingmind_disconnect", by_id).unwrap();
    assert_eq!(removed["typingmind"], Value::Null);
    assert_eq!(rows("").unwrap_err()["code"], "not_connected");
}
