//! Tests of the retention of the ledger.

use std::sync::Arc;

use latchkey_core::directory::{Command, Directory as _, Redemption};
use latchkey_core::instance::{Policy, Retention};
use latchkey_core::ledger::{LinkPageStart, LinkQuery, LinkSort, RevocationScope, TakenLink};
use latchkey_core::link::short_code::ShortCodeHash;
use latchkey_core::protocol::code::VerifiedCode;
use latchkey_core::protocol::lifetime::Lifetime;
use latchkey_core::session::{NewSession, SessionId, SessionScope};
use latchkey_store::{EmbeddedDirectory, Wait as _};

use super::made_links::{Made, made_at, made_with, revoke_at, take_at};
use super::{at, code, go_on_until};
use crate::by;
use serde_json::json;

const DAY: i64 = 86_400;
const HOUR: i64 = 3600;

/// Prunes until nothing is left to prune. Returns the number of calls.
fn prune(directory: &EmbeddedDirectory, links: Lifetime, second: i64) -> usize {
    let retention = Retention {
        age: Lifetime::Never,
        links,
        ..Retention::default()
    };
    go_on_until(directory, second);
    let prune = |_: &usize| directory.prune(retention, at(second)).wait().unwrap();
    (0..10_000).take_while(prune).count()
}

/// Returns the IDs of all links, sorted.
fn all(directory: &EmbeddedDirectory) -> Vec<String> {
    let query = LinkQuery {
        now: at(0).as_second(),
        ..LinkQuery::default()
    };
    let page = directory.links(&query, LinkSort::default(), &LinkPageStart::First, 10_000);
    let page = page.wait().unwrap();
    assert_eq!(
        directory.link_counts(at(0)).wait().unwrap().all(),
        page.total
    );
    let mut ids: Vec<String> = page.links.into_iter().map(|found| found.link.id).collect();
    ids.sort_unstable();
    ids
}

/// Gives a link out. It expires after an hour.
fn give(directory: &EmbeddedDirectory, second: i64) -> Made {
    let link = made_at("ada", at(second));
    let taken = TakenLink {
        short: Some(short_code(&link)),
        ..link.taken()
    };
    directory.take_link(taken, &by(at(second))).wait().unwrap();
    link
}

/// Returns the short code of a link.
fn short_code(link: &Made) -> ShortCodeHash {
    ShortCodeHash::of(link.id())
}

/// Redeems a code 400 days ago.
fn redeem(directory: &EmbeddedDirectory, code: &VerifiedCode) -> &'static str {
    let by = by(at(-400 * DAY));
    let redeemed = directory.redeem(Ok(code), Policy::default(), &by).wait();
    redeemed.unwrap().code()
}

fn is_known(directory: &EmbeddedDirectory, link: &Made) -> bool {
    directory.link(link.id(), at(0)).wait().unwrap().is_some()
}

#[test]
fn a_clock_that_is_ahead_for_less_than_a_day_removes_no_link() {
    let folder = tempfile::tempdir().unwrap();
    let open = || EmbeddedDirectory::open(folder.path(), "a test").unwrap();
    let directory = open();
    let link = give(&directory, 0);
    // Only links that have left the journal are pruned. Closing takes them out of it.
    drop(directory);
    let retention = Retention::default();
    let days = [400 * DAY, 400 * DAY + HOUR, 401 * DAY - 1, 60, 402 * DAY];
    for second in days.into_iter().chain([401 * DAY - 1, 402 * DAY - 2]) {
        let directory = open();
        while directory.prune(retention, at(second)).wait().unwrap() {}
        assert_eq!(all(&directory), [link.id()], "{second}");
    }
    // The clock has gone on for a day.
    let directory = open();
    while directory
        .prune(retention, at(402 * DAY - 1))
        .wait()
        .unwrap()
    {}
    assert!(all(&directory).is_empty());
}

#[test]
fn links_that_stopped_working_long_ago_are_removed_with_their_claims() {
    let folder = tempfile::tempdir().unwrap();
    let open = || EmbeddedDirectory::open(folder.path(), "a test").unwrap();
    let directory = open();
    let year = Lifetime::Secs(365 * DAY);
    let old = give(&directory, -365 * DAY - 2 * HOUR);
    let recent = give(&directory, -364 * DAY);
    let works = give(&directory, 0);
    // A used or revoked code without an end would work again.
    let used = code(
        r#""user":{"id":"eve"},"jti":"used","single_use":true"#,
        -400 * DAY,
    );
    assert_eq!(redeem(&directory, &used), "provisioned");
    let revoke = |id: &str, ends_sessions, second| {
        let scope = RevocationScope::Link(id.to_owned());
        revoke_at(&directory, scope, ends_sessions, at(second));
    };
    revoke("theirs", false, -400 * DAY);
    let with_sessions = give(&directory, -400 * DAY);
    revoke(with_sessions.id(), true, -400 * DAY);
    let used_up = made_with(&json!({ "user": { "id": "bob" } }), Some(1), at(-400 * DAY));
    take_at(&directory, &used_up, at(-400 * DAY));
    assert_eq!(redeem(&directory, &used_up.code), "provisioned");
    let mut before = all(&directory);
    assert_eq!(before.len(), 7);

    prune(&directory, Lifetime::Never, 0);
    assert_eq!(all(&directory), before);
    // Links that are still in the journal are pruned later.
    drop(directory);
    let directory = open();
    assert_eq!(all(&directory), before);
    prune(&directory, year, 0);
    before.retain(|id| id != old.id() && id != used_up.id());
    assert_eq!(all(&directory), before);
    for (link, known) in [
        (&old, false),
        (&used_up, false),
        (&recent, true),
        (&works, true),
        (&with_sessions, true),
    ] {
        assert_eq!(is_known(&directory, link), known, "{}", link.id());
        let short = directory.short_link(&short_code(link)).wait().unwrap();
        assert_eq!(short.is_some(), known && link.id() != used_up.id());
    }
    drop(directory);
    let directory = open();
    assert_eq!(all(&directory), before);
    let mut snapshot = directory.snapshot().wait().unwrap();
    let (mut claims, mut short) = (0, 0);
    while let Some(rows) = snapshot.next().wait().unwrap() {
        claims += rows.iter().filter(|row| row.kind() == "claims").count();
        short += rows.iter().filter(|row| row.kind() == "short_link").count();
    }
    assert_eq!((claims, short), (3, 3), "those of links that are known");
}

