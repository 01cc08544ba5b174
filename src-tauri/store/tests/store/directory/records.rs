//! Tests of recording refusals, which anybody can cause: content and number of the entries.

use latchkey_core::activity::{ActivityQuery, Actor, AuditContext, Entry, Kind, Reference};
use latchkey_core::directory::Directory;
use latchkey_core::instance::{Policy, Retention};
use latchkey_core::protocol::code::verify;
use latchkey_core::protocol::lifetime::Lifetime;
use latchkey_store::EmbeddedDirectory;
use latchkey_store::Wait as _;

use super::embedded::copy;
use super::worded::contains;
use super::{at, code, go_on_until, id, new_user, person};
use crate::by;
use crate::signed::{HEADER, RULES, key, now, signed};

/// Text that must not be in any record.
const MARK: &str = "owned-by-mallory";

fn visitor(second: i64) -> AuditContext {
    AuditContext {
        at: at(second),
        actor: Actor::Visitor,
        address: Some("192.0.2.7".parse().unwrap()),
        reference: Some(Reference::random()),
    }
}

fn all(directory: &EmbeddedDirectory) -> Vec<Entry> {
    let page = directory
        .activity(&ActivityQuery::default(), None, 999)
        .wait();
    page.unwrap().entries
}

fn open(folder: &tempfile::TempDir) -> EmbeddedDirectory {
    EmbeddedDirectory::open(folder.path(), "a test").unwrap()
}

