//! Tests of how the ledger changes when links are given out and taken back.

use latchkey_core::ErrorCode;
use latchkey_core::activity::EventData;
use latchkey_core::directory::{Command, Decision, Effect, Outcome, Profile, TimeAhead};
use latchkey_core::ledger::{GivenAs, LinkOrigin, Revocation, RevocationScope, TakenLink};
use latchkey_core::protocol::claims::Claims;
use latchkey_core::session::{Session, SessionScope};
use serde_json::{Map, json};

use crate::ledger_model::{Model, START, ada};

fn is_empty(decision: &Decision) -> bool {
    decision.effects.is_empty() && decision.entries.is_empty()
}

fn data(decision: &Decision) -> &EventData {
    &decision.entries[0].event.data
}

fn link(id: &str) -> RevocationScope {
    RevocationScope::Link(id.to_owned())
}

#[test]
fn a_link_enters_with_the_name_in_its_payload_or_that_of_its_user() {
    let mut model = Model::new();
    let named = json!({ "user": { "id": "eve", "name": "Eve" }, "jti": "new", "iat": START });
    assert_eq!(data(&model.take_of(&named, false)), &EventData::LinkMade);
    assert_eq!(model.link("new").name.as_deref(), Some("Eve"));
    assert_eq!(model.link("new").subject.as_deref(), Some("eve"));
    let mut members = Map::new();
    members.insert("name".to_owned(), json!("Ada"));
    let profile = Profile {
        email: None,
        members,
    };
    model.execute(&Command::Edit(ada(), profile));
    model.take_of(&json!({ "id": "ada", "jti": "known", "iat": START }), false);
    assert_eq!(model.link("known").name.as_deref(), Some("Ada"));
    model.take("unnamed", false);
    assert_eq!(model.link("unnamed").name.as_deref(), Some("Ada"));
}

#[test]
fn a_link_that_is_given_out_again_keeps_its_entry_and_its_place() {
    let mut model = Model::new();
    model.take("a", false);
    let first = model.link("a").clone();
    model.now += 100;
    let decision = model.take_of(
        &json!({ "user": { "id": "ada" }, "jti": "a", "iat": START }),
        false,
    );
    let expected = EventData::LinkGivenOut {
        given: GivenAs::Link,
    };
    assert_eq!(data(&decision), &expected);
    let again = model.link("a");
    assert_eq!(again.given.len(), 2);
    assert_eq!(again.entered_at, first.entered_at);
    assert_eq!(again.taken_in, first.taken_in);
    let change = model.facts.change;
    model.take("a", true);
    assert_eq!(
        model.link("a").taken_in,
        Some(change),
        "it is the latest now"
    );
    model.revoke(RevocationScope::Person(ada()));
    model.take("a", true);
    assert_eq!(model.link("a").taken_in, Some(change), "it stays revoked");
}

#[test]
fn links_are_revoked_up_to_now_and_not_up_to_a_time_in_the_future() {
    for (before, is_done) in [(START - 1, true), (START, true), (START + 1, false)] {
        let mut model = Model::new();
        let revoked = model.try_execute(&Command::RevokeLinks(Revocation {
            scope: RevocationScope::Before(before),
            ends_sessions: false,
            allows_unknown: true,
        }));
        if is_done {
            revoked.unwrap();
            let cutoff = model.facts.cutoffs.revoked.unwrap();
            assert_eq!((cutoff.at, cutoff.before), (START, Some(before)));
        } else {
            let error = revoked.unwrap_err();
            assert_eq!(error.code, ErrorCode::InvalidSetting);
            assert_eq!(error.field.as_deref(), Some("before"));
        }
    }
}

