//! Tests of commands that administer the users of an instance while `latchkey serve` runs.

use std::process::Command;

use serde_json::Value;

use crate::run::in_folder;
use crate::serve::{Serving, cookie, folder, link, run};

/// Runs a command that must succeed, and returns what it has printed as JSON.
fn json(folder: &tempfile::TempDir, arguments: &[&str]) -> Value {
    let printed = run(folder.path(), &[&["--json"], arguments].concat());
    serde_json::from_str(&printed).unwrap_or_else(|_| panic!("{printed}"))
}

#[test]
fn a_user_who_is_suspended_while_the_gateway_runs_is_refused_at_the_next_request() {
    let folder = folder();
    let first = link(folder.path(), "ada");
    let serving = Serving::new(folder.path(), &[]);
    let cookie = cookie(&serving.get(&first, ""));
    let is_in = || {
        serving
            .get("/auth/verify", &cookie)
            .contains("remote-user: ada")
    };
    assert!(is_in());
    let users = |rest: &[&str]| json(&folder, &[&["users", "--instance", "here"], rest].concat());
    assert_eq!(users(&["suspend", "ada"])["status"], "suspended");
    assert!(!is_in());
    assert!(serving.get(&first, "").starts_with("HTTP/1.1 403"));
    assert_eq!(users(&["reactivate", "ada"])["status"], "active");
    assert!(serving.get(&first, "").starts_with("HTTP/1.1 303"));
    serving.end();
}

#[test]
fn every_command_for_users_works_while_the_gateway_runs() {
    let folder = folder();
    let serving = Serving::new(folder.path(), &[]);
    let users = |rest: &[&str]| json(&folder, &[&["users", "--instance", "here"], rest].concat());
    let added = users(&["add", "bob", "--email", "bob@acme.example"]);
    assert_eq!(added["id"], "bob");
    assert_eq!(users(&["show", "bob"]), added);
    let listed = users(&["list", "--search", "ACME"]);
    assert_eq!(listed["users"][0], added);
    assert_eq!(users(&["sign-out", "bob"])["id"], "bob");
    assert_eq!(users(&["correct-times"])["corrected"], 0);
    let seats = json(&folder, &["seats", "--instance", "here", "--set", "1"]);
    assert_eq!(seats["limit"], 1);
    let refused = in_folder(
        folder.path(),
        &["--json", "users", "--instance", "here", "add", "cyd"],
    );
    assert_eq!(refused.refusal().1, "no_seats");
    let code = link(folder.path(), "cyd");
    let secret = folder.path().join("secret");
    let secret = secret.to_str().unwrap();
    let inspected = in_folder(
        folder.path(),
        &[
            "--json",
            "inspect",
            "--instance",
            "here",
            "--secret-file",
            secret,
            "--dry-run",
            &code,
        ],
    );
    assert!(inspected.out.contains("\"no_seats\""), "{}", inspected.out);
    assert_eq!(users(&["remove", "bob"])["removed"], "bob");
    let redeemed = json(
        &folder,
        &[
            "redeem",
            "--instance",
            "here",
            "--secret-file",
            secret,
            &code,
        ],
    );
    assert_eq!(redeemed["verdict"], "provisioned");
    let unknown = in_folder(
        folder.path(),
        &["--json", "users", "--instance", "here", "show", "bob"],
    );
    assert_eq!(unknown.refusal().1, "unknown_user");
    let activity = json(&folder, &["activity", "list", "--instance", "here"]);
    let entries = activity["entries"].as_array().unwrap();
    let codes: Vec<&str> = entries
        .iter()
        .map(|entry| entry["code"].as_str().unwrap())
        .collect();
    let expected = [
        "provisioned",
        "removed",
        "link_made",
        "seat_limit_set",
        "signed_out",
        "added",
    ];
    assert_eq!(&codes[..expected.len()], expected);
    assert_eq!(entries[1]["actor"], "command_line");
    serving.end();
}

#[test]
fn a_program_without_any_library_can_ask_on_the_socket() {
    let folder = folder();
    let serving = Serving::new(folder.path(), &[]);
    let socket = folder.path().join("instances/here/control.sock");
    let script = "import http.client, json, socket, sys\n\
        c = http.client.HTTPConnection('localhost')\n\
        c.sock = socket.socket(socket.AF_UNIX)\n\
        c.sock.connect(sys.argv[1])\n\
        c.request('PUT', '/admin/v1/seats', json.dumps({'limit': 7}), {'Content-Type': 'application/json'})\n\
        print(c.getresponse().read().decode())\n\
        for body, context in [({}, None), ({'limit': 3}, '{\"at\":-5,\"actor\":\"studio\"}'), ({'limit': 3}, 'x')]:\n\
        \x20 c.request('PUT', '/admin/v1/seats', json.dumps(body), {'Content-Type': 'application/json', **({'latchkey-context': context} if context else {})})\n\
        \x20 r = c.getresponse()\n\
        \x20 r.read()\n\
        \x20 print(r.status)";
    let ran = Command::new("python3")
        .args(["-c", script, socket.to_str().unwrap()])
        .output()
        .unwrap();
    let said = String::from_utf8(ran.stdout).unwrap();
    let mut said = said.lines();
    assert_eq!(
        serde_json::from_str::<Value>(said.next().unwrap()).unwrap(),
        serde_json::json!({ "used": 0, "limit": 7 })
    );
    // A missing member, a time before 1970, and a context that is no JSON.
    assert_eq!(said.collect::<Vec<_>>(), ["422", "422", "400"]);
    serving.end();
    assert!(!socket.exists());
}

#[test]
fn a_program_that_hangs_is_named_after_two_seconds() {
    let folder = folder();
    let serving = Serving::new(folder.path(), &[]);
    let id = serving.child.id().to_string();
    let signal = |name: &str| {
        let sent = Command::new("kill").args([name, &id]).status();
        assert!(sent.unwrap().success());
    };
    signal("-STOP");
    let listed = in_folder(
        folder.path(),
        &["--json", "users", "--instance", "here", "list"],
    );
    signal("-CONT");
    assert_eq!(listed.refusal().1, "directory_held");
    let program = format!("latchkey serve (process {id})");
    assert!(
        listed.err.contains(&program) && listed.err.contains("does not answer"),
        "{}",
        listed.err
    );
    serving.end();
}
