//! Tests of `latchkey keys`, beside a gateway that runs.

use std::path::Path;

use serde_json::Value;

use crate::proofs;
use crate::run::{Ran, in_folder};
use crate::serve::{Serving, cookie, folder};

fn keys(folder: &Path, arguments: &[&str]) -> Ran {
    in_folder(folder, &[&["--json", "keys"], arguments].concat())
}

/// Runs a command that succeeds. Returns the signing keys.
fn done(folder: &Path, arguments: &[&str]) -> Vec<Value> {
    let ran = keys(folder, &[arguments, &["--instance", "here"]].concat());
    assert_eq!(ran.code, 0, "{arguments:?}: {}", ran.err);
    ran.json()["signing_keys"].as_array().unwrap().clone()
}

fn id(key: &Value) -> &str {
    key["id"].as_str().unwrap()
}

/// Makes a link with the active key. Returns its path and query.
fn link(folder: &Path, user: &str) -> String {
    let ran = in_folder(folder, &["link", "--instance", "here", "--user-id", user]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let link = ran.out.trim().strip_prefix("http://localhost:8787");
    link.unwrap().to_owned()
}

fn opens(gateway: &Serving, link: &str) -> bool {
    let answer = gateway.get(link, "");
    answer.contains("set-cookie: ") && answer.contains("latchkey_session_")
}

/// Kills the gateway and starts it again.
fn killed(folder: &Path, gateway: Serving) -> Serving {
    drop(gateway);
    Serving::new(folder, &[])
}

#[test]
fn a_running_gateway_follows_a_rotation_and_a_leaked_key_at_the_next_request_and_after_a_kill() {
    let folder = folder();
    let folder = folder.path();
    let gateway = Serving::new(folder, &[]);
    let old = link(folder, "ada");
    let session = cookie(&gateway.get(&old, ""));
    let is_signed_in = |gateway: &Serving| {
        let answer = gateway.get("/auth/verify", &session);
        answer.starts_with("HTTP/1.1 200")
    };
    assert!(is_signed_in(&gateway));
    let rotated = done(folder, &["rotate", "--retire-after", "14d"]);
    assert_eq!(rotated.len(), 2);
    let new = link(folder, "bob");
    let both_open = |gateway: &Serving| opens(gateway, &old) && opens(gateway, &new);
    assert!(both_open(&gateway), "links of both keys work");
    let gateway = killed(folder, gateway);
    assert!(both_open(&gateway), "and after a kill");

    let inspect = ["--json", "inspect", "--instance", "here", &old];
    let inspected = in_folder(folder, &inspect).json();
    assert_eq!(inspected["signed_by"]["key"], rotated[1]["id"]);
    assert_eq!(
        inspected["signed_by"]["retires_at"],
        rotated[1]["retires_at"]
    );
    let text = in_folder(folder, &["inspect", "--instance", "here", &old]).out;
    let expected = format!("Signed with the key {}, which retires", id(&rotated[1]));
    assert!(text.contains(&expected), "{text}");

    let retired = done(folder, &["retire", id(&rotated[1])]);
    assert_eq!(retired.len(), 1);
    let only_the_new_opens = |gateway: &Serving| !opens(gateway, &old) && opens(gateway, &new);
    assert!(only_the_new_opens(&gateway));
    let gateway = killed(folder, gateway);
    assert!(only_the_new_opens(&gateway), "after a kill");

    let given_up = done(folder, &["retire", id(&rotated[0]), "--leaked"]);
    assert_ne!(given_up[0]["id"], rotated[0]["id"]);
    assert!(!opens(&gateway, &new));
    let newest = link(folder, "eve");
    assert!(opens(&gateway, &newest));
    let gateway = killed(folder, gateway);
    assert!(!opens(&gateway, &old) && !opens(&gateway, &new) && opens(&gateway, &newest));
    assert!(is_signed_in(&gateway), "the session survives all of that");
    let list = ["--json", "activity", "list", "--instance", "here"];
    let activity = in_folder(folder, &list).json()["entries"].to_string();
    for code in ["key_rotated", "key_retired", "key_leaked"] {
        assert!(activity.contains(code), "{code}: {activity}");
    }
}

#[test]
fn a_set_secret_rotates_the_key_by_default_and_at_once_by_choice() {
    let folder = folder();
    let folder = folder.path();
    let set = |arguments: &[&str]| {
        let set = ["--json", "instance", "set", "here"];
        in_folder(folder, &[&set, arguments].concat())
    };
    let count = || done(folder, &["list"]).len();
    assert_eq!(set(&["--generate-secret"]).code, 0);
    assert_eq!(count(), 2);
    let at_once = ["--generate-secret", "--retire-after", "now"];
    assert_eq!(set(&at_once).code, 0);
    assert_eq!(count(), 2, "the first one still retires");
    let alone = set(&["--retire-after", "12h"]).refusal();
    assert_eq!(alone.0, 2);
    assert_eq!(alone.2.as_deref(), Some("retire-after"));
}

#[test]
fn at_an_instance_that_is_hosted_elsewhere_the_secret_is_only_replaced() {
    let folder = folder();
    let folder = folder.path();
    let set = ["instance", "set", "here", "--hosted", "elsewhere"];
    assert_eq!(in_folder(folder, &set).code, 0);
    let file = folder.join("secret");
    std::fs::write(&file, "a secret of the application, long enough").unwrap();
    let file = file.to_str().unwrap();
    let rotate = ["rotate", "--instance", "here", "--secret-file", file];
    let ran = in_folder(folder, &[&["keys"], &rotate[..]].concat());
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.err.contains("It decides how long"), "{}", ran.err);
    let listed = done(folder, &["list"]);
    assert_eq!(listed.len(), 1);
    let again = keys(folder, &rotate).refusal();
    assert_eq!(
        (again.1.as_str(), again.2.as_deref()),
        ("invalid_setting", Some("secret"))
    );
    assert_eq!(done(folder, &["list"]), listed, "it is the active key");
    std::fs::write(file, "another secret of the application").unwrap();
    let later = keys(folder, &[&rotate[..], &["--retire-after", "7d"]].concat());
    let (_, code, field) = later.refusal();
    assert_eq!(code, "hosted_elsewhere");
    assert_eq!(field.as_deref(), Some("retire-after"));
    let leaked = ["retire", id(&listed[0]), "--leaked", "--instance", "here"];
    assert_eq!(keys(folder, &leaked).refusal().1, "hosted_elsewhere");
}

