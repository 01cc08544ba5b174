//! Tests of redeeming a code: what the verdict depends on, and what signing in changes.

use latchkey_core::activity::EventData;
use latchkey_core::directory::{Command, Decision, Effect, Profile, Redemption};
use latchkey_core::instance::Policy;
use latchkey_core::ledger::{LinkOrigin, RevocationScope};
use latchkey_core::protocol::code::VerifiedCode;
use latchkey_core::protocol::email::Email;
use latchkey_core::protocol::user_id::UserId;
use latchkey_core::protocol::uses::Uses;
use latchkey_core::session::{BrowserKey, NewSession, SessionId, SessionKey, SessionScope};
use latchkey_core::verdict::Verdict;
use serde_json::{Map, Value, json};

use crate::ledger_model::{Model, START, ada};

fn session_key(model: &Model) -> SessionKey {
    let now = jiff::Timestamp::from_second(model.now).unwrap();
    SessionId::new(now).unwrap().key()
}

/// Redeems a code in a browser. Returns the key of the session and the decision.
fn visit(model: &mut Model, code: &VerifiedCode, browser: &str) -> (SessionKey, Decision) {
    visit_instead(model, code, browser, None)
}

fn visit_instead(
    model: &mut Model,
    code: &VerifiedCode,
    browser: &str,
    replaces: Option<SessionKey>,
) -> (SessionKey, Decision) {
    let key = session_key(model);
    let redemption = Redemption {
        code: Ok(code.clone()),
        policy: Policy::default(),
        session: Some(NewSession {
            key,
            place: SessionScope::Page,
            browser: Some("Firefox".to_owned()),
            browser_key: BrowserKey::of(browser.repeat(22).as_bytes()),
            replaces,
        }),
    };
    (key, model.redeem_by(redemption))
}

fn code(decision: &Decision) -> &'static str {
    match &decision.outcome {
        latchkey_core::directory::Outcome::Verdict(verdict) => verdict.code(),
        other => panic!("{other:?}"),
    }
}

fn refreshes(verdict: &Verdict) -> bool {
    match verdict {
        Verdict::SignedIn {
            refreshes_profile, ..
        } => *refreshes_profile,
        other => panic!("{other:?}"),
    }
}

fn member(name: &str, value: &str) -> Map<String, Value> {
    let mut members = Map::new();
    members.insert(name.to_owned(), json!(value));
    members
}

#[test]
fn a_browser_repeats_its_use_while_its_session_goes_on() {
    let mut model = Model::new();
    let once = model.code(&json!({ "id": "ada", "jti": "once", "iat": START, "single_use": true }));
    let (session, first) = visit(&mut model, &once, "a");
    assert_eq!(code(&first), "signed_in");
    let (_, other) = visit(&mut model, &once, "b");
    assert_eq!(code(&other), "link_already_used", "another browser");
    let (session, again) = visit_instead(&mut model, &once, "a", Some(session));
    assert_eq!(code(&again), "signed_in");
    assert_eq!(model.link("once").used, 1);
    assert_eq!(model.link("once").recent.len(), 1);
    model.execute(&Command::EndSession(session));
    let (_, after) = visit(&mut model, &once, "a");
    assert_eq!(code(&after), "link_already_used", "it has signed out");
    assert_eq!(model.judge_code(&once).code(), "link_already_used");
}

#[test]
fn a_repeated_use_counts_again_if_its_session_has_ended_and_the_link_has_more() {
    let mut model = Model::new();
    let twice = model.code(&json!({ "id": "ada", "jti": "twice", "iat": START, "uses": 2 }));
    let (session, _) = visit(&mut model, &twice, "a");
    model.execute(&Command::EndSession(session));
    let (_, again) = visit(&mut model, &twice, "a");
    assert_eq!(code(&again), "signed_in");
    assert_eq!(model.link("twice").used, 2);
}

