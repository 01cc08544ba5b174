//! Suite of tests of sessions that links begin, and that end with their links or not.

use latchkey_store::Wait as _;

use latchkey_core::directory::Directory;
use latchkey_core::instance::Policy;
use latchkey_core::ledger::{RevocationScope, TakenLink};
use latchkey_core::session::{BrowserKey, NewSession, REPEAT_SECS, SessionKey, SessionRules};

use super::made_links::{Made, made_at, made_for, revoke_at, take, take_at};
use super::sessions::{begin, begin_as, is_good, new_session};
use super::{at, code, id};
use crate::{by, revoke_link};

pub(super) fn the_browser_that_used_a_link_may_repeat_it_for_thirty_seconds(
    directory: &dyn Directory,
) {
    let once = code(r#""user":{"id":"ada"},"jti":"1","single_use":true"#, -60);
    let browser = |letter: &str| NewSession {
        browser_key: BrowserKey::of(letter.repeat(22).as_bytes()),
        ..new_session()
    };
    let open =
        |session: &NewSession, seconds| begin_as(directory, &once, session, &by(at(seconds)));
    assert_eq!(open(&browser("a"), 0), "provisioned");
    assert_eq!(open(&new_session(), 1), "link_already_used");
    assert_eq!(open(&browser("b"), 1), "link_already_used");
    let again = browser("a");
    assert_eq!(open(&again, REPEAT_SECS - 1), "signed_in");
    assert!(is_good(directory, again.key, at(REPEAT_SECS)));
    // Repeating does not extend the time.
    assert_eq!(open(&browser("a"), REPEAT_SECS), "link_already_used");
    // After signing out, the use cannot be repeated.
    let other = code(r#""user":{"id":"ada"},"jti":"2","single_use":true"#, -60);
    let open_other =
        |session: &NewSession, seconds| begin_as(directory, &other, session, &by(at(seconds)));
    let signed_in = browser("a");
    assert_eq!(open_other(&signed_in, 0), "signed_in");
    directory
        .end_session(&signed_in.key, &by(at(1)))
        .wait()
        .unwrap();
    assert_eq!(open_other(&browser("a"), 2), "link_already_used");
    // A dry run has no browser.
    let verdict = directory
        .dry_run(Ok(&once), Policy::default())
        .wait()
        .unwrap();
    assert_eq!(verdict.code(), "link_already_used");
    revoke_link(directory, "1", at(0));
    assert_eq!(open(&browser("a"), 1), "link_already_used");
}

/// Gives out a link for a user and signs in by it.
fn begin_by_link(directory: &dyn Directory, user: &str) -> (Made, SessionKey) {
    let link = made_for(user, None);
    take(directory, &link);
    let session = new_session();
    begin_as(directory, &link.code, &session, &by(at(0)));
    (link, session.key)
}

pub(super) fn sessions_end_with_a_revoked_link_only_by_choice(directory: &dyn Directory) {
    type Scope = fn(&Made) -> RevocationScope;
    let scopes: [(&str, Scope); 3] = [
        ("link", |link| RevocationScope::Link(link.id().to_owned())),
        ("person", |_| RevocationScope::Person(id("person"))),
        ("key", |_| RevocationScope::Key("key-1".to_owned())),
    ];
    for (user, scope) in scopes {
        let (link, session) = begin_by_link(directory, user);
        let foreign = begin(directory, "bystander");
        revoke_at(directory, scope(&link), false, at(0));
        assert!(is_good(directory, session, at(0)), "{user}");
        revoke_at(directory, scope(&link), true, at(0));
        assert!(!is_good(directory, session, at(0)), "{user}");
        assert!(is_good(directory, foreign, at(0)), "{user}");
        // A session that a later link begins goes on.
        let (_, later) = begin_by_link(directory, user);
        assert!(is_good(directory, later, at(0)), "{user}");
        let ended = directory.ended_sessions(SessionRules::default(), at(0));
        assert!(ended.wait().unwrap().contains(&session), "{user}");
        let pruned = directory.prune_sessions(SessionRules::default(), at(0));
        assert!(pruned.wait().unwrap() > 0, "{user}");
        assert_eq!(directory.session(&session).wait().unwrap(), None, "{user}");
        assert!(is_good(directory, later, at(0)), "{user}");
    }
}

pub(super) fn sessions_end_with_links_that_were_issued_before_a_moment(directory: &dyn Directory) {
    let (old, new) = (at(-600), at(-60));
    let sessions = [old, new].map(|moment| {
        let link = made_at("ada", moment);
        take_at(directory, &link, moment);
        let session = new_session();
        begin_as(directory, &link.code, &session, &by(at(0)));
        session.key
    });
    let scope = RevocationScope::Before(at(-300).as_second());
    revoke_at(directory, scope, true, at(0));
    assert!(!is_good(directory, sessions[0], at(0)));
    assert!(is_good(directory, sessions[1], at(0)));
}

pub(super) fn sessions_of_a_replaced_link_go_on(directory: &dyn Directory) {
    let (_, session) = begin_by_link(directory, "ada");
    let newer = TakenLink {
        supersedes: true,
        ..made_for("ada", None).taken()
    };
    directory.take_link(newer, &by(at(0))).wait().unwrap();
    assert!(is_good(directory, session, at(0)));
}
