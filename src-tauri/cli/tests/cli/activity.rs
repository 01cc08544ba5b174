//! Tests of `latchkey activity` and `latchkey api-key`.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::run::{hosted_here, in_folder};

#[test]
fn changes_are_listed_with_their_actor() {
    let folder = hosted_here("https://a.b");
    let run = |arguments: &[&str]| {
        let mut all = vec!["--json"];
        all.extend(arguments);
        all.extend(["--instance", "here"]);
        in_folder(folder.path(), &all)
    };
    assert_eq!(run(&["users", "add", "ada"]).code, 0);
    assert_eq!(run(&["users", "sign-out", "ada"]).code, 0);
    assert_eq!(
        run(&[
            "redeem",
            "eyJhbGciOiJIUzI1NiJ9.e30.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
        ])
        .code,
        1
    );
    let set = ["instance", "set", "here", "--sign-in", "confirm"];
    let set = in_folder(folder.path(), &set);
    assert_eq!(set.code, 0, "{}", set.err);
    let list = |more: &[&str]| {
        let mut all = vec!["activity", "list"];
        all.extend(more);
        run(&all).json()
    };
    let all = list(&[]);
    let entries = all["entries"].as_array().unwrap();
    let codes: Vec<&str> = entries
        .iter()
        .map(|entry| entry["code"].as_str().unwrap())
        .collect();
    assert_eq!(
        codes,
        [
            "settings_changed",
            "bad_signature",
            "signed_out",
            "added",
            "instance_made"
        ]
    );
    assert_eq!(entries[0]["detail"], "sign-in step: automatic → confirm");
    assert!(entries.iter().all(|entry| entry["actor"] == "command_line"));
    let codes = |answer: Value| answer["entries"].as_array().unwrap().len();
    assert_eq!(codes(list(&["--kind", "refusal"])), 1);
    assert_eq!(codes(list(&["--about", "ada"])), 2);
    assert_eq!(codes(list(&["--search", "step"])), 1, "a changed setting");
    assert_eq!(codes(list(&["--search", "CONFIRM"])), 1, "its new value");
    assert_eq!(
        codes(list(&["--search", "compare"])),
        0,
        "the advice of a refusal"
    );
    assert_eq!(codes(list(&["--search", "settings"])), 1);
    let first = list(&["--limit", "2"]);
    assert_eq!(codes(first.clone()), 2);
    let before = first["before"].to_string();
    assert_eq!(codes(list(&["--before", &before])), 3);
    let text = in_folder(folder.path(), &["activity", "list", "--instance", "here"]);
    assert_eq!(text.out.lines().count(), 5);
    assert!(
        text.out.contains("\tbad_signature\t-\tThe command line\t"),
        "{}",
        text.out
    );
    let said = text.out.to_lowercase();
    let sentence = "the signature does not match";
    assert_eq!(said.matches(sentence).count(), 1, "said once: {said}");
}

#[test]
fn an_api_key_is_printed_once_and_kept_hashed() {
    let folder = hosted_here("https://a.b");
    let run = |arguments: &[&str]| {
        let mut all = vec!["--json", "api-key"];
        all.extend(arguments);
        all.extend(["--instance", "here"]);
        in_folder(folder.path(), &all)
    };
    let made = run(&["make", "CRM"]);
    let key = made.json()["key"].as_str().unwrap().to_owned();
    assert!(key.starts_with("lk_"), "{}", made.err);
    assert_eq!(
        run(&["make", "CRM"]).refusal(),
        (1, "invalid_setting".into(), Some("name".into()))
    );
    assert_eq!(run(&["make", " "]).refusal().2.as_deref(), Some("name"));
    let listed = run(&["list"]);
    assert_eq!(listed.json()["api_keys"][0]["name"], "CRM");
    assert!(!listed.out.contains(&key));
    let kept = folder.path().join("instances/here/instance.json");
    let kept = std::fs::read_to_string(kept).unwrap();
    assert!(kept.contains("CRM") && !kept.contains(&key));
    assert_eq!(run(&["revoke", "CRM"]).code, 0);
    assert_eq!(
        run(&["revoke", "CRM"]).refusal(),
        (1, "unknown_api_key".into(), Some("key".into()))
    );
    let listed = run(&["list"]).json();
    assert_eq!(listed, json!({ "api_keys": [], "pairings": [] }));
    let all = in_folder(
        folder.path(),
        &["--json", "activity", "list", "--instance", "here"],
    );
    let entries = all.json()["entries"].clone();
    assert_eq!(
        (&entries[0]["code"], &entries[1]["code"]),
        (&json!("api_key_revoked"), &json!("api_key_made"))
    );
    assert_eq!(entries[0]["detail"], "CRM");
    let search = [
        "--json",
        "activity",
        "list",
        "--instance",
        "here",
        "--search",
        "crm",
    ];
    let found = in_folder(folder.path(), &search).json();
    assert_eq!(found["entries"].as_array().unwrap().len(), 2);
}

