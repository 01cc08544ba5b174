//! Tests of the commands for TypingMind's users, against the stand-in for its API.

use serde_json::{Value, json};

use crate::boundary::Boundary;
use crate::stand_in::{KEY, StandIn};

#[test]
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
        titles[..3],
        [
            "Removed at TypingMind",
            "Added at TypingMind",
            "TypingMind connected"
        ]
    );

    // A failure keeps the copy, with the changes.
    typingmind.set_mode("500");
    let failed = boundary.ask("typingmind_sync", by_id.clone()).unwrap_err();
    assert_eq!(failed["code"], "unexpected_answer");
    assert_eq!(rows("").unwrap()["everybody"], 3);
    let removed = boundary.ask("typingmind_disconnect", by_id).unwrap();
    assert_eq!(removed["typingmind"], Value::Null);
    assert_eq!(rows("").unwrap_err()["code"], "not_connected");
}
