//! Suite of tests of sessions: how they begin, how they are found, and what ends them.

use latchkey_store::Wait as _;
use std::sync::Arc;

use jiff::Timestamp;
use latchkey_core::ErrorCode;
use latchkey_core::activity::{ActivityQuery, AuditContext};
use latchkey_core::directory::{Command, Directory, Redemption};
use latchkey_core::instance::{Hosted, Name, Policy, Settings};
use latchkey_core::ledger::TakenLink;
use latchkey_core::link::BaseUrl;
use latchkey_core::protocol::claims::Claims;
use latchkey_core::protocol::code::VerifiedCode;
use latchkey_core::protocol::lifetime::Lifetime;

use latchkey_core::session::{
    NewSession, SEEN_SECS, SessionHandle, SessionId, SessionKey, SessionQuery, SessionRules,
    SessionScope, UserSession,
};
use latchkey_core::sign_in::find_session;

use super::{at, code, id, new_user, person};
use crate::by;

fn settings() -> Settings {
    Settings::new(
        Name::parse("Acme").unwrap(),
        BaseUrl::parse("https://chat.acme.example").unwrap(),
        Hosted::Here,
    )
}

pub(super) fn new_session() -> NewSession {
    NewSession {
        key: SessionId::new(at(0)).unwrap().key(),
        place: SessionScope::Page,
        browser: Some("Mozilla/5.0\u{1b}".into()),
        browser_key: None,
        replaces: None,
    }
}

pub(super) fn begin_as(
    directory: &dyn Directory,
    code: &VerifiedCode,
    session: &NewSession,
    by: &AuditContext,
) -> String {
    let redemption = Redemption {
        code: Ok(code.clone()),
        policy: Policy::default(),
        session: Some(session.clone()),
    };
    let command = Command::Redeem(Arc::new(redemption));
    let verdict = directory.execute(command, by).wait().unwrap().verdict();
    verdict.unwrap().code().to_owned()
}

/// Signs a user in.
pub(super) fn begin(directory: &dyn Directory, user: &str) -> SessionKey {
    let session = new_session();
    begin_as(directory, &new_user(user), &session, &by(at(0)));
    session.key
}

pub(super) fn is_good(directory: &dyn Directory, key: SessionKey, now: Timestamp) -> bool {
    let found = find_session(directory, key, SessionScope::Page, &settings(), None, now).wait();
    found.unwrap().is_some()
}

fn query(user: &str) -> SessionQuery {
    SessionQuery {
        user: id(user),
        policy: Policy::default(),
        rules: SessionRules::default(),
        after: None,
        limit: usize::MAX,
    }
}

/// Returns the sessions in which a user is signed in, by the default rules.
fn sessions_of(directory: &dyn Directory, user: &str) -> Vec<UserSession> {
    let page = directory.sessions_of(&query(user), at(1)).wait();
    page.unwrap().sessions
}

fn entries(directory: &dyn Directory) -> usize {
    let page = directory
        .activity(&ActivityQuery::default(), None, 99)
        .wait();
    page.unwrap().entries.len()
}

