use std::path::Path;

use serde_json::json;

use crate::run::{hosted_here, in_folder, latchkey};

/// Returns a data folder with an instance that is hosted here.
fn folder() -> tempfile::TempDir {
    hosted_here("https://a.b")
}

fn link(folder: &Path, arguments: &[&str]) -> String {
    let mut all = vec!["link", "--instance", "here"];
    all.extend(arguments);
    let ran = in_folder(folder, &all);
    assert_eq!(ran.code, 0, "{}", ran.err);
    ran.out.trim().to_owned()
}

#[test]
fn a_link_creates_the_user_when_it_is_redeemed_and_not_before() {
    let folder = folder();
    let run = |arguments: &[&str]| in_folder(folder.path(), arguments);
    let link = link(
        folder.path(),
        &[
            "--user-id",
            "ada",
            "--user-email",
            "ada@b.cd",
            "--metadata",
            "team=R",
        ],
    );
    let dry = run(&[
        "--json",
        "inspect",
        &link,
        "--instance",
        "here",
        "--dry-run",
    ]);
    assert_eq!(dry.json()["dry_run"]["verdict"], "provisioned");
    let stay = dry.json()["stay"].as_str().unwrap().to_owned();
    assert!(stay.contains("stays signed in for 14 days"), "{stay}");
    assert_eq!(
        run(&["--json", "users", "list", "--instance", "here"]).json()["users"],
        json!([])
    );

    let redeemed = run(&["--json", "redeem", &link, "--instance", "here"]);
    assert_eq!(
        (redeemed.code, &redeemed.json()["verdict"]),
        (0, &json!("provisioned"))
    );
    let shown = run(&["--json", "users", "show", "ada", "--instance", "here"]).json();
    assert_eq!(
        (&shown["email"], &shown["sign_ins"]),
        (&json!("ada@b.cd"), &json!(1))
    );
    assert_eq!(shown["metadata"], json!({ "team": "R" }));
    assert_eq!(run(&["seats", "--instance", "here"]).out, "1, no limit\n");
}

#[test]
fn users_are_added_suspended_reactivated_and_removed_within_the_seats() {
    let folder = folder();
    let run = |arguments: &[&str]| {
        let mut all = vec!["--json"];
        all.extend(arguments);
        all.extend(["--instance", "here"]);
        in_folder(folder.path(), &all)
    };
    assert_eq!(run(&["seats", "--set", "1"]).json()["limit"], json!(1));
    assert_eq!(run(&["users", "add", "ada", "--email", "ada@b.cd"]).code, 0);
    assert_eq!(
        run(&["users", "add", "eve"]).refusal(),
        (1, "no_seats".into(), None)
    );
    assert_eq!(
        run(&["users", "suspend", "ada"]).json()["status"],
        "suspended"
    );
    let refused = run(&["redeem", &link(folder.path(), &["--email", "ada@b.cd"])]);
    assert_eq!(
        (refused.code, &refused.json()["verdict"]),
        (1, &json!("user_suspended"))
    );
    assert_eq!(run(&["users", "add", "eve"]).code, 0);
    assert_eq!(run(&["users", "reactivate", "ada"]).refusal().1, "no_seats");
    assert_eq!(run(&["users", "remove", "eve"]).code, 0);
    assert_eq!(
        run(&["users", "reactivate", "ada"]).json()["status"],
        "active"
    );
    assert_eq!(
        run(&["users", "show", "eve"]).refusal(),
        (1, "unknown_user".into(), Some("id".into()))
    );
}

