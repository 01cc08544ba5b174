//! Asking for a new link, decided from facts.

use latchkey_core::ErrorCode;
use latchkey_core::activity::EventData;
use latchkey_core::directory::{Command, Origin, Profile, User};
use latchkey_core::instance::Settings;
use latchkey_core::ledger::{
    LinkPerson, MAX_REQUESTS, NewLinkRequest, REQUEST_SECS, RequestEnd, RequestReason, Revocation,
    RevocationScope,
};
use latchkey_core::link::anew;
use latchkey_core::protocol::claims::Claims;
use latchkey_core::protocol::code::{Algorithm, CodeRefusal, read_askable, sign, verify};
use latchkey_core::protocol::lifetime::Lifetime;
use latchkey_core::protocol::metadata::Metadata;
use latchkey_core::secret::SigningKey;
use latchkey_core::verdict::Status;
use serde_json::json;

use crate::request_model::{Model, RULES, START, at, claims, id, request_for, week};

/// Lets ada sign in, and then lets the link expire.
fn expired() -> (Model, Claims) {
    let (mut model, link) = (Model::new(), claims("ada", "1", &week()));
    model.take(&link, false);
    model.redeem(&link);
    model.now += 8 * 86_400;
    (model, link)
}

#[test]
fn a_new_link_is_asked_for_if_the_old_one_has_expired_is_used_up_or_was_superseded() {
    let (model, link) = expired();
    assert_eq!(model.reason(&link), Some(RequestReason::Expired));

    let mut model = Model::new();
    let once = claims("ada", "1", &json!({ "single_use": true }));
    model.take(&once, false);
    assert_eq!(model.reason(&once), None, "the link works");
    model.redeem(&once);
    assert_eq!(model.reason(&once), Some(RequestReason::UsedUp));

    let (mut model, old) = (Model::new(), claims("ada", "1", &week()));
    model.take(&old, false);
    model.take(&claims("ada", "2", &week()), true);
    assert_eq!(model.reason(&old), Some(RequestReason::Superseded));
}

#[test]
fn no_new_link_is_asked_for_after_a_revocation_also_if_the_link_has_expired() {
    for scope in [
        RevocationScope::Link("1".to_owned()),
        RevocationScope::Person(id("ada")),
        RevocationScope::Before(START + 60),
    ] {
        let (mut model, link) = expired();
        model.revoke(scope.clone());
        assert_eq!(model.reason(&link), None, "{scope:?}");
        let refused = model.ask(&link).unwrap_err();
        assert_eq!(refused.code, ErrorCode::NotAskable, "{scope:?}");
    }
}

#[test]
fn no_new_link_is_asked_for_by_a_person_who_may_not_sign_in() {
    for stop in [Command::Suspend(id("ada")), Command::Remove(id("ada"))] {
        let (mut model, link) = expired();
        model.execute(&stop).unwrap();
        assert_eq!(model.reason(&link), None, "{stop:?}");
        // A link that is used up says so before it says anything about the person.
        let mut model = Model::new();
        let once = claims("ada", "1", &json!({ "single_use": true }));
        model.redeem(&once);
        model.execute(&stop).unwrap();
        assert_eq!(model.reason(&once), None, "{stop:?}");
    }
    let (mut model, link) = expired();
    model.policy.external_auth = false;
    assert_eq!(model.reason(&link), None);
}

#[test]
fn no_new_link_is_asked_for_by_a_person_whose_account_has_ended() {
    let (mut model, link) = expired();
    let end = model.now + 600;
    let ends = Command::SetAccountEnd(id("ada"), Some(end));
    model.execute(&ends).unwrap();
    assert_eq!(model.reason(&link), Some(RequestReason::Expired));
    model.now = end;
    assert_eq!(model.reason(&link), None);
}

#[test]
fn a_link_that_expired_long_ago_is_no_reason_to_ask() {
    let (mut model, link) = expired();
    let end = link.registered.expires_at.unwrap();
    model.now = end + REQUEST_SECS - 1;
    assert_eq!(model.reason(&link), Some(RequestReason::Expired));
    model.now = end + REQUEST_SECS;
    assert_eq!(model.reason(&link), None);
}

#[test]
fn a_new_link_is_asked_for_where_the_administrator_can_still_let_the_person_in() {
    let mut members = json!({ "id": "nobody", "jti": "1", "iat": START, "exp": START + 60 });
    let members = members.as_object_mut().unwrap();
    let mut model = Model::new();
    model.now += 3600;
    let unknown = Claims::from_signed(members).unwrap();
    assert_eq!(model.reason(&unknown), Some(RequestReason::Expired));
    let new = claims("ada", "1", &json!({ "exp": START + 60 }));
    model.execute(&Command::SetSeatLimit(Some(0))).unwrap();
    assert_eq!(model.reason(&new), Some(RequestReason::Expired));
}

