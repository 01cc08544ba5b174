//! The decisions about a code by itself, each to the second and to the letter.

use jiff::SignedDuration;
use latchkey_core::code::{CodeRules, verify};
use latchkey_core::payload::Payload;
use latchkey_core::secret::{Secret, SigningKey};

use crate::signed::{HEADER, RULES, judge, key, now, signed};

fn verdict(claims: &str) -> &'static str {
    judge(claims).map_or_else(|refused| refused.code(), |_| "verifies")
}

#[test]
fn exp_has_a_leeway_of_60_seconds() {
    let at = |distance: i64| {
        verdict(&format!(
            r#"{{"id":1,"exp":{}}}"#,
            now().as_second() + distance
        ))
    };
    assert_eq!(at(1), "verifies");
    assert_eq!(at(-59), "verifies");
    assert_eq!(at(-60), "expired");
}

#[test]
fn nbf_has_a_leeway_of_60_seconds() {
    let at = |distance: i64| {
        verdict(&format!(
            r#"{{"id":1,"nbf":{}}}"#,
            now().as_second() + distance
        ))
    };
    assert_eq!(at(-1), "verifies");
    assert_eq!(at(60), "verifies");
    assert_eq!(at(61), "not_yet_valid");
}

#[test]
fn a_code_without_exp_is_accepted_unless_the_instance_requires_one() {
    let code = signed(HEADER, r#"{"id":1}"#);
    assert!(verify(&code, &[&key()], RULES, now()).is_ok());
    let strict = CodeRules {
        require_expiry: true,
        ..RULES
    };
    let refused = verify(&code, &[&key()], strict, now()).unwrap_err();
    assert_eq!(refused.code(), "expiry_required");
}

#[test]
fn times_may_have_fractions() {
    assert_eq!(
        verdict(r#"{"id":1,"iat":1795300000.5,"exp":1795300001.25}"#),
        "verifies"
    );
}

#[test]
fn iat_in_the_future_is_no_reason_to_refuse() {
    let later = now() + SignedDuration::from_hours(24);
    assert_eq!(
        verdict(&format!(r#"{{"id":1,"iat":{}}}"#, later.as_second())),
        "verifies"
    );
}

#[test]
fn foreign_registered_claims_and_unknown_members_are_left_alone() {
    let claims = r#"{"id":1,"iss":"elsewhere","aud":["a","b"],"sub":5,"anything":{"nested":[1]}}"#;
    assert_eq!(verdict(claims), "verifies");
}

#[test]
fn any_of_several_keys_verifies() {
    let other = SigningKey::from_text(&Secret::new("another key of the instance".into())).unwrap();
    let code = signed(HEADER, r#"{"id":1}"#);
    assert!(verify(&code, &[&other, &key()], RULES, now()).is_ok());
    assert!(verify(&code, &[&other], RULES, now()).is_err());
    assert!(verify(&code, &[], RULES, now()).is_err());
}

#[test]
fn metadata_arrives_as_it_was_signed() {
    let claims = r#"{"user":{"id":"ada","email":"Ada@Example.com","n":1.5,"l":[1,{"a":null}],"é":"日本","role":"admin"}}"#;
    let Payload::User(user) = judge(claims).unwrap().payload else {
        panic!("a user was expected");
    };
    assert_eq!(user.email.unwrap().as_str(), "Ada@Example.com");
    assert_eq!(
        user.metadata.json(),
        r#"{"n":1.5,"l":[1,{"a":null}],"é":"日本","role":"admin"}"#
    );
}

#[test]
fn nesting_of_32_levels_is_read() {
    let nested = format!("{}{}", "[".repeat(30), "]".repeat(30));
    assert_eq!(
        verdict(&format!(r#"{{"user":{{"id":"a","deep":{nested}}}}}"#)),
        "verifies"
    );
}
