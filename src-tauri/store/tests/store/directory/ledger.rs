//! Suite of tests of the ledger: how links enter it, what becomes of them, and how they are found.

use std::collections::BTreeSet;

use jiff::Timestamp;
use latchkey_core::ErrorCode;
use latchkey_core::activity::AuditContext;
use latchkey_core::directory::Directory;
use latchkey_core::instance::Policy;
use latchkey_core::ledger::{
    GivenAs, LinkCounts, LinkOrigin, LinkPageStart, LinkQuery, LinkSort, LinkSortBy, LinkStatus,
    ListedLink, Revocation, RevocationScope, TakenLink,
};
use latchkey_core::link::compose::{LinkSpec, Target, compose};
use latchkey_core::link::short_code::ShortCode;
use latchkey_core::link::{BaseUrl, Parameter};
use latchkey_core::paging::Search;
use latchkey_core::protocol::claims::Claims;
use latchkey_core::protocol::code::{Algorithm, VerifiedCode, verify};
use latchkey_core::protocol::lifetime::Lifetime;
use latchkey_core::protocol::payload::Payload;
use latchkey_core::protocol::uses::Uses;
use latchkey_store::Wait as _;
use serde_json::{Map, Value, json};

use super::{at, code, code_without_iat, id, person, redeem_together};
use crate::by;
use crate::signed::{RULES, key};
use crate::soak::share;

const HOUR: i64 = 3600;

/// A link as Latchkey makes it.
#[derive(Clone)]
pub(super) struct Made {
    claims: Claims,
    pub(super) code: VerifiedCode,
}

impl Made {
    pub(super) fn id(&self) -> &str {
        &self.code.link
    }

    pub(super) fn taken(&self) -> TakenLink {
        TakenLink::new(self.claims.clone(), Some("key-1".to_owned()))
    }
}

/// Makes a link at a time that works for a number of sign-ins. It expires after an hour.
pub(super) fn made_with(payload: &Value, uses: Option<u64>, at: Timestamp) -> Made {
    let target = Target {
        url: BaseUrl::parse("https://chat.acme.example").unwrap(),
        parameter: Parameter::default(),
        algorithm: Algorithm::HS256,
    };
    let payload = Payload::from_claims(payload.as_object().unwrap()).unwrap();
    let spec = LinkSpec {
        uses: Uses::parse(uses, "uses").unwrap(),
        ..LinkSpec::new(payload, Lifetime::Secs(HOUR))
    };
    let composed = compose(&target, &key(), spec, at).unwrap();
    let code = verify(composed.code.expose(), &[&key()], RULES, at).unwrap();
    Made {
        claims: composed.claims,
        code,
    }
}

pub(super) fn made(user: &str) -> Made {
    made_with(&json!({ "user": { "id": user } }), None, at(0))
}

pub(super) fn made_for(user: &str, limit: Option<u64>) -> Made {
    made_with(&json!({ "user": { "id": user } }), limit, at(0))
}

pub(super) fn made_at(user: &str, at: Timestamp) -> Made {
    made_with(&json!({ "user": { "id": user } }), None, at)
}

pub(super) fn take_at(directory: &dyn Directory, link: &Made, at: Timestamp) {
    directory.take_link(link.taken(), &by(at)).wait().unwrap();
}

pub(super) fn take(directory: &dyn Directory, link: &Made) {
    take_at(directory, link, at(0));
}

/// Gives a link out for a user.
fn give(directory: &dyn Directory, user: &str) -> Made {
    let link = made(user);
    take(directory, &link);
    link
}

fn redeem(directory: &dyn Directory, code: &VerifiedCode) -> &'static str {
    redeem_by(directory, code, &by(at(0)))
}

fn redeem_by(directory: &dyn Directory, code: &VerifiedCode, by: &AuditContext) -> &'static str {
    let redeemed = directory.redeem(Ok(code), Policy::default(), by).wait();
    redeemed.unwrap().code()
}

