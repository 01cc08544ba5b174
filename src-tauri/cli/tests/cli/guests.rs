//! Guests: accounts that end by themselves.

use std::path::Path;

use jiff::{Timestamp, ToSpan as _};
use serde_json::{Value, json};

use crate::run::{in_folder, until};
use crate::serve::{Serving, cookie, folder, run};

fn link(folder: &Path, id: &str, ends: &str) -> String {
    let of = [
        "link",
        "--instance",
        "here",
        "--user-id",
        id,
        "--account-ends",
        ends,
    ];
    let printed = run(folder, &of);
    let (_, query) = printed.trim().split_once("/?").unwrap();
    format!("/?{query}")
}

fn json_of(folder: &Path, arguments: &[&str]) -> Value {
    let all = [&["--json"], arguments, &["--instance", "here"]].concat();
    let ran = in_folder(folder, &all);
    assert_eq!(ran.code, 0, "{}", ran.err);
    ran.json()
}

fn ids_of(folder: &Path, status: &str) -> Vec<String> {
    let listed = json_of(folder, &["users", "list", "--status", status]);
    let users = listed["users"].as_array().unwrap().iter();
    users
        .map(|user| user["id"].as_str().unwrap().to_owned())
        .collect()
}

/// Returns the time that is a number of seconds from now.
fn soon(seconds: i64) -> String {
    let at = Timestamp::now() + seconds.seconds();
    Timestamp::from_second(at.as_second()).unwrap().to_string()
}

fn is_in(serving: &Serving, cookie: &str) -> bool {
    serving
        .get("/auth/verify", cookie)
        .contains("remote-user: ")
}

#[test]
fn a_guest_ends_while_the_gateway_runs_and_stays_ended_after_a_kill_until_extended() {
    let folder = folder();
    let folder = folder.path();
    let link = link(folder, "eve", "30d");
    let serving = Serving::new(folder, &[]);
    let session = cookie(&serving.get(&link, ""));
    assert!(is_in(&serving, &session));
    assert_eq!(ids_of(folder, "active"), ["eve"]);
    json_of(folder, &["users", "extend", "eve", "--until", &soon(5)]);
    until("the account ends", || !is_in(&serving, &session));
    until("the gateway writes the end", || {
        ids_of(folder, "ended") == ["eve"]
    });
    assert_eq!(json_of(folder, &["seats"])["used"], 0);
    assert!(!serving.get(&link, "").contains("latchkey_session"));

    drop(serving);
    assert_eq!(ids_of(folder, "ended"), ["eve"], "after a kill");
    let serving = Serving::new(folder, &[]);
    assert!(!is_in(&serving, &session));
    let extended = json_of(folder, &["users", "extend", "eve", "--until", "30d"]);
    assert_eq!(extended["status"], "active");
    let again = cookie(&serving.get(&link, ""));
    assert!(is_in(&serving, &again) && !is_in(&serving, &session));
    let latest = json_of(
        folder,
        &["activity", "list", "--kind", "act", "--user", "eve"],
    );
    let entries = latest["entries"].as_array().unwrap().iter();
    let acts: Vec<_> = entries
        .map(|entry| (&entry["code"], &entry["actor"]))
        .collect();
    let (set, ended) = (json!("account_end_set"), json!("account_ended"));
    let (cli, latchkey) = (json!("command_line"), json!("latchkey"));
    assert_eq!(acts[..2], [(&set, &cli), (&ended, &latchkey)]);
}

#[test]
fn an_end_is_set_and_removed_and_wrong_ones_are_refused() {
    let folder = folder();
    let folder = folder.path();
    let refused = |arguments: &[&str]| {
        let all = [&["--json"], arguments, &["--instance", "here"]].concat();
        in_folder(folder, &all).refusal()
    };
    run(folder, &["users", "--instance", "here", "add", "ada"]);
    let ended = json_of(
        folder,
        &["users", "extend", "ada", "--until", "2099-01-31T18:00:00Z"],
    );
    assert_eq!(ended["ends_at"], "2099-01-31T18:00:00Z");
    let text = run(folder, &["users", "--instance", "here", "show", "ada"]);
    assert!(
        text.contains("account ends  2099-01-31T18:00:00Z"),
        "{text}"
    );
    let ended = json_of(folder, &["users", "extend", "ada", "--never"]);
    assert_eq!(ended["ends_at"], Value::Null);
    for (arguments, code, field) in [
        (
            &["users", "extend", "ada", "--until", "2020-01-01"][..],
            "invalid_time",
            "until",
        ),
        (
            &["users", "extend", "ada", "--until", "soon"],
            "invalid_time",
            "until",
        ),
        (&["users", "extend", "bob", "--never"], "unknown_user", "id"),
        (
            &["link", "--user-id", "eve", "--account-ends", "12h"],
            "invalid_time",
            "account-ends",
        ),
        (
            &["link", "--user-id", "eve", "--account-ends", "2020-01-01"],
            "invalid_time",
            "account-ends",
        ),
        (
            &["link", "--id", "1", "--account-ends", "14d"],
            "usage",
            "id",
        ),
    ] {
        let (_, found, of) = refused(arguments);
        assert_eq!(
            (found.as_str(), of.as_deref()),
            (code, Some(field)),
            "{arguments:?}"
        );
    }
}

#[test]
fn an_export_keeps_the_end_of_an_account() {
    let folder = folder();
    let folder = folder.path();
    run(folder, &["users", "--instance", "here", "add", "ada"]);
    json_of(
        folder,
        &["users", "extend", "ada", "--until", "2099-01-31T18:00:00Z"],
    );
    let file = folder.join("users.csv");
    let file = file.to_str().unwrap();
    run(
        folder,
        &["users", "--instance", "here", "export", "--out", file],
    );
    run(folder, &["users", "--instance", "here", "remove", "ada"]);
    json_of(folder, &["users", "import", file, "--add-removed"]);
    let shown = json_of(folder, &["users", "show", "ada"]);
    assert_eq!(shown["ends_at"], "2099-01-31T18:00:00Z");
}