#[test]
fn a_session_is_a_record_of_the_sign_in_and_replaces_the_one_of_its_browser() {
    let mut model = Model::new();
    let often = model.code(&json!({ "id": "ada", "jti": "often", "iat": START, "exp": START + 9 }));
    let (first, _) = visit(&mut model, &often, "a");
    let session = model.facts.session(&first).flatten().unwrap();
    assert_eq!(session.user, ada());
    assert_eq!(session.link.as_deref(), Some("often"));
    assert_eq!(session.browser.as_deref(), Some("Firefox"));
    assert_eq!(session.code_expires_at, Some(START + 9));
    let (second, replaced) = visit_instead(&mut model, &often, "a", Some(first));
    assert!(replaced.effects.contains(&Effect::DeleteSession(first)));
    assert_eq!(model.facts.session(&first).flatten(), None);
    assert!(model.facts.session(&second).flatten().is_some());
    let (_, unknown) = visit_instead(&mut model, &often, "a", Some(first));
    assert!(!unknown.effects.contains(&Effect::DeleteSession(first)));
    let last = model.link("often").last_use.clone().unwrap();
    assert_eq!((last.at, last.browser.as_deref()), (START, Some("Firefox")));
}

#[test]
fn a_code_enters_the_ledger_with_its_first_sign_in_and_its_terms() {
    let terms = json!({
        "id": "ada", "jti": "shown", "iat": START - 1, "nbf": START - 2, "exp": START + 3, "uses": 4
    });
    let mut model = Model::new();
    let shown = model.code(&terms);
    let change = model.facts.change;
    model.redeem_code(&shown);
    let link = model.link("shown");
    assert_eq!(link.origin, LinkOrigin::Scanned);
    assert_eq!(link.issued_at, Some(START - 1));
    assert_eq!(link.not_before, Some(START - 2));
    assert_eq!(link.expires_at, Some(START + 3));
    assert_eq!(link.uses, Uses::limited(4).unwrap());
    assert_eq!(link.key.as_deref(), Some("key-1"));
    assert_eq!(link.taken_in, Some(change));
    assert_eq!((link.user.as_ref(), link.used), (Some(&ada()), 1));
    let theirs = VerifiedCode {
        link: "theirs".to_owned(),
        is_made_here: false,
        ..shown
    };
    model.redeem_code(&theirs);
    let link = model.link("theirs");
    assert_eq!((link.origin, link.taken_in), (LinkOrigin::Foreign, None));
}

#[test]
fn a_new_user_takes_a_seat_if_one_is_free() {
    let mut model = Model::new();
    let eve = json!({ "user": { "id": "eve" }, "jti": "eve", "iat": START });
    for (limit, expected) in [(1, "no_seats"), (2, "provisioned")] {
        model.execute(&Command::SetSeatLimit(Some(limit)));
        assert_eq!(model.judge_code(&model.code(&eve)).code(), expected);
    }
}

#[test]
fn an_address_of_another_user_is_refused_and_ones_own_is_not() {
    let mut model = Model::new();
    let profile = Profile {
        email: Some(Some(Email::parse("ada@acme.example", "email").unwrap())),
        members: Map::new(),
    };
    model.execute(&Command::Edit(ada(), profile));
    let bob =
        json!({ "user": { "id": "bob", "email": "bob@acme.example" }, "jti": "c", "iat": START });
    model.redeem_code(&model.code(&bob));
    for (user, email, expected) in [
        ("ada", "ada@acme.example", "signed_in"),
        ("ada", "bob@acme.example", "email_in_use"),
        ("ada", "other@acme.example", "signed_in"),
        ("eve", "ada@acme.example", "email_in_use"),
        ("eve", "eve@acme.example", "provisioned"),
    ] {
        let members = json!({ "user": { "id": user, "email": email }, "jti": "a", "iat": START });
        let found = model.judge_code(&model.code(&members)).code();
        assert_eq!(found, expected, "{user} {email}");
    }
    // Format 4 let several users have an address. They keep it.
    let ours = Email::parse("ada@acme.example", "email").unwrap();
    let mut shared = Model {
        facts: model.facts.clone(),
        now: model.now,
    };
    let mut users = shared.facts.email(&ours).cloned().unwrap();
    users.owner = Some(UserId::parse("bob", "id").unwrap());
    shared.facts.set_email(&ours, users);
    let own =
        json!({ "user": { "id": "ada", "email": "ada@acme.example" }, "jti": "d", "iat": START });
    assert_eq!(shared.judge_code(&shared.code(&own)).code(), "signed_in");
    // A refusal for an address names the user who has it.
    model.execute(&Command::Suspend(ada()));
    let by_email = json!({ "email": "ada@acme.example", "jti": "b", "iat": START });
    let refused = model.redeem_code(&model.code(&by_email));
    assert_eq!(code(&refused), "user_suspended");
    assert!(matches!(
        refused.entries[0].event.data,
        EventData::Refused(_)
    ));
    assert_eq!(refused.entries[0].user, Some(ada()));
}