#[test]
fn links_of_a_key_are_revoked_and_only_the_latest_32_keys_are_kept() {
    let mut model = Model::new();
    model.take("a", false);
    let later = json!({ "user": { "id": "ada" }, "jti": "later", "iat": START + 1 });
    let claims = Claims::from_signed(later.as_object().unwrap()).unwrap();
    let of_another_key = TakenLink::new(claims, Some("key-0".to_owned()));
    model.execute(&Command::TakeLink(Box::new(of_another_key)));
    model.revoke(RevocationScope::Key("key-2".to_owned()));
    assert_eq!(model.verdict("a", START), "signed_in");
    model.revoke(RevocationScope::Key("key-1".to_owned()));
    assert_eq!(model.verdict("a", START), "link_revoked");
    model.revoke(RevocationScope::Key("key-2".to_owned()));
    let keys = |model: &Model| -> Vec<String> {
        let keys = model.facts.cutoffs.keys.iter();
        keys.map(|(key, _)| key.clone()).collect()
    };
    assert_eq!(keys(&model), ["key-1", "key-2"]);
    for number in 3..=33 {
        model.revoke(RevocationScope::Key(format!("key-{number}")));
    }
    let expected: Vec<_> = (2..=33).map(|number| format!("key-{number}")).collect();
    assert_eq!(keys(&model), expected);
    // The cutoff of the first key counts by its time now.
    assert_eq!(model.verdict("a", START), "link_revoked");
    assert_eq!(model.verdict("later", START + 1), "signed_in");
}

#[test]
fn revoking_a_link_again_changes_nothing_unless_it_also_ends_its_sessions() {
    let mut model = Model::new();
    model.take("a", false);
    let revoked = model.revoke_with(link("a"), false);
    assert_eq!(data(&revoked), &EventData::LinkRevoked);
    model.now += 10;
    assert!(is_empty(&model.revoke_with(link("a"), false)));
    assert!(!model.link("a").revoked_ends_sessions);
    let ending = model.revoke_with(link("a"), true);
    let expected = EventData::LinksRevoked {
        scope: link("a"),
        ends_sessions: true,
    };
    assert_eq!(data(&ending), &expected);
    for ends_sessions in [false, true] {
        assert!(is_empty(&model.revoke_with(link("a"), ends_sessions)));
    }
    let revoked = model.link("a");
    assert!(revoked.revoked_ends_sessions);
    assert_eq!(revoked.revoked_at, Some(START));
    // A link that is not in the ledger is another system's.
    model.revoke(link("theirs"));
    assert_eq!(model.link("theirs").origin, LinkOrigin::Foreign);
    assert_eq!(model.verdict("theirs", START), "link_revoked");
}

#[test]
fn sessions_are_compared_with_their_links_only_after_one_was_revoked_with_them() {
    let mut model = Model::new();
    let notes = |decision: &Decision| {
        let effects = decision.effects.iter();
        let notes = effects.filter(|effect| matches!(effect, Effect::SetInstanceCutoffs(_)));
        notes.count()
    };
    for scope in [link("a"), RevocationScope::Person(ada())] {
        assert_eq!(notes(&model.revoke_with(scope, false)), 0);
        assert!(!model.facts.cutoffs.any_ends_sessions);
    }
    assert_eq!(notes(&model.revoke_with(link("b"), true)), 1);
    assert!(model.facts.cutoffs.any_ends_sessions);
    assert_eq!(notes(&model.revoke_with(link("c"), true)), 0);
    let mut model = Model::new();
    assert_eq!(
        notes(&model.revoke_with(RevocationScope::Person(ada()), true)),
        1
    );
    assert!(model.facts.cutoffs.any_ends_sessions);
}

#[test]
fn a_code_that_is_not_in_the_ledger_is_revoked_with_the_key_that_verified_it() {
    let mut model = Model::new();
    let members = json!({ "id": "ada", "jti": "theirs", "iat": model.now - 100 });
    let mut code = model.code(&members);
    code.is_made_here = false;
    let mut other = code.clone();
    other.key_id = Some("key-2".to_owned());
    model.revoke(RevocationScope::Key("key-1".to_owned()));
    assert_eq!(model.judge_code(&code).code(), "link_revoked");
    assert_eq!(model.judge_code(&other).code(), "signed_in");
    other.key_id = None;
    assert_eq!(model.judge_code(&other).code(), "signed_in");
}

#[test]
fn times_of_cutoffs_that_lie_in_the_future_are_corrected() {
    let mut model = Model::new();
    let now = model.now;
    model.now += 5_000;
    model.revoke(RevocationScope::Person(ada()));
    model.revoke(RevocationScope::Before(now + 4_000));
    model.revoke(RevocationScope::Key("key-1".to_owned()));
    model.now = now + 200;
    let members = json!({ "id": "ada", "jti": "theirs", "iat": model.now });
    let mut code = model.code(&members);
    code.is_made_here = false;
    assert_eq!(model.judge_code(&code).code(), "link_revoked");
    model.now += 5;
    let found = TimeAhead {
        user: ada(),
        is_removal: false,
        is_cutoff: true,
        at: now + 5_000,
    };
    let decision = model.execute(&Command::CorrectTimes(vec![found.clone()]));
    assert_eq!(decision.outcome, Outcome::Count(2));
    assert_eq!(decision.entries.len(), 1);
    let again = model.execute(&Command::CorrectTimes(vec![found]));
    assert_eq!(again.outcome, Outcome::Count(0));
    assert_eq!(model.judge_code(&code).code(), "link_revoked");
    let members = json!({ "id": "ada", "jti": "theirs", "iat": model.now + 61 });
    model.now += 61;
    let mut later = model.code(&members);
    later.is_made_here = false;
    assert_eq!(model.judge_code(&later).code(), "signed_in");
}