#[test]
fn users_are_searched_filtered_sorted_and_paged() {
    let folder = folder();
    let run = |arguments: &[&str]| {
        let mut all = vec!["--json", "users", "--instance", "here"];
        all.extend(arguments);
        in_folder(folder.path(), &all)
    };
    for (id, name) in [
        ("u-1", "name=Ada Lovelace"),
        ("u-2", "name=Grace Hopper"),
        ("u-3", "team=Hopper"),
    ] {
        assert_eq!(run(&["add", id, "--metadata", name]).code, 0);
    }
    assert_eq!(run(&["suspend", "u-1"]).code, 0);
    let ids = |arguments: &[&str]| -> Vec<String> {
        let listed = run(arguments).json();
        let users = listed["users"].as_array().unwrap();
        users
            .iter()
            .map(|user| user["id"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(ids(&["list", "--search", "hopp grace"]), ["u-2"]);
    assert_eq!(ids(&["list", "--status", "suspended"]), ["u-1"]);
    assert_eq!(ids(&["list", "--origin", "link"]), Vec::<String>::new());
    assert_eq!(
        ids(&["list", "--sort", "id", "--descending"]),
        ["u-3", "u-2", "u-1"]
    );
    let first = run(&["list", "--limit", "2"]).json();
    assert_eq!(first["total"], 3);
    let next = first["next"].as_str().unwrap();
    assert_eq!(ids(&["list", "--after", next]), ["u-3"]);
    assert_eq!(
        run(&["list", "--after", "u-1"]).refusal(),
        (1, "invalid_cursor".into(), Some("after".into()))
    );
    let told = in_folder(
        folder.path(),
        &["users", "--instance", "here", "list", "--limit", "2"],
    );
    assert!(
        told.err.contains("2 of 3; the next page: --after "),
        "{}",
        told.err
    );
}

#[test]
fn a_link_made_after_a_removal_works_at_once_and_one_from_before_does_not() {
    let folder = hosted_here("https://chat.acme.example");
    let run = |arguments: &[&str]| in_folder(folder.path(), arguments);
    let link = || {
        let made = run(&[
            "link",
            "--instance",
            "Here",
            "--user-id",
            "ada",
            "--as",
            "code",
        ]);
        made.out.trim().to_owned()
    };
    let redeem = |code: &str| {
        let redeemed = run(&["--json", "redeem", code, "--instance", "Here"]);
        redeemed.json()["verdict"].as_str().unwrap().to_owned()
    };
    let before = link();
    assert_eq!(redeem(&before), "provisioned");
    let removed = run(&["users", "--instance", "Here", "remove", "ada"]);
    assert_eq!(removed.code, 0, "{}", removed.err);
    let after = link();
    assert_eq!(redeem(&before), "user_removed");
    assert_eq!(redeem(&after), "provisioned");
    let corrected = run(&["users", "--instance", "Here", "correct-times"]);
    assert_eq!(corrected.out.trim(), "No recorded time lies in the future.");
}

#[test]
fn aud_is_judged_by_the_url_and_the_audiences_that_are_set() {
    let folder = hosted_here("https://chat.acme.example");
    let run = |arguments: &[&str]| in_folder(folder.path(), arguments);
    let redeem = |audience: &str| {
        let made = [
            "link",
            "--instance",
            "Here",
            "--user-id",
            "ada",
            "--audience",
            audience,
            "--as",
            "code",
        ];
        let code = run(&made).out.trim().to_owned();
        let redeemed = run(&["--json", "redeem", &code, "--instance", "Here"]);
        redeemed.json()["verdict"].as_str().unwrap().to_owned()
    };
    assert_eq!(redeem("https://chat.acme.example"), "provisioned");
    assert_eq!(redeem("acme-chat"), "wrong_audience");
    let set = [
        "--json",
        "instance",
        "set",
        "Here",
        "--audience",
        "acme-chat",
    ];
    assert_eq!(run(&set).json()["audiences"][0], "acme-chat");
    assert_eq!(redeem("acme-chat"), "signed_in");
    assert_eq!(redeem("another"), "wrong_audience");
}

#[test]
fn users_edit_changes_the_email_and_the_metadata() {
    let folder = folder();
    let run = |arguments: &[&str]| {
        let of = ["--json", "users", "--instance", "here"];
        in_folder(folder.path(), &[&of[..], arguments].concat())
    };
    let add = [
        "add",
        "ada",
        "--email",
        "a@b.cd",
        "--metadata",
        "team=R",
        "--metadata",
        "name=Ada",
    ];
    assert_eq!(run(&add).code, 0);
    let edit = [
        "edit",
        "ada",
        "--email",
        "e@f.gh",
        "--metadata",
        "team=S",
        "--remove-metadata",
        "name",
    ];
    let edited = run(&edit);
    assert_eq!(edited.json()["email"], "e@f.gh", "{}", edited.err);
    assert_eq!(edited.json()["metadata"], json!({ "team": "S" }));
    let without = run(&["edit", "ada", "--no-email"]).json();
    assert_eq!(
        (&without["email"], &without["metadata"]["team"]),
        (&json!(null), &json!("S"))
    );

    let twice = ["edit", "ada", "--metadata", "a=b", "--remove-metadata", "a"];
    for wrong in [
        &["edit", "ada"][..],
        &["edit", "ada", "--email", "a@b.cd", "--no-email"],
        &twice,
    ] {
        assert_eq!(run(wrong).code, 2, "{wrong:?}");
    }
    assert_eq!(
        run(&["edit", "bob", "--no-email"]).refusal().1,
        "unknown_user"
    );
    assert_eq!(run(&["add", "bob", "--email", "b@b.cd"]).code, 0);
    let taken = run(&["edit", "ada", "--email", "b@b.cd"]);
    assert_eq!(
        taken.refusal(),
        (1, "email_in_use".into(), Some("email".into()))
    );
    assert!(
        taken.err.contains("latchkey users edit --instance here"),
        "{}",
        taken.err
    );
}

#[test]
fn a_hint_names_the_data_folder_that_was_given_as_an_option() {
    let folder = folder();
    let path = folder.path().to_str().unwrap();
    assert_eq!(
        in_folder(
            folder.path(),
            &["seats", "--instance", "here", "--set", "0"]
        )
        .code,
        0
    );
    let add = ["users", "--instance", "here", "add", "ada"];
    let by_variable = in_folder(folder.path(), &add).err;
    let hint = "hint: latchkey seats --instance here --set";
    assert!(by_variable.contains(hint), "{by_variable}");
    let by_option = latchkey(&[&["--data-dir", path], &add[..]].concat(), &[], b"").err;
    let hint = format!("hint: latchkey --data-dir {path} seats --instance here");
    assert!(by_option.contains(&hint), "{by_option}");
}