fn unverified() -> Vec<String> {
    let forged = |header: &str, claims: &str| {
        let code = signed(header, claims);
        let message = code.rsplit_once('.').unwrap().0;
        format!("{message}.AAAA")
    };
    let long = format!("{MARK}\u{1b}]0;{}", MARK.repeat(180));
    vec![
        forged(&format!(r#"{{"alg":"HS256","crit":["{long}"]}}"#), "{}"),
        forged(&format!(r#"{{"alg":"{MARK}"}}"#), "{}"),
        forged(&format!(r#"{{"alg":"HS256","{MARK}":1,"{MARK}":2}}"#), "{}"),
        forged(HEADER, &format!(r#"{{"id":"{MARK}"}}"#)),
        // The signature is right, but the code does not verify.
        signed(HEADER, &format!(r#"{{"id":"1","{MARK}":1,"{MARK}":2}}"#)),
        signed(
            HEADER,
            &format!(r#"{{"user":{{"id":"1","email":"{MARK}"}}}}"#),
        ),
        signed(HEADER, &format!(r#"{{"user":{{"id":"{MARK}"}},"exp":1}}"#)),
        signed(HEADER, &format!(r#"{{"id":"1","exp":"{MARK}"}}"#)),
    ]
}

#[test]
fn no_text_of_an_unverified_code_is_recorded_or_logged() {
    for code in unverified() {
        let folder = tempfile::tempdir().unwrap();
        let directory = open(&folder);
        let refused = verify(&code, &[&key()], RULES, now()).unwrap_err();
        let verdict = directory
            .redeem(Err(&refused), Policy::default(), &visitor(0))
            .wait();
        let verdict = verdict.unwrap();
        let [entry] = &all(&directory)[..] else {
            panic!("one entry");
        };
        let recorded = serde_json::to_string(entry).unwrap();
        assert!(!recorded.contains(MARK), "{recorded}");
        assert!(recorded.len() < 600, "{recorded}");
        assert!(entry.detail().unwrap().ends_with('.'));
        drop(directory);
        assert!(!contains(folder.path(), MARK), "{recorded}");
        // Checks the text that a log would print.
        assert!(!format!("{refused:?} {refused} {verdict:?}").contains(MARK));
    }
    let text = |shown: String| shown.contains(MARK);
    let shown = unverified().into_iter().filter(|code| {
        let refused = verify(code, &[&key()], RULES, now()).unwrap_err();
        text(refused.shown())
    });
    assert!(
        shown.count() >= 3,
        "who looks at a code is told what is in it"
    );
}

#[test]
fn refusals_from_one_address_are_one_counted_entry_a_minute() {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(&folder);
    let mut references = Vec::new();
    let mut flood = |directory: &EmbeddedDirectory, from: i64, count: i64| {
        for number in 0..count {
            for code in unverified().iter().take(3) {
                let refused = verify(code, &[&key()], RULES, now()).unwrap_err();
                let by = visitor(from + number % 30);
                references.extend(by.reference.clone());
                let verdict = directory.redeem(Err(&refused), Policy::default(), &by);
                assert!(verdict.wait().unwrap().user().is_none());
            }
        }
    };
    flood(&directory, 0, 50);
    assert_eq!(all(&directory).len(), 1, "the first one is there at once");
    directory.record_counted(at(30)).wait().unwrap();
    assert_eq!(all(&directory).len(), 1, "the minute is not over");
    directory.record_counted(at(61)).wait().unwrap();
    flood(&directory, 90, 1);
    drop(directory);
    let directory = open(&folder);
    let entries = all(&directory);
    let counts: Vec<_> = entries
        .iter()
        .map(|entry| entry.repeats.as_ref().map(|repeats| repeats.count))
        .collect();
    assert_eq!(
        counts,
        [Some(2), None, Some(149), None],
        "closing records the rest"
    );
    assert!(
        entries
            .iter()
            .all(|entry| entry.event.data.kind() == Kind::Refusal)
    );
    let counted = &entries[2];
    assert_eq!(counted.event.data.code(), "several_refusals");
    let repeats = counted.repeats.as_ref().unwrap();
    assert_eq!(repeats.references, references[1..=20]);
    assert_eq!(
        (repeats.since, counted.at),
        (at(0).as_second(), at(29).as_second())
    );
    // The administrator finds the entry by the reference that a visitor was shown.
    for reference in [&references[0], &references[7]] {
        let query = ActivityQuery {
            text: reference.to_string(),
            ..ActivityQuery::default()
        };
        let page = directory.activity(&query, None, 9).wait().unwrap();
        assert_eq!(page.entries.len(), 1, "{reference}");
    }
}

#[test]
fn repeated_refusals_of_a_verified_code_are_counted_and_sign_ins_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(&folder);
    directory
        .add(&person("eve", None), &by(now()))
        .wait()
        .unwrap();
    directory.suspend(&id("eve"), &by(now())).wait().unwrap();
    let eve = code(r#""id":"eve","jti":"link-1""#, -60);
    for second in 0..40 {
        let visitor = visitor(second);
        let redeem = |code| {
            directory
                .redeem(Ok(code), Policy::default(), &visitor)
                .wait()
        };
        assert_eq!(redeem(&eve).unwrap().code(), "user_suspended");
        assert!(redeem(&new_user("ada")).unwrap().user().is_some());
    }
    directory.record_counted(at(60)).wait().unwrap();
    let entries = all(&directory);
    let of = |kind| {
        entries
            .iter()
            .filter(move |entry| entry.event.data.kind() == kind)
    };
    assert_eq!(of(Kind::SignIn).count(), 40);
    let refused: Vec<_> = of(Kind::Refusal).collect();
    assert_eq!(refused.len(), 2);
    for entry in &refused {
        assert_eq!(entry.event.subject.as_deref(), Some("eve"));
        assert_eq!(entry.event.link.as_deref(), Some("link-1"));
    }
    assert_eq!(refused[0].repeats.as_ref().unwrap().count, 39);
}

#[test]
fn removed_entries_are_gone_after_the_process_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(&folder);
    for number in 0..200 {
        let (user, by) = (new_user(&format!("user-{number}")), visitor(number));
        let redeemed = directory.redeem(Ok(&user), Policy::default(), &by);
        redeemed.wait().unwrap();
    }
    assert!(prune(&directory, Retention::default(), 4000 * 86_400) > 0);
    let killed = tempfile::tempdir().unwrap();
    copy(folder.path(), killed.path());
    assert_eq!(all(&open(&killed)), all(&directory));
}

/// Prunes until nothing is left to prune. Returns the number of calls.
fn prune(directory: &EmbeddedDirectory, retention: Retention, second: i64) -> usize {
    go_on_until(directory, second);
    let rounds = (0..10_000).take_while(|_| directory.prune(retention, at(second)).wait().unwrap());
    rounds.count()
}

#[test]
fn the_activity_keeps_what_the_retention_says() {
    const DAY: i64 = 86_400;
    let folder = tempfile::tempdir().unwrap();
    let directory = open(&folder);
    let refused = verify(&unverified()[3], &[&key()], RULES, now()).unwrap_err();
    // Each day has a sign-in and a refusal.
    for day in 0..400 {
        let by = visitor(day * DAY);
        for code in [Ok(&new_user("ada")), Err(&refused)] {
            directory
                .redeem(code, Policy::default(), &by)
                .wait()
                .unwrap();
        }
    }
    let kept = |directory: &EmbeddedDirectory| {
        let entries = all(directory);
        let of = |kind| {
            entries
                .iter()
                .filter(move |entry| entry.event.data.kind() == kind)
        };
        let oldest = entries.last().unwrap().at;
        (
            of(Kind::SignIn).count(),
            of(Kind::Refusal).count(),
            (oldest - now().as_second()) / DAY,
        )
    };
    // Entries in the journal are pruned later.
    drop(directory);
    let directory = open(&folder);
    assert!(prune(&directory, Retention::default(), 400 * DAY) > 0);
    assert_eq!(kept(&directory), (365, 365, 35));
    let few = Retention {
        refusals: 100,
        ..Retention::default()
    };
    assert!(prune(&directory, few, 400 * DAY) > 1, "a batch at a time");
    assert_eq!(kept(&directory), (365, 100, 35));
    let for_ever = Retention {
        age: Lifetime::Never,
        refusals: 100,
        links: Lifetime::Never,
    };
    assert_eq!(prune(&directory, for_ever, 4000 * DAY), 0);
    // One more refusal exceeds the limit when it is no longer in the journal.
    let by = visitor(401 * DAY);
    directory
        .redeem(Err(&refused), Policy::default(), &by)
        .wait()
        .unwrap();
    assert_eq!(prune(&directory, for_ever, 401 * DAY), 1);
    assert_eq!(kept(&directory), (365, 100, 35));
    // Pruned entries are not found by the user either.
    let query = ActivityQuery {
        subject: Some("ada".into()),
        ..ActivityQuery::default()
    };
    assert_eq!(
        directory
            .activity(&query, None, 999)
            .wait()
            .unwrap()
            .entries
            .len(),
        365
    );
    drop(directory);
    assert_eq!(kept(&open(&folder)), (365, 100, 35));
    // Blocks whose entries are all pruned are removed.
    let tree = super::embedded::tree(&folder);
    let rows = |prefix| tree.scan_prefix(prefix).count();
    assert_eq!(rows("b:"), rows("x:"));
    assert!(rows("b:") < 15, "{} blocks for 465 entries", rows("b:"));
}
