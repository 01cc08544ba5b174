//! Tests of the rules for a code by itself, to the second and to the byte.

use latchkey_core::link::BaseUrl;
use latchkey_core::protocol::audience::{Audience, Audiences};
use latchkey_core::protocol::code::{CodeRules, verify};
use latchkey_core::protocol::payload::Payload;
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
fn iat_more_than_60_seconds_ahead_is_refused_until_then() {
    let at = |distance: i64| {
        judge(&format!(
            r#"{{"id":1,"iat":{}}}"#,
            now().as_second() + distance
        ))
    };
    assert!(at(60).is_ok());
    for ahead in [61, 86_400, 4_102_444_800 - now().as_second()] {
        let refused = at(ahead).unwrap_err();
        assert_eq!(refused.code(), "not_yet_valid", "{ahead}");
        assert_eq!(refused.member_name(), Some("iat"));
        assert!(refused.shown().contains("clock"), "{}", refused.shown());
    }
}

#[test]
fn foreign_registered_claims_and_unknown_members_are_ignored() {
    let claims = r#"{"id":1,"iss":"elsewhere","sub":5,"anything":{"nested":[1]}}"#;
    assert_eq!(verdict(claims), "verifies");
}

/// Returns the verdict on a code with an `aud`, of an instance with a URL and another audience.
fn for_audience(aud: &str) -> &'static str {
    let url = BaseUrl::parse("https://chat.acme.example/app/?x=1#top").unwrap();
    let others = [Audience::parse("acme-chat").unwrap()];
    let rules = CodeRules {
        audiences: Some(Audiences {
            url: &url,
            others: &others,
        }),
        ..RULES
    };
    let code = signed(HEADER, &format!(r#"{{"id":1,"aud":{aud}}}"#));
    verify(&code, &[&key()], rules, now()).map_or_else(|refused| refused.code(), |_| "verifies")
}

#[test]
fn an_aud_that_names_neither_the_url_nor_a_set_audience_is_refused() {
    for aud in [
        r#""https://chat.acme.example/app""#,
        r#""https://CHAT.acme.example:443/app/""#,
        r#""acme-chat""#,
        r#"["elsewhere","acme-chat"]"#,
        r#"["https://chat.acme.example/app"]"#,
    ] {
        assert_eq!(for_audience(aud), "verifies", "{aud}");
    }
    for aud in [
        r#""https://other.example/app""#,
        r#""https://chat.acme.example""#,
        r#""https://chat.acme.example.evil.example/app""#,
        r#""http://chat.acme.example/app""#,
        r#""ACME-CHAT""#,
        r#""""#,
        r#"["elsewhere"]"#,
        "[]",
    ] {
        assert_eq!(for_audience(aud), "wrong_audience", "{aud}");
    }
    for aud in ["5", "null", r#"{"a":1}"#, r#"["acme-chat",5]"#] {
        assert_eq!(for_audience(aud), "invalid_payload", "{aud}");
    }
}

#[test]
fn typ_is_absent_or_jwt_in_any_case() {
    let of = |header: &str| {
        let code = signed(header, r#"{"id":1}"#);
        verify(&code, &[&key()], RULES, now()).map_or_else(|refused| refused.code(), |_| "verifies")
    };
    assert_eq!(of(r#"{"alg":"HS256"}"#), "verifies");
    for typ in [r#""JWT""#, r#""jwt""#, r#""Jwt""#] {
        let header = format!(r#"{{"alg":"HS256","typ":{typ}}}"#);
        assert_eq!(of(&header), "verifies", "{typ}");
    }
    for typ in [
        r#""at+jwt""#,
        r#""JWS""#,
        r#""""#,
        "null",
        "1",
        r#"["JWT"]"#,
    ] {
        let header = format!(r#"{{"typ":{typ},"alg":"HS256"}}"#);
        assert_eq!(of(&header), "wrong_type", "{typ}");
    }
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
