//! Suite of tests of guests: accounts that end.

use std::sync::Arc;
use std::thread;

use jiff::Timestamp;
use latchkey_core::ErrorCode;
use latchkey_core::activity::{ActivityQuery, Actor, Entry};
use latchkey_core::directory::{
    Command, Directory, MAX_DUE, Newcomer, Outcome, PageStart, Redemption, Sort, UserQuery,
};
use latchkey_core::instance::Policy;
use latchkey_core::protocol::code::{VerifiedCode, verify};
use latchkey_core::session::{NewSession, SessionId, SessionKey, SessionRules, SessionScope};
use latchkey_core::verdict::Status;
use latchkey_store::{EmbeddedDirectory, Wait as _};

use super::sessions::is_good;
use super::{at, id, person};
use crate::by;
use crate::signed::{HEADER, RULES, key, signed};

/// Length of a day in seconds.
const DAY: i64 = 86_400;

/// Returns a code that was issued a minute before now and is verified at a time.
fn code_at(payload: &str, judged: Timestamp) -> VerifiedCode {
    let claims = format!(r#"{{{payload},"iat":{}}}"#, at(-60).as_second());
    verify(&signed(HEADER, &claims), &[&key()], RULES, judged).unwrap()
}

/// Returns the payload of a code whose account ends at a distance from now, in seconds.
fn guest(name: &str, ends: i64) -> String {
    let ends = at(ends).as_second();
    format!(r#""user":{{"id":"{name}"}},"account_ends":{ends}"#)
}

fn redeem_at(directory: &dyn Directory, payload: &str, distance: i64) -> &'static str {
    let code = code_at(payload, at(distance));
    let by = by(at(distance));
    let verdict = directory.redeem(Ok(&code), Policy::default(), &by);
    verdict.wait().unwrap().code()
}

fn dry_run_at(directory: &dyn Directory, payload: &str, distance: i64) -> &'static str {
    let code = code_at(payload, at(distance));
    let verdict = directory.dry_run(Ok(&code), Policy::default());
    verdict.wait().unwrap().code()
}

fn used(directory: &dyn Directory, distance: i64) -> u64 {
    directory.seats(at(distance)).wait().unwrap().used
}

fn limit(directory: &dyn Directory, seats: u64) {
    let by = by(at(0));
    directory.set_seat_limit(Some(seats), &by).wait().unwrap();
}

fn set_end(
    directory: &dyn Directory,
    user: &str,
    end: Option<i64>,
    distance: i64,
) -> latchkey_core::Result<Status> {
    let end = end.map(|end| at(end).as_second());
    let (user, by) = (id(user), by(at(distance)));
    Ok(directory.set_account_end(&user, end, &by).wait()?.status)
}

/// Returns the entries with a code, the latest first.
fn entries(directory: &dyn Directory, code: &str) -> Vec<Entry> {
    let query = ActivityQuery::default();
    let page = directory.activity(&query, None, 999);
    let entries = page.wait().unwrap().entries.into_iter();
    entries
        .filter(|entry| entry.event.data.code() == code)
        .collect()
}

fn with_status(directory: &dyn Directory, status: Status) -> u64 {
    let query = UserQuery {
        status: Some(status),
        ..UserQuery::default()
    };
    let page = directory.users(&query, Sort::default(), &PageStart::First, 1);
    page.wait().unwrap().total
}

pub(super) fn an_account_ends_at_its_time_and_not_before(directory: &dyn Directory) {
    assert_eq!(redeem_at(directory, &guest("eve", 100), 0), "provisioned");
    let by_id = r#""id":"eve""#;
    for payload in [guest("eve", 100).as_str(), by_id] {
        assert_eq!(redeem_at(directory, payload, 99), "signed_in", "{payload}");
        assert_eq!(dry_run_at(directory, payload, 100), "user_ended");
        assert_eq!(redeem_at(directory, payload, 100), "user_ended");
    }
    assert_eq!(used(directory, 99), 1);
    assert_eq!(used(directory, 100), 0, "the seat is free at once");
}

