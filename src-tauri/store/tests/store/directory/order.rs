//! Suite of tests of the order between codes and removals or edits of users, even if clocks differ.

use jiff::Timestamp;
use latchkey_core::activity::{Actor, Event, OutboxEntry};
use latchkey_core::directory::{self, Directory, Profile};
use latchkey_core::instance::Policy;
use latchkey_core::ledger::TakenLink;
use latchkey_core::link::compose::{LinkSpec, Target, compose};
use latchkey_core::link::{BaseUrl, Parameter};
use latchkey_core::protocol::claims::Claims;
use latchkey_core::protocol::code::{Algorithm, VerifiedCode, verify};
use latchkey_core::protocol::email::Email;
use latchkey_core::protocol::lifetime::Lifetime;
use latchkey_core::protocol::payload::Payload;
use latchkey_store::Wait as _;
use serde_json::{Value, json};

use super::{at, code, code_without_iat, id, person};
use crate::by;
use crate::signed::{RULES, key, now};

const ADA: &str = r#""user":{"id":"ada"}"#;

fn redeem(directory: &dyn Directory, code: &VerifiedCode) -> &'static str {
    let verdict = directory
        .redeem(Ok(code), Policy::default(), &by(now()))
        .wait();
    verdict.unwrap().code()
}

/// Makes a link at a time for a user of a team, like Latchkey.
pub(super) fn made(user: &str, team: &str, at: Timestamp) -> (Claims, VerifiedCode) {
    made_of(&json!({ "user": { "id": user, "team": team } }), at)
}

/// Makes a link at a time, like Latchkey.
fn made_of(payload: &Value, at: Timestamp) -> (Claims, VerifiedCode) {
    let target = Target {
        url: BaseUrl::parse("https://chat.acme.example").unwrap(),
        parameter: Parameter::default(),
        algorithm: Algorithm::HS256,
    };
    let payload = Payload::from_claims(payload.as_object().unwrap()).unwrap();
    let spec = LinkSpec::new(payload, Lifetime::default());
    let composed = compose(&target, &key(), spec, at).unwrap();
    let code = verify(composed.code.expose(), &[&key()], RULES, now()).unwrap();
    (composed.claims, code)
}

fn team(directory: &dyn Directory) -> String {
    let ada = directory.known_user(&id("ada")).wait().unwrap();
    ada.metadata.json().clone()
}

pub(super) fn a_code_that_is_dated_ahead_does_not_outlive_a_removal(directory: &dyn Directory) {
    let ahead = code(ADA, 50);
    assert_eq!(redeem(directory, &ahead), "provisioned");
    directory.remove(&id("ada"), &by(now())).wait().unwrap();
    assert_eq!(redeem(directory, &ahead), "user_removed");
    // As far ahead as a clock may be.
    assert_eq!(redeem(directory, &code(ADA, 60)), "user_removed");
}

pub(super) fn a_code_from_before_a_removal_stays_refused_if_a_user_has_the_id_again(
    directory: &dyn Directory,
) {
    let by_id = r#""id":"ada""#;
    let before = [code(ADA, -120), code(by_id, -120)];
    let redeemed = directory
        .redeem(Ok(&before[0]), Policy::default(), &by(at(-100)))
        .wait();
    assert_eq!(redeemed.unwrap().code(), "provisioned");
    directory.remove(&id("ada"), &by(at(-60))).wait().unwrap();
    directory
        .add(&person("ada", None), &by(at(-30)))
        .wait()
        .unwrap();
    for old in &before {
        assert_eq!(redeem(directory, old), "user_removed");
    }
    for payload in [ADA, by_id] {
        // A clock may be a minute ahead.
        for (issued, verdict) in [(-10, "user_removed"), (0, "user_removed"), (1, "signed_in")] {
            assert_eq!(redeem(directory, &code(payload, issued)), verdict);
        }
    }
}

pub(super) fn a_code_for_an_address_does_not_sign_in_its_next_user(directory: &dyn Directory) {
    const DESK: &str = r#""email":"Desk@acme.example""#;
    let add = |user: &str| {
        let desk = person(user, Some("desk@acme.example"));
        directory.add(&desk, &by(at(-200))).wait().unwrap();
    };
    let old = [code(DESK, -120), code_without_iat(DESK)];
    add("ada");
    for old in &old {
        assert_eq!(redeem(directory, old), "signed_in", "nobody had it before");
    }
    // An edit takes the address away like a removal.
    let no_email = Profile {
        email: Some(None),
        ..Profile::default()
    };
    directory
        .edit(&id("ada"), &no_email, &by(at(-100)))
        .wait()
        .unwrap();
    add("bob");
    for old in &old {
        assert_eq!(redeem(directory, old), "user_removed");
    }
    let of_bob = code(DESK, -30);
    let verdict = directory
        .redeem(Ok(&of_bob), Policy::default(), &by(at(-80)))
        .wait();
    assert_eq!(verdict.unwrap().code(), "signed_in");
    directory.remove(&id("bob"), &by(at(-70))).wait().unwrap();
    add("cyd");
    assert_eq!(redeem(directory, &of_bob), "user_removed");
    // A user who gets the address back is the same user as before, and does not get the codes of
    // others.
    let since = code(DESK, 0);
    directory
        .edit(&id("cyd"), &no_email, &by(at(10)))
        .wait()
        .unwrap();
    let again = Profile {
        email: Some(Some(Email::parse("desk@acme.example", "email").unwrap())),
        ..Profile::default()
    };
    directory
        .edit(&id("cyd"), &again, &by(at(20)))
        .wait()
        .unwrap();
    assert_eq!(redeem(directory, &since), "signed_in");
    assert_eq!(redeem(directory, &of_bob), "user_removed");
}

