//! Tests of the copy of the users.

use std::fs;

use serde_json::Value;

use super::Connected;
use crate::stand_in::{KEY, StandIn};

#[test]
fn the_users_of_typingmind_are_copied_listed_and_shown_with_their_age() {
    let chat = Connected::new(4);
    let missing = chat.users(&["--json", "list"]).refusal();
    assert_eq!(missing, (1, "not_copied".to_owned(), None));

    let synced = chat.users(&["sync"]);
    assert_eq!((synced.code, synced.out.as_str()), (0, "Copied 4 users.\n"));
    let listed = chat.users(&["list"]);
    assert_eq!(
        listed.out,
        "1\tuser-1@acme.example\tSales\n\
         2\tuser-2@acme.example\tSales, Support\n\
         3\tuser-3@acme.example\t-\n\
         4\tuser-4@acme.example\tSales\n"
    );
    assert!(
        listed.err.contains("TypingMind's users as of "),
        "{}",
        listed.err
    );
    let json = chat.users_json(&["list", "--limit", "1"]);
    assert_eq!(json["total"], 4);
    assert_eq!(json["next"], "1");
    assert!(json["as_of"].as_str().unwrap().ends_with('Z'), "{json}");
    assert_eq!(json["users"][0]["created_at"], "2023-11-14T22:13:21Z");
    assert!(json["users"][0].get("status").is_none(), "{json}");

    for name in ["2", "USER-2@acme.example"] {
        let shown = chat.users_json(&["show", name]);
        assert_eq!(shown["email"], "user-2@acme.example");
        assert_eq!(shown["groups"][1]["name"], "Support");
        assert!(shown["as_of"].is_string());
    }
    let unknown = chat.users(&["--json", "show", "9"]).refusal();
    assert_eq!(
        unknown,
        (1, "unknown_user".to_owned(), Some("id".to_owned()))
    );
}

#[test]
fn the_copy_is_searched_sorted_filtered_by_group_and_paged() {
    let chat = Connected::copied(11);
    let of = |number: u32| format!("user-{number}@acme.example");
    assert_eq!(chat.emails(&["--search", "USER-11 acme"]), [of(11)]);
    assert_eq!(chat.emails(&["--group", "support"]), [2, 5, 8, 11].map(of));
    assert_eq!(chat.emails(&["--group", "2", "--search", "8"]), [of(8)]);
    assert!(chat.emails(&["--group", "nobody"]).is_empty());
    // Numbers are sorted as numbers, and addresses as texts.
    assert_eq!(
        chat.emails(&["--limit", "2", "--after", "8"]),
        [9, 10].map(of)
    );
    assert_eq!(
        chat.emails(&["--sort", "email", "--limit", "2"]),
        [10, 11].map(of)
    );
    let newest = ["--sort", "created", "--descending", "--limit", "1"];
    assert_eq!(chat.emails(&newest), [of(11)]);
}

#[test]
fn what_typingmind_does_not_tell_is_refused() {
    let chat = Connected::copied(1);
    for (arguments, field) in [
        (&["list", "--status", "active"][..], "status"),
        (&["list", "--origin", "link"], "origin"),
        (&["list", "--sort", "last-sign-in"], "sort"),
        (&["add", "ada", "--email", "a@b.example"], "id"),
        (&["add"], "email"),
    ] {
        let refused = chat.users(&[&["--json"], arguments].concat()).refusal();
        assert_eq!(
            refused,
            (2, "usage".to_owned(), Some(field.to_owned())),
            "{arguments:?}"
        );
    }
    assert_eq!(chat.users(&["suspend", "1"]).code, 2);
}

#[test]
fn a_failure_says_what_happened_and_keeps_the_copy() {
    let chat = Connected::copied(3);
    let file = chat
        .folder
        .path()
        .join("instances/chat/typingmind-users.json");
    let before = fs::read(&file).unwrap();
    for (mode, code, words) in [
        ("403", "key_refused", "refuses the API key (403)"),
        ("404", "unexpected_answer", "Check the region"),
        ("429", "unexpected_answer", "too many requests"),
        (
            "500",
            "unexpected_answer",
            "has failed to list its users (500)",
        ),
        ("redirect", "unexpected_answer", "leads to another address"),
        ("html", "unexpected_answer", "it is not JSON"),
        ("no-data", "unexpected_answer", "no list 'data'"),
        ("other-types", "unexpected_answer", "other types"),
        ("half", "unexpected_answer", "ends in the middle"),
        ("cut", "unexpected_answer", "ends in the middle"),
        (
            "user-without-id",
            "unexpected_answer",
            "user 2 in it has no 'id'",
        ),
    ] {
        chat.typingmind.set_mode(mode);
        let failed = chat.users(&["--json", "sync"]);
        let field = (mode == "403").then(|| "typingmind-key-file".to_owned());
        assert_eq!(failed.refusal(), (1, code.to_owned(), field), "{mode}");
        assert!(failed.err.contains(words), "{mode}: {}", failed.err);
        assert!(
            failed.err.contains("The copy of the users as of "),
            "{mode}: {}",
            failed.err
        );
        assert!(!failed.err.contains(KEY), "{mode}: {}", failed.err);
        assert_eq!(fs::read(&file).unwrap(), before, "{mode}");
    }
    assert_eq!(chat.emails(&[]).len(), 3);
}