#[test]
fn a_person_has_one_open_request_whatever_link_they_ask_with() {
    let (mut model, link) = expired();
    let decision = model.ask(&link).unwrap();
    assert_eq!(decision.entries.len(), 1);
    assert_eq!(decision.entries[0].event.data.code(), "link_asked");
    let first = model.request_of("ada").unwrap().clone();
    assert_eq!(
        (first.link.as_str(), first.reason),
        ("1", RequestReason::Expired)
    );
    assert_eq!(first.asked_at, model.now);
    model.now += 60;
    for again in [link, claims("ada", "2", &week())] {
        let decision = model.ask(&again).unwrap();
        assert_eq!((decision.effects.len(), decision.entries.len()), (0, 0));
    }
    assert_eq!(model.request_of("ada"), Some(&first));
}

#[test]
fn the_oldest_requests_stay_when_there_are_too_many() {
    let (mut model, link) = expired();
    model.ask(&link).unwrap();
    let first = model.open[0].clone();
    model.open = vec![first; MAX_REQUESTS];
    let late = claims("late", "2", &week());
    let refused = model.ask(&late).unwrap_err();
    assert_eq!(refused.code, ErrorCode::TooMany);
    assert_eq!(model.request_of("late"), None);
    // Who has asked already sees the same page as before.
    model.ask(&link).unwrap();
    assert!(model.request_of("ada").is_some());
    model.open.pop();
    model.ask(&late).unwrap();
    assert!(model.request_of("late").is_some());
}

#[test]
fn a_suspension_a_removal_and_a_revocation_of_all_links_close_the_request() {
    let all = Revocation {
        scope: RevocationScope::Person(id("ada")),
        ends_sessions: false,
        allows_unknown: true,
    };
    let closed = EventData::LinkRequestClosed {
        how: RequestEnd::Revoked,
    };
    for (command, also) in [
        (Command::Suspend(id("ada")), None),
        (Command::Remove(id("ada")), None),
        (Command::RevokeLinks(all), Some(closed)),
    ] {
        let (mut model, link) = expired();
        model.ask(&link).unwrap();
        let decision = model.execute(&command).unwrap();
        let mut entries = decision.entries.into_iter().skip(1);
        let told = entries.next().map(|entry| entry.event.data);
        assert_eq!((told, entries.next()), (also, None), "{command:?}");
        assert_eq!(model.request_of("ada"), None, "{command:?}");
    }
}

#[test]
fn a_removal_also_closes_a_request_by_the_address_from_before_the_user_had_it() {
    let mut members =
        json!({ "email": "ada@acme.example", "jti": "1", "iat": START, "exp": START + 60 });
    let by_address = Claims::from_signed(members.as_object_mut().unwrap()).unwrap();
    let mut model = Model::new();
    model.now += 3600;
    model.ask(&by_address).unwrap();
    let more = json!({ "user": { "id": "ada", "email": "ada@acme.example" }, "iat": model.now });
    model.redeem(&claims("ada", "2", &more));
    assert_eq!(model.open.len(), 1);
    model.execute(&Command::Remove(id("ada"))).unwrap();
    assert_eq!(model.open, []);
}

#[test]
fn a_new_link_grants_the_request_and_only_the_one_that_was_seen() {
    let (mut model, link) = expired();
    model.ask(&link).unwrap();
    let seen = model.request_of("ada").unwrap().reference();
    model
        .execute(&Command::DismissRequest(seen.clone()))
        .unwrap();
    model.ask(&link).unwrap();
    let open = model.request_of("ada").unwrap().reference();
    let refused = model.grant(&seen, "2").unwrap_err();
    assert_eq!(refused.code, ErrorCode::UnknownRequest);
    assert!(
        model.facts.link("2").flatten().is_none(),
        "nothing is half done"
    );
    let refused = model.execute(&Command::DismissRequest(seen)).unwrap_err();
    assert_eq!(refused.code, ErrorCode::UnknownRequest);
    let decision = model.grant(&open, "3").unwrap();
    let codes: Vec<&str> = decision
        .entries
        .iter()
        .map(|entry| entry.event.data.code())
        .collect();
    assert_eq!(codes, ["link_made", "link_request_closed"]);
    assert!(model.facts.link("3").flatten().is_some());
    assert_eq!(model.request_of("ada"), None);
}