pub(super) fn revoke_at(
    directory: &dyn Directory,
    scope: RevocationScope,
    ends_sessions: bool,
    at: Timestamp,
) {
    let revocation = Revocation {
        scope,
        ends_sessions,
    };
    directory.revoke_links(revocation, &by(at)).wait().unwrap();
}

fn revoke(directory: &dyn Directory, scope: RevocationScope) {
    revoke_at(directory, scope, false, at(0));
}

fn listed_at(directory: &dyn Directory, id: &str, at: Timestamp) -> ListedLink {
    let found = directory.link(id, at).wait().unwrap();
    found.unwrap().0
}

fn listed(directory: &dyn Directory, id: &str) -> ListedLink {
    listed_at(directory, id, at(0))
}

fn status(directory: &dyn Directory, id: &str) -> LinkStatus {
    listed(directory, id).standing.status
}

fn claims(directory: &dyn Directory, id: &str) -> Option<Map<String, Value>> {
    let (_, claims) = directory.link(id, at(0)).wait().unwrap().unwrap();
    claims.map(|claims| claims.members())
}

fn query() -> LinkQuery {
    LinkQuery {
        now: at(0).as_second(),
        ..LinkQuery::default()
    }
}

/// Returns all links in an order.
fn all(directory: &dyn Directory, sort: LinkSort) -> Vec<ListedLink> {
    let page = directory
        .links(&query(), sort, &LinkPageStart::First, 1000)
        .wait();
    page.unwrap().links
}

/// Returns the links that match a query, the first entered first.
fn find(directory: &dyn Directory, query: &LinkQuery) -> Vec<String> {
    let page = directory.links(query, LinkSort::default(), &LinkPageStart::First, 1000);
    let links = page.wait().unwrap().links;
    links.into_iter().map(|listed| listed.link.id).collect()
}

fn search(directory: &dyn Directory, words: &str) -> Vec<String> {
    let query = LinkQuery {
        search: Search::new(words),
        ..query()
    };
    find(directory, &query)
}

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
    assert!(!listed(directory, link.id()).has_short);
    give(Some(code)).unwrap();
    give(Some(code)).unwrap();
    give(None).unwrap();
    assert_eq!(
        give(Some(another)).unwrap_err().code,
        ErrorCode::NotCopyable
    );
    assert!(listed(directory, link.id()).has_short);
    assert!(!listed(directory, other.id()).has_short);
    let all = all(directory, LinkSort::default());
    let short: Vec<bool> = all.iter().map(|listed| listed.has_short).collect();
    assert_eq!(short, [false, true]);
    directory.remove(&id("ada"), &by(at(0))).wait().unwrap_err();
    assert_eq!(redeem(directory, &link.code), "provisioned");
    directory.remove(&id("ada"), &by(at(0))).wait().unwrap();
    assert!(!listed(directory, link.id()).has_short);
}

/// Gives out links whose names, times and uses differ, and are equal for some.
fn crowd(directory: &dyn Directory) {
    for number in 0..60_i64 {
        let user = format!(
            "{}ser-{:02}",
            if number % 2 == 0 { 'U' } else { 'u' },
            number * 7 % 20
        );
        let mut payload = json!({ "user": { "id": user } });
        if number % 3 > 0 {
            payload["user"]["name"] = json!(format!("Pérson {}", number % 11));
        }
        let entered = at(number / 4 - 100);
        let link = made_with(&payload, Some(2).filter(|_| number % 5 == 0), entered);
        let taken = TakenLink {
            note: (number % 4 == 0).then(|| format!("workshop {}", number % 8)),
            ..link.taken()
        };
        directory.take_link(taken, &by(entered)).wait().unwrap();
        for _ in 0..number % 3 {
            redeem(directory, &link.code);
        }
    }
}

const ORDERS: [LinkSortBy; 4] = [
    LinkSortBy::Entered,
    LinkSortBy::Expires,
    LinkSortBy::LastUse,
    LinkSortBy::Person,
];