pub(super) fn an_account_ends_days_after_its_first_sign_in(directory: &dyn Directory) {
    let payload = r#""user":{"id":"eve"},"account_days":2"#;
    assert_eq!(redeem_at(directory, payload, DAY), "provisioned");
    let eve = directory.user(&id("eve")).wait().unwrap().unwrap();
    assert_eq!(eve.ends_at, Some(at(3 * DAY).as_second()));
    assert_eq!(redeem_at(directory, payload, 3 * DAY - 1), "signed_in");
    assert_eq!(redeem_at(directory, payload, 3 * DAY), "user_ended");
}

pub(super) fn a_link_whose_account_would_be_over_creates_nobody(directory: &dyn Directory) {
    assert_eq!(dry_run_at(directory, &guest("eve", 100), 100), "user_ended");
    assert_eq!(redeem_at(directory, &guest("eve", 100), 100), "user_ended");
    assert!(directory.user(&id("eve")).wait().unwrap().is_none());
}

pub(super) fn a_returning_user_keeps_the_end_that_is_set(directory: &dyn Directory) {
    let ends_at = |name| {
        let user = directory.user(&id(name)).wait().unwrap();
        user.unwrap().ends_at
    };
    directory
        .add(&person("ada", None), &by(at(0)))
        .wait()
        .unwrap();
    assert_eq!(redeem_at(directory, &guest("ada", 100), 1), "signed_in");
    assert_eq!(ends_at("ada"), None);
    redeem_at(directory, &guest("eve", 100), 1);
    assert_eq!(redeem_at(directory, &guest("eve", 900), 2), "signed_in");
    assert_eq!(
        redeem_at(directory, r#""user":{"id":"eve"}"#, 3),
        "signed_in"
    );
    assert_eq!(ends_at("eve"), Some(at(100).as_second()));
}

pub(super) fn a_due_account_frees_its_seat_in_the_change_that_needs_it(directory: &dyn Directory) {
    limit(directory, 1);
    redeem_at(directory, &guest("eve", 100), 0);
    let ada = r#""user":{"id":"ada"}"#;
    assert_eq!(redeem_at(directory, ada, 99), "no_seats");
    assert!(entries(directory, "account_ended").is_empty());
    assert_eq!(dry_run_at(directory, ada, 100), "provisioned");
    assert_eq!(redeem_at(directory, ada, 100), "provisioned");
    assert_eq!(
        redeem_at(directory, r#""user":{"id":"bob"}"#, 100),
        "no_seats"
    );
    assert_eq!(used(directory, 100), 1);
    let ended = entries(directory, "account_ended");
    assert_eq!(ended.len(), 1);
    assert_eq!(ended[0].event.subject.as_deref(), Some("eve"));
    assert_eq!(
        (&ended[0].actor, ended[0].at),
        (&Actor::Latchkey, at(100).as_second())
    );
    assert_eq!(with_status(directory, Status::Ended), 1);
    assert_eq!(with_status(directory, Status::Active), 1);
}

pub(super) fn every_change_that_takes_a_seat_ends_due_accounts(directory: &dyn Directory) {
    limit(directory, 2);
    let change = |distance, change: &dyn Fn() -> Command| {
        let by = by(at(distance));
        let changed = directory.execute(change(), &by);
        changed.wait().map_err(|refused| refused.code)
    };
    let newcomer = |name: &str| Newcomer {
        ends_at: Some(at(1000).as_second()),
        ..person(name, None).into()
    };
    change(0, &|| Command::Add(person("old", None).into())).unwrap();
    change(0, &|| Command::Suspend(id("old"))).unwrap();
    redeem_at(directory, &guest("eve", 100), 0);
    redeem_at(directory, &guest("fay", 100), 0);
    let add = || Command::Add(newcomer("ada"));
    assert_eq!(change(99, &add).unwrap_err(), ErrorCode::NoSeats);
    assert!(change(100, &add).is_ok());
    let import =
        |names: &[&str]| Command::Import(names.iter().map(|name| newcomer(name)).collect());
    assert_eq!(
        change(100, &|| import(&["bob", "cyd"])).unwrap_err(),
        ErrorCode::NoSeats
    );
    change(100, &|| import(&["bob"])).unwrap();
    assert_eq!(entries(directory, "account_ended").len(), 2);
    // The accounts that were added have an end, too.
    let reactivate = || Command::Reactivate(id("old"));
    assert_eq!(change(999, &reactivate).unwrap_err(), ErrorCode::NoSeats);
    change(1000, &reactivate).unwrap();
    assert_eq!(used(directory, 1000), 1);
    let past = Command::Add(Newcomer {
        ends_at: Some(at(0).as_second()),
        ..person("gus", None).into()
    });
    assert_eq!(
        change(0, &|| past.clone()).unwrap_err(),
        ErrorCode::InvalidTime
    );
}

pub(super) fn an_ended_account_is_extended_if_a_seat_is_free(directory: &dyn Directory) {
    limit(directory, 1);
    redeem_at(directory, &guest("eve", 100), 0);
    redeem_at(directory, r#""user":{"id":"ada"}"#, 200);
    let before = entries(directory, "account_end_set").len();
    let refused = set_end(directory, "eve", Some(900), 200).unwrap_err();
    assert_eq!(refused.code, ErrorCode::NoSeats);
    assert_eq!(redeem_at(directory, &guest("eve", 100), 200), "user_ended");
    assert_eq!(entries(directory, "account_end_set").len(), before);
    limit(directory, 2);
    for past in [100, 200] {
        let refused = set_end(directory, "eve", Some(past), 200).unwrap_err();
        assert_eq!(refused.code, ErrorCode::InvalidTime);
        assert_eq!(refused.field.as_deref(), Some("ends_at"));
    }
    assert_eq!(
        set_end(directory, "eve", Some(900), 200).unwrap(),
        Status::Active
    );
    assert_eq!(used(directory, 200), 2);
    let old_link = guest("eve", 100);
    assert_eq!(
        redeem_at(directory, &old_link, 899),
        "signed_in",
        "links work again"
    );
    assert_eq!(redeem_at(directory, &old_link, 900), "user_ended");
    assert_eq!(
        set_end(directory, "eve", None, 950).unwrap(),
        Status::Active
    );
    assert_eq!(redeem_at(directory, &old_link, 90 * DAY), "signed_in");
    assert_eq!(entries(directory, "account_end_set").len(), before + 2);
    let refused = set_end(directory, "ghost", None, 0).unwrap_err();
    assert_eq!(refused.code, ErrorCode::UnknownUser);
}

pub(super) fn a_user_who_takes_the_only_seat_can_be_extended_at_the_end(directory: &dyn Directory) {
    limit(directory, 1);
    redeem_at(directory, &guest("eve", 100), 0);
    assert_eq!(
        set_end(directory, "eve", Some(900), 100).unwrap(),
        Status::Active
    );
    assert_eq!(used(directory, 100), 1);
}

pub(super) fn a_suspended_account_that_has_ended_is_extended_before_it_is_reactivated(
    directory: &dyn Directory,
) {
    redeem_at(directory, &guest("eve", 100), 0);
    directory.suspend(&id("eve"), &by(at(50))).wait().unwrap();
    assert_eq!(
        redeem_at(directory, &guest("eve", 100), 50),
        "user_suspended"
    );
    let refused = directory.reactivate(&id("eve"), &by(at(100))).wait();
    let refused = refused.unwrap_err();
    assert_eq!(refused.code, ErrorCode::UserEnded);
    assert!(refused.message.contains("Extend"), "{refused}");
    assert_eq!(
        set_end(directory, "eve", Some(900), 100).unwrap(),
        Status::Suspended
    );
    assert_eq!(used(directory, 100), 0);
    let reactivated = directory.reactivate(&id("eve"), &by(at(101))).wait();
    assert_eq!(reactivated.unwrap().status, Status::Active);
    assert_eq!(redeem_at(directory, &guest("eve", 100), 900), "user_ended");
    // An ended account can be suspended, and stays so when it is extended.
    let suspended = directory.suspend(&id("eve"), &by(at(901))).wait();
    assert_eq!(suspended.unwrap().status, Status::Suspended);
    assert_eq!(
        set_end(directory, "eve", None, 902).unwrap(),
        Status::Suspended
    );
}

pub(super) fn a_guest_who_is_removed_frees_one_seat(directory: &dyn Directory) {
    redeem_at(directory, &guest("eve", 100), 0);
    redeem_at(directory, &guest("fay", 100), 0);
    directory.remove(&id("eve"), &by(at(100))).wait().unwrap();
    assert_eq!(used(directory, 99), 1);
    assert_eq!(used(directory, 100), 0);
    directory.remove(&id("fay"), &by(at(101))).wait().unwrap();
    redeem_at(directory, r#""user":{"id":"ada"}"#, 102);
    assert_eq!(used(directory, 200), 1);
}

fn begin_session(directory: &dyn Directory, payload: &str, distance: i64) -> SessionKey {
    let key = SessionId::new(at(distance)).unwrap().key();
    let redemption = Redemption {
        code: Ok(code_at(payload, at(distance))),
        policy: Policy::default(),
        session: Some(NewSession {
            key,
            place: SessionScope::Page,
            browser: None,
            browser_key: None,
            replaces: None,
        }),
    };
    let command = Command::Redeem(Arc::new(redemption));
    let outcome = directory.execute(command, &by(at(distance))).wait();
    assert!(matches!(outcome.unwrap(), Outcome::Verdict(_)));
    key
}

pub(super) fn sessions_end_with_the_account_for_ever(directory: &dyn Directory) {
    let key = begin_session(directory, &guest("eve", 100), 0);
    let signed_in = |distance| {
        let count = directory.count_signed_in(SessionRules::default(), at(distance));
        count.wait().unwrap()
    };
    assert!(is_good(directory, key, at(99)));
    assert_eq!(signed_in(99), 1);
    // Nothing was written yet.
    assert!(!is_good(directory, key, at(100)));
    assert_eq!(signed_in(100), 0);
    set_end(directory, "eve", None, 100).unwrap();
    assert!(!is_good(directory, key, at(100)), "it does not come back");
    let later = begin_session(directory, &guest("eve", 100), 100);
    assert!(is_good(directory, later, at(100)));
    set_end(directory, "eve", Some(200), 100).unwrap();
    assert_eq!(directory.end_due_accounts(at(200)).wait().unwrap(), 1);
    assert!(!is_good(directory, later, at(0)));
    let pruned = directory.prune_sessions(SessionRules::default(), at(200));
    assert_eq!(pruned.wait().unwrap(), 2);
}

#[test]
fn all_due_accounts_are_ended_in_batches_and_stay_ended() {
    let folder = tempfile::tempdir().unwrap();
    let open = || EmbeddedDirectory::open(folder.path(), "a test").unwrap();
    let directory = open();
    let count = 2 * MAX_DUE + 7;
    for number in 0..count {
        redeem_at(&directory, &guest(&format!("guest-{number}"), 100), 0);
    }
    redeem_at(&directory, &guest("later", 101), 0);
    assert_eq!(directory.end_due_accounts(at(99)).wait().unwrap(), 0);
    assert_eq!(
        directory.end_due_accounts(at(100)).wait().unwrap(),
        count as u64
    );
    assert_eq!(directory.end_due_accounts(at(100)).wait().unwrap(), 0);
    assert_eq!(entries(&directory, "account_ended").len(), count);
    drop(directory);
    let again = open();
    assert_eq!(with_status(&again, Status::Ended), count as u64);
    assert_eq!((used(&again, 100), used(&again, 101)), (1, 0));
    assert_eq!(redeem_at(&again, &guest("guest-0", 100), 101), "user_ended");
}

#[test]
fn visitors_at_the_same_instant_get_the_seat_of_a_due_account_once() {
    const VISITORS: usize = 32;
    for round in 0..20 {
        let folder = tempfile::tempdir().unwrap();
        let directory = EmbeddedDirectory::open(folder.path(), "a test").unwrap();
        limit(&directory, 1);
        redeem_at(&directory, &guest("eve", 100), 0);
        let redeem = |number: usize| {
            let payload = format!(r#""user":{{"id":"visitor-{number}"}}"#);
            redeem_at(&directory, &payload, 100)
        };
        let answers: Vec<_> = thread::scope(|scope| {
            let threads: Vec<_> = (0..VISITORS)
                .map(|number| scope.spawn(move || redeem(number)))
                .collect();
            let answers = threads.into_iter().map(|thread| thread.join().unwrap());
            answers.collect()
        });
        let provisioned = answers.iter().filter(|answer| **answer == "provisioned");
        assert_eq!(provisioned.count(), 1, "round {round}");
        let refused = answers.iter().filter(|answer| **answer == "no_seats");
        assert_eq!(refused.count(), VISITORS - 1, "round {round}");
        assert_eq!(used(&directory, 100), 1, "round {round}");
    }
}
