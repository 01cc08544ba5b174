//! Rules of seats, imports and codes that are redeemed together, for every engine.

use latchkey_core::ErrorCode;
use latchkey_core::activity::ActivityQuery;
use latchkey_core::directory::{Directory, MAX_IMPORT, Origin};
use latchkey_core::instance::Policy;
use latchkey_core::protocol::code::CodeRefusal;
use latchkey_core::verdict::{Seats, Status, Verdict};
use latchkey_store::Wait as _;

use super::conformance::redeem;
use super::{code, id, new_user, person, redeem_together};
use crate::by;
use crate::signed::now;

pub(super) fn codes_that_are_redeemed_together_have_the_same_verdicts_as_one_by_one(
    one_by_one: &dyn Directory,
    together: &dyn Directory,
) {
    let once = || code(r#""user":{"id":"ada"},"jti":"1","single_use":true"#, -50);
    let codes = [
        Ok(code(r#""user":{"id":"ada","email":"a@acme.example"}"#, -60)),
        Ok(code(r#""email":"A@acme.example""#, -60)),
        Ok(code(r#""user":{"id":"bob","email":"a@acme.example"}"#, -60)),
        Err(CodeRefusal::BadSignature),
        Ok(once()),
        Ok(once()),
        Ok(new_user("bob")),
        Ok(new_user("cyd")),
        Ok(code(r#""id":"bob""#, -60)),
        Ok(code(r#""id":"cyd""#, -60)),
    ];
    let by = by(now());
    for directory in [one_by_one, together] {
        directory.set_seat_limit(Some(2), &by).wait().unwrap();
    }
    let verdicts: Vec<_> = codes
        .iter()
        .map(|code| one_by_one.redeem(code.as_ref(), Policy::default(), &by))
        .map(|verdict| verdict.wait().unwrap())
        .collect();
    let found: Vec<_> = verdicts.iter().map(Verdict::code).collect();
    assert_eq!(
        found,
        [
            "provisioned",
            "signed_in",
            "email_in_use",
            "bad_signature",
            "signed_in",
            "link_already_used",
            "provisioned",
            "no_seats",
            "signed_in",
            "unknown_user",
        ]
    );
    let all: Vec<_> = redeem_together(together, &codes, &by);
    assert_eq!(all, verdicts);
    for id in ["ada", "bob", "cyd"].map(id) {
        assert_eq!(
            together.user(&id).wait().unwrap(),
            one_by_one.user(&id).wait().unwrap()
        );
    }
    assert_eq!(
        together.seats(now()).wait().unwrap(),
        one_by_one.seats(now()).wait().unwrap()
    );
    let activity = |directory: &dyn Directory| {
        let page = directory
            .activity(&ActivityQuery::default(), None, 99)
            .wait();
        page.unwrap().entries
    };
    assert_eq!(activity(together), activity(one_by_one));
}

pub(super) fn seats_are_taken_freed_and_never_given_twice(directory: &dyn Directory) {
    let full = Seats {
        used: 2,
        limit: Some(2),
    };
    assert_eq!(
        directory
            .set_seat_limit(Some(2), &by(now()))
            .wait()
            .unwrap(),
        Seats {
            used: 0,
            limit: Some(2)
        }
    );
    assert_eq!(redeem(directory, &new_user("a")), "provisioned");
    directory
        .add(&person("b", None), &by(now()))
        .wait()
        .unwrap();
    assert_eq!(redeem(directory, &new_user("c")), "no_seats");
    let refused = directory
        .add(&person("c", None), &by(now()))
        .wait()
        .unwrap_err();
    assert_eq!(refused.code, ErrorCode::NoSeats);
    assert_eq!(directory.seats(now()).wait().unwrap(), full);

    assert_eq!(
        directory
            .suspend(&id("a"), &by(now()))
            .wait()
            .unwrap()
            .status,
        Status::Suspended
    );
    directory.suspend(&id("a"), &by(now())).wait().unwrap();
    assert_eq!(
        directory.seats(now()).wait().unwrap().used,
        1,
        "a seat is freed once"
    );
    assert_eq!(redeem(directory, &new_user("a")), "user_suspended");
    assert_eq!(redeem(directory, &new_user("c")), "provisioned");
    let refused = directory
        .reactivate(&id("a"), &by(now()))
        .wait()
        .unwrap_err();
    assert_eq!(refused.code, ErrorCode::NoSeats);
    assert_eq!(directory.seats(now()).wait().unwrap(), full);

    directory.remove(&id("c"), &by(now())).wait().unwrap();
    assert_eq!(
        directory
            .reactivate(&id("a"), &by(now()))
            .wait()
            .unwrap()
            .status,
        Status::Active
    );
    directory.reactivate(&id("a"), &by(now())).wait().unwrap();
    assert_eq!(
        directory.seats(now()).wait().unwrap(),
        full,
        "a seat is taken once"
    );
    let over = directory
        .set_seat_limit(Some(1), &by(now()))
        .wait()
        .unwrap();
    assert_eq!(
        (over.used, over.limit),
        (2, Some(1)),
        "fewer than are used is allowed"
    );
    assert_eq!(
        redeem(directory, &new_user("a")),
        "signed_in",
        "and nobody loses a seat"
    );
    directory.suspend(&id("a"), &by(now())).wait().unwrap();
    directory.remove(&id("a"), &by(now())).wait().unwrap();
    assert_eq!(
        directory.seats(now()).wait().unwrap().used,
        1,
        "a suspended user had no seat to free"
    );
}

pub(super) fn an_import_adds_all_or_none(directory: &dyn Directory) {
    let people =
        |names: &[&str]| -> Vec<_> { names.iter().map(|name| person(name, None)).collect() };
    directory
        .import(&people(&["a", "b"]), &by(now()))
        .wait()
        .unwrap();
    let a = directory.user(&id("a")).wait().unwrap().unwrap();
    assert_eq!(
        (a.origin, a.status, a.sign_ins),
        (Origin::Import, Status::Active, 0)
    );
    let refused = directory
        .import(&people(&["c", "b"]), &by(now()))
        .wait()
        .unwrap_err();
    assert_eq!(refused.code, ErrorCode::UserExists);
    let refused = directory
        .import(&people(&["d", "d"]), &by(now()))
        .wait()
        .unwrap_err();
    assert_eq!(refused.code, ErrorCode::UserExists);
    directory
        .set_seat_limit(Some(3), &by(now()))
        .wait()
        .unwrap();
    let refused = directory
        .import(&people(&["e", "f"]), &by(now()))
        .wait()
        .unwrap_err();
    assert_eq!(refused.code, ErrorCode::NoSeats);
    let many: Vec<_> = (0..=MAX_IMPORT)
        .map(|number| person(&format!("many-{number}"), None))
        .collect();
    directory.set_seat_limit(None, &by(now())).wait().unwrap();
    let refused = directory.import(&many, &by(now())).wait().unwrap_err();
    assert_eq!(refused.code, ErrorCode::TooMany);
    assert_eq!(
        (
            directory.count().wait().unwrap(),
            directory.seats(now()).wait().unwrap().used
        ),
        (2, 2)
    );
    directory.import(&many[1..], &by(now())).wait().unwrap();
    assert_eq!(directory.count().wait().unwrap(), 252);
}
