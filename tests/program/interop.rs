//! Tests that codes from Latchkey verify in programs of others, and their codes verify in Latchkey.

use jiff::Timestamp;
use latchkey_core::link::compose::{Composed, LinkSpec, Target, compose};
use latchkey_core::link::{BaseUrl, Parameter};
use latchkey_core::protocol::claims::{Claims, Registered};
use latchkey_core::protocol::code::{Algorithm, CodeRules, VerifiedCode, verify};
use latchkey_core::protocol::email::Email;
use latchkey_core::protocol::lifetime::Lifetime;
use latchkey_core::protocol::metadata::Metadata;
use latchkey_core::protocol::payload::{ExistingId, NewUser, Payload};
use latchkey_core::protocol::user_id::UserId;
use latchkey_core::secret::{Secret, SigningKey};
use serde_json::{Value, json};

use crate::peer::Peer;

fn peers() -> [(&'static str, Peer); 2] {
    [
        ("Node jsonwebtoken", Peer::node()),
        ("PyJWT", Peer::python()),
    ]
}

/// Returns a payload of each kind: by address, by number, by text, and with all members.
fn payloads() -> Vec<Payload> {
    let metadata = r#"{"team":"Forschung & Lehre","name":"Zoë 日本 🔑","n":1.5,"deep":[{"a":null}],"ok":true}"#;
    vec![
        Payload::Email(Email::parse("user-1@yourcompany.com", "email").unwrap()),
        Payload::Id(ExistingId::parse("1234", false).unwrap()),
        Payload::Id(ExistingId::parse("1234", true).unwrap()),
        Payload::User(NewUser {
            id: UserId::parse("a unique string", "user.id").unwrap(),
            email: Some(Email::parse("abc@example.com", "user.email").unwrap()),
            metadata: Metadata::from_json(metadata, "metadata").unwrap(),
        }),
    ]
}

fn composed(
    payload: Payload,
    key: &SigningKey,
    algorithm: Algorithm,
    lifetime: Lifetime,
) -> Composed {
    let target = Target {
        url: BaseUrl::parse("https://chat.yourcompany.com").unwrap(),
        parameter: Parameter::default(),
        algorithm,
    };
    compose(
        &target,
        key,
        LinkSpec::new(payload, lifetime),
        Timestamp::now(),
    )
    .unwrap()
}

fn judged(code: &str, key: &SigningKey, algorithm: Algorithm) -> VerifiedCode {
    let rules = CodeRules {
        algorithm,
        require_expiry: false,
        audiences: None,
    };
    verify(code, &[key], rules, Timestamp::now()).unwrap_or_else(|refused| panic!("{refused}"))
}

#[test]
fn codes_made_here_verify_in_other_programs_with_equal_claims() {
    for (name, mut peer) in peers() {
        for algorithm in Algorithm::ALL {
            let key = SigningKey::generate(algorithm).unwrap();
            for payload in payloads() {
                for lifetime in [Lifetime::default(), Lifetime::Never] {
                    let composed = composed(payload.clone(), &key, algorithm, lifetime);
                    let answer = peer.ask(&json!({
                        "op": "verify",
                        "secret": key.secret().expose(),
                        "algorithm": algorithm,
                        "code": composed.code.expose(),
                    }));
                    let ours = Value::Object(composed.claims.members());
                    assert_eq!(answer["claims"], ours, "{name}, {algorithm}");
                }
            }
        }
    }
}

#[test]
fn a_code_made_here_is_refused_by_other_programs_with_another_secret_or_algorithm() {
    let key = SigningKey::generate(Algorithm::HS256).unwrap();
    let payload = payloads().remove(0);
    let composed = composed(payload, &key, Algorithm::HS256, Lifetime::default());
    for (name, mut peer) in peers() {
        for (secret, algorithm) in [
            ("another secret of 32 bytes or more", "HS256"),
            (key.secret().expose(), "HS512"),
        ] {
            let answer = peer.try_ask(&json!({
                "op": "verify", "secret": secret, "algorithm": algorithm, "code": composed.code.expose(),
            }));
            assert!(answer["error"].is_string(), "{name}: {answer}");
        }
    }
}

#[test]
fn codes_of_other_programs_verify_here_with_equal_claims() {
    let now = Timestamp::now().as_second();
    for (name, mut peer) in peers() {
        for algorithm in Algorithm::ALL {
            let key = SigningKey::generate(algorithm).unwrap();
            for payload in payloads() {
                let registered = Registered {
                    issued_at: Some(now),
                    ..Registered::default()
                };
                let claims = Claims {
                    payload: payload.clone(),
                    registered,
                };
                let claims = Value::Object(claims.members());
                let answer = peer.ask(&json!({
                    "op": "sign", "secret": key.secret().expose(), "algorithm": algorithm, "claims": claims,
                }));
                let verified = judged(answer["code"].as_str().unwrap(), &key, algorithm);
                assert_eq!(verified.payload, payload, "{name}, {algorithm}");
                assert_eq!(
                    Value::Object(verified.members),
                    claims,
                    "{name}, {algorithm}"
                );
                assert_eq!(verified.registered.expires_at, None);
            }
        }
    }
}

#[test]
fn the_documented_example_verifies_here() {
    // The documentation of the protocol signs with Node's jsonwebtoken and { expiresIn: '7 days' }.
    let key = SigningKey::from_text(&Secret::new("YOUR_JWT_SECRET".into())).unwrap();
    let answer = Peer::node().ask(&json!({
        "op": "sign",
        "secret": "YOUR_JWT_SECRET",
        "algorithm": "HS256",
        "claims": { "user": { "id": "a unique string", "email": "abc@example.com", "other": "anything" } },
        "expires_in": "7 days",
    }));
    let verified = judged(answer["code"].as_str().unwrap(), &key, Algorithm::HS256);
    let registered = &verified.registered;
    assert_eq!(
        registered.expires_at.unwrap() - registered.issued_at.unwrap(),
        7 * 86_400
    );
    let Payload::User(user) = verified.payload else {
        panic!("a user was expected");
    };
    assert_eq!(user.metadata.json(), r#"{"other":"anything"}"#);
}

#[test]
fn a_code_with_only_a_numeric_id_verifies_here() {
    let key = SigningKey::from_text(&Secret::new("s".into())).unwrap();
    let answer = Peer::node().ask(&json!({
        "op": "sign", "secret": "s", "algorithm": "HS256", "claims": { "id": 1234 }, "no_timestamp": true,
    }));
    let verified = judged(answer["code"].as_str().unwrap(), &key, Algorithm::HS256);
    assert_eq!(verified.payload.subject(), "1234");
    assert_eq!(verified.registered.issued_at, None);
}
