//! Suite of tests of taking links back: revoking and replacing them, in a known order.

use latchkey_core::ErrorCode;
use latchkey_core::activity::{ActivityQuery, Actor, EventData, OutboxEntry};
use latchkey_core::directory::Directory;
use latchkey_core::ledger::{LinkQuery, LinkStatus, Revocation, RevocationScope, TakenLink};
use latchkey_core::link::short_code::ShortCode;
use latchkey_store::Wait as _;
use serde_json::json;

use super::made_links::{
    HOUR, find, give, listed, listed_at, made, made_at, made_for, made_with, query, redeem, revoke,
    revoke_at, status, take, take_at,
};
use super::{at, code, code_without_iat, id, person};
use crate::by;

pub(super) fn a_revoked_link_signs_nobody_in_and_others_do(directory: &dyn Directory) {
    let (revoked, other) = (give(directory, "ada"), give(directory, "ada"));
    assert_eq!(redeem(directory, &revoked.code), "provisioned");
    let scope = RevocationScope::Link(revoked.id().to_owned());
    revoke_at(directory, scope.clone(), false, at(7));
    assert_eq!(redeem(directory, &revoked.code), "link_revoked");
    assert_eq!(redeem(directory, &other.code), "signed_in");
    let standing = listed(directory, revoked.id()).standing;
    assert_eq!(standing.ended_at, Some(at(7).as_second()));
    // Revoking it again keeps the time.
    revoke(directory, scope);
    let standing = listed(directory, revoked.id()).standing;
    assert_eq!(standing.ended_at, Some(at(7).as_second()));
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
        allows_unknown: true,
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

pub(super) fn a_link_that_had_ended_stays_so_when_it_is_revoked_later(directory: &dyn Directory) {
    let (once, old) = (made_for("ada", Some(1)), made_at("bob", at(-2 * HOUR)));
    take(directory, &once);
    take_at(directory, &old, at(-2 * HOUR));
    assert_eq!(redeem(directory, &once.code), "provisioned");
    let ended = [LinkStatus::UsedUp, LinkStatus::Expired];
    let states = || [&once, &old].map(|link| status(directory, link.id()));
    assert_eq!(states(), ended);
    revoke(directory, RevocationScope::Link(once.id().to_owned()));
    revoke(directory, RevocationScope::Before(at(0).as_second()));
    assert_eq!(states(), ended);
    let newer = TakenLink {
        supersedes: true,
        ..made("bob").taken()
    };
    directory.take_link(newer, &by(at(0))).wait().unwrap();
    assert_eq!(states(), ended);
    let counts = directory.link_counts(at(0)).wait().unwrap();
    assert_eq!((counts.used_up, counts.expired, counts.not_used), (1, 1, 1));
    // Its sessions end all the same.
    revoke_at(
        directory,
        RevocationScope::Link(once.id().to_owned()),
        true,
        at(0),
    );
    let standing = listed(directory, once.id()).standing;
    assert!(standing.ends_sessions && standing.status == LinkStatus::UsedUp);
    assert_eq!(redeem(directory, &once.code), "link_already_used");
}

pub(super) fn links_of_a_removed_user_count_as_revoked_and_later_ones_work(
    directory: &dyn Directory,
) {
    // The first link was given out before anybody had the address, and nobody has used it.
    let by_email = made_with(&json!({ "email": "ada@acme.example" }), None, at(-50));
    take_at(directory, &by_email, at(-50));
    let ada = person("ada", Some("ada@acme.example"));
    directory.add(&ada, &by(at(-40))).wait().unwrap();
    let (used, unused) = (give(directory, "ada"), give(directory, "ada"));
    assert_eq!(redeem(directory, &used.code), "signed_in");
    directory.remove(&ada.id, &by(at(0))).wait().unwrap();
    let all = [&by_email, &used, &unused];
    for link in all {
        let standing = listed(directory, link.id()).standing;
        assert_eq!(standing.status, LinkStatus::Revoked);
        assert_eq!(standing.ended_at, Some(at(0).as_second()));
    }
    // The reason for a refusal is the removal.
    assert_eq!(redeem(directory, &used.code), "user_removed");
    directory.add(&ada, &by(at(0))).wait().unwrap();
    let later = give(directory, "ada");
    assert_eq!(redeem(directory, &later.code), "signed_in");
    assert_eq!(status(directory, later.id()), LinkStatus::InUse);
    for link in all {
        assert_eq!(status(directory, link.id()), LinkStatus::Revoked);
        assert_eq!(redeem(directory, &link.code), "user_removed");
    }
    let counts = directory.link_counts(at(0)).wait().unwrap();
    assert_eq!((counts.revoked, counts.in_use, counts.not_used), (3, 1, 0));
}

pub(super) fn revoking_the_links_of_nobody_is_an_error(directory: &dyn Directory) {
    let nobody = |named: &str| {
        let revocation = Revocation {
            scope: RevocationScope::Person(id(named)),
            ends_sessions: true,
            allows_unknown: true,
        };
        directory.revoke_links(revocation, &by(at(0))).wait()
    };
    for named in ["ada", "Ada Lovelace", "ada@acme.example"] {
        let refused = nobody(named).unwrap_err();
        assert_eq!(refused.code, ErrorCode::UnknownUser, "{named}");
        assert!(refused.message.contains(named), "{}", refused.message);
    }
    let count = || {
        let all = ActivityQuery::default();
        let entries = directory.activity(&all, None, 100);
        entries.wait().unwrap().entries.len()
    };
    assert_eq!(count(), 0);
    // A link names the person, and a removed user is known, too.
    give(directory, "ada");
    nobody("ada").unwrap();
    let eve = person("eve", None);
    directory.add(&eve, &by(at(0))).wait().unwrap();
    directory.remove(&eve.id, &by(at(0))).wait().unwrap();
    nobody("eve").unwrap();
}

pub(super) fn links_of_a_retired_key_count_as_revoked_from_its_date(directory: &dyn Directory) {
    let number = std::cell::Cell::new(0);
    let record = |data: EventData| {
        number.set(number.get() + 1);
        let entry = OutboxEntry {
            number: number.get(),
            at: at(0).as_second(),
            actor: Actor::CommandLine,
            address: None,
            event: data.into(),
        };
        directory.record_outbox(&[entry]).wait().unwrap();
    };
    let (long, short) = (give(directory, "ada"), made("ada"));
    let taken = TakenLink {
        short: Some(ShortCode::new().unwrap().hash()),
        ..short.taken()
    };
    directory.take_link(taken, &by(at(0))).wait().unwrap();
    let other = made("ada");
    let taken = TakenLink::new(other.claims.clone(), Some("key-2".to_owned()));
    directory.take_link(taken, &by(at(0))).wait().unwrap();
    let states = |second| {
        let links = [&long, &short, &other].map(super::made_links::Made::id);
        links.map(|id| listed_at(directory, id, at(second)).standing.status)
    };
    let counts = |second| {
        let counts = directory.link_counts(at(second)).wait().unwrap();
        (counts.not_used, counts.revoked)
    };
    let works = [LinkStatus::NotUsed; 3];
    assert_eq!((states(0), counts(0)), (works, (3, 0)));
    record(EventData::KeyRotated {
        key: "key-2".to_owned(),
        old: "key-1".to_owned(),
        retires_at: at(100).as_second(),
    });
    assert_eq!((states(99), counts(99)), (works, (3, 0)));
    // Nothing is written at the date.
    let gone = [
        LinkStatus::Revoked,
        LinkStatus::NotUsed,
        LinkStatus::NotUsed,
    ];
    assert_eq!((states(100), counts(100)), (gone, (2, 1)));
    let standing = listed_at(directory, long.id(), at(500)).standing;
    assert_eq!(standing.ended_at, Some(at(100).as_second()));
    record(EventData::KeyRetirementSet {
        key: "key-1".to_owned(),
        retires_at: at(200).as_second(),
    });
    assert_eq!((states(199), counts(199)), (works, (3, 0)));
    assert_eq!((states(200), counts(200)), (gone, (2, 1)));
    record(EventData::KeyRetired {
        key: "key-1".to_owned(),
    });
    assert_eq!((states(0), counts(0)), (gone, (2, 1)));
    let working = LinkQuery {
        works: Some(true),
        key: Some("key-1".to_owned()),
        ..query()
    };
    assert_eq!(find(directory, &working), [short.id()]);
}
