//! Tests of listing and ending the sessions of a user, while `latchkey serve` runs and without it.

use std::path::Path;

use serde_json::Value;

use crate::run::in_folder;
use crate::serve::{Serving, cookie, folder, link, run};

const OF: [&str; 4] = ["--instance", "here", "--user", "ada"];

/// Runs a command that must succeed, and returns what it has printed as JSON.
fn json(folder: &Path, arguments: &[&str]) -> Value {
    let printed = run(folder, &[&["--json"], arguments].concat());
    serde_json::from_str(&printed).unwrap_or_else(|_| panic!("{printed}"))
}

fn list(folder: &Path, more: &[&str]) -> Value {
    json(folder, &[&["sessions", "list"], &OF[..], more].concat())
}

fn is_in(serving: &Serving, cookie: &str) -> bool {
    let answer = serving.get("/auth/verify", cookie);
    answer.contains("remote-user: ada")
}

/// Returns the code, subject and actor of the latest entry of the activity.
fn latest(folder: &Path) -> [String; 3] {
    let listed = json(
        folder,
        &["activity", "list", "--instance", "here", "--limit", "1"],
    );
    ["code", "subject", "actor"].map(|name| {
        let value = &listed["entries"][0][name];
        value.as_str().unwrap_or_default().to_owned()
    })
}

#[test]
fn a_session_is_ended_by_its_name_while_the_gateway_runs_and_stays_ended_after_a_kill() {
    let folder = folder();
    let folder = folder.path();
    let link = link(folder, "ada");
    let serving = Serving::new(folder, &[]);
    let sign_in = || cookie(&serving.get(&link, ""));
    let (first, second) = (sign_in(), sign_in());
    let listed = list(folder, &[]);
    assert_eq!(listed["total"], 2);
    let names: Vec<&str> = listed["sessions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|session| session["id"].as_str().unwrap())
        .collect();
    let session = &listed["sessions"][0];
    assert_eq!(session["address"], "127.0.0.1");
    assert_eq!(session["scope"], "page");
    assert!(session["link"].is_string(), "{session}");
    for part in [&first, &second] {
        let value = part.split_once('=').unwrap().1;
        assert!(!listed.to_string().contains(value));
    }
    // Pages
    let page = list(folder, &["--limit", "1"]);
    assert_eq!(page["sessions"][0]["id"], names[0]);
    let next = page["next"].as_str().unwrap();
    let rest = list(folder, &["--limit", "1", "--after", next]);
    assert_eq!(rest["sessions"][0]["id"], names[1]);
    assert_eq!(rest["next"], Value::Null);

    assert!(is_in(&serving, &first) && is_in(&serving, &second));
    let end = [&["sessions", "end"], &OF[..], &["--session", names[0]]].concat();
    assert_eq!(json(folder, &end)["ended"], names[0]);
    let left = [is_in(&serving, &first), is_in(&serving, &second)];
    assert!(left[0] != left[1], "one of them has ended: {left:?}");
    assert_eq!(latest(folder), ["signed_out", "ada", "command_line"]);
    let again = in_folder(folder, &[&["--json"], &end[..]].concat());
    let (code, error, field) = again.refusal();
    assert_eq!((code, error.as_str()), (1, "unknown_session"));
    assert_eq!(field.as_deref(), Some("session"));

    // The gateway is killed. What was ended stays so, and the rest goes on.
    drop(serving);
    let serving = Serving::new(folder, &[]);
    assert_eq!(
        [is_in(&serving, &first), is_in(&serving, &second)],
        left,
        "after a kill"
    );
    assert_eq!(list(folder, &[])["total"], 1);
    let all = [&["sessions", "end"], &OF[..], &["--all"]].concat();
    assert_eq!(json(folder, &all)["ended"], "all");
    assert!(!is_in(&serving, &first) && !is_in(&serving, &second));
    assert_eq!(latest(folder), ["signed_out", "ada", "command_line"]);
    assert_eq!(list(folder, &[])["total"], 0);
    serving.end();

    // Without a gateway, the command opens the directory.
    assert_eq!(list(folder, &[])["sessions"], Value::Array(Vec::new()));
    let said = in_folder(folder, &all).out;
    assert_eq!(said.trim(), "ada was not signed in anywhere.");
}

#[test]
fn an_error_about_sessions_names_the_option() {
    let folder = folder();
    let sessions = |arguments: &[&str]| {
        let arguments = [&["--json", "sessions"], arguments].concat();
        in_folder(folder.path(), &arguments).refusal()
    };
    let of = ["--instance", "here", "--user", "nobody"];
    for command in [&["list"][..], &["end", "--all"]] {
        let (code, error, field) = sessions(&[command, &of[..]].concat());
        assert_eq!((code, error.as_str()), (1, "unknown_user"));
        assert_eq!(field.as_deref(), Some("user"));
    }
    let (_, error, field) = sessions(&[&["list"], &of[..], &["--after", "x"]].concat());
    assert_eq!(error, "invalid_cursor");
    assert_eq!(field.as_deref(), Some("after"));
    let (code, ..) = sessions(&[&["end"], &of[..]].concat());
    assert_eq!(code, 2, "neither a session nor all");
}
