//! Bench of signing and verifying, beside the bare `jsonwebtoken` crate and libraries of others.

use jiff::Timestamp;
use jsonwebtoken::{DecodingKey, EncodingKey, Header, Validation};
use latchkey_core::protocol::claims::{Claims, Registered};
use latchkey_core::protocol::code::{Algorithm, CodeRules, sign, verify};
use latchkey_core::protocol::email::Email;
use latchkey_core::protocol::metadata::Metadata;
use latchkey_core::protocol::payload::{NewUser, Payload};
use latchkey_core::protocol::user_id::UserId;
use latchkey_core::secret::{Secret, SigningKey};
use serde::Serialize;
use serde_json::{Value, json};

use crate::peer::Peer;
use crate::table::{heading, per_second, row};

const SECRET: &str = "a secret of thirty-two bytes or so";

/// Claims as a program with the bare crate would declare them.
#[derive(Serialize)]
struct BareClaims {
    user: BareUser,
    iat: i64,
    exp: i64,
    jti: String,
}

#[derive(Serialize)]
struct BareUser {
    id: String,
    email: String,
    team: String,
}

pub(crate) fn measure() {
    let now = Timestamp::now();
    let (iat, exp, jti) = (
        now.as_second(),
        now.as_second() + 604_800,
        "p7Kv_Qm3x2ZTdrY1",
    );
    let key = SigningKey::from_text(&Secret::new(SECRET.into())).unwrap();
    let claims = Claims {
        payload: Payload::User(NewUser {
            id: UserId::parse("ada-1815", "id").unwrap(),
            email: Some(Email::parse("ada@yourcompany.com", "email").unwrap()),
            metadata: Metadata::from_fields([("team", "Research")], "metadata").unwrap(),
        }),
        registered: Registered {
            issued_at: Some(iat),
            expires_at: Some(exp),
            id: Some(jti.into()),
            ..Registered::default()
        },
    };
    let bare = BareClaims {
        user: BareUser {
            id: "ada-1815".into(),
            email: "ada@yourcompany.com".into(),
            team: "Research".into(),
        },
        iat,
        exp,
        jti: jti.into(),
    };
    let rules = CodeRules {
        algorithm: Algorithm::HS256,
        require_expiry: false,
        audiences: None,
    };
    let header = Header::default();
    let encoding = EncodingKey::from_secret(SECRET.as_bytes());
    let decoding = DecodingKey::from_secret(SECRET.as_bytes());
    let validation = Validation::default();
    let code = sign(&claims, &key, Algorithm::HS256).unwrap();
    let code = code.expose();
    assert_eq!(
        jsonwebtoken::encode(&header, &bare, &encoding).unwrap(),
        code,
        "both sign the same"
    );

    let [our_sign, bare_sign, our_verify, bare_verify] = per_second([
        &mut || drop(sign(&claims, &key, Algorithm::HS256).unwrap()),
        &mut || drop(jsonwebtoken::encode(&header, &bare, &encoding).unwrap()),
        &mut || drop(verify(code, &[&key], rules, now).unwrap()),
        &mut || drop(jsonwebtoken::decode::<Value>(code, &decoding, &validation).unwrap()),
    ]);
    let mut node = Peer::node();
    let mut python = Peer::python();
    let claims = Value::Object(claims.members());
    let mut theirs = |library: &str, what: &str| {
        let peer = if library == "PyJWT" {
            &mut python
        } else {
            &mut node
        };
        let request = json!({
            "op": "bench", "library": library, "what": what, "secret": SECRET, "claims": claims, "iterations": 20_000,
        });
        peer.ask(&request)["per_second"].as_f64().unwrap()
    };
    for (what, ours, bare) in [
        ("sign", our_sign, bare_sign),
        ("verify", our_verify, bare_verify),
    ] {
        heading(&format!(
            "Codes: {what}, HS256, one thread; baseline: the bare jsonwebtoken crate (target 0.9)"
        ));
        row("latchkey-core", ours, bare);
        row("jsonwebtoken (Rust), bare", bare, bare);
        for library in ["jsonwebtoken", "fast-jwt", "PyJWT"] {
            row(library, theirs(library, what), bare);
        }
    }
}