#[test]
fn a_person_keeps_both_cutoffs() {
    let mut model = Model::new();
    model.take("a", false);
    model.take("b", true);
    model.revoke(RevocationScope::Person(ada()));
    model.take("c", true);
    let cutoffs = model.facts.person(&ada()).unwrap().cutoffs.clone();
    assert!(cutoffs.revoked.is_some());
    let (revoked, superseded) = (cutoffs.revoked.unwrap(), cutoffs.superseded.unwrap());
    assert!(revoked.change < superseded.change);
    // The end of sessions is kept, too.
    model.revoke_with(RevocationScope::Person(ada()), true);
    model.revoke(RevocationScope::Person(ada()));
    let cutoffs = model.facts.person(&ada()).unwrap().cutoffs.clone();
    let (revoked, ended) = (cutoffs.revoked.unwrap(), cutoffs.ended.unwrap());
    assert!(ended.change < revoked.change);
}

#[test]
fn a_link_that_was_shown_between_two_cutoffs_does_not_work_after_the_second() {
    for supersedes in [false, true] {
        let mut model = Model::new();
        model.revoke(RevocationScope::Person(ada()));
        model.show("between");
        assert_eq!(model.verdict("between", START), "signed_in");
        if supersedes {
            model.take("newer", true);
        } else {
            model.revoke(RevocationScope::Person(ada()));
        }
        // The first cutoff covers it again.
        assert_eq!(model.verdict("between", START), "link_revoked");
    }
}

#[test]
fn a_revoked_link_that_is_shown_again_stays_revoked() {
    let mut model = Model::new();
    model.take("a", false);
    model.revoke(RevocationScope::Person(ada()));
    model.show("a");
    assert_eq!(model.verdict("a", START), "link_revoked");
}

#[test]
fn only_links_whose_time_proves_no_order_are_noted() {
    for distance in [60, 61] {
        let mut model = Model::new();
        model.revoke(RevocationScope::Person(ada()));
        model.now += distance;
        model.show("a");
        let is_noted = model.facts.recent_links(&ada()).flatten().is_some();
        assert_eq!(is_noted, distance == 60, "{distance}");
        assert_eq!(model.verdict("a", model.now), "signed_in");
    }
    let mut model = Model::new();
    model.show("a");
    assert_eq!(model.facts.recent_links(&ada()).flatten(), None);
}

#[test]
fn the_latest_hundred_links_after_a_cutoff_are_noted() {
    let mut model = Model::new();
    model.revoke(RevocationScope::Person(ada()));
    for number in 0..101 {
        model.show(&format!("link-{number}"));
    }
    let noted = model.facts.recent_links(&ada()).flatten().unwrap();
    let expected: Vec<_> = (1..101).map(|number| format!("link-{number}")).collect();
    assert_eq!(noted, expected);
}

#[test]
fn a_link_since_an_edit_is_noted_until_a_code_sets_the_profile() {
    let noted = |model: &Model| {
        let links = model.facts.links_since_edit(&ada()).flatten();
        links.map(<[String]>::to_vec).unwrap_or_default()
    };
    let mut model = Model::new();
    model.now += 60;
    model.show("a");
    assert_eq!(noted(&model), ["a"]);
    model.now += 1;
    model.show("later");
    assert_eq!(noted(&model), ["a"], "its time proves the order");
    // Only a link with a profile is noted.
    model.show_of(&json!({ "id": "ada", "jti": "by id", "iat": START }));
    assert_eq!(noted(&model), ["a"]);
    model.redeem("later", model.now);
    assert_eq!(noted(&model), [""; 0]);
    model.show_of(&json!({ "user": { "id": "ada" }, "jti": "b", "iat": START }));
    assert_eq!(
        noted(&model),
        [""; 0],
        "the profile is not the administrator's"
    );
}

