//! Short links: what is decided about them, and how their claims are judged.

use jiff::Timestamp;
use latchkey_core::activity::{Actor, AuditContext};
use latchkey_core::directory::{Command, Effect, Facts, Redemption, decide, verdict};
use latchkey_core::instance::{Hosted, Policy, Settings};
use latchkey_core::ledger::{Revocation, RevocationScope, ShortLink, TakenLink};
use latchkey_core::link::short_code::{ShortCode, ShortCodeHash};
use latchkey_core::protocol::claims::Claims;
use latchkey_core::protocol::code::{CodeRefusal, CodeRules};
use latchkey_core::verdict::{Refusal, Verdict, unknown_link};
use latchkey_core::{ErrorCode, Result};
use serde_json::{Value, json};

use crate::signed::RULES;

const START: i64 = 1_800_000_000;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(START + second).unwrap()
}

fn claims(more: &Value) -> Claims {
    let mut members = json!({ "id": "ada", "jti": "a", "iat": START });
    let all = members.as_object_mut().unwrap();
    all.extend(more.as_object().unwrap().clone());
    Claims::from_signed(all).unwrap()
}

fn short(claims: Claims) -> ShortLink {
    ShortLink {
        id: "a".to_owned(),
        claims,
        key: Some("key-0".to_owned()),
    }
}

/// Executes a command, and adds its effects to the facts. What was not loaded does not exist.
fn execute(facts: &mut Facts, command: &Command) -> Result<Vec<Effect>> {
    loop {
        let needs = command.needs(facts);
        if needs.is_empty() {
            break;
        }
        for id in needs.people {
            facts.set_person(id, latchkey_core::directory::Person::default());
        }
        for id in needs.recent_links {
            facts.set_recent_links(id, None);
        }
        for id in needs.links {
            facts.set_link(id, None);
        }
        for id in needs.short_codes {
            facts.set_short_code(id, None);
        }
    }
    let by = AuditContext::new(Actor::Studio, at(0));
    let decision = decide(command, facts.clone(), &by)?;
    for effect in &decision.effects {
        facts.apply(effect);
    }
    facts.change += 1;
    Ok(decision.effects)
}

fn take(facts: &mut Facts, short: Option<ShortCodeHash>) -> Result<Vec<Effect>> {
    let taken = TakenLink {
        short,
        ..TakenLink::new(claims(&json!({})), Some("key-0".to_owned()))
    };
    execute(facts, &Command::TakeLink(Box::new(taken)))
}

fn revoke_key(facts: &mut Facts, key: &str) {
    let revocation = Revocation {
        scope: RevocationScope::Key(key.to_owned()),
        ends_sessions: false,
        allows_unknown: true,
    };
    execute(facts, &Command::RevokeLinks(revocation)).unwrap();
}

fn opened(facts: &Facts, link: &ShortLink) -> &'static str {
    let code = link.verify(RULES, at(0)).unwrap();
    let redemption = Redemption::new(Ok(&code), Policy::default());
    verdict(&redemption, facts, at(0)).code()
}

#[test]
fn a_link_has_one_short_code_which_is_never_replaced() {
    let [one, other] = [(); 2].map(|()| ShortCode::new().unwrap().hash());
    let mut facts = Facts::default();
    take(&mut facts, None).unwrap();
    let is_short = |effect: &Effect| matches!(effect, Effect::PutShortLink(..));
    let added = take(&mut facts, Some(one)).unwrap();
    assert!(added.contains(&Effect::PutShortLink(one, "a".to_owned())));
    assert!(!take(&mut facts, Some(one)).unwrap().iter().any(is_short));
    assert!(!take(&mut facts, None).unwrap().iter().any(is_short));
    let refused = take(&mut facts, Some(other)).unwrap_err();
    assert_eq!(refused.code, ErrorCode::NotCopyable);
    assert_eq!(refused.field.as_deref(), Some("short"));
    assert_eq!(facts.short_code("a"), Some(Some(one)));
}