/// A change after which a request cannot be granted, with its name.
type Closing = (&'static str, fn(&mut Model));

/// Changes after which the request of Ada cannot be granted.
fn closings() -> [Closing; 3] {
    [
        ("its key was given up as leaked", |model| {
            model.revoke(RevocationScope::Key("key-1".to_owned()));
        }),
        ("everything was revoked", |model| {
            model.revoke(RevocationScope::Before(model.now));
        }),
        ("the account has ended", |model| {
            let end = model.now + 600;
            let ends = Command::SetAccountEnd(id("ada"), Some(end));
            model.execute(&ends).unwrap();
            assert!(model.is_open("ada"), "the account has not ended yet");
            model.now = end;
        }),
    ]
}

#[test]
fn a_request_that_may_not_be_granted_any_more_closes_by_itself() {
    for (what, close) in closings() {
        let (mut model, link) = expired();
        model.ask(&link).unwrap();
        assert!(model.is_open("ada"), "{what}");
        close(&mut model);
        assert!(!model.is_open("ada"), "{what}");
        let request = model.request_of("ada").unwrap().reference();
        let dismissing = Command::DismissRequest(request.clone());
        for refused in [model.grant(&request, "2"), model.execute(&dismissing)] {
            let refused = refused.unwrap_err();
            assert_eq!(refused.code, ErrorCode::UnknownRequest, "{what}");
        }
        let entered = model.facts.link("2").flatten();
        assert!(entered.is_none(), "{what}: nothing is half done");
    }
}

#[test]
fn revoking_a_link_closes_the_request_that_was_made_with_it_and_says_so() {
    for revoked in ["1", "2"] {
        let (mut model, link) = expired();
        model.take(&claims("ada", "2", &week()), false);
        model.ask(&link).unwrap();
        let decision = model.revoke(RevocationScope::Link(revoked.to_owned()));
        let codes = decision.entries.iter().map(|entry| entry.event.data.code());
        let codes: Vec<&str> = codes.collect();
        if revoked == "1" {
            assert_eq!(codes, ["revoked", "link_request_closed"]);
            let closed = &decision.entries.last().unwrap().event;
            assert_eq!(closed.link.as_deref(), Some("1"));
            let how = RequestEnd::Revoked;
            assert_eq!(closed.data, EventData::LinkRequestClosed { how });
            assert_eq!(model.request_of("ada"), None);
        } else {
            assert_eq!(codes, ["revoked"], "the request is about another link");
            assert!(model.is_open("ada"));
        }
    }
}

#[test]
fn a_link_that_was_used_up_or_had_expired_first_is_asked_for_as_such() {
    let newer = claims("ada", "2", &week());
    let (mut model, link) = expired();
    model.take(&newer, true);
    assert_eq!(model.reason(&link), Some(RequestReason::Expired));
    let (mut model, once) = (
        Model::new(),
        claims("ada", "1", &json!({ "single_use": true })),
    );
    model.take(&once, false);
    model.redeem(&once);
    model.now += 60;
    model.take(&newer, true);
    assert_eq!(model.reason(&once), Some(RequestReason::UsedUp));
}

#[test]
fn a_link_that_was_used_up_before_it_was_taken_back_is_refused_as_used_up() {
    let once = claims("ada", "1", &json!({ "single_use": true }));
    for revokes in [true, false] {
        for is_used in [true, false] {
            let mut model = Model::new();
            model.take(&once, false);
            if is_used {
                model.redeem(&once);
            }
            model.now += 60;
            let expected = if revokes {
                model.revoke(RevocationScope::Link("1".to_owned()));
                assert_eq!(model.reason(&once), None, "no link is asked for");
                "link_revoked"
            } else {
                model.take(&claims("ada", "2", &week()), true);
                "link_superseded"
            };
            let decision = model.redeem(&once);
            let found = decision.entries.first().unwrap().event.data.code();
            let expected = if is_used {
                "link_already_used"
            } else {
                expected
            };
            assert_eq!(found, expected);
        }
    }
}

#[test]
fn a_request_by_a_code_that_is_not_in_the_ledger_closes_with_its_key() {
    let mut model = Model::new();
    let request = NewLinkRequest {
        key: Some("key-1".to_owned()),
        ..request_for(&claims("ada", "1", &week()))
    };
    model
        .facts
        .set_request(LinkPerson::User(id("ada")), Some(request));
    model.now += 60;
    model.revoke(RevocationScope::Key("key-2".to_owned()));
    assert!(model.is_open("ada"));
    model.revoke(RevocationScope::Key("key-1".to_owned()));
    assert!(!model.is_open("ada"));
}

#[test]
fn a_person_whose_request_has_closed_by_itself_can_ask_by_another_link() {
    let (mut model, link) = expired();
    let other = claims("ada", "2", &week());
    model.take(&other, false);
    model.ask(&link).unwrap();
    model.revoke(RevocationScope::Link("1".to_owned()));
    assert_eq!(model.ask(&link).unwrap_err().code, ErrorCode::NotAskable);
    model.ask(&other).unwrap();
    assert!(model.is_open("ada"));
    assert_eq!(model.request_of("ada").unwrap().link, "2");
}

#[test]
fn a_former_user_of_an_address_asks_for_nothing_unless_the_link_would_create_an_account() {
    let address =
        json!({ "email": "ada@acme.example", "jti": "1", "iat": START, "exp": START + 60 });
    let by_address = Claims::from_signed(address.as_object().unwrap()).unwrap();
    let mut model = Model::new();
    model.now += 3600;
    let reason = Some(RequestReason::Expired);
    assert_eq!(model.reason(&by_address), reason, "nobody has had it");
    let user = json!({ "user": { "id": "ada", "email": "ada@acme.example" }, "iat": model.now });
    model.redeem(&claims("ada", "2", &user));
    assert_eq!(model.reason(&by_address), reason, "ada has it");
    let moved = Profile {
        email: Some(None),
        members: serde_json::Map::new(),
    };
    model.execute(&Command::Edit(id("ada"), moved)).unwrap();
    assert_eq!(model.reason(&by_address), None, "nobody has it any more");
    let eve = json!({ "user": { "id": "eve", "email": "ada@acme.example" }, "exp": START + 60 });
    let creates = claims("eve", "3", &eve);
    assert_eq!(model.reason(&creates), reason, "it would create eve");
}

#[test]
fn the_new_link_is_for_the_same_person_and_works_as_long_and_as_often() {
    let settings = Settings::sample().unwrap();
    let key = SigningKey::generate(settings.algorithm).unwrap();
    let now = at(START + 900_000);
    for (more, lifetime) in [
        (
            json!({ "exp": START + 3600, "uses": 3 }),
            Lifetime::Secs(3600),
        ),
        (
            json!({ "nbf": START + 600, "exp": START + 3600, "single_use": true }),
            Lifetime::Secs(3000),
        ),
        // A link without an end is not made again without an end.
        (json!({ "single_use": true }), settings.lifetime),
        (
            json!({ "iat": START + 7200, "exp": START }),
            settings.lifetime,
        ),
    ] {
        let old = claims("ada", "1", &more);
        let request = request_for(&old);
        let new = anew::composed(&request, None, &settings, &key, now).unwrap();
        let registered = &new.claims.registered;
        assert_eq!(registered.uses, old.registered.uses, "{more}");
        assert_eq!(registered.expires_at, lifetime.expires_at(now), "{more}");
        assert_eq!(
            (registered.not_before, registered.issued_at),
            (None, Some(now.as_second()))
        );
        assert_ne!(registered.id, old.registered.id);
        assert_eq!(new.claims.members()["user"], old.members()["user"]);
    }
}

#[test]
fn the_new_link_for_an_existing_user_brings_no_old_profile_and_no_old_end_of_the_account() {
    let settings = Settings::sample().unwrap();
    let key = SigningKey::generate(settings.algorithm).unwrap();
    let old = claims(
        "ada",
        "1",
        &json!({ "exp": START + 60, "account_ends": START + 600 }),
    );
    let request = request_for(&old);
    let ada = User {
        id: id("ada"),
        email: None,
        metadata: Metadata::default(),
        status: Status::Active,
        origin: Origin::Link,
        created_at: START,
        last_sign_in: Some(START),
        sign_ins: 1,
        profile_as_of: START,
        generation: 1,
        ends_at: None,
    };
    let now = at(START + 900);
    let new = anew::composed(&request, Some(&ada), &settings, &key, now).unwrap();
    let members = new.claims.members();
    assert_eq!(members["id"], "ada");
    assert!(!members.contains_key("user") && !members.contains_key("account_ends"));
}

#[test]
fn a_code_is_read_although_it_has_expired_and_for_no_other_fault() {
    let [key, other] = [(); 2].map(|()| SigningKey::generate(Algorithm::HS256).unwrap());
    let now = at(START + 900_000);
    let signed = |claims: &Claims, key: &SigningKey| sign(claims, key, Algorithm::HS256).unwrap();
    let expired = claims("ada", "1", &week());
    let code = signed(&expired, &key);
    assert!(read_askable(code.expose(), &[&key], RULES, now).is_ok());
    let refused = verify(code.expose(), &[&key], RULES, now).unwrap_err();
    assert!(
        matches!(refused, CodeRefusal::Expired { .. }),
        "{refused:?}"
    );
    let foreign = read_askable(signed(&expired, &other).expose(), &[&key], RULES, now);
    assert_eq!(foreign.unwrap_err(), CodeRefusal::BadSignature);
    let early = claims("ada", "1", &json!({ "nbf": START + 2_000_000 }));
    let early = read_askable(signed(&early, &key).expose(), &[&key], RULES, now);
    assert!(matches!(
        early.unwrap_err(),
        CodeRefusal::NotYetValid { .. }
    ));
}
