//! Tests of recording and finding entries of the activity.

use latchkey_store::Wait as _;
use std::net::IpAddr;

use jiff::Timestamp;
use latchkey_core::activity::{
    ActivityQuery, Actor, AuditContext, Entry, EventData, Kind, OutboxEntry, Reference,
};
use latchkey_core::directory::{Directory, JudgedCode, Profile};
use latchkey_core::instance::Policy;
use latchkey_core::protocol::code::{CodeRefusal, VerifiedCode};
use latchkey_core::protocol::email::Email;
use serde_json::{Map, json};

use super::{at, code, id, new_user, person, redeem_together};
use crate::signed::now;
use crate::{by, revoke_link};

fn all(directory: &dyn Directory) -> Vec<Entry> {
    let page = directory
        .activity(&ActivityQuery::default(), None, 1000)
        .wait();
    let page = page.unwrap();
    assert_eq!(page.before, None);
    page.entries
}

/// Returns code and subject of all entries, oldest first.
fn codes(directory: &dyn Directory) -> Vec<(String, Option<String>)> {
    let entries = all(directory).into_iter().rev();
    entries
        .map(|entry| (entry.event.data.code().to_owned(), entry.event.subject))
        .collect()
}

pub(super) fn every_change_is_recorded_once(directory: &dyn Directory) {
    let by = by(now());
    let redeem = |code: JudgedCode<'_>| {
        directory
            .redeem(code, Policy::default(), &by)
            .wait()
            .unwrap()
    };
    redeem(Ok(&new_user("ada")));
    redeem(Ok(&new_user("ada")));
    redeem(Ok(&code(r#""email":"a@b.cd""#, -60)));
    redeem(Err(&CodeRefusal::BadSignature));
    directory.add(&person("bob", None), &by).wait().unwrap();
    directory
        .import(&[person("c", None), person("d", None)], &by)
        .wait()
        .unwrap();
    directory.suspend(&id("bob"), &by).wait().unwrap();
    directory.reactivate(&id("bob"), &by).wait().unwrap();
    directory.sign_out(&id("bob"), &by).wait().unwrap();
    let profile = Profile {
        email: Some(Some(Email::parse("bob@b.cd", "email").unwrap())),
        members: Map::new(),
    };
    directory.edit(&id("bob"), &profile, &by).wait().unwrap();
    directory.remove(&id("bob"), &by).wait().unwrap();
    directory.set_seat_limit(Some(3), &by).wait().unwrap();
    redeem(Ok(&new_user("eve")));
    revoke_link(directory, "x", by.at);
    directory
        .record(EventData::GatewayRecovered.into(), &by)
        .wait()
        .unwrap();
    let expected = [
        ("provisioned", Some("ada")),
        ("signed_in", Some("ada")),
        ("unknown_user", Some("a@b.cd")),
        ("bad_signature", None),
        ("added", Some("bob")),
        ("imported", Some("c")),
        ("imported", Some("d")),
        ("suspended", Some("bob")),
        ("reactivated", Some("bob")),
        ("signed_out", Some("bob")),
        ("profile_changed", Some("bob")),
        ("removed", Some("bob")),
        ("seat_limit_set", None),
        ("no_seats", Some("eve")),
        ("revoked", None),
        ("gateway_recovered", None),
    ];
    let expected = expected.map(|(code, subject)| (code.to_owned(), subject.map(str::to_owned)));
    assert_eq!(codes(directory), expected);
    let refused = &all(directory)[2];
    assert_eq!(refused.event.data.kind(), Kind::Refusal);
    assert_eq!(refused.title(), "Refused: no seats left");
    let detail = refused.detail().unwrap();
    assert!(detail.contains("All 3 seats are taken"), "{detail}");
}

pub(super) fn a_command_that_changes_nothing_is_not_recorded(directory: &dyn Directory) {
    let by = by(now());
    directory.add(&person("ada", None), &by).wait().unwrap();
    directory.suspend(&id("ada"), &by).wait().unwrap();
    directory.suspend(&id("ada"), &by).wait().unwrap();
    directory.set_seat_limit(None, &by).wait().unwrap();
    directory.import(&[], &by).wait().unwrap();
    directory
        .edit(&id("ada"), &Profile::default(), &by)
        .wait()
        .unwrap();
    directory.add(&person("ada", None), &by).wait().unwrap_err();
    directory.remove(&id("bob"), &by).wait().unwrap_err();
    directory
        .dry_run(Ok(&new_user("bob")), Policy::default())
        .wait()
        .unwrap();
    assert_eq!(codes(directory).len(), 2);
}

pub(super) fn an_entry_says_who_when_and_from_where(directory: &dyn Directory) {
    let address: IpAddr = "2001:db8::7".parse().unwrap();
    let reference = Reference::random();
    let by = AuditContext {
        at: Timestamp::from_second(1_700_000_000).unwrap(),
        actor: Actor::ApiKey("CRM".into()),
        address: Some(address),
        reference: Some(reference.clone()),
    };
    let once = code(r#""user":{"id":"ada"},"jti":"link-1""#, -60);
    directory
        .redeem(Ok(&once), Policy::default(), &by)
        .wait()
        .unwrap();
    let [entry] = &all(directory)[..] else {
        panic!("one entry");
    };
    assert_eq!((entry.at, &entry.actor), (1_700_000_000, &by.actor));
    assert_eq!(entry.address, Some(address));
    assert_eq!(entry.reference, Some(reference));
    assert_eq!(entry.event.link.as_deref(), Some("link-1"));
    assert_eq!(entry.event.data.kind(), Kind::SignIn);
}

pub(super) fn entries_are_found_by_their_text(directory: &dyn Directory) {
    let mut by = by(now());
    directory.add(&person("Ada", None), &by).wait().unwrap();
    directory.suspend(&id("Ada"), &by).wait().unwrap();
    directory.add(&person("adam", None), &by).wait().unwrap();
    by.reference = Some(Reference::random());
    by.address = Some("192.0.2.55".parse().unwrap());
    directory
        .redeem(Err(&CodeRefusal::BadSignature), Policy::default(), &by)
        .wait()
        .unwrap();
    let reference = by.reference.unwrap();
    let found = |query: ActivityQuery| {
        let page = directory.activity(&query, None, 10).wait().unwrap();
        page.entries.len()
    };
    let text = |text: &str| ActivityQuery {
        text: text.to_owned(),
        ..ActivityQuery::default()
    };
    for (query, count) in [
        (text("ada"), 3),
        (text(" ADAM "), 1),
        (text(reference.as_str()), 1),
        (text("192.0.2.5"), 1),
        (text("bad_sig"), 1),
        (text("nobody"), 0),
        (
            ActivityQuery {
                subject: Some("Ada".into()),
                ..ActivityQuery::default()
            },
            2,
        ),
        (
            ActivityQuery {
                subject: Some("ada".into()),
                ..ActivityQuery::default()
            },
            0,
        ),
        (
            ActivityQuery {
                kind: Some(Kind::Act),
                ..ActivityQuery::default()
            },
            3,
        ),
        (
            ActivityQuery {
                kind: Some(Kind::Refusal),
                ..text("ada")
            },
            0,
        ),
        (
            ActivityQuery {
                kind: Some(Kind::SignIn),
                ..ActivityQuery::default()
            },
            0,
        ),
    ] {
        assert_eq!(found(query.clone()), count, "{query:?}");
    }
}

pub(super) fn pages_follow_each_other_without_gaps(directory: &dyn Directory) {
    for number in 0..150 {
        directory
            .add(&person(&number.to_string(), None), &by(at(number)))
            .wait()
            .unwrap();
    }
    let (mut before, mut seen) = (None, Vec::new());
    loop {
        let page = directory
            .activity(&ActivityQuery::default(), before, 40)
            .wait()
            .unwrap();
        assert!(page.entries.len() <= 40);
        seen.extend(
            page.entries
                .into_iter()
                .map(|entry| entry.event.subject.unwrap()),
        );
        before = page.before;
        if before.is_none() {
            break;
        }
    }
    let expected: Vec<String> = (0..150).rev().map(|number| number.to_string()).collect();
    assert_eq!(seen, expected);
}

/// A page reads at most 20,000 entries, so the entries of a user are found by an index.
pub(super) fn an_entry_is_found_behind_20_000_of_others(directory: &dyn Directory) {
    let by = by(now());
    directory.add(&person("ada", None), &by).wait().unwrap();
    directory.add(&person("bob", None), &by).wait().unwrap();
    let bob = code(r#""id":"bob""#, -60);
    for _ in 0..21 {
        redeem_together(directory, &vec![Ok(bob.clone()); 1000], &by);
    }
    let query = ActivityQuery {
        subject: Some("ada".into()),
        ..ActivityQuery::default()
    };
    let page = directory.activity(&query, None, 10).wait().unwrap();
    assert_eq!((page.entries.len(), page.before), (1, None));
    assert_eq!(page.entries[0].event.data.code(), "added");
}

pub(super) fn an_act_on_the_settings_is_recorded_once(directory: &dyn Directory) {
    let entry = |number: u64| OutboxEntry {
        number,
        at: 5,
        actor: Actor::CommandLine,
        address: None,
        event: EventData::Imported { users: number }.into(),
    };
    directory
        .record_outbox(&[entry(1), entry(2)])
        .wait()
        .unwrap();
    // After an interruption the second change may still wait, although it was recorded.
    directory
        .record_outbox(&[entry(2), entry(3)])
        .wait()
        .unwrap();
    let events = all(directory).into_iter().map(|entry| {
        assert_eq!((entry.at, entry.actor), (5, Actor::CommandLine));
        entry.event
    });
    let expected = [3, 2, 1].map(|number| entry(number).event);
    assert_eq!(events.collect::<Vec<_>>(), expected);
}

pub(super) fn a_profile_is_edited_and_older_codes_do_not_undo_it(directory: &dyn Directory) {
    let with = |issued| {
        code(
            r#""user":{"id":"ada","email":"ada@b.cd","team":"Blue","floor":1}"#,
            issued,
        )
    };
    let redeem = |code: &VerifiedCode| {
        directory
            .redeem(Ok(code), Policy::default(), &by(now()))
            .wait()
            .unwrap()
    };
    redeem(&with(-60));
    directory
        .add(&person("bob", Some("bob@b.cd")), &by(now()))
        .wait()
        .unwrap();
    let email = |text: &str| Some(Some(Email::parse(text, "email").unwrap()));
    let members = json!({"team": "Red", "floor": null, "desk": 7});
    let profile = Profile {
        email: email("new@b.cd"),
        members: members.as_object().unwrap().clone(),
    };
    let ada = directory
        .edit(&id("ada"), &profile, &by(at(-30)))
        .wait()
        .unwrap();
    assert_eq!(ada.email.as_ref().unwrap().as_str(), "new@b.cd");
    assert_eq!(ada.metadata.json(), r#"{"team":"Red","desk":7}"#);
    redeem(&with(-40));
    assert_eq!(
        directory.known_user(&id("ada")).wait().unwrap().email,
        ada.email
    );
    let taken = Profile {
        email: email("BOB@b.cd"),
        members: Map::new(),
    };
    let refused = directory
        .edit(&id("ada"), &taken, &by(now()))
        .wait()
        .unwrap_err();
    assert_eq!(refused.field.as_deref(), Some("user.email"));
    let bob = Profile {
        email: Some(None),
        members: Map::new(),
    };
    assert_eq!(
        directory
            .edit(&id("bob"), &bob, &by(now()))
            .wait()
            .unwrap()
            .email,
        None
    );
    directory
        .edit(&id("ada"), &taken, &by(now()))
        .wait()
        .unwrap();
    let found = |email: &str| {
        let user = directory
            .user_by_email(&Email::parse(email, "email").unwrap())
            .wait();
        user.unwrap().map(|user| user.id)
    };
    assert_eq!(found("bob@b.cd"), Some(id("ada")));
    assert_eq!(found("new@b.cd"), None);
    // An address of the user in another case does not belong to somebody else.
    let own = Profile {
        email: email("Bob@B.cd"),
        members: Map::new(),
    };
    assert!(directory.edit(&id("ada"), &own, &by(now())).wait().is_ok());
    assert_eq!(found("bob@b.cd"), Some(id("ada")));
}
