//! Tests of adding and removing users.

use std::process::Command;
use std::time::{Duration, Instant};

use super::Connected;
use crate::run::in_folder;

#[test]
fn a_user_is_added_and_removed_only_after_a_question_and_both_are_recorded() {
    let chat = Connected::copied(2);
    let begun = chat.typingmind.requests().lines().count();
    for arguments in [
        &["add", "--email", "ada@acme.example"][..],
        &["remove", "1"],
    ] {
        let refused = chat.users(&[&["--json"], arguments].concat()).refusal();
        assert_eq!(refused, (2, "usage".to_owned(), Some("yes".to_owned())));
    }
    assert_eq!(
        chat.typingmind.requests().lines().count(),
        begun,
        "nothing was sent"
    );

    let added = chat.users(&["add", "--email", "ada@acme.example", "--yes"]);
    assert_eq!(added.out, "Added ada@acme.example at TypingMind (ID 3).\n");
    let removed = chat.users(&["remove", "1", "--yes"]);
    assert_eq!(
        removed.out,
        "Removed user-1@acme.example (ID 1) at TypingMind.\n"
    );
    let sent = chat.typingmind.requests();
    let sent: Vec<&str> = sent.lines().skip(begun).collect();
    assert_eq!(
        sent,
        [
            r#"POST /api/v2/users {"email": "ada@acme.example"}"#,
            "DELETE /api/v2/users/1 null",
        ]
    );
    // The copy follows, and a new copy is equal.
    let expected = ["user-2@acme.example", "ada@acme.example"];
    assert_eq!(chat.emails(&[]), expected);
    assert_eq!(chat.users(&["sync"]).code, 0);
    assert_eq!(chat.emails(&[]), expected);
    let entries = chat.activity();
    let entry = |code: &str, subject: &str| (code.to_owned(), Some(subject.to_owned()));
    assert_eq!(
        entries[0],
        entry("typingmind_user_removed", "user-1@acme.example")
    );
    assert_eq!(
        entries[1],
        entry("typingmind_user_added", "ada@acme.example")
    );
    assert_eq!(entries[2].0, "typingmind_key_set");

    // A refusal by TypingMind is not recorded.
    let again = chat.users(&["add", "--email", "ada@acme.example", "--yes"]);
    assert!(
        again.err.contains("(409): 'User already exists'"),
        "{}",
        again.err
    );
    let unknown = chat.users(&["--json", "remove", "77", "--yes"]).refusal();
    assert_eq!(
        unknown,
        (1, "unknown_user".to_owned(), Some("id".to_owned()))
    );
    chat.typingmind.set_mode("cut");
    let lost = chat.users(&["remove", "2", "--yes"]);
    assert!(
        lost.err
            .contains("not known whether the user 2 was removed"),
        "{}",
        lost.err
    );
    // The lost answer is recorded, because the user may be removed.
    let (latest, before) = (chat.latest(), chat.activity().split_off(1));
    assert_eq!(latest["title"], "Removing at TypingMind", "{latest}");
    assert_eq!(latest["parameters"]["id"], "2", "{latest}");
    let detail = latest["detail"].as_str().unwrap();
    assert!(detail.contains("not known"), "{detail}");
    assert_eq!(before, entries);
}

#[test]
fn a_process_that_dies_before_the_answer_leaves_an_entry_that_is_not_confirmed() {
    let chat = Connected::copied(2);
    let before = chat.activity();
    chat.typingmind.set_mode("slow");
    let sent = chat.typingmind.requests();
    let mut adding = Command::new(env!("CARGO_BIN_EXE_latchkey"))
        .args(["users", "--instance", "chat", "add", "--yes"])
        .args(["--email", "ada@acme.example"])
        .env_clear()
        .env("LATCHKEY_KEYCHAIN", "off")
        .env("LATCHKEY_DATA_DIR", chat.folder.path())
        .env("LATCHKEY_PASSPHRASE", "correct horse battery")
        .spawn()
        .unwrap();
    let begun = Instant::now();
    while chat.typingmind.requests() == sent {
        assert!(begun.elapsed() < Duration::from_secs(30), "nothing is sent");
        std::thread::sleep(Duration::from_millis(10));
    }
    adding.kill().unwrap();
    adding.wait().unwrap();
    let latest = chat.latest();
    assert_eq!(latest["title"], "Adding at TypingMind", "{latest}");
    assert_eq!(latest["subject"], "ada@acme.example", "{latest}");
    assert_eq!(chat.activity().split_off(1), before);
}

#[test]
fn a_change_that_was_not_sent_is_not_recorded() {
    let chat = Connected::copied(2);
    let before = chat.activity();
    let Connected { folder, typingmind } = chat;
    drop(typingmind);
    let add = ["users", "--instance", "chat", "add", "--yes", "--email"];
    let arguments = [&add[..], &["ada@acme.example"]].concat();
    let failed = in_folder(folder.path(), &arguments);
    assert!(failed.err.contains("Connection refused"), "{}", failed.err);
    assert!(!failed.err.contains("not known whether"), "{}", failed.err);
    let listed = ["--json", "activity", "list", "--instance", "chat"];
    let listed = in_folder(folder.path(), &listed).json();
    assert_eq!(listed["entries"].as_array().unwrap().len(), before.len());
}
