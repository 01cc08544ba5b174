//! Suite of tests of the ledger: how links enter it, and what becomes of them.

use latchkey_core::ErrorCode;
use latchkey_core::directory::Directory;
use latchkey_core::instance::Policy;
use latchkey_core::ledger::{
    GivenAs, LinkCounts, LinkOrigin, LinkQuery, LinkSort, LinkStatus, ListedLink, RevocationScope,
    TakenLink,
};
use latchkey_core::link::short_code::ShortCode;
use latchkey_store::Wait as _;
use serde_json::json;

use super::made_links::{
    HOUR, Made, all, claims, find, give, listed, listed_at, made, made_at, made_with, query,
    redeem, redeem_by, revoke, search, status, take, take_at,
};
use super::{at, code, id, person, redeem_together};
use crate::by;
use crate::soak::share;

pub(super) fn a_link_that_is_given_out_is_in_the_ledger_with_its_claims(directory: &dyn Directory) {
    let payload = json!({ "user": { "id": "ada", "fullName": "Ada Lovelace" } });
    let link = made_with(&payload, Some(3), at(-5));
    let taken = TakenLink {
        given: GivenAs::QrCode,
        note: Some("for Friday".to_owned()),
        ..link.taken()
    };
    directory.take_link(taken, &by(at(-5))).wait().unwrap();
    let ListedLink {
        link: record,
        standing,
        ..
    } = listed(directory, link.id());
    let made = at(-5).as_second();
    assert_eq!(standing.status, LinkStatus::NotUsed);
    assert_eq!(record.user, Some(id("ada")));
    assert_eq!(record.subject.as_deref(), Some("ada"));
    assert_eq!(record.name.as_deref(), Some("Ada Lovelace"));
    assert_eq!(record.note.as_deref(), Some("for Friday"));
    assert_eq!(record.origin, LinkOrigin::Taken);
    assert_eq!(record.key.as_deref(), Some("key-1"));
    assert_eq!(record.entered_at, made);
    assert_eq!(record.issued_at, Some(made));
    assert_eq!(record.expires_at, Some(made + HOUR));
    assert_eq!((record.uses.limit(), record.used), (Some(3), 0));
    assert_eq!((&record.first_use, &record.last_use), (&None, &None));
    let given: Vec<_> = record.given.iter().map(|out| (out.given, out.at)).collect();
    assert_eq!(given, [(GivenAs::QrCode, made)]);
    assert_eq!(claims(directory, link.id()), Some(link.claims.members()));
}

pub(super) fn a_link_that_is_given_out_again_keeps_its_first_entry(directory: &dyn Directory) {
    let link = made_at("ada", at(-50));
    for (given, note, ago) in [
        (GivenAs::Link, Some("first"), -50),
        (GivenAs::Code, None, -30),
        (GivenAs::File, Some("last"), -10),
    ] {
        let taken = TakenLink {
            given,
            note: note.map(str::to_owned),
            ..link.taken()
        };
        directory.take_link(taken, &by(at(ago))).wait().unwrap();
    }
    let record = listed(directory, link.id()).link;
    assert_eq!(record.entered_at, at(-50).as_second());
    assert_eq!(record.note.as_deref(), Some("last"));
    let given: Vec<_> = record.given.iter().map(|out| out.given).collect();
    assert_eq!(given, [GivenAs::Link, GivenAs::Code, GivenAs::File]);
    assert_eq!(find(directory, &query()), [link.id()]);
    // Giving it out again makes no revoked link work.
    revoke(directory, RevocationScope::Person(id("ada")));
    take(directory, &link);
    assert_eq!(redeem(directory, &link.code), "link_revoked");
}

/// Gives out one link of each state. Returns them in the order of [`LinkStatus::ALL`].
pub(super) fn one_of_each_state(directory: &dyn Directory) -> [Made; 6] {
    let old = made_at("eve", at(-2 * HOUR + 30));
    take_at(directory, &old, at(-2 * HOUR + 30));
    let unused = give(directory, "ada");
    let used = give(directory, "bob");
    assert_eq!(redeem(directory, &used.code), "provisioned");
    let spent = made_with(&json!({ "user": { "id": "cleo" } }), Some(2), at(0));
    take(directory, &spent);
    for expected in ["provisioned", "signed_in", "link_already_used"] {
        assert_eq!(redeem(directory, &spent.code), expected);
    }
    let revoked = give(directory, "ada");
    revoke(directory, RevocationScope::Link(revoked.id().to_owned()));
    let replaced = give(directory, "joe");
    let newer = TakenLink {
        supersedes: true,
        ..made("joe").taken()
    };
    directory.take_link(newer, &by(at(0))).wait().unwrap();
    [unused, used, spent, old, revoked, replaced]
}

