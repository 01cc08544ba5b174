//! Suite of tests of links for an address: whose links they are, and what takes them back.

use latchkey_core::directory::{Directory, Profile};
use latchkey_core::ledger::{LinkQuery, LinkStatus, RevocationScope, TakenLink};
use latchkey_core::protocol::email::Email;
use latchkey_store::Wait as _;
use serde_json::json;

use super::made_links::{
    Made, claims, find, give, listed, made_with, query, redeem, revoke, status, take, take_at,
};
use super::{at, id, person};
use crate::by;

pub(super) fn links_for_an_address_that_nobody_has_are_found_and_revoked_by_it(
    directory: &dyn Directory,
) {
    let payload = json!({ "email": "Ada@acme.example" });
    let (first, second) = (
        made_with(&payload, None, at(0)),
        made_with(&payload, None, at(0)),
    );
    take_at(directory, &first, at(-9));
    take(directory, &second);
    give(directory, "bob");
    let of = |named: &str| LinkQuery {
        user: Some(id(named)),
        ..query()
    };
    let both = [first.id(), second.id()];
    assert_eq!(find(directory, &of("ada@ACME.example")), both);
    revoke(directory, RevocationScope::Person(id("ada@acme.example")));
    let later = made_with(&payload, None, at(0));
    take(directory, &later);
    let states = |links: &[&Made]| {
        let states = links.iter().map(|link| status(directory, link.id()));
        states.collect::<Vec<_>>()
    };
    let expected = [
        LinkStatus::Revoked,
        LinkStatus::Revoked,
        LinkStatus::NotUsed,
    ];
    assert_eq!(states(&[&first, &second, &later]), expected);
    let working = LinkQuery {
        works: Some(true),
        ..of("ada@acme.example")
    };
    assert_eq!(find(directory, &working), [later.id()]);
    // Revoked links stay revoked when somebody gets the address. All three then belong to that user.
    let ada = person("ada", Some("ada@acme.example"));
    directory.add(&ada, &by(at(0))).wait().unwrap();
    assert_eq!(redeem(directory, &first.code), "link_revoked");
    assert_eq!(find(directory, &of("ada")).len(), 3);
    let newer = made_with(&payload, None, at(0));
    let taken = TakenLink {
        supersedes: true,
        ..newer.taken()
    };
    directory.take_link(taken, &by(at(0))).wait().unwrap();
    assert_eq!(redeem(directory, &later.code), "link_superseded");
    assert_eq!(status(directory, later.id()), LinkStatus::Superseded);
    assert_eq!(redeem(directory, &newer.code), "signed_in");
    revoke(directory, RevocationScope::Person(id("ada@acme.example")));
    assert_eq!(status(directory, newer.id()), LinkStatus::Revoked);
    assert_eq!(redeem(directory, &newer.code), "link_revoked");
}

/// Changes the address of a user.
fn set_email(directory: &dyn Directory, user: &str, email: Option<&str>) {
    let profile = Profile {
        email: Some(email.map(|email| Email::parse(email, "email").unwrap())),
        members: serde_json::Map::new(),
    };
    let edited = directory.edit(&id(user), &profile, &by(at(0))).wait();
    edited.unwrap();
}

pub(super) fn links_for_an_address_follow_the_cutoffs_of_the_user_who_gets_it(
    directory: &dyn Directory,
) {
    let by_email = made_with(&json!({ "email": "ada@acme.example" }), None, at(0));
    take(directory, &by_email);
    directory
        .add(&person("ada", None), &by(at(0)))
        .wait()
        .unwrap();
    revoke(directory, RevocationScope::Person(id("ada")));
    let later = made_with(&json!({ "email": "ada@acme.example" }), None, at(0));
    take(directory, &later);
    assert_eq!(status(directory, by_email.id()), LinkStatus::NotUsed);
    set_email(directory, "ada", Some("ada@acme.example"));
    assert_eq!(redeem(directory, &by_email.code), "link_revoked");
    assert_eq!(status(directory, by_email.id()), LinkStatus::Revoked);
    assert_eq!(status(directory, later.id()), LinkStatus::NotUsed);
    let counts = directory.link_counts(at(0)).wait().unwrap();
    assert_eq!((counts.revoked, counts.not_used), (1, 1));
    assert_eq!(redeem(directory, &later.code), "signed_in");
}

