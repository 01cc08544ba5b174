//! Tests of adding and removing users.

use super::Connected;

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
    assert_eq!(chat.activity(), entries);
}