#[test]
fn a_code_refreshes_the_profile_if_it_is_newer_by_the_clock_that_set_it() {
    let named = |name: &str, iat: i64| json!({ "user": { "id": "ada", "name": name }, "jti": format!("{name} {iat}"), "iat": iat });
    let judge = |model: &Model, iat| refreshes(&model.judge_code(&model.code(&named("A", iat))));
    // An administrator has set it: the issuer's clock may be a minute ahead.
    let mut model = Model::new();
    assert!(!judge(&model, START + 60));
    assert!(judge(&model, START + 61));
    // A link that was made here afterwards needs no clock.
    model.show_of(&named("A", START));
    assert!(judge(&model, START));
    // A code has set it: both times are of the issuer's clock.
    model.now = START + 70;
    model.redeem_code(&model.code(&named("Lovelace", START + 61)));
    assert!(!judge(&model, START + 61));
    assert!(judge(&model, START + 62));
    let user = model.facts.user(&ada()).unwrap();
    assert_eq!(user.metadata.display_name(), Some("Lovelace"));
    // A user whom a code has created at this very second.
    let mut model = Model::new();
    model.execute(&Command::Remove(ada()));
    model.now = START + 100;
    model.redeem_code(&model.code(&named("B", model.now)));
    assert!(judge(&model, model.now + 1));
    // After an edit, the administrator's clock counts again.
    let profile = Profile {
        email: None,
        members: member("name", "C"),
    };
    model.now += 10;
    model.execute(&Command::Edit(ada(), profile));
    assert!(!judge(&model, model.now + 60));
    assert!(judge(&model, model.now + 61));
}