pub(super) fn a_session_is_a_record_of_the_sign_in(directory: &dyn Directory) {
    let session = new_session();
    let expires_at = at(600).as_second();
    let payload = format!(r#""user":{{"id":"ada"}},"jti":"link","exp":{expires_at}"#);
    let mut by = by(at(0));
    by.address = Some("192.0.2.7".parse().unwrap());
    begin_as(directory, &code(&payload, -60), &session, &by);
    let found = find_session(
        directory,
        session.key,
        SessionScope::Page,
        &settings(),
        None,
        at(1),
    )
    .wait();
    let found = found.unwrap().unwrap();
    assert_eq!(found.user.id, id("ada"));
    let record = found.session;
    assert_eq!(
        (record.link.as_deref(), record.browser.as_deref()),
        (Some("link"), Some("Mozilla/5.0"))
    );
    assert_eq!(record.address, by.address);
    let now = at(0).as_second();
    assert_eq!((record.created_at, record.last_seen), (now, now));
    assert_eq!(record.code_expires_at, Some(expires_at));
    let in_frame = find_session(
        directory,
        session.key,
        SessionScope::Frame,
        &settings(),
        None,
        at(1),
    )
    .wait();
    assert!(in_frame.unwrap().is_none(), "it is of another place");
    let unknown = SessionId::new(at(0)).unwrap().key();
    assert!(!is_good(directory, unknown, at(1)));
    let of_ada = sessions_of(directory, "ada");
    let [listed] = &of_ada[..] else {
        panic!("{of_ada:?}");
    };
    assert_eq!(listed.id, session.key.handle());
    assert_eq!(listed.user_agent, record.browser);
    assert_eq!(
        (listed.address, &listed.link),
        (record.address, &record.link)
    );
    assert_eq!((listed.created_at, listed.last_seen), (now, now));
    assert_eq!(listed.ends_at, now + 14 * 86_400);
    assert_eq!(listed.scope, SessionScope::Page);
    assert!(sessions_of(directory, "ad").is_empty());
    assert!(sessions_of(directory, "adam").is_empty());
}

pub(super) fn a_refusal_begins_no_session(directory: &dyn Directory) {
    let session = new_session();
    let nobody = code(r#""id":"nobody""#, -60);
    assert_eq!(
        begin_as(directory, &nobody, &session, &by(at(0))),
        "unknown_user"
    );
    assert_eq!(directory.session(&session.key).wait().unwrap(), None);
}

pub(super) fn signing_out_ends_one_session_only(directory: &dyn Directory) {
    let (first, second, bob) = (
        begin(directory, "ada"),
        begin(directory, "ada"),
        begin(directory, "bob"),
    );
    directory.end_session(&first, &by(at(0))).wait().unwrap();
    directory.end_session(&first, &by(at(0))).wait().unwrap();
    assert!(!is_good(directory, first, at(1)));
    assert!(is_good(directory, second, at(1)));
    assert!(is_good(directory, bob, at(1)));
    assert_eq!(directory.session(&first).wait().unwrap(), None);
    assert_eq!(sessions_of(directory, "ada").len(), 1);
    assert_eq!(entries(directory), 4, "ending one is recorded once");
    directory.sign_out(&id("bob"), &by(at(0))).wait().unwrap();
    assert!(is_good(directory, second, at(1)));
    assert!(!is_good(directory, bob, at(1)));
}

pub(super) fn one_session_of_a_user_is_ended_by_its_name(directory: &dyn Directory) {
    let (first, second, bob) = (
        begin(directory, "ada"),
        begin(directory, "ada"),
        begin(directory, "bob"),
    );
    let end = |user: &str, session: SessionKey| {
        let by = by(at(1));
        directory
            .end_session_of(&id(user), session.handle(), &by)
            .wait()
    };
    let refused = end("ada", bob).unwrap_err();
    assert_eq!(refused.code, ErrorCode::UnknownSession, "it is bob's");
    assert_eq!(
        end("nobody", bob).unwrap_err().code,
        ErrorCode::UnknownSession
    );
    end("ada", first).unwrap();
    assert_eq!(
        end("ada", first).unwrap_err().code,
        ErrorCode::UnknownSession
    );
    assert!(!is_good(directory, first, at(1)));
    assert!(is_good(directory, second, at(1)) && is_good(directory, bob, at(1)));
    let left = sessions_of(directory, "ada");
    assert_eq!(
        left.iter().map(|one| one.id).collect::<Vec<_>>(),
        [second.handle()]
    );
    let page = directory
        .activity(&ActivityQuery::default(), None, 1)
        .wait()
        .unwrap();
    let entry = &page.entries[0];
    assert_eq!(entry.event.data.code(), "signed_out");
    assert_eq!(entry.event.subject.as_deref(), Some("ada"));
    assert_eq!(entry.actor, by(at(1)).actor);
    // A session that began before a sign-out everywhere is not ended a second time.
    directory.sign_out(&id("ada"), &by(at(1))).wait().unwrap();
    assert_eq!(
        end("ada", second).unwrap_err().code,
        ErrorCode::UnknownSession
    );
}

pub(super) fn sessions_are_listed_in_pages_the_latest_first(directory: &dyn Directory) {
    let keys: Vec<SessionKey> = (0..5).map(|_| begin(directory, "ada")).collect();
    begin(directory, "bob");
    let mut wanted: Vec<SessionHandle> = keys.iter().map(|key| key.handle()).collect();
    wanted.sort_unstable();
    let (mut found, mut after) = (Vec::new(), None);
    for (limit, more) in [(2, true), (2, true), (2, false)] {
        let query = SessionQuery {
            after,
            limit,
            ..query("ada")
        };
        let page = directory.sessions_of(&query, at(1)).wait().unwrap();
        assert_eq!(page.total, 5);
        assert_eq!(page.next.is_some(), more);
        found.extend(page.sessions.iter().map(|session| session.id));
        after = page.next;
    }
    assert_eq!(
        found, wanted,
        "those of one second are in the order of their names"
    );
    let later = SessionId::new(at(2)).unwrap().key();
    let session = NewSession {
        key: later,
        ..new_session()
    };
    begin_as(directory, &new_user("ada"), &session, &by(at(2)));
    assert_eq!(sessions_of(directory, "ada")[0].id, later.handle());
}

pub(super) fn only_sessions_that_work_are_listed(directory: &dyn Directory) {
    begin(directory, "ada");
    let listed = |change: fn(&mut SessionQuery), second| {
        let mut query = query("ada");
        change(&mut query);
        let page = directory.sessions_of(&query, at(second)).wait().unwrap();
        page.total
    };
    assert_eq!(listed(|_| {}, 14 * 86_400 - 1), 1);
    assert_eq!(listed(|_| {}, 14 * 86_400), 0, "its time is over");
    assert_eq!(listed(|query| query.policy.external_auth = false, 1), 0);
    // The last use is recorded every five minutes only, so the session may still work.
    let idle = |query: &mut SessionQuery| query.rules.idle = Lifetime::Secs(600);
    assert_eq!(listed(idle, 600 + SEEN_SECS - 1), 1);
    assert_eq!(listed(idle, 600 + SEEN_SECS), 0, "it was not used");
    // Its end is never in the past.
    for (second, ends_at) in [(0, 600), (100, 700), (SEEN_SECS, 900), (800, 900)] {
        let mut query = query("ada");
        idle(&mut query);
        let page = directory.sessions_of(&query, at(second)).wait().unwrap();
        let ends: Vec<i64> = page.sessions.iter().map(|one| one.ends_at).collect();
        assert_eq!(ends, [at(ends_at).as_second()], "{second}");
    }
    directory.suspend(&id("ada"), &by(at(0))).wait().unwrap();
    assert_eq!(listed(|_| {}, 1), 0, "its user is suspended");
}

pub(super) fn sessions_end_when_their_user_is_signed_out_suspended_or_removed(
    directory: &dyn Directory,
) {
    let mut ended = Vec::new();
    // All in one second, and by a clock that goes back.
    for seconds in [0, 0, -1000] {
        let before = begin(directory, "ada");
        assert!(is_good(directory, before, at(0)));
        directory
            .sign_out(&id("ada"), &by(at(seconds)))
            .wait()
            .unwrap();
        ended.push(before);
    }
    let before = begin(directory, "ada");
    directory.suspend(&id("ada"), &by(at(0))).wait().unwrap();
    directory.reactivate(&id("ada"), &by(at(0))).wait().unwrap();
    ended.push(before);
    let before = begin(directory, "ada");
    directory.remove(&id("ada"), &by(at(0))).wait().unwrap();
    ended.push(before);
    directory
        .add(&person("ada", None), &by(at(0)))
        .wait()
        .unwrap();
    for &key in &ended {
        assert!(!is_good(directory, key, at(0)), "it has ended for ever");
    }
    assert!(sessions_of(directory, "ada").is_empty());
    let pruned = directory.prune_sessions(SessionRules::default(), at(0));
    assert_eq!(pruned.wait().unwrap(), ended.len() as u64);
    for key in &ended {
        assert_eq!(directory.session(key).wait().unwrap(), None);
    }
    let anew = new_session();
    // Latchkey makes the link in the second of the removal.
    let link = code(r#""user":{"id":"ada"},"jti":"anew""#, 0);
    let claims = Claims {
        payload: link.payload.clone(),
        registered: link.registered.clone(),
    };
    directory
        .take_link(TakenLink::new(claims.clone(), None), &by(at(0)))
        .wait()
        .unwrap();
    begin_as(directory, &link, &anew, &by(at(0)));
    assert!(is_good(directory, anew.key, at(0)));
}

pub(super) fn a_user_who_is_removed_and_added_in_one_second_is_another_user(
    directory: &dyn Directory,
) {
    let add = || {
        directory
            .add(&person("ada", None), &by(at(0)))
            .wait()
            .unwrap()
    };
    let first = add();
    directory.remove(&id("ada"), &by(at(0))).wait().unwrap();
    let second = add();
    assert_ne!(first.generation, second.generation);
    let signed_out = directory.sign_out(&id("ada"), &by(at(0))).wait().unwrap();
    assert_ne!(second.generation, signed_out.generation);
}

pub(super) fn a_new_session_replaces_the_one_of_the_same_browser(directory: &dyn Directory) {
    let first = begin(directory, "ada");
    let other = begin(directory, "ada");
    let second = NewSession {
        replaces: Some(first),
        ..new_session()
    };
    begin_as(directory, &new_user("bob"), &second, &by(at(0)));
    assert!(!is_good(directory, first, at(1)));
    assert!(is_good(directory, other, at(1)));
    assert!(is_good(directory, second.key, at(1)));
    // A refusal ends no session.
    let refused = NewSession {
        replaces: Some(second.key),
        ..new_session()
    };
    let nobody = code(r#""id":"nobody""#, -60);
    begin_as(directory, &nobody, &refused, &by(at(0)));
    assert!(is_good(directory, second.key, at(1)));
}

pub(super) fn the_last_use_is_written_at_most_every_five_minutes(directory: &dyn Directory) {
    let key = begin(directory, "ada");
    let gone = SessionId::new(at(0)).unwrap().key();
    let seen = |seconds| {
        let second = at(seconds).as_second();
        let all = [(key, second), (gone, second)];
        directory.note_sessions_seen(&all).wait().unwrap();
        let record = directory.session(&key).wait().unwrap().unwrap();
        record.last_seen - at(0).as_second()
    };
    assert_eq!(seen(SEEN_SECS - 1), 0);
    assert_eq!(seen(SEEN_SECS), SEEN_SECS);
    assert_eq!(seen(SEEN_SECS + 1), SEEN_SECS);
    assert_eq!(seen(-50), SEEN_SECS);
    assert_eq!(directory.session(&gone).wait().unwrap(), None);
    assert_eq!(entries(directory), 1, "it has no entry in the activity");
}

pub(super) fn expired_sessions_are_pruned(directory: &dyn Directory) {
    const ALL: usize = 230;
    let rules = SessionRules {
        length: Lifetime::Secs(50),
        ..SessionRules::default()
    };
    for user in ["ada", "bob"] {
        for _ in 0..ALL / 2 {
            begin(directory, user);
        }
    }
    let left = || {
        let of = |user| sessions_of(directory, user).len();
        of("ada") + of("bob")
    };
    let people = |second| directory.count_signed_in(rules, at(second)).wait().unwrap();
    assert_eq!(
        (people(49), people(50)),
        (2, 0),
        "two people, many sessions"
    );
    assert_eq!(directory.prune_sessions(rules, at(49)).wait().unwrap(), 0);
    assert_eq!(left(), ALL);
    // Sessions that are only in the journal are found the next time.
    directory.prune_sessions(rules, at(50)).wait().unwrap();
    directory.prune_sessions(rules, at(50)).wait().unwrap();
    assert!(left() < 64, "{} are left", left());
    for _ in 0..70 {
        directory
            .record(
                latchkey_core::activity::EventData::GatewayRecovered.into(),
                &by(at(0)),
            )
            .wait()
            .unwrap();
    }
    directory.prune_sessions(rules, at(50)).wait().unwrap();
    assert_eq!(left(), 0);
}