#[test]
fn no_secret_is_generated_for_an_application_elsewhere_where_nobody_could_enter_it() {
    let folder = folder();
    let folder = folder.path();
    let before = id(&done(folder, &["list"])[0]).to_owned();
    let set = ["instance", "set", "here"];
    let moved = [&set[..], &["--hosted", "elsewhere", "--generate-secret"]].concat();
    let there = ["--url", "https://a.b", "--hosted", "elsewhere"];
    let added = [
        &["instance", "add", "There", "--generate-secret"],
        &there[..],
    ]
    .concat();
    let refused = |arguments: &[&str]| {
        let ran = in_folder(folder, arguments);
        assert_eq!(ran.code, 1, "{arguments:?}: {}", ran.err);
        for said in ["nobody could enter it", "(hosted_elsewhere, secret)"] {
            assert!(ran.err.contains(said), "{arguments:?}: {}", ran.err);
        }
        let hint = "hint: 'latchkey secret generate > FILE' writes a new secret";
        assert!(ran.err.contains(hint), "{arguments:?}: {}", ran.err);
    };
    refused(&moved);
    refused(&added);
    let move_alone = [&set[..], &["--hosted", "elsewhere"]].concat();
    assert_eq!(in_folder(folder, &move_alone).code, 0);
    refused(&[&set[..], &["--generate-secret"]].concat());
    refused(&["keys", "rotate", "--instance", "here"]);
    let after = done(folder, &["list"]);
    assert_eq!((after.len(), id(&after[0])), (1, before.as_str()));
    let listed = in_folder(folder, &["instance", "list"]).out;
    assert!(!listed.contains("There"), "{listed}");
}

#[test]
fn a_leaked_key_that_has_retired_already_is_given_up_with_its_links() {
    let folder = folder();
    let folder = folder.path();
    let gateway = Serving::new(folder, &[]);
    let options = ["link", "--instance", "here", "--user-id", "ada", "--short"];
    let made = in_folder(folder, &options);
    let short = made.out.trim().strip_prefix("HTTP://LOCALHOST:8787");
    let short = short.unwrap();
    let old = id(&done(folder, &["list"])[0]).to_owned();
    let active = id(&done(folder, &["rotate", "--retire-after", "now"])[0]).to_owned();
    assert!(opens(&gateway, short), "only its key has retired");
    let unknown = ["retire", "unknown", "--leaked", "--instance", "here"];
    assert_eq!(keys(folder, &unknown).refusal().1, "unknown_signing_key");
    let after = done(folder, &["retire", &old, "--leaked"]);
    assert_eq!((after.len(), id(&after[0])), (1, active.as_str()));
    assert!(!opens(&gateway, short));
    assert!(!opens(&killed(folder, gateway), short), "after a kill, too");
}