pub(super) fn links_for_an_address_of_a_known_person_are_listed_as_they_open(
    directory: &dyn Directory,
) {
    let address = |user: &str| format!("{user}@acme.example");
    let link = |user: &str| {
        let link = made_with(&json!({ "email": address(user) }), None, at(0));
        take(directory, &link);
        link
    };
    // Each gets the address in another way, after links of the ID were revoked.
    let users = ["added", "imported", "provisioned", "refreshed", "removed"];
    let links = users.map(link);
    for user in users {
        give(directory, user);
        revoke(directory, RevocationScope::Person(id(user)));
    }
    let of = |user: &str| person(user, Some(&address(user)));
    directory.add(&of("added"), &by(at(0))).wait().unwrap();
    directory
        .import(&[of("imported")], &by(at(0)))
        .wait()
        .unwrap();
    directory
        .add(&person("refreshed", None), &by(at(0)))
        .wait()
        .unwrap();
    directory
        .add(&person("removed", None), &by(at(0)))
        .wait()
        .unwrap();
    directory.remove(&id("removed"), &by(at(0))).wait().unwrap();
    directory.add(&of("removed"), &by(at(0))).wait().unwrap();
    for user in ["provisioned", "refreshed"] {
        let payload = json!({ "user": { "id": user, "email": address(user) } });
        let link = made_with(&payload, None, at(0));
        take(directory, &link);
        let verdict = redeem(directory, &link.code);
        assert!(["provisioned", "signed_in"].contains(&verdict), "{verdict}");
    }
    for (user, link) in users.iter().zip(&links) {
        assert_eq!(redeem(directory, &link.code), "link_revoked", "{user}");
        assert_eq!(status(directory, link.id()), LinkStatus::Revoked, "{user}");
    }
}

pub(super) fn links_for_an_address_stay_with_the_user_who_gives_it_up(directory: &dyn Directory) {
    let payload = json!({ "email": "ada@acme.example" });
    let link = || made_with(&payload, None, at(0));
    let (revoked, by_email, of_bob) = (link(), link(), link());
    take(directory, &revoked);
    revoke(directory, RevocationScope::Person(id("ada@acme.example")));
    let taken = TakenLink {
        note: Some("for her telephone".to_owned()),
        ..by_email.taken()
    };
    directory.take_link(taken, &by(at(0))).wait().unwrap();
    let ada = person("ada", Some("ada@acme.example"));
    directory.add(&ada, &by(at(0))).wait().unwrap();
    set_email(directory, "ada", None);
    let bob = person("bob", Some("ada@acme.example"));
    directory.add(&bob, &by(at(0))).wait().unwrap();
    take(directory, &of_bob);
    let of = |named: &str| {
        let query = LinkQuery {
            user: Some(id(named)),
            ..query()
        };
        find(directory, &query)
    };
    let mut of_ada = [revoked.id(), by_email.id()];
    of_ada.sort_unstable();
    let mut found = of("ada");
    found.sort_unstable();
    assert_eq!(found, of_ada);
    assert_eq!(of("bob"), [of_bob.id()]);
    assert_eq!(status(directory, revoked.id()), LinkStatus::Revoked);
    assert!(claims(directory, by_email.id()).is_some());
    directory.remove(&id("ada"), &by(at(0))).wait().unwrap();
    let found = listed(directory, by_email.id()).link;
    assert_eq!((found.note, found.subject), (None, None));
    assert_eq!(found.user, Some(id("ada")));
    assert_eq!(claims(directory, by_email.id()), None);
    assert!(claims(directory, of_bob.id()).is_some());
}