/// Returns the key of a link in an order, as a text.
fn sort_key(by: LinkSortBy, listed: &ListedLink) -> Option<String> {
    let link = &listed.link;
    let time = |time: i64| format!("{time:020}");
    match by {
        LinkSortBy::Entered => Some(time(link.entered_at)),
        LinkSortBy::Expires => link.expires_at.map(time),
        LinkSortBy::LastUse => link.last_use.as_ref().map(|last| time(last.at)),
        LinkSortBy::Person => {
            let name = link.name.as_ref().or(link.subject.as_ref());
            name.map(|name| name.to_lowercase())
        }
    }
}

pub(super) fn links_are_sorted_in_each_order(directory: &dyn Directory) {
    crowd(directory);
    for sort_by in ORDERS {
        for descending in [false, true] {
            let sort = LinkSort {
                by: sort_by,
                descending,
            };
            let links = all(directory, sort);
            assert_eq!(links.len(), 60);
            let mut expected = links.clone();
            expected.sort_by(|a, b| {
                let (first, second) = (sort_key(sort_by, a), sort_key(sort_by, b));
                let by_key = match (&first, &second) {
                    (Some(a), Some(b)) if descending => b.cmp(a),
                    (Some(a), Some(b)) => a.cmp(b),
                    // Links without a value come last in both directions.
                    _ => second.is_some().cmp(&first.is_some()),
                };
                by_key.then_with(|| a.link.id.cmp(&b.link.id))
            });
            let ids = |links: &[ListedLink]| -> Vec<String> {
                links.iter().map(|listed| listed.link.id.clone()).collect()
            };
            assert_eq!(ids(&links), ids(&expected), "{sort:?}");
        }
    }
}

pub(super) fn links_are_found_by_all_their_texts(directory: &dyn Directory) {
    let payload = json!({ "user": { "id": "key-of-ada", "name": "Ada LOVELACE" } });
    let named = made_with(&payload, None, at(0));
    let by_email = made_with(&json!({ "email": "Grace@acme.example" }), None, at(0));
    take(directory, &by_email);
    let taken = TakenLink {
        note: Some("Café table".to_owned()),
        ..named.taken()
    };
    directory.take_link(taken, &by(at(0))).wait().unwrap();
    for words in ["lovelace", "KEY-of", "café", "love TABLE ada", named.id()] {
        assert_eq!(search(directory, words), [named.id()], "{words}");
    }
    for words in ["grace@", "ACME.example", by_email.id()] {
        assert_eq!(search(directory, words), [by_email.id()], "{words}");
    }
    assert_eq!(search(directory, "lovelace grace"), [""; 0]);
    // A note that is changed is found as it is now.
    let taken = TakenLink {
        note: Some("Garden".to_owned()),
        ..named.taken()
    };
    directory.take_link(taken, &by(at(0))).wait().unwrap();
    assert_eq!(search(directory, "café"), [""; 0]);
    assert_eq!(search(directory, "garden"), [named.id()]);
}

pub(super) fn pages_of_links_stay_consistent_while_links_are_given_out(directory: &dyn Directory) {
    crowd(directory);
    for sort_by in ORDERS {
        let sort = LinkSort {
            by: sort_by,
            descending: true,
        };
        let before = all(directory, sort).into_iter();
        let before: BTreeSet<String> = before.map(|found| found.link.id).collect();
        let (mut seen, mut start) = (Vec::new(), LinkPageStart::First);
        loop {
            let page = directory.links(&query(), sort, &start, 7).wait().unwrap();
            seen.extend(page.links.into_iter().map(|found| found.link.id));
            give(directory, "somebody");
            match page.next {
                Some(next) => start = LinkPageStart::After(next.to_string().parse().unwrap()),
                None => break,
            }
        }
        let seen_once: BTreeSet<String> = seen.iter().cloned().collect();
        assert_eq!(seen_once.len(), seen.len(), "a link is twice in {sort:?}");
        assert!(
            seen_once.is_superset(&before),
            "a link is missing in {sort:?}"
        );
    }
    let page = directory
        .links(&query(), LinkSort::default(), &LinkPageStart::Row(50), 5)
        .wait()
        .unwrap();
    assert_eq!((page.first_row, page.links.len()), (50, 5));
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
