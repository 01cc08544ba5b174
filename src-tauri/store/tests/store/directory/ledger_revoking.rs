//! Suite of tests of taking links back: revoking and replacing them, in a known order.

use latchkey_core::directory::Directory;
use latchkey_core::ledger::{LinkQuery, LinkStatus, Revocation, RevocationScope, TakenLink};
use latchkey_store::Wait as _;
use serde_json::json;

use super::made_links::{
    HOUR, find, give, listed, made, made_at, made_with, query, redeem, revoke, revoke_at, status,
    take, take_at,
};
use super::{at, code, code_without_iat, id, person};
use crate::by;

pub(super) fn a_revoked_link_signs_nobody_in_and_others_do(directory: &dyn Directory) {
    let (revoked, other) = (give(directory, "ada"), give(directory, "ada"));
    assert_eq!(redeem(directory, &revoked.code), "provisioned");
    let scope = RevocationScope::Link(revoked.id().to_owned());
    revoke_at(directory, scope.clone(), false, at(-7));
    assert_eq!(redeem(directory, &revoked.code), "link_revoked");
    assert_eq!(redeem(directory, &other.code), "signed_in");
    let standing = listed(directory, revoked.id()).standing;
    assert_eq!(standing.ended_at, Some(at(-7).as_second()));
    // Revoking it again keeps the time.
    revoke(directory, scope);
    let standing = listed(directory, revoked.id()).standing;
    assert_eq!(standing.ended_at, Some(at(-7).as_second()));
    // A link that is not known yet is revoked by its ID.
    revoke(directory, RevocationScope::Link("theirs".to_owned()));
    let theirs = code(r#""user":{"id":"eve"},"jti":"theirs""#, -5);
    assert_eq!(redeem(directory, &theirs), "link_revoked");
}

pub(super) fn all_links_of_a_person_are_revoked_together(directory: &dyn Directory) {
    directory
        .add(&person("ada", Some("ada@acme.example")), &by(at(-9)))
        .wait()
        .unwrap();
    let by_email = made_with(&json!({ "email": "ada@acme.example" }), None, at(0));
    let by_id = made_with(&json!({ "id": "ada" }), None, at(0));
    let links = [give(directory, "ada"), by_email, by_id];
    for link in &links {
        take(directory, link);
    }
    let other = give(directory, "bob");
    let foreign = code(r#""id":"ada""#, -30);
    let shown = made("ada");
    directory
        .link_shown(&shown.claims, &by(at(0)))
        .wait()
        .unwrap();
    revoke(directory, RevocationScope::Person(id("ada")));
    for link in &links {
        assert_eq!(redeem(directory, &link.code), "link_revoked");
        assert_eq!(status(directory, link.id()), LinkStatus::Revoked);
    }
    assert_eq!(redeem(directory, &foreign), "link_revoked");
    assert_eq!(redeem(directory, &shown.code), "link_revoked");
    let undated = code_without_iat(r#""id":"ada""#);
    assert_eq!(redeem(directory, &undated), "link_revoked");
    assert_eq!(redeem(directory, &other.code), "provisioned");
    // Later links of the same person work, in the same second, too.
    let later = [give(directory, "ada"), made("ada")];
    directory
        .link_shown(&later[1].claims, &by(at(0)))
        .wait()
        .unwrap();
    for link in &later {
        assert_eq!(redeem(directory, &link.code), "signed_in");
    }
    for link in &later {
        assert_eq!(status(directory, link.id()), LinkStatus::InUse);
    }
    let revoked = LinkQuery {
        user: Some(id("ada")),
        status: Some(LinkStatus::Revoked),
        ..query()
    };
    assert_eq!(find(directory, &revoked).len(), 3);
    // Copying a link that was scanned before makes it no newer.
    revoke(directory, RevocationScope::Person(id("ada")));
    take(directory, &later[1]);
    assert_eq!(redeem(directory, &later[1].code), "link_revoked");
}

pub(super) fn links_before_a_moment_are_revoked_together(directory: &dyn Directory) {
    let (before, after) = (made_at("ada", at(-600)), made_at("bob", at(-300)));
    take_at(directory, &before, at(-600));
    take_at(directory, &after, at(-300));
    let foreign = [
        code(r#""user":{"id":"cleo"}"#, -600),
        code(r#""user":{"id":"cleo"}"#, -300),
    ];
    let moment = at(-450).as_second();
    let in_the_future = Revocation {
        scope: RevocationScope::Before(at(60).as_second()),
        ends_sessions: false,
    };
    let refused = directory.revoke_links(in_the_future, &by(at(0))).wait();
    assert_eq!(refused.unwrap_err().field.as_deref(), Some("before"));
    revoke(directory, RevocationScope::Before(moment));
    assert_eq!(redeem(directory, &before.code), "link_revoked");
    assert_eq!(redeem(directory, &after.code), "provisioned");
    assert_eq!(redeem(directory, &foreign[0]), "link_revoked");
    assert_eq!(redeem(directory, &foreign[1]), "provisioned");
    // An earlier moment revokes no fewer.
    revoke(
        directory,
        RevocationScope::Before(at(-3 * HOUR).as_second()),
    );
    assert_eq!(redeem(directory, &before.code), "link_revoked");
    let counts = directory.link_counts(at(0)).wait().unwrap();
    assert_eq!((counts.revoked, counts.in_use), (1, 2));
}

pub(super) fn links_of_a_key_are_revoked_together(directory: &dyn Directory) {
    let (leaked, other) = (made("ada"), made("ada"));
    take(directory, &leaked);
    let taken = TakenLink::new(other.claims.clone(), Some("key-2".to_owned()));
    directory.take_link(taken, &by(at(0))).wait().unwrap();
    let of = |key: &str, works| LinkQuery {
        key: Some(key.to_owned()),
        works: Some(works),
        ..query()
    };
    assert_eq!(find(directory, &of("key-1", true)), [leaked.id()]);
    assert_eq!(find(directory, &of("key-2", true)), [other.id()]);
    assert_eq!(find(directory, &of("key-3", true)), [""; 0]);
    revoke(directory, RevocationScope::Key("key-1".to_owned()));
    assert_eq!(redeem(directory, &leaked.code), "link_revoked");
    assert_eq!(redeem(directory, &other.code), "provisioned");
    assert_eq!(find(directory, &of("key-1", true)), [""; 0]);
    assert_eq!(find(directory, &of("key-1", false)), [leaked.id()]);
}

pub(super) fn a_newer_link_replaces_the_older_ones_of_its_person(directory: &dyn Directory) {
    let (older, other) = (give(directory, "ada"), give(directory, "bob"));
    assert_eq!(redeem(directory, &older.code), "provisioned");
    let newer = made("ada");
    let taken = TakenLink {
        supersedes: true,
        ..newer.taken()
    };
    directory
        .take_link(taken.clone(), &by(at(0)))
        .wait()
        .unwrap();
    assert_eq!(redeem(directory, &older.code), "link_superseded");
    assert_eq!(status(directory, older.id()), LinkStatus::Superseded);
    assert_eq!(redeem(directory, &newer.code), "signed_in");
    assert_eq!(redeem(directory, &other.code), "provisioned");
    // It may be given out again, and then replaces all others.
    let newest = give(directory, "ada");
    assert_eq!(redeem(directory, &newest.code), "signed_in");
    directory.take_link(taken, &by(at(0))).wait().unwrap();
    assert_eq!(redeem(directory, &newest.code), "link_superseded");
    assert_eq!(redeem(directory, &newer.code), "signed_in");
    // A revocation counts more.
    revoke(directory, RevocationScope::Person(id("ada")));
    assert_eq!(redeem(directory, &older.code), "link_revoked");
}

pub(super) fn the_order_of_links_within_one_second_is_known(directory: &dyn Directory) {
    let moment = at(-3);
    let before = made_at("ada", moment);
    take_at(directory, &before, moment);
    revoke_at(directory, RevocationScope::Person(id("ada")), false, moment);
    let after = made_at("ada", moment);
    take_at(directory, &after, moment);
    let shown = made_at("ada", moment);
    directory
        .link_shown(&shown.claims, &by(moment))
        .wait()
        .unwrap();
    assert_eq!(redeem(directory, &before.code), "link_revoked");
    assert_eq!(redeem(directory, &after.code), "provisioned");
    assert_eq!(redeem(directory, &shown.code), "signed_in");
    // The clock of another issuer may be a minute ahead.
    let foreign = code(r#""id":"ada""#, 50);
    assert_eq!(redeem(directory, &foreign), "link_revoked");
}

pub(super) fn a_clock_that_is_set_back_changes_no_order_of_links(directory: &dyn Directory) {
    let before = give(directory, "ada");
    // From here on, the clock is behind by an hour.
    let behind = at(-HOUR);
    revoke_at(directory, RevocationScope::Person(id("ada")), false, behind);
    let after = made_at("ada", behind);
    take_at(directory, &after, behind);
    assert_eq!(redeem(directory, &before.code), "link_revoked");
    assert_eq!(redeem(directory, &after.code), "provisioned");
    let newer = made_at("ada", at(-HOUR + 1));
    let taken = TakenLink {
        supersedes: true,
        ..newer.taken()
    };
    directory
        .take_link(taken, &by(at(-HOUR + 1)))
        .wait()
        .unwrap();
    assert_eq!(redeem(directory, &before.code), "link_revoked");
    assert_eq!(redeem(directory, &after.code), "link_superseded");
    assert_eq!(redeem(directory, &newer.code), "signed_in");
    let counts = directory.link_counts(at(0)).wait().unwrap();
    assert_eq!(
        (counts.revoked, counts.superseded, counts.in_use),
        (1, 1, 1)
    );
}