pub(super) fn links_are_found_and_counted_by_their_state(directory: &dyn Directory) {
    assert_eq!(
        directory.link_counts(at(0)).wait().unwrap(),
        LinkCounts::default()
    );
    let links = one_of_each_state(directory);
    for (link, expected) in links.iter().zip(LinkStatus::ALL) {
        assert_eq!(status(directory, link.id()), expected);
        let query = LinkQuery {
            status: Some(expected),
            ..query()
        };
        let found = find(directory, &query);
        assert!(found.iter().any(|found| found == link.id()), "{expected:?}");
        let both = u64::from(expected == LinkStatus::NotUsed) + 1;
        assert_eq!(found.len() as u64, both, "{expected:?}");
    }
    let counts = directory.link_counts(at(0)).wait().unwrap();
    let expected = LinkCounts {
        not_used: 2,
        in_use: 1,
        used_up: 1,
        expired: 1,
        revoked: 1,
        superseded: 1,
    };
    assert_eq!(counts, expected);
    for (works, count) in [(true, 3), (false, 4)] {
        let query = LinkQuery {
            works: Some(works),
            ..query()
        };
        assert_eq!(find(directory, &query).len(), count);
    }
    // The state follows from the time.
    let later = at(2 * HOUR);
    let expired = directory.link_counts(later).wait().unwrap().expired;
    assert_eq!(expired, 4);
    let listed = listed_at(directory, links[0].id(), later);
    assert_eq!(listed.standing.status, LinkStatus::Expired);
    assert_eq!(listed.standing.ended_at, listed.link.expires_at);
    let before = at(-2 * HOUR + 40);
    assert_eq!(
        listed_at(directory, links[3].id(), before).standing.status,
        LinkStatus::NotUsed
    );
}

pub(super) fn each_sign_in_by_a_link_is_noted(directory: &dyn Directory) {
    let link = give(directory, "ada");
    let mut visitor = by(at(-20));
    visitor.address = Some("192.0.2.7".parse().unwrap());
    assert_eq!(redeem_by(directory, &link.code, &visitor), "provisioned");
    visitor.address = Some("192.0.2.8".parse().unwrap());
    visitor.at = at(-10);
    assert_eq!(redeem_by(directory, &link.code, &visitor), "signed_in");
    let record = listed(directory, link.id()).link;
    assert_eq!(record.used, 2);
    let of = |sign_in: Option<latchkey_core::ledger::Use>| {
        let sign_in = sign_in.unwrap();
        (sign_in.at, sign_in.address.unwrap().to_string())
    };
    let (first, last) = (of(record.first_use), of(record.last_use));
    assert_eq!(first, (at(-20).as_second(), "192.0.2.7".to_owned()));
    assert_eq!(last, (at(-10).as_second(), "192.0.2.8".to_owned()));
    // A dry run and a refusal use nothing.
    directory.suspend(&id("ada"), &by(at(0))).wait().unwrap();
    assert_eq!(redeem(directory, &link.code), "user_suspended");
    let dry = directory.dry_run(Ok(&link.code), Policy::default());
    assert_eq!(dry.wait().unwrap().code(), "user_suspended");
    assert_eq!(listed(directory, link.id()).link.used, 2);
}