#[test]
fn a_leaked_key_that_has_retired_is_given_up_without_a_warning_while_no_gateway_runs() {
    let folder = folder();
    let folder = folder.path();
    link(folder, "ada");
    let old = id(&done(folder, &["list"])[0]).to_owned();
    done(folder, &["rotate", "--retire-after", "now"]);
    let given_up = keys(folder, &["retire", &old, "--leaked", "--instance", "here"]);
    assert_eq!((given_up.code, &*given_up.err), (0, ""));
}

#[test]
fn a_link_of_a_key_that_has_retired_is_told_from_a_forged_one_when_it_is_inspected() {
    let folder = folder();
    let folder = folder.path();
    let path = link(folder, "ada");
    let old = id(&done(folder, &["list"])[0]).to_owned();
    let causes = || {
        let url = format!("http://localhost:8787{path}");
        let inspect = ["--json", "inspect", "--instance", "here", &url];
        let inspected = in_folder(folder, &inspect).json();
        inspected["hints"].as_array().unwrap().clone()
    };
    assert_eq!(causes(), [Value::Null; 0]);
    done(folder, &["rotate", "--retire-after", "now"]);
    let causes = causes();
    assert_eq!(causes.len(), 1, "{causes:?}");
    assert_eq!(causes[0]["code"], "key_retired");
    assert!(causes[0]["message"].as_str().unwrap().contains(&old));
    // A code with an ID that the ledger lacks may be of anybody.
    let forged = proofs::link(1);
    let inspect = ["--json", "inspect", "--instance", "here", &forged];
    let inspected = in_folder(folder, &inspect).json();
    assert_eq!(inspected["hints"], Value::Array(Vec::new()));
}

#[test]
fn retiring_the_active_key_says_how_to_replace_it() {
    let folder = folder();
    let listed = done(folder.path(), &["list"]);
    let retire = ["keys", "retire", id(&listed[0]), "--instance", "here"];
    let refused = in_folder(folder.path(), &retire);
    assert_eq!(refused.code, 1);
    for said in [
        "hint: latchkey keys rotate --instance here",
        "latchkey keys retire --instance here --leaked KEY",
    ] {
        assert!(refused.err.contains(said), "{}", refused.err);
    }
}

#[test]
fn the_key_of_an_instance_without_one_is_not_rotated() {
    let folder = tempfile::tempdir().unwrap();
    let add = [
        "instance",
        "add",
        "Bare",
        "--url",
        "https://a.b",
        "--no-secret",
    ];
    assert_eq!(in_folder(folder.path(), &add).code, 0);
    let rotate = ["keys", "rotate", "--instance", "bare"];
    let refused = in_folder(folder.path(), &rotate);
    assert_eq!(refused.code, 1);
    for said in ["no signing key here", "instance set bare --generate-secret"] {
        assert!(refused.err.contains(said), "{}", refused.err);
    }
}

#[test]
fn a_changed_key_is_listed_also_if_the_links_that_depend_on_it_cannot_be_counted() {
    let folder = folder();
    let folder = folder.path();
    // The directory cannot be opened.
    std::fs::write(folder.join("instances/here/directory"), "").unwrap();
    let rotated = done(folder, &["rotate"]);
    assert_eq!(rotated.len(), 2);
    assert_eq!(rotated[0]["links"], Value::Null);
    let old = id(&rotated[1]);
    let retire = ["keys", "retire", old, "--instance", "here"];
    let retired = in_folder(folder, &retire);
    assert_eq!(retired.code, 0, "{}", retired.err);
    assert!(retired.out.starts_with(id(&rotated[0])), "{}", retired.out);
    let said = "The keys are changed, but the links that depend on them cannot be counted.";
    assert!(retired.err.contains(said), "{}", retired.err);
    assert!(!retired.out.contains(old), "{}", retired.out);
    assert_eq!(keys(folder, &["list", "--instance", "here"]).code, 1);
}