pub(super) fn a_link_that_latchkey_makes_for_an_id_or_address_that_was_given_again_works_at_once(
    directory: &dyn Directory,
) {
    // All of this happens in one second.
    let add = |user: &str| {
        let user = person(user, Some("desk@acme.example"));
        directory.add(&user, &by(now())).wait().unwrap();
    };
    let payloads = [
        json!({ "id": "ada" }),
        json!({ "email": "desk@acme.example" }),
    ];
    add("ada");
    for user in ["ada", "bob"] {
        let before = payloads.clone().map(|payload| made_of(&payload, now()));
        directory.remove(&id("ada"), &by(now())).wait().unwrap();
        add(user);
        if user == "bob" {
            directory
                .add(&person("ada", None), &by(now()))
                .wait()
                .unwrap();
        }
        for payload in &payloads {
            let (claims, after) = made_of(payload, now());
            assert_eq!(redeem(directory, &after), "user_removed", "it is not known");
            directory
                .take_link(TakenLink::new(claims.clone(), None), &by(now()))
                .wait()
                .unwrap();
            assert_eq!(redeem(directory, &after), "signed_in");
        }
        for (_, before) in &before {
            assert_eq!(redeem(directory, before), "user_removed");
        }
    }
}

pub(super) fn a_code_without_iat_is_refused_after_a_removal(directory: &dyn Directory) {
    let codes = [ADA, r#""id":"ada""#].map(code_without_iat);
    assert_eq!(redeem(directory, &codes[0]), "provisioned");
    directory.remove(&id("ada"), &by(now())).wait().unwrap();
    directory
        .add(&person("ada", None), &by(now()))
        .wait()
        .unwrap();
    for code in &codes {
        assert_eq!(redeem(directory, code), "user_removed");
    }
}

pub(super) fn a_removal_by_a_clock_that_is_behind_counts(directory: &dyn Directory) {
    let before = code(ADA, -600);
    assert_eq!(redeem(directory, &before), "provisioned");
    directory
        .remove(&id("ada"), &by(at(-86_400)))
        .wait()
        .unwrap();
    assert_eq!(redeem(directory, &before), "user_removed");
}

pub(super) fn a_link_that_latchkey_makes_after_a_removal_works_at_once(directory: &dyn Directory) {
    // All of this happens in one second.
    let (claims, before) = made("ada", "", now());
    directory
        .take_link(TakenLink::new(claims.clone(), None), &by(now()))
        .wait()
        .unwrap();
    let mut before = vec![before];
    assert_eq!(redeem(directory, &before[0]), "provisioned");
    for round in 0..2 {
        directory.remove(&id("ada"), &by(now())).wait().unwrap();
        let (claims, after) = made("ada", "", now());
        assert_eq!(redeem(directory, &after), "user_removed", "it is not known");
        if round == 0 {
            directory
                .take_link(TakenLink::new(claims.clone(), None), &by(now()))
                .wait()
                .unwrap();
        } else {
            directory.link_shown(&claims, &by(now())).wait().unwrap();
        }
        for before in &before {
            assert_eq!(redeem(directory, before), "user_removed", "{round}");
        }
        assert_eq!(redeem(directory, &after), "provisioned", "{round}");
        before.push(after);
    }
}

pub(super) fn a_link_that_was_made_while_another_process_held_the_directory_works(
    directory: &dyn Directory,
) {
    directory
        .add(&person("ada", None), &by(now()))
        .wait()
        .unwrap();
    let entry = |number, claims: &Claims| OutboxEntry {
        number,
        at: now().as_second(),
        actor: Actor::CommandLine,
        address: None,
        event: Event::link_made(claims),
    };
    let (claims, before) = made("ada", "", now());
    directory
        .record_outbox(&[entry(1, &claims)])
        .wait()
        .unwrap();
    directory.remove(&id("ada"), &by(now())).wait().unwrap();
    let (claims, after) = made("ada", "", now());
    directory
        .record_outbox(&[entry(2, &claims)])
        .wait()
        .unwrap();
    assert_eq!(redeem(directory, &before), "user_removed");
    assert_eq!(redeem(directory, &after), "provisioned");
}

pub(super) fn an_edit_is_not_undone_by_a_code_that_is_dated_ahead(directory: &dyn Directory) {
    let with_team =
        |team: &str, issued| code(&format!(r#""user":{{"id":"ada","team":"{team}"}}"#), issued);
    redeem(directory, &with_team("link", -10));
    let edit = Profile {
        members: json!({ "team": "edit" }).as_object().unwrap().clone(),
        ..Profile::default()
    };
    directory
        .edit(&id("ada"), &edit, &by(now()))
        .wait()
        .unwrap();
    redeem(directory, &with_team("ahead", 50));
    assert_eq!(team(directory), r#"{"team":"edit"}"#);
    // One clock has issued both codes, so seconds decide between them.
    directory
        .edit(&id("ada"), &edit, &by(at(-130)))
        .wait()
        .unwrap();
    let bob = |team: &str, issued| {
        let code = code(&format!(r#""user":{{"id":"bob","team":"{team}"}}"#), issued);
        redeem(directory, &code);
        directory
            .known_user(&id("bob"))
            .wait()
            .unwrap()
            .metadata
            .json()
    };
    assert_eq!(bob("one", -50), r#"{"team":"one"}"#);
    assert_eq!(bob("two", -49), r#"{"team":"two"}"#);
    assert_eq!(bob("older", -50), r#"{"team":"two"}"#);
}

pub(super) fn a_link_that_latchkey_makes_after_an_edit_refreshes_the_profile(
    directory: &dyn Directory,
) {
    directory
        .add(&person("ada", None), &by(at(-500)))
        .wait()
        .unwrap();
    let (claims, before) = made("ada", "before", now());
    directory
        .take_link(TakenLink::new(claims.clone(), None), &by(now()))
        .wait()
        .unwrap();
    let edit = Profile {
        members: json!({ "team": "edit" }).as_object().unwrap().clone(),
        ..Profile::default()
    };
    directory
        .edit(&id("ada"), &edit, &by(now()))
        .wait()
        .unwrap();
    let (claims, after) = made("ada", "after", now());
    directory
        .take_link(TakenLink::new(claims.clone(), None), &by(now()))
        .wait()
        .unwrap();
    redeem(directory, &before);
    assert_eq!(team(directory), r#"{"team":"edit"}"#);
    redeem(directory, &after);
    assert_eq!(team(directory), r#"{"team":"after"}"#);
    redeem(directory, &before);
    assert_eq!(team(directory), r#"{"team":"after"}"#);
}

/// Returns a time a year after `at`, as a wrong clock shows it.
fn year_ahead() -> Timestamp {
    at(365 * 86_400)
}

pub(super) fn a_removal_in_the_future_is_reported_and_corrected(directory: &dyn Directory) {
    directory
        .add(&person("ada", None), &by(at(-500)))
        .wait()
        .unwrap();
    assert!(directory.times_ahead(at(-130)).wait().unwrap().is_empty());
    directory
        .remove(&id("ada"), &by(year_ahead()))
        .wait()
        .unwrap();
    let fresh = code(ADA, -60);
    let verdict = directory
        .dry_run(Ok(&fresh), Policy::default())
        .wait()
        .unwrap();
    assert_eq!(verdict.code(), "user_removed");
    let said = format!("{verdict:?}");
    assert!(said.contains("is_ahead: true"), "{said}");
    let ahead = directory.times_ahead(at(-130)).wait().unwrap();
    assert_eq!(ahead.len(), 1);
    assert!(ahead[0].is_removal && ahead[0].user == id("ada"));
    let notices = directory::notices(directory, at(-130)).wait().unwrap();
    assert_eq!(notices[0].code, "times_ahead");
    assert!(notices[0].message.contains("set these times to now"));
    assert_eq!(directory.correct_times(&by(at(-130))).wait().unwrap(), 1);
    assert!(directory.times_ahead(at(-130)).wait().unwrap().is_empty());
    assert!(
        directory::notices(directory, at(-130))
            .wait()
            .unwrap()
            .is_empty()
    );
    assert_eq!(redeem(directory, &code(ADA, -131)), "user_removed");
    assert_eq!(redeem(directory, &fresh), "provisioned");
    assert_eq!(directory.correct_times(&by(now())).wait().unwrap(), 0);
}

pub(super) fn a_profile_in_the_future_is_reported_and_corrected(directory: &dyn Directory) {
    let edit = Profile {
        members: json!({ "team": "edit" }).as_object().unwrap().clone(),
        ..Profile::default()
    };
    let mut many = 0;
    for number in 0..250 {
        let user = person(&format!("user-{number}"), None);
        directory.add(&user, &by(at(-500))).wait().unwrap();
        many += 1;
        directory
            .edit(&user.id, &edit, &by(year_ahead()))
            .wait()
            .unwrap();
    }
    let ada = person("ada", None);
    directory.add(&ada, &by(at(-500))).wait().unwrap();
    directory
        .edit(&ada.id, &edit, &by(year_ahead()))
        .wait()
        .unwrap();
    let fresh = code(r#""user":{"id":"ada","team":"fresh"}"#, -10);
    redeem(directory, &fresh);
    assert_eq!(team(directory), r#"{"team":"edit"}"#);
    assert_eq!(
        directory.correct_times(&by(at(-130))).wait().unwrap(),
        many + 1
    );
    assert!(directory.times_ahead(at(-130)).wait().unwrap().is_empty());
    redeem(directory, &fresh);
    assert_eq!(team(directory), r#"{"team":"fresh"}"#);
}