/// Revokes 32 keys, so that the cutoffs of earlier ones count by their time.
fn revoke_other_keys(model: &mut Model) {
    for number in 0..32 {
        model.revoke(RevocationScope::Key(format!("other-{number}")));
    }
}

#[test]
fn a_cutoff_of_a_key_that_counts_by_its_time_takes_nothing_back_from_a_later_cutoff() {
    let mut model = Model::new();
    model.revoke(RevocationScope::Key("key-1".to_owned()));
    model.now += 100;
    model.take("between", false);
    model.now += 10;
    model.revoke(RevocationScope::Before(START + 105));
    revoke_other_keys(&mut model);
    assert_eq!(model.verdict("between", START + 100), "link_revoked");
}

#[test]
fn a_cutoff_of_a_key_that_counts_by_its_time_covers_links_that_were_given_out_before_it() {
    let mut model = Model::new();
    model.now += 100;
    model.revoke(RevocationScope::Before(model.now));
    // The clock is set back.
    model.now = START;
    model.take("between", false);
    model.revoke(RevocationScope::Key("key-1".to_owned()));
    revoke_other_keys(&mut model);
    assert_eq!(model.verdict("between", START), "link_revoked");
}

#[test]
fn a_later_revocation_leaves_sessions_alone_that_an_earlier_one_did_not_end() {
    type Scope = fn(&Model) -> RevocationScope;
    let scopes: [Scope; 3] = [
        |_| RevocationScope::Person(ada()),
        |_| RevocationScope::Key("key-1".to_owned()),
        |model| RevocationScope::Before(model.now),
    ];
    for scope in scopes {
        let mut model = Model::new();
        let of = |link: &str| Session {
            user: ada(),
            generation: 1,
            place: SessionScope::Page,
            link: Some(link.to_owned()),
            browser: None,
            address: None,
            created_at: START,
            last_seen: START,
            code_expires_at: None,
        };
        model.take("old", false);
        model.now += 10;
        model.revoke_with(scope(&model), true);
        model.take("new", false);
        model.now += 10;
        model.revoke_with(scope(&model), false);
        let ended = |model: &Model| {
            let sessions = ["old", "new"].map(of);
            sessions.map(|session| model.facts.is_ended_with_link(&session))
        };
        assert_eq!(ended(&model), [true, false]);
        assert_eq!(model.verdict("new", START), "link_revoked");
        model.revoke_with(scope(&model), true);
        assert_eq!(ended(&model), [true, true]);
    }
}

/// Makes the scope of a revocation from an ID.
type Scope = fn(String) -> RevocationScope;

#[test]
fn ids_to_revoke_have_a_bounded_length() {
    let mut model = Model::new();
    let scopes: [(&str, usize, Scope); 2] = [
        ("link", 1024, RevocationScope::Link),
        ("key", 255, RevocationScope::Key),
    ];
    for (field, max, scope) in scopes {
        for (length, is_done) in [(0, false), (1, true), (max, true), (max + 1, false)] {
            let revoked = model.try_execute(&Command::RevokeLinks(Revocation {
                scope: scope("x".repeat(length)),
                ends_sessions: false,
                allows_unknown: true,
            }));
            assert_eq!(revoked.is_ok(), is_done, "{field} {length}");
            if let Err(refused) = revoked {
                assert_eq!(refused.code, ErrorCode::InvalidRequest);
                assert_eq!(refused.field.as_deref(), Some(field));
            }
        }
    }
}

#[test]
fn it_is_recorded_when_a_revoked_key_takes_the_place_of_another() {
    let mut model = Model::new();
    for number in 1..=32 {
        let scope = RevocationScope::Key(format!("key-{number}"));
        assert_eq!(model.revoke_with(scope, number == 1).entries.len(), 1);
    }
    let last = model.revoke_with(RevocationScope::Key("key-33".to_owned()), false);
    let entries = last.entries.iter().map(|entry| &entry.event.data);
    let expected = [
        EventData::LinksRevoked {
            scope: RevocationScope::Before(START + 1),
            ends_sessions: true,
        },
        EventData::LinksRevoked {
            scope: RevocationScope::Key("key-33".to_owned()),
            ends_sessions: false,
        },
    ];
    assert_eq!(
        entries.collect::<Vec<_>>(),
        expected.iter().collect::<Vec<_>>()
    );
}