#[test]
fn members_that_are_new_or_missing_do_not_stop_a_copy() {
    let chat = Connected::new(3);
    chat.typingmind.set_mode("new-members");
    assert_eq!(chat.users(&["sync"]).code, 0);
    assert_eq!(chat.emails(&["--group", "Sales"]).len(), 2);
    chat.typingmind.set_mode("missing-members");
    assert_eq!(chat.users(&["sync"]).code, 0);
    assert_eq!(chat.emails(&[]), ["-"; 3]);
    let shown = chat.users_json(&["show", "1"]);
    assert_eq!(
        (&shown["created_at"], &shown["groups"]),
        (&Value::Null, &Value::Array(Vec::new()))
    );
}

#[test]
fn a_server_that_cannot_be_reached_keeps_the_copy() {
    let mut chat = Connected::copied(2);
    let before = chat.typingmind.url();
    chat.typingmind = StandIn::start(0);
    let failed = chat.users(&["--json", "sync"]);
    assert_eq!(
        failed.refusal(),
        (1, "unreachable".to_owned(), None),
        "{before}"
    );
    assert!(failed.err.contains("Connection refused"), "{}", failed.err);
    assert_eq!(chat.emails(&[]).len(), 2);
}

#[cfg(unix)]
#[test]
fn only_their_owner_reads_the_copy() {
    use std::os::unix::fs::PermissionsExt as _;

    let chat = Connected::copied(1);
    let file = chat
        .folder
        .path()
        .join("instances/chat/typingmind-users.json");
    let mode = fs::metadata(file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
}

#[test]
fn a_damaged_copy_is_reported_and_replaced_by_the_next() {
    let chat = Connected::copied(2);
    let file = chat
        .folder
        .path()
        .join("instances/chat/typingmind-users.json");
    fs::write(&file, b"{\"format\":1,\"at\":").unwrap();
    assert_eq!(chat.users(&["--json", "list"]).refusal().1, "damaged_file");
    assert_eq!(chat.users(&["sync"]).code, 0);
    assert_eq!(chat.emails(&[]).len(), 2);
    // A newer format is not read, and nothing is lost: the next copy makes it again.
    fs::write(&file, b"{\"format\":2}").unwrap();
    assert_eq!(chat.users(&["--json", "list"]).refusal().1, "not_copied");
}

#[test]
fn ten_thousand_users_are_copied_and_found() {
    let chat = Connected::copied(10_000);
    let found = chat.users_json(&["list", "--search", "user-9999@"]);
    assert_eq!(
        (&found["total"], &found["users"][0]["id"]),
        (&1.into(), &"9999".into())
    );
    let page = chat.users_json(&["list", "--after", "9990", "--limit", "100"]);
    assert_eq!(
        (page["total"].as_u64(), page["next"].as_str()),
        (Some(10_000), None)
    );
    assert_eq!(page["users"].as_array().unwrap().len(), 10);
}

#[test]
fn an_inspected_link_says_whether_its_user_exists_in_the_copy() {
    let chat = Connected::copied(2);
    for (email, exists) in [("user-1@acme.example", true), ("eve@acme.example", false)] {
        let link = chat
            .run(&["link", "--instance", "chat", "--email", email])
            .out;
        let inspect = ["inspect", "--instance", "chat", link.trim()];
        let words = if exists {
            "exists there"
        } else {
            "does not exist there"
        };
        let told = chat.run(&inspect).out;
        assert!(told.contains(&format!("{email} {words}, as of ")), "{told}");
        let told = chat.run(&[&["--json"], &inspect[..]].concat()).json();
        assert_eq!(told["typingmind"]["exists"], exists, "{told}");
    }
}