#[test]
fn a_short_link_is_judged_by_the_claims_of_its_link() {
    let settings = Settings::sample().unwrap();
    let rules = CodeRules {
        require_expiry: true,
        ..settings.code_rules()
    };
    for (more, second, expected) in [
        (json!({ "exp": START + 60 }), 0, "verified"),
        (json!({ "exp": START + 60 }), 120, "expired"),
        (
            json!({ "exp": START + 900, "nbf": START + 600 }),
            0,
            "not_yet_valid",
        ),
        (json!({}), 0, "expiry_required"),
        (
            json!({ "exp": START + 60, "aud": "https://other.example" }),
            0,
            "wrong_audience",
        ),
    ] {
        let judged = short(claims(&more)).verify(rules, at(second));
        let code = judged
            .as_ref()
            .map_or_else(CodeRefusal::code, |_| "verified");
        assert_eq!(code, expected, "{more}");
    }
    let code = short(claims(&json!({ "uses": 3 })))
        .verify(RULES, at(0))
        .unwrap();
    assert_eq!(code.link, "a");
    assert_eq!(code.key_id.as_deref(), Some("key-0"));
    assert_eq!(code.registered.uses.limit(), Some(3));
}

#[test]
fn a_leaked_key_stops_a_short_link_even_after_many_other_keys_have_leaked() {
    let mut facts = Facts::default();
    take(&mut facts, Some(ShortCode::new().unwrap().hash())).unwrap();
    let link = short(claims(&json!({})));
    assert_eq!(opened(&facts, &link), "unknown_user");
    revoke_key(&mut facts, "key-1");
    assert_eq!(opened(&facts, &link), "unknown_user", "another key");
    revoke_key(&mut facts, "key-0");
    for number in 2..100 {
        assert_eq!(opened(&facts, &link), "link_revoked", "{number} keys");
        revoke_key(&mut facts, &format!("key-{number}"));
    }
    assert!(facts.cutoffs.keys.len() <= 32);
}

#[test]
fn a_revocation_by_time_is_kept_when_the_oldest_leaked_key_is_dropped() {
    let mut facts = Facts::default();
    for number in 0..32 {
        revoke_key(&mut facts, &format!("key-{}", number + 1));
    }
    take(&mut facts, Some(ShortCode::new().unwrap().hash())).unwrap();
    let revocation = Revocation {
        scope: RevocationScope::Before(START),
        ends_sessions: false,
        allows_unknown: true,
    };
    execute(&mut facts, &Command::RevokeLinks(revocation)).unwrap();
    let earlier = claims(&json!({ "iat": START - 10 }));
    let taken = TakenLink::new(earlier, None);
    let before = facts.cutoffs.revoked.unwrap().change;
    revoke_key(&mut facts, "key-33");
    let after = facts.cutoffs.revoked.unwrap();
    assert!(after.change >= before, "{after:?}");
    assert!(after.before.is_some_and(|until| until > START), "{after:?}");
    assert!(taken.claims.registered.issued_at < after.before);
}

#[test]
fn a_short_link_to_an_application_elsewhere_is_refused_with_the_reason() {
    let here = Settings::sample().unwrap();
    let taken = || TakenLink {
        short: Some(ShortCode::new().unwrap().hash()),
        ..TakenLink::new(claims(&json!({})), None)
    };
    assert!(here.giving_out(taken()).unwrap().short.is_some());
    let elsewhere = Settings {
        hosted: Hosted::Elsewhere,
        ..here
    };
    let refused = elsewhere.giving_out(taken()).unwrap_err();
    assert_eq!(refused.code, ErrorCode::HostedElsewhere);
    assert_eq!(refused.field.as_deref(), Some("short"));
    assert!(refused.message.contains("gateway"), "{}", refused.message);
}

#[test]
fn an_unknown_short_link_is_refused_in_fixed_words() {
    assert_eq!(
        unknown_link(Policy::default()),
        Verdict::Refused(Refusal::UnknownLink)
    );
    let off = Policy {
        external_auth: false,
        ..Policy::default()
    };
    assert_eq!(unknown_link(off).code(), "external_auth_off");
}