#[test]
fn many_links_are_removed_a_slice_at_a_time_once_a_day() {
    const LINKS: usize = 1200;
    let folder = tempfile::tempdir().unwrap();
    let open = || EmbeddedDirectory::open(folder.path(), "a test").unwrap();
    let directory = open();
    let links: Vec<Made> = (0..LINKS).map(|_| give(&directory, -30 * DAY)).collect();
    let kept = give(&directory, 0);
    drop(directory);
    let directory = open();
    assert_eq!(all(&directory).len(), LINKS + 1);
    let week = Lifetime::Secs(7 * DAY);
    assert!(prune(&directory, week, 0) >= 2);
    assert_eq!(all(&directory), [kept.id()]);
    assert!(!links.iter().any(|link| is_known(&directory, link)));
    assert_eq!(prune(&directory, week, 0), 0);
    // The next pass is a day later. By then the link is not in the journal any more.
    directory.snapshot().wait().unwrap();
    prune(&directory, week, DAY - 1);
    prune(&directory, Lifetime::Secs(HOUR), 8 * DAY);
    assert!(all(&directory).is_empty());
}

#[test]
fn a_revoked_link_stays_while_a_new_one_could_be_asked_for_with_its_code() {
    let folder = tempfile::tempdir().unwrap();
    let open = || EmbeddedDirectory::open(folder.path(), "a test").unwrap();
    let directory = open();
    let link = give(&directory, -10 * DAY);
    let scope = RevocationScope::Link(link.id().to_owned());
    revoke_at(&directory, scope, false, at(-10 * DAY));
    let expired = give(&directory, -10 * DAY);
    drop(directory);
    let directory = open();
    let week = Lifetime::Secs(7 * DAY);
    prune(&directory, week, 0);
    assert!(is_known(&directory, &link) && !is_known(&directory, &expired));
    // It expired an hour after it was made, with a minute of leeway.
    prune(&directory, week, 20 * DAY + HOUR);
    assert!(is_known(&directory, &link));
    prune(&directory, week, 21 * DAY + HOUR + 60);
    assert!(!is_known(&directory, &link));
}

#[test]
fn a_session_stays_ended_when_the_retention_removes_links_of_its_key() {
    let folder = tempfile::tempdir().unwrap();
    let open = || EmbeddedDirectory::open(folder.path(), "a test").unwrap();
    let directory = open();
    let link = give(&directory, -10 * DAY);
    let key = SessionId::new(at(-10 * DAY)).unwrap().key();
    let redemption = Redemption {
        session: Some(NewSession {
            key,
            place: SessionScope::Page,
            browser: None,
            browser_key: None,
            replaces: None,
        }),
        ..Redemption::new(Ok(&link.code), Policy::default())
    };
    let redeemed = Command::Redeem(Arc::new(redemption));
    let redeemed = directory.execute(redeemed, &by(at(-10 * DAY))).wait();
    assert_eq!(redeemed.unwrap().verdict().unwrap().code(), "provisioned");
    let scope = RevocationScope::Key("key-1".to_owned());
    revoke_at(&directory, scope, true, at(-9 * DAY));
    let has_ended = |directory: &EmbeddedDirectory| {
        let session = directory.session(&key).wait().unwrap().unwrap();
        directory.is_ended_with_link(&session).wait().unwrap()
    };
    assert!(has_ended(&directory));
    drop(directory);
    let directory = open();
    prune(&directory, Lifetime::Secs(7 * DAY), 0);
    assert!(has_ended(&directory) && is_known(&directory, &link));
    // No session lasts as long as this.
    prune(&directory, Lifetime::Secs(7 * DAY), 392 * DAY);
    assert!(!is_known(&directory, &link));
}

#[test]
fn a_code_of_another_system_that_never_expires_leaves_the_ledger_and_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let open = || EmbeddedDirectory::open(folder.path(), "a test").unwrap();
    let directory = open();
    let endless = |id: &str| {
        let payload = format!(r#""user":{{"id":"eve"}},"jti":"{id}""#);
        VerifiedCode {
            is_made_here: false,
            ..code(&payload, -400 * DAY)
        }
    };
    let (kept, revoked) = (endless("kept"), endless("revoked"));
    assert_eq!(redeem(&directory, &kept), "provisioned");
    assert_eq!(redeem(&directory, &revoked), "signed_in");
    let scope = RevocationScope::Link("revoked".to_owned());
    revoke_at(&directory, scope, false, at(-400 * DAY));
    drop(directory);
    let directory = open();
    prune(&directory, Lifetime::Secs(399 * DAY), 0);
    assert_eq!(all(&directory), ["revoked"]);
    assert_eq!(redeem(&directory, &kept), "signed_in");
    assert_eq!(redeem(&directory, &revoked), "link_revoked");
    assert_eq!(all(&directory), ["kept", "revoked"]);
}
