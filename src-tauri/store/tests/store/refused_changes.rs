//! Test of all refused changes of a directory, with the code and the field of each error.

use latchkey_core::Error;
use latchkey_core::directory::{Cursor, Directory as _, MAX_IMPORT};
use latchkey_core::instance::Policy;
use latchkey_core::protocol::email::Email;
use latchkey_core::protocol::metadata::Metadata;
use latchkey_core::protocol::payload::NewUser;
use latchkey_core::protocol::user_id::UserId;
use latchkey_core::verdict::Verdict;
use latchkey_store::EmbeddedDirectory;
use latchkey_store::Wait as _;

use crate::by;
use crate::signed::{judge, now};

type Refusal = (String, Option<String>);

fn of_core<T>(result: Result<T, Error>) -> Option<Refusal> {
    let error = result.err()?;
    let code = serde_json::to_value(error.code).unwrap();
    Some((code.as_str().unwrap().to_owned(), error.field))
}

/// Returns the error of a change in a directory with two users. Ada has an address and the only
/// seat. Eve is suspended.
fn of_directory<T>(change: impl Fn(&EmbeddedDirectory) -> Result<T, Error>) -> Option<Refusal> {
    let folder = tempfile::tempdir().unwrap();
    let directory = EmbeddedDirectory::open(folder.path(), "a test").unwrap();
    directory
        .add(&person("ada", Some("Ada@Example.com")), &by(now()))
        .wait()
        .unwrap();
    directory
        .add(&person("eve", None), &by(now()))
        .wait()
        .unwrap();
    directory.suspend(&id("eve"), &by(now())).wait().unwrap();
    directory
        .set_seat_limit(Some(1), &by(now()))
        .wait()
        .unwrap();
    of_core(change(&directory))
}

/// Returns the error of redeeming a code in that directory.
fn of_redeeming(claims: &str) -> Option<Refusal> {
    let folder = tempfile::tempdir().unwrap();
    let directory = EmbeddedDirectory::open(folder.path(), "a test").unwrap();
    directory
        .add(&person("ada", Some("Ada@Example.com")), &by(now()))
        .wait()
        .unwrap();
    let code = judge(claims);
    let verdict = directory
        .redeem(code.as_ref(), Policy::default(), &by(now()))
        .wait()
        .unwrap();
    assert_eq!(directory.count().wait().unwrap(), 1, "nobody is created");
    match verdict {
        Verdict::Refused(refused) => Some((refused.code().to_owned(), None)),
        _ => None,
    }
}

#[test]
#[rustfmt::skip] // A case is a line.
fn every_bad_change_of_a_directory_is_refused_with_its_code_and_field() {
    let long = "x".repeat(256);
    let cases: Vec<(&str, Option<Refusal>, &str, Option<&str>)> = vec![
        ("add somebody who is there", of_directory(|all| all.add(&person("ada", None), &by(now())).wait()), "user_exists", Some("user.id")),
        ("add an address in another case", of_directory(|all| all.add(&person("bob", Some("aDA@example.COM")), &by(now())).wait()), "email_in_use", Some("user.email")),
        ("add where no seat is left", of_directory(|all| all.add(&person("bob", None), &by(now())).wait()), "no_seats", None),
        ("add a look-alike where no seat is left", of_directory(|all| all.add(&person("\u{430}da", None), &by(now())).wait()), "no_seats", None),
        ("reactivate where no seat is left", of_directory(|all| all.reactivate(&id("eve"), &by(now())).wait()), "no_seats", None),
        ("suspend nobody", of_directory(|all| all.suspend(&id("bob"), &by(now())).wait()), "unknown_user", Some("id")),
        ("suspend a look-alike", of_directory(|all| all.suspend(&id("\u{430}da"), &by(now())).wait()), "unknown_user", Some("id")),
        ("suspend in another case", of_directory(|all| all.suspend(&id("Ada"), &by(now())).wait()), "unknown_user", Some("id")),
        ("reactivate nobody", of_directory(|all| all.reactivate(&id("bob"), &by(now())).wait()), "unknown_user", Some("id")),
        ("remove nobody", of_directory(|all| all.remove(&id("bob"), &by(now())).wait()), "unknown_user", Some("id")),
        ("import somebody who is there", of_directory(|all| all.import(&[person("ada", None)], &by(now())).wait()), "user_exists", Some("user.id")),
        ("import too many", of_directory(|all| all.import(&vec![person("bob", None); MAX_IMPORT + 1], &by(now())).wait()), "too_many", None),
        ("a cursor that is none", of_core("%%%".parse::<Cursor>()), "invalid_cursor", Some("after")),
        ("a cursor of something else", of_core("e30".parse::<Cursor>()), "invalid_cursor", Some("after")),
        ("redeem for nobody by id", of_redeeming(r#"{"id":"bob"}"#), "unknown_user", None),
        ("redeem for a look-alike by id", of_redeeming("{\"id\":\"\u{430}da\"}"), "unknown_user", None),
        ("redeem for nobody by address", of_redeeming(r#"{"email":"bob@example.com"}"#), "unknown_user", None),
        ("redeem for another's address", of_redeeming(r#"{"user":{"id":"bob","email":"ADA@EXAMPLE.COM"}}"#), "email_in_use", None),
        ("redeem for an id of 256 bytes", of_redeeming(&format!(r#"{{"user":{{"id":"{long}"}}}}"#)), "invalid_payload", None),
        ("redeem for an id of 64 signs and 256 bytes", of_redeeming(&format!(r#"{{"user":{{"id":"{}"}}}}"#, "\u{1f511}".repeat(64))), "invalid_payload", None),
    ];
    for (case, refused, code, member) in cases {
        assert_eq!(refused, Some((code.to_owned(), member.map(str::to_owned))), "{case}");
    }
    let kept = format!(r#"{{"user":{{"id":"{}"}}}}"#, "x".repeat(255));
    assert!(judge(&kept).is_ok(), "255 bytes are taken");
}

fn id(text: &str) -> UserId {
    UserId::parse(text, "id").unwrap()
}

fn person(name: &str, email: Option<&str>) -> NewUser {
    NewUser {
        id: id(name),
        email: email.map(|email| Email::parse(email, "email").unwrap()),
        metadata: Metadata::default(),
    }
}
