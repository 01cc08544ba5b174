//! Tests of inspecting codes by the API.

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use jiff::Timestamp;
use latchkey_core::activity::ActivityQuery;
use latchkey_core::directory::Directory as _;
use latchkey_core::protocol::claims::{Claims, Registered};
use latchkey_core::protocol::code::{Algorithm, sign};
use latchkey_core::protocol::payload::Payload;
use latchkey_core::protocol::uses::Uses;
use latchkey_core::secret::{Secret, SigningKey};
use latchkey_store::Wait as _;
use serde_json::{Value, json};

use crate::api_client::Client;
use crate::site::by;

fn inspected(client: &Client, text: &str) -> Value {
    client.done("POST", "/api/v1/inspect", &json!({ "text": text }))
}

fn key(secret: &str) -> SigningKey {
    SigningKey::from_text(&Secret::new(secret.to_owned())).unwrap()
}

/// Returns a code for Ada that another secret has signed, with a mark in its claims.
fn signed_with(key: &SigningKey) -> String {
    let members = json!({ "user": { "id": "ada", "note": "MARKED" } });
    let claims = Claims {
        payload: Payload::from_claims(members.as_object().unwrap()).unwrap(),
        registered: Registered {
            issued_at: Some(Timestamp::now().as_second()),
            ..Registered::default()
        },
    };
    let code = sign(&claims, key, Algorithm::HS256).unwrap();
    code.expose().to_owned()
}

#[test]
fn the_api_says_what_opening_a_code_would_do_and_records_nothing() {
    let client = Client::new();
    client
        .site
        .directory
        .set_seat_limit(Some(1), &by())
        .wait()
        .unwrap();
    let before = client
        .site
        .directory
        .activity(&ActivityQuery::default(), None, 99)
        .wait();
    let before = before.unwrap().entries.len();
    let registered = Registered {
        id: Some("once".into()),
        uses: Uses::ONCE,
        ..Registered::default()
    };
    let members = r#"{"user":{"id":"ada","name":"Ada"}}"#;
    let code = client.site.code_with(members, registered);
    let link = format!("/?externalAuthCode={code}");
    let mail = format!("Hello Ada,\n<https://chat.acme.example{link}>.\nYours");
    for _ in 0..2 {
        let found = inspected(&client, &mail);
        assert_eq!(
            found["dry_run"],
            json!({ "verdict": "provisioned", "user": "ada", "seat": 1, "message": "ada is created and takes seat 1 of 1.", "hint": null })
        );
        assert_eq!(found["form"], "text");
        assert_eq!(found["claims"]["user"]["name"], "Ada");
        assert_eq!(found["header"]["alg"], "HS256");
        assert_eq!(
            found["verification"],
            json!({ "checked": true, "verified": true })
        );
        assert_eq!(
            (&found["hints"], &found["warnings"]),
            (&json!([]), &json!([]))
        );
        assert!(
            found["stay"].as_str().unwrap().contains("14 days"),
            "{found}"
        );
    }
    let after = client
        .site
        .directory
        .activity(&ActivityQuery::default(), None, 99)
        .wait();
    assert_eq!(
        after.unwrap().entries.len(),
        before,
        "something was recorded"
    );
    assert_eq!(client.site.seats(), 0);
    // Inspecting does not use the code up.
    assert_eq!(client.site.confirm(&link, &[]).status.as_u16(), 303);
    let used = inspected(&client, &code);
    assert_eq!(used["dry_run"]["verdict"], "link_already_used");
    assert_eq!(used["dry_run"]["hint"], "POST /api/v1/links makes a link.");
    assert_eq!(used["stay"], Value::Null);
    let full = inspected(&client, &client.site.new_user("eve"));
    assert_eq!(full["dry_run"]["verdict"], "no_seats");
    assert!(
        full["dry_run"]["message"]
            .as_str()
            .unwrap()
            .contains("seat"),
        "{full}"
    );
}