pub(super) fn a_link_works_as_often_as_its_code_says(directory: &dyn Directory) {
    for uses in [1, 2, 5] {
        let user = format!("user-{uses}");
        let link = made_with(&json!({ "user": { "id": user } }), Some(uses), at(0));
        take(directory, &link);
        for number in 0..uses {
            assert!(["provisioned", "signed_in"].contains(&redeem(directory, &link.code)));
            let record = listed(directory, link.id()).link;
            assert_eq!(record.used, number + 1);
        }
        for _ in 0..2 {
            assert_eq!(redeem(directory, &link.code), "link_already_used");
        }
        assert_eq!(listed(directory, link.id()).link.used, uses);
    }
    // Codes of formats before `uses`.
    let once = code(r#""user":{"id":"eve"},"jti":"once","single_use":true"#, -5);
    assert_eq!(redeem(directory, &once), "provisioned");
    assert_eq!(redeem(directory, &once), "link_already_used");
    assert_eq!(status(directory, "once"), LinkStatus::UsedUp);
}

pub(super) fn redemptions_at_the_same_instant_use_a_link_exactly_as_often_as_it_allows(
    directory: &dyn Directory,
) {
    const CLIENTS: usize = 32;
    for round in 0..share(200).div_ceil(10) {
        for uses in [1, 3, 100] {
            let user = format!("user-{round}-{uses}");
            let link = made_with(&json!({ "user": { "id": user } }), Some(uses), at(0));
            take(directory, &link);
            let codes = vec![Ok(link.code.clone()); CLIENTS];
            let bursts = if uses < CLIENTS as u64 { 1 } else { 4 };
            let verdicts = (0..bursts).flat_map(|_| redeem_together(directory, &codes, &by(at(0))));
            let signed_in = verdicts.filter(|verdict| verdict.user().is_some()).count();
            assert_eq!(signed_in as u64, uses, "round {round}");
            assert_eq!(
                listed(directory, link.id()).link.used,
                uses,
                "round {round}"
            );
            assert_eq!(status(directory, link.id()), LinkStatus::UsedUp);
        }
    }
}

pub(super) fn a_code_of_another_system_enters_when_it_is_first_redeemed(directory: &dyn Directory) {
    directory
        .add(&person("ada", None), &by(at(-90)))
        .wait()
        .unwrap();
    let foreign = code(r#""id":"ada","jti":"theirs""#, -60);
    let unnamed = code(r#""id":"ada""#, -60);
    assert!(unnamed.link.starts_with("sha256-"));
    let unknown = code(r#""id":"nobody","jti":"nobody""#, -60);
    assert_eq!(redeem(directory, &unknown), "unknown_user");
    assert_eq!(find(directory, &query()), [""; 0]);
    for code in [&foreign, &unnamed] {
        assert_eq!(redeem(directory, code), "signed_in");
        let ListedLink { link, standing, .. } = listed(directory, &code.link);
        assert_eq!(link.origin, LinkOrigin::Foreign);
        assert_eq!(link.user, Some(id("ada")));
        assert_eq!(link.issued_at, code.registered.issued_at);
        assert_eq!((link.used, link.given.len()), (1, 0));
        assert_eq!(standing.status, LinkStatus::InUse);
        assert_eq!(claims(directory, &code.link), None);
        revoke(directory, RevocationScope::Link(code.link.clone()));
        assert_eq!(redeem(directory, code), "link_revoked");
    }
}

pub(super) fn a_link_that_was_scanned_from_the_screen_is_marked_so(directory: &dyn Directory) {
    let shown = made("ada");
    directory
        .link_shown(&shown.claims, &by(at(0)))
        .wait()
        .unwrap();
    assert_eq!(find(directory, &query()), [""; 0]);
    assert_eq!(redeem(directory, &shown.code), "provisioned");
    let record = listed(directory, shown.id()).link;
    assert_eq!((record.origin, record.used), (LinkOrigin::Scanned, 1));
    // It may be copied afterwards.
    take(directory, &shown);
    let record = listed(directory, shown.id()).link;
    assert_eq!((record.origin, record.used), (LinkOrigin::Taken, 1));
    assert_eq!(claims(directory, shown.id()), Some(shown.claims.members()));
}

pub(super) fn a_removed_user_is_forgotten_by_the_ledger(directory: &dyn Directory) {
    let payload = json!({ "user": { "id": "ada", "email": "ada@acme.example", "name": "Ada" } });
    let link = made_with(&payload, None, at(0));
    let by_email = made_with(&json!({ "email": "ada@acme.example" }), None, at(0));
    for link in [&link, &by_email] {
        let taken = TakenLink {
            note: Some("the workshop".to_owned()),
            ..link.taken()
        };
        // The address is nobody's when the second is given out.
        directory.take_link(taken, &by(at(0))).wait().unwrap();
    }
    let other = give(directory, "adam");
    assert_eq!(redeem(directory, &link.code), "provisioned");
    assert_eq!(search(directory, "workshop").len(), 2);
    directory.remove(&id("ada"), &by(at(0))).wait().unwrap();
    for link in [&link, &by_email] {
        let record = listed(directory, link.id()).link;
        assert_eq!(
            (record.subject, record.name, record.note),
            (None, None, None)
        );
        assert_eq!(claims(directory, link.id()), None);
    }
    for words in ["workshop", "ada@acme.example"] {
        assert_eq!(search(directory, words), [""; 0], "{words}");
    }
    assert_eq!(claims(directory, other.id()), Some(other.claims.members()));
}

pub(super) fn a_link_has_one_short_link(directory: &dyn Directory) {
    let (link, other) = (made("ada"), give(directory, "ada"));
    let [code, another] = [(); 2].map(|()| ShortCode::new().unwrap().hash());
    let give = |short| {
        let taken = TakenLink {
            short,
            ..link.taken()
        };
        directory.take_link(taken, &by(at(0))).wait()
    };
    give(None).unwrap();
    assert!(!listed(directory, link.id()).link.has_short);
    give(Some(code)).unwrap();
    give(Some(code)).unwrap();
    give(None).unwrap();
    assert_eq!(
        give(Some(another)).unwrap_err().code,
        ErrorCode::NotCopyable
    );
    assert!(listed(directory, link.id()).link.has_short);
    assert!(!listed(directory, other.id()).link.has_short);
    let all = all(directory, LinkSort::default());
    let short = all.iter().filter(|listed| listed.link.has_short);
    let short: Vec<&str> = short.map(|listed| &*listed.link.id).collect();
    assert_eq!(short, [link.id()]);
    directory.remove(&id("ada"), &by(at(0))).wait().unwrap_err();
    assert_eq!(redeem(directory, &link.code), "provisioned");
    directory.remove(&id("ada"), &by(at(0))).wait().unwrap();
    assert!(!listed(directory, link.id()).link.has_short);
}
