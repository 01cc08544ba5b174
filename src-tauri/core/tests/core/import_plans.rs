//! The decision about each row of an import.

use jiff::Timestamp;
use latchkey_core::directory::{EmailUsers, Facts, Origin, Person, User};
use latchkey_core::import::{Action, ImportFile, ImportOptions, RowPlan, plan};
use latchkey_core::protocol::email::Email;
use latchkey_core::protocol::metadata::Metadata;
use latchkey_core::protocol::user_id::UserId;
use latchkey_core::verdict::Status;

const KEEP: ImportOptions = ImportOptions {
    update: false,
    add_removed: false,
};
const UPDATE: ImportOptions = ImportOptions {
    update: true,
    add_removed: false,
};

fn id(text: &str) -> UserId {
    UserId::parse(text, "id").unwrap()
}

fn now() -> Timestamp {
    Timestamp::from_second(1_795_300_000).unwrap()
}

fn email(text: &str) -> Email {
    Email::parse(text, "email").unwrap()
}

/// Returns the facts of a directory with Ada, who is suspended, Bob, and Cyd, who was removed. One
/// of three seats is taken.
fn facts(row: &ImportFile) -> Facts {
    let user = |name: &str, address: Option<&str>, status, metadata: &str| User {
        id: id(name),
        email: address.map(email),
        metadata: Metadata::from_json(metadata, "metadata").unwrap(),
        status,
        origin: Origin::Added,
        created_at: 1,
        last_sign_in: None,
        sign_ins: 0,
        profile_as_of: 1,
        generation: 1,
        ends_at: None,
    };
    let mut facts = Facts::default();
    facts.counts.active = 1;
    facts.counts.seat_limit = Some(3);
    for new in row.rows.iter().filter_map(|row| row.content.as_ref().ok()) {
        facts.set_person(new.id.clone(), Person::default());
        if let Some(email) = &new.email {
            facts.set_email(email, EmailUsers::default());
        }
    }
    for (user, address) in [
        (
            user(
                "ada",
                Some("ada@b.example"),
                Status::Suspended,
                r#"{"team":"R","n":1}"#,
            ),
            Some("ada@b.example"),
        ),
        (user("bob", None, Status::Active, r#"{"name":"Bob"}"#), None),
    ] {
        if let Some(address) = address {
            let users = EmailUsers {
                owner: Some(user.id.clone()),
                ..EmailUsers::default()
            };
            facts.set_email(&email(address), users);
        }
        let person = Person {
            user: Some(user.clone()),
            ..Person::default()
        };
        facts.set_person(user.id, person);
    }
    let removed = Person {
        removed_at: Some(1_700_000_000),
        ..Person::default()
    };
    facts.set_person(id("cyd"), removed);
    facts
}

fn decide(text: &str, options: ImportOptions) -> RowPlan {
    let file = ImportFile::parse(text.as_bytes().to_vec()).unwrap();
    plan::decide(&file.rows[0], &facts(&file), options, now())
}

/// Returns the action of a plan in one word, or the code and the sentence of its problem.
fn action(text: &str, options: ImportOptions) -> String {
    match decide(text, options).action {
        Action::Keep(fields) => format!("keep {}", fields.join(" ")),
        Action::Change(fields) => format!("change {}", fields.join(" ")),
        Action::Problem(problem) => format!("{}: {problem}", problem.code()),
        other => other.name().to_owned(),
    }
}

#[test]
fn a_row_adds_a_user_or_leaves_an_existing_one_as_it_is() {
    assert_eq!(action("id,email\ndan,dan@b.example\n", KEEP), "add");
    assert_eq!(action("id,email\nada,ada@b.example\n", KEEP), "same");
    assert_eq!(action("id,team\nada,R\n", KEEP), "same");
    assert_eq!(
        action("id,team\nada,\n", KEEP),
        "same",
        "an empty cell changes nothing"
    );
    assert_eq!(action("id,team\nada,Care\n", KEEP), "keep team");
    assert_eq!(action(r#"[{"id":"ada","n":1,"x":null}]"#, KEEP), "same");
}

#[test]
fn an_update_changes_the_fields_that_differ() {
    assert_eq!(
        action("id,email,team,floor\nada,ada@c.example,Care,3\n", UPDATE),
        "change email team floor"
    );
    assert_eq!(
        action("id,email\nada,ADA@b.example\n", UPDATE),
        "change email"
    );
    assert_eq!(
        action(r#"[{"id":"ada","team":null}]"#, UPDATE),
        "change team"
    );
    assert_eq!(action("id,email\nada,ada@b.example\n", UPDATE), "same");
    let too_large = format!("id,x,y\nada,{0},{0}\n", "x".repeat(4090));
    assert!(action(&too_large, UPDATE).starts_with("invalid: "));
}

#[test]
fn a_suspended_user_stays_suspended_and_the_plan_says_so() {
    let planned = decide("id,team\nada,Care\n", UPDATE);
    assert!(planned.is_suspended);
    assert!(!decide("id,team\nbob,Care\n", UPDATE).is_suspended);
    let text = "id,latchkey.status\ndan,suspended\n";
    assert!(action(text, KEEP).starts_with("suspended_in_file: Suspended where"));
    assert_eq!(action("id,latchkey.status\nada,suspended\n", KEEP), "same");
}

#[test]
fn a_removed_user_is_added_again_only_by_choice() {
    assert_eq!(
        action("id\ncyd\n", KEEP),
        "removed: Was removed at 2023-11-14T22:13:20Z. Remove the row, or choose to add removed people again."
    );
    let again = ImportOptions {
        add_removed: true,
        ..KEEP
    };
    assert_eq!(action("id\ncyd\n", again), "add_again");
}

#[test]
fn an_address_of_another_user_is_a_conflict() {
    for options in [KEEP, UPDATE] {
        assert_eq!(
            action("id,email\ndan,ADA@b.example\n", options),
            "email_in_use: The e-mail belongs to ada. Correct it, or give the row that ID."
        );
    }
    assert!(action("id,email\nbob,ada@b.example\n", UPDATE).starts_with("email_in_use"));
    assert_eq!(action("id,email\nbob,ada@b.example\n", KEEP), "keep email");
}

#[test]
fn a_row_without_an_id_is_the_user_with_its_address() {
    let planned = decide("email,team\nAda@b.example,R\n", KEEP);
    assert_eq!(planned.user, Some(id("ada")));
    assert_eq!(
        action("email\nbob@b.example\n", KEEP),
        "derived_id_taken: The row has no ID, and bob is somebody else. Add an ID."
    );
    assert_eq!(action("name\nBob\n", KEEP), "same");
    assert!(action("name\nBob!\n", KEEP).starts_with("derived_id_taken"));
}

#[test]
fn a_new_user_needs_a_seat_and_an_existing_one_none() {
    let file = ImportFile::parse(b"id\ndan\nbob\n".to_vec()).unwrap();
    let mut facts = facts(&file);
    facts.counts.active = 3;
    let Action::Problem(problem) = plan::decide(&file.rows[0], &facts, KEEP, now()).action else {
        panic!("a seat was given twice");
    };
    assert_eq!(
        problem.to_string(),
        "No seat is left of 3. Raise the number of seats, or suspend somebody."
    );
    assert_eq!(
        plan::decide(&file.rows[1], &facts, KEEP, now()).action,
        Action::Same
    );
}

#[test]
fn a_row_keeps_the_end_of_an_account_and_one_that_has_ended_adds_nobody() {
    let ends = |text: &str| {
        let file = ImportFile::parse(text.as_bytes().to_vec()).unwrap();
        file.rows[0].ends_at
    };
    let later = "id,latchkey.status,latchkey.ends_at\ndan,active,2027-01-01T00:00:00Z\n";
    assert_eq!(action(later, KEEP), "add");
    assert_eq!(ends(later), Some(1_798_761_600));
    let json = r#"[{"id":"dan","metadata":{},"ends_at":"2027-01-01T00:00:00Z"}]"#;
    assert_eq!(
        (action(json, KEEP).as_str(), ends(json)),
        ("add", Some(1_798_761_600))
    );
    for ended in [
        "id,latchkey.status\ndan,ended\n",
        "id,latchkey.ends_at\ndan,2026-01-01T00:00:00Z\n",
        r#"[{"id":"dan","metadata":{},"status":"ended"}]"#,
    ] {
        assert!(
            action(ended, KEEP).starts_with("ended_in_file: "),
            "{ended}"
        );
    }
    assert!(action("id,latchkey.ends_at\ndan,soon\n", KEEP).starts_with("invalid: "));
    let existing = "id,email,latchkey.status\nada,ada@b.example,ended\n";
    assert_eq!(
        action(existing, KEEP),
        "same",
        "an existing user keeps the status"
    );
}