#[test]
fn the_api_says_the_cause_and_quotes_no_unverified_code() {
    let mut client = Client::new();
    let encoded = BASE64_STANDARD.encode(b"the key that the program really has");
    client.site.key = key(&encoded);
    client.site.other_key = Some(key("another instance's secret, of 40 bytes.."));
    let theirs = signed_with(client.site.other_key.as_ref().unwrap());
    let decoded = signed_with(&key("the key that the program really has"));
    let stranger = signed_with(&key("a secret of somebody whom nobody knows.."));
    for (code, hint, next, instance) in [
        (
            &theirs,
            "signed_by_other_instance",
            json!("open_instance"),
            json!("other"),
        ),
        (
            &decoded,
            "secret_is_base64",
            json!("replace_secret"),
            Value::Null,
        ),
    ] {
        let found = inspected(&client, code);
        let first = &found["hints"][0];
        assert_eq!(
            (&first["code"], &first["next"], &first["instance"]),
            (&json!(hint), &next, &instance),
            "{found}"
        );
    }
    let cut = &stranger[..stranger.len() - 9];
    for (text, code, hints) in [
        (stranger.as_str(), "bad_signature", 0),
        (cut, "malformed_code", 1),
    ] {
        let found = inspected(&client, text);
        assert_eq!(found["dry_run"]["verdict"], code, "{found}");
        assert_eq!(found["verification"]["refused"]["code"], code);
        assert_eq!(found["hints"].as_array().unwrap().len(), hints, "{found}");
        assert_eq!(
            (&found["header"], &found["claims"], &found["times"]),
            (&Value::Null, &Value::Null, &json!([]))
        );
        assert!(!found.to_string().contains("MARKED"), "{found}");
    }
    let elsewhere = format!("https://elsewhere.example/?externalAuthCode={stranger}");
    let found = inspected(&client, &elsewhere);
    assert_eq!(found["hints"][0]["code"], "other_host");

    for (body, code, field) in [
        (
            json!({ "text": "no code in here" }),
            json!("no_code"),
            json!("text"),
        ),
        (json!({ "text": "" }), json!("no_code"), json!("text")),
        (json!({}), json!("invalid_request"), json!("text")),
        (
            json!({ "text": 7 }),
            json!("invalid_request"),
            json!("text"),
        ),
        (
            json!({ "text": "x", "code": "y" }),
            json!("invalid_request"),
            json!("code"),
        ),
    ] {
        let refused = client.refused("POST", "/api/v1/inspect", &body);
        assert_eq!(refused, (422, code, field), "{body}");
    }
    let huge = json!({ "text": "x".repeat(20_000) });
    let answer = client.ask("POST", "/api/v1/inspect", &huge);
    assert_eq!(answer.status.as_u16(), 413);
    let answer = client.site.ask("POST", "/api/v1/inspect", &[], "{}");
    assert_eq!(
        answer.status.as_u16(),
        401,
        "without a key there is no answer"
    );
}

/// Returns a code with any header and claims, signed with a secret.
fn signed_as(
    key: &SigningKey,
    algorithm: jsonwebtoken::Algorithm,
    header: &Value,
    claims: &Value,
) -> String {
    let part = |json: &Value| BASE64_URL_SAFE_NO_PAD.encode(json.to_string());
    let message = format!("{}.{}", part(header), part(claims));
    let secret = jsonwebtoken::EncodingKey::from_secret(key.secret().expose().as_bytes());
    let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &secret, algorithm).unwrap();
    format!("{message}.{signature}")
}

#[expect(clippy::too_many_lines, reason = "a table of refusals")]
#[test]
fn the_api_says_what_is_wrong_with_a_code_of_the_instances_own_secret() {
    use jsonwebtoken::Algorithm::{HS256, HS512};

    let client = Client::new();
    let usual = json!({ "alg": "HS256", "typ": "JWT" });
    let ahead = Timestamp::now().as_second() + 900;
    for (algorithm, header, claims, code, field, words) in [
        (
            HS256,
            usual.clone(),
            json!({ "id": "ada", "exp": "1795000000" }),
            "invalid_payload",
            json!("exp"),
            "not a number",
        ),
        (
            HS256,
            usual.clone(),
            json!({ "user": { "id": "a" }, "email": "a@b.example" }),
            "ambiguous_payload",
            json!("email"),
            "both 'user'",
        ),
        (
            HS256,
            usual.clone(),
            json!({}),
            "invalid_payload",
            json!("user"),
            "names nobody",
        ),
        (
            HS256,
            usual.clone(),
            json!([]),
            "malformed_code",
            Value::Null,
            "claims are not a JSON object",
        ),
        (
            HS256,
            usual.clone(),
            json!({ "id": "ada", "iat": ahead }),
            "not_yet_valid",
            json!("iat"),
            "Compare the clock",
        ),
        (
            HS256,
            usual,
            json!({ "id": "ada", "aud": "https://x.example" }),
            "wrong_audience",
            json!("aud"),
            "does not name this instance",
        ),
        (
            HS256,
            json!({ "alg": "HS256", "crit": ["b64"], "b64": true }),
            json!({ "id": "ada" }),
            "malformed_code",
            Value::Null,
            "'crit'",
        ),
        (
            HS256,
            json!({ "alg": "HS256", "typ": "at+jwt" }),
            json!({ "id": "ada" }),
            "wrong_type",
            json!("typ"),
            "'typ'",
        ),
        (
            HS512,
            json!({ "alg": "HS512", "typ": "JWT" }),
            json!({ "id": "ada" }),
            "unsupported_algorithm",
            json!("alg"),
            "signed with HS512",
        ),
    ] {
        let text = signed_as(&client.site.key, algorithm, &header, &claims);
        let found = inspected(&client, &text);
        let refused = &found["verification"]["refused"];
        assert_eq!(
            (&refused["code"], &refused["field"]),
            (&json!(code), &field),
            "{found}"
        );
        let message = refused["message"].as_str().unwrap();
        assert!(message.contains(words), "{claims}: {message}");
        assert_eq!(found["dry_run"]["message"], message);
        assert_eq!(found["claims"], claims);
        // A code with the same fault, but signed with another secret, is not quoted. The hint to
        // inspect the code is missing, because that is being done.
        let theirs = signed_as(
            &key("a secret of somebody whom nobody knows.."),
            algorithm,
            &header,
            &claims,
        );
        let found = inspected(&client, &theirs);
        let refused = &found["verification"]["refused"];
        let message = refused["message"].as_str().unwrap();
        assert!(!message.contains("Inspect"), "{message}");
        assert_eq!(found["dry_run"]["message"], message);
        assert!(
            !message.contains("HS512") && !message.contains("crit"),
            "{message}"
        );
        assert_eq!(found["claims"], Value::Null);
    }
}