#[test]
fn an_api_key_has_the_chosen_scopes_and_expiry() {
    let folder = hosted_here("https://a.b");
    let run = |arguments: &[&str]| {
        let arguments = [&["--json", "api-key"], arguments, &["--instance", "here"]].concat();
        in_folder(folder.path(), &arguments)
    };
    let narrow = [
        "make",
        "narrow",
        "--scope",
        "users:read,links",
        "--expires-in",
        "90d",
    ];
    for arguments in [&narrow[..], &["make", "default"]] {
        let made = run(arguments);
        assert_eq!(made.code, 0, "{}", made.err);
    }
    for scope in ["everything", "", "links, users"] {
        let refused = run(&["make", "wide", "--scope", scope]);
        assert_eq!(refused.refusal().2.as_deref(), Some("scope"), "{scope}");
    }
    let listed = run(&["list"]).json();
    let keys = &listed["api_keys"];
    assert_eq!(keys[0]["scopes"], json!(["links", "users:read"]));
    let at = |member: &str| keys[0][member].as_str().unwrap().parse::<Timestamp>();
    let lifetime = at("expires_at")
        .unwrap()
        .duration_since(at("created_at").unwrap());
    assert_eq!(lifetime.as_hours(), 90 * 24);
    assert_eq!(keys[1]["scopes"], json!(["links", "users"]));
    assert_eq!(keys[1]["expires_at"], json!(null));
    let text = in_folder(folder.path(), &["api-key", "list", "--instance", "here"]).out;
    let lines: Vec<&str> = text.lines().collect();
    assert!(
        lines[0].contains("\tlinks, users:read\texpires 2"),
        "{text}"
    );
    assert!(
        lines[1].ends_with("\tlinks, users\tnever expires\tnever used"),
        "{text}"
    );
}

#[test]
fn the_activity_about_a_removed_user_shows_that_an_import_added_the_user_again() {
    let folder = hosted_here("https://a.b");
    let run = |arguments: &[&str]| {
        let all = [arguments, &["--instance", "here"]].concat();
        let ran = in_folder(folder.path(), &all);
        assert_eq!(ran.code, 0, "{}", ran.err);
        ran
    };
    let file = folder.path().join("people.csv");
    std::fs::write(&file, "id\nada\nbob\n").unwrap();
    run(&["users", "add", "ada"]);
    run(&["users", "remove", "ada"]);
    let file = file.to_str().unwrap();
    run(&["users", "import", file, "--add-removed"]);
    let about = |id: &str| {
        let list = run(&["--json", "activity", "list", "--about", id]).json();
        let entries = list["entries"].as_array().unwrap().iter();
        let titles = entries.map(|entry| entry["title"].as_str().unwrap().to_owned());
        titles.collect::<Vec<_>>()
    };
    assert_eq!(about("ada"), ["Imported", "Removed", "Added"]);
    assert_eq!(about("bob"), ["Imported"]);
}