#[test]
fn a_refreshed_profile_keeps_the_members_that_the_code_lacks() {
    let mut model = Model::new();
    let refresh = |model: &mut Model, user: Value| {
        model.now += 100;
        let members = json!({ "user": user, "jti": model.now.to_string(), "iat": model.now });
        let redeemed = model.redeem_code(&model.code(&members));
        assert_eq!(code(&redeemed), "signed_in");
        let user = model.facts.user(&ada()).unwrap();
        let email = user.email.as_ref().map(|email| email.as_str().to_owned());
        (email, user.metadata.json())
    };
    let email = || Some("ada@acme.example".to_owned());
    let both = json!({ "id": "ada", "email": "ada@acme.example", "team": "one" });
    let team = |team: &str| format!(r#"{{"team":"{team}"}}"#);
    assert_eq!(refresh(&mut model, both), (email(), team("one")));
    let bare = json!({ "id": "ada" });
    assert_eq!(refresh(&mut model, bare), (email(), team("one")));
    let other = json!({ "id": "ada", "team": "two" });
    assert_eq!(refresh(&mut model, other), (email(), team("two")));
}

#[test]
fn a_code_with_the_id_of_a_link_for_another_person_is_refused_and_takes_nothing_over() {
    let theirs = |model: &Model, members: &Value| VerifiedCode {
        is_made_here: false,
        ..model.code(members)
    };
    let mut model = Model::new();
    let email = Email::parse("bob@acme.example", "email").unwrap();
    let bob = json!({ "user": { "id": "bob", "email": email.as_str() }, "jti": "b", "iat": START });
    model.redeem_code(&model.code(&bob));
    let given = json!({ "user": { "id": "ada" }, "jti": "given", "iat": START, "uses": 2 });
    model.take_of(&given, false);
    let foreign = json!({ "id": "ada", "jti": "foreign", "iat": START });
    model.redeem_code(&theirs(&model, &foreign));
    for link in ["given", "foreign"] {
        let before = model.link(link).clone();
        for person in [
            json!({ "id": "bob" }),
            json!({ "email": "bob@acme.example" }),
            json!({ "user": { "id": "eve" } }),
        ] {
            let mut members = json!({ "jti": link, "iat": START });
            let all = members.as_object_mut().unwrap();
            all.extend(person.as_object().unwrap().clone());
            let refused = model.redeem_code(&theirs(&model, &members));
            assert_eq!(code(&refused), "unknown_link", "{link} {person}");
            assert_eq!(refused.effects, [], "{link} {person}");
            assert_eq!(model.link(link), &before, "{link} {person}");
        }
    }
    for (members, expected) in [(&given, "signed_in"), (&foreign, "signed_in")] {
        let signed_in = model.redeem_code(&theirs(&model, members));
        assert_eq!(code(&signed_in), expected);
    }
    // Another spelling of the same person is the same link.
    let by_id = json!({ "id": "ada", "jti": "given", "iat": START, "uses": 2 });
    assert_eq!(
        code(&model.redeem_code(&theirs(&model, &by_id))),
        "signed_in"
    );
    assert_eq!(model.link("given").used, 2);
    // A code that was revoked before it was used has no person yet.
    model.revoke(latchkey_core::ledger::RevocationScope::Link(
        "early".to_owned(),
    ));
    let early = json!({ "id": "bob", "jti": "early", "iat": START });
    assert_eq!(
        model.judge_code(&theirs(&model, &early)).code(),
        "link_revoked"
    );
}

#[test]
fn a_code_that_names_a_link_gets_no_more_uses_than_the_ledger_gives_it() {
    let mut model = Model::new();
    let given = json!({ "user": { "id": "ada" }, "jti": "given", "iat": START, "uses": 2 });
    model.take_of(&given, false);
    let wider = json!({ "user": { "id": "ada" }, "jti": "given", "iat": START, "uses": 9 });
    let unlimited = json!({ "id": "ada", "jti": "given", "iat": START });
    let narrower = json!({ "id": "ada", "jti": "given", "iat": START, "single_use": true });
    for (members, expected) in [
        (&wider, "signed_in"),
        (&narrower, "link_already_used"),
        (&unlimited, "signed_in"),
        (&wider, "link_already_used"),
        (&unlimited, "link_already_used"),
        (&given, "link_already_used"),
    ] {
        let redeemed = model.redeem_code(&model.code(members));
        assert_eq!(code(&redeemed), expected, "{members}");
    }
    let link = model.link("given");
    assert_eq!((link.uses.limit(), link.used), (Some(2), 2));
}

#[test]
fn a_link_for_an_address_that_was_superseded_before_its_owner_was_revoked_counts_as_revoked() {
    let mut model = Model::new();
    let of_address = |link: &str| json!({ "email": "bob@acme.example", "jti": link, "iat": START });
    model.take_of(&of_address("older"), false);
    model.take_of(&of_address("newer"), true);
    let bob =
        json!({ "user": { "id": "bob", "email": "bob@acme.example" }, "jti": "b", "iat": START });
    model.redeem_code(&model.code(&bob));
    let verdict = |model: &Model| {
        let verdict = model.judge_code(&model.code(&of_address("older")));
        verdict.code()
    };
    assert_eq!(verdict(&model), "link_superseded");
    model.revoke(RevocationScope::Person(UserId::parse("bob", "id").unwrap()));
    assert_eq!(verdict(&model), "link_revoked");
}
