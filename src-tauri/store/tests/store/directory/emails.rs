//! Tests of the spellings of an address that count as one, and of directories that treated them as
//! different.

use latchkey_core::directory::{Directory, PageStart, Profile, Search, Sort, UserQuery};
use latchkey_core::instance::Policy;
use latchkey_core::protocol::email::Email;
use latchkey_store::EmbeddedDirectory;
use latchkey_store::Wait as _;
use tempfile::TempDir;

use super::embedded::{open, set_format, tree};
use super::{at, code, id, person};
use crate::by;
use crate::signed::now;

/// A way in which a user loses an address.
type Way<'a> = &'a dyn Fn(&EmbeddedDirectory, &str);

fn redeem(directory: &dyn Directory, payload: &str) -> &'static str {
    let code = code(payload, -10);
    let verdict = directory
        .redeem(Ok(&code), Policy::default(), &by(now()))
        .wait();
    verdict.unwrap().code()
}

fn email(text: &str) -> Email {
    Email::parse(text, "email").unwrap()
}

pub(super) fn an_address_that_looks_the_same_signs_nobody_else_in(directory: &dyn Directory) {
    let kate = person("kate", Some("kate@victim.example"));
    directory.add(&kate, &by(now())).wait().unwrap();
    for other in [
        "\u{212a}ate@victim.example",
        "kat\u{435}@victim.example",
        "\u{ff4b}ate@victim.example",
    ] {
        let payload = format!(r#""email":"{other}""#);
        assert_eq!(redeem(directory, &payload), "unknown_user", "{other}");
        assert!(
            directory
                .user_by_email(&email(other))
                .wait()
                .unwrap()
                .is_none()
        );
    }
    let theirs = person("kelvin", Some("\u{212a}ate@victim.example"));
    directory.add(&theirs, &by(now())).wait().unwrap();
    assert_eq!(
        redeem(directory, r#""email":"KATE@Victim.Example""#),
        "signed_in"
    );
    let kelvin = directory.known_user(&id("kelvin")).wait().unwrap();
    assert_eq!(kelvin.sign_ins, 0);
}

pub(super) fn an_address_is_found_in_any_spelling_of_its_domain(directory: &dyn Directory) {
    let ada = person("ada", Some("Ada@B\u{fc}cher.example"));
    directory.add(&ada, &by(now())).wait().unwrap();
    for same in [
        "ada@xn--bcher-kva.example",
        "ADA@bu\u{308}cher.EXAMPLE",
        "ada@B\u{dc}CHER.example",
    ] {
        let found = directory.user_by_email(&email(same)).wait().unwrap();
        assert_eq!(
            found.unwrap().email.unwrap().as_str(),
            "Ada@B\u{fc}cher.example"
        );
        let payload = format!(r#""email":"{same}""#);
        assert_eq!(redeem(directory, &payload), "signed_in", "{same}");
        let eve = person("eve", Some(same));
        assert!(directory.add(&eve, &by(now())).wait().is_err(), "{same}");
    }
    for words in ["ada@xn--bcher-kva.example", "b\u{fc}cher", "B\u{dc}CHER"] {
        let query = UserQuery {
            search: Search::new(words),
            ..UserQuery::default()
        };
        let page = directory.users(&query, Sort::default(), &PageStart::First, 9);
        assert_eq!(page.wait().unwrap().total, 1, "{words}");
    }
}

/// Returns a directory of format 4 in which `older` and `younger` have one address in two
/// spellings.
fn told_apart() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(&folder).unwrap();
    let add = |id: &str, email: &str, since: i64| {
        let person = person(id, Some(email));
        directory.add(&person, &by(at(since))).wait().unwrap();
    };
    add("kelvin", "__.ate@victim.example", -90);
    add("younger", "ada@bu-cher.example", -20);
    add("older", "ada@xn--bcher-kva.example", -50);
    drop(directory);
    // Opening makes a checkpoint of the journal.
    drop(open(&folder).unwrap());
    let tree = tree(&folder);
    for (id, written, email) in [
        (
            "kelvin",
            "__.ate@victim.example",
            "\u{212a}ate@victim.example",
        ),
        ("younger", "ada@bu-cher.example", "ada@b\u{fc}cher.example"),
    ] {
        let key = format!("u:{id}");
        let row = tree.get(&key).unwrap().unwrap();
        let at = row
            .windows(written.len())
            .position(|part| part == written.as_bytes());
        let mut row = row.to_vec();
        row.splice(at.unwrap()..at.unwrap() + written.len(), email.bytes());
        tree.insert(&key, row).unwrap();
        let owner = tree.remove(format!("e:{written}")).unwrap().unwrap();
        tree.insert(format!("e:{}", email.to_lowercase()), owner)
            .unwrap();
    }
    tree.flush().unwrap();
    drop(tree);
    set_format(&folder, b"4");
    folder
}

fn migrated() -> (TempDir, EmbeddedDirectory) {
    let folder = told_apart();
    let directory = open(&folder).unwrap();
    (folder, directory)
}

#[test]
fn an_index_of_format_4_is_rebuilt_and_an_address_of_two_users_is_reported() {
    let (folder, directory) = migrated();
    assert_eq!(
        redeem(&directory, r#""email":"kate@victim.example""#),
        "unknown_user"
    );
    assert_eq!(
        redeem(&directory, r#""email":"\u212aate@victim.example""#),
        "signed_in"
    );
    let owner = directory
        .user_by_email(&email("ada@b\u{fc}cher.example"))
        .wait();
    assert_eq!(owner.unwrap().unwrap().id.as_str(), "older");
    for round in 0..2 {
        let shared = directory.shared_emails().wait().unwrap();
        assert_eq!(shared.len(), 1, "{round}");
        assert_eq!(shared[0].email, "ada@xn--bcher-kva.example");
        assert_eq!(shared[0].users, [id("older"), id("younger")]);
    }
    drop(directory);
    // A migration that was interrupted before it wrote the format begins again. Its journal is
    // empty, as after opening.
    drop(open(&folder).unwrap());
    set_format(&folder, b"4");
    let again = open(&folder).unwrap();
    assert_eq!(again.shared_emails().wait().unwrap().len(), 1);
    assert_eq!(again.count().wait().unwrap(), 3);
}

#[test]
fn a_code_that_names_two_users_by_their_email_is_refused_and_their_ids_work() {
    let (_folder, directory) = migrated();
    for written in ["ada@xn--bcher-kva.example", "ada@b\u{fc}cher.example"] {
        let by_email = format!(r#""email":"{written}""#);
        assert_eq!(redeem(&directory, &by_email), "ambiguous_payload");
    }
    for payload in [
        r#""id":"younger""#,
        r#""id":"older""#,
        r#""user":{"id":"younger","email":"ada@b\u00fccher.example"}"#,
        r#""user":{"id":"older","email":"ada@xn--bcher-kva.example"}"#,
    ] {
        assert_eq!(redeem(&directory, payload), "signed_in", "{payload}");
    }
    assert_eq!(
        directory.shared_emails().wait().unwrap().len(),
        1,
        "both keep it"
    );
    let taken = r#""user":{"id":"eve","email":"ada@b\u00fccher.example"}"#;
    assert_eq!(redeem(&directory, taken), "email_in_use");
}

#[test]
fn a_shared_address_belongs_to_one_user_after_the_other_is_edited_or_removed() {
    let give_another = |directory: &EmbeddedDirectory, who: &str| {
        let profile = Profile {
            email: Some(Some(email("another@b.example"))),
            ..Profile::default()
        };
        directory
            .edit(&id(who), &profile, &by(now()))
            .wait()
            .unwrap();
    };
    let remove = |directory: &EmbeddedDirectory, who: &str| {
        directory.remove(&id(who), &by(now())).wait().unwrap();
    };
    for way in [&give_another as Way<'_>, &remove] {
        for (who, other) in [("older", "younger"), ("younger", "older")] {
            let (folder, directory) = migrated();
            way(&directory, who);
            assert!(directory.shared_emails().wait().unwrap().is_empty());
            drop(directory);
            let directory = open(&folder).unwrap();
            let payload = r#""email":"ada@xn--bcher-kva.example""#;
            assert_eq!(redeem(&directory, payload), "signed_in");
            let user = directory.known_user(&id(other)).wait().unwrap();
            assert_eq!(user.sign_ins, 1, "{who}");
        }
    }
}
