//! Tests of the administration API: what its routes change, and what they refuse.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use latchkey_core::activity::Actor;
use latchkey_core::directory::Directory as _;
use latchkey_core::instance::scope::Scope;

use latchkey_core::protocol::metadata::Metadata;
use latchkey_core::protocol::payload::NewUser;
use latchkey_core::secret::{Secret, SecretSource};

use latchkey_gateway::{ClientLimits, Gateway, InstanceSnapshot};
use latchkey_store::Wait as _;
use serde_json::{Map, Value, json};

use crate::administering::Administered;
use crate::site::by;

/// Returns an instance whose key is in its data folder.
pub(crate) fn with_stored_key() -> Administered {
    let mut site = Administered::new();
    let passphrase = Secret::new("correct horse battery staple".into());
    site.home.keys().create(&passphrase).unwrap();
    site.home
        .replace_secret(&site.id, SecretSource::Generate, &by())
        .unwrap();
    let (home, id, directory) = (
        Arc::clone(&site.home),
        site.id.clone(),
        Arc::clone(&site.directory),
    );
    let served = Arc::clone(&site.directory);
    let gateway = Gateway::new(
        site.id.clone(),
        served,
        ClientLimits::default(),
        move || InstanceSnapshot::of(&home, &id, None, &*directory),
    );
    let (home, id) = (Arc::clone(&site.home), site.id.clone());
    let gateway = gateway.with_stamp(move || home.instances().stamp(&id));
    site.gateway = Arc::new(gateway);
    site.administration.set_gateway(&site.gateway);
    site
}

/// Waits until a condition holds.
pub(crate) fn until(condition: impl Fn() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(
            begun.elapsed() < Duration::from_secs(30),
            "it does not happen"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

pub(crate) fn add(site: &Administered, user: &str) {
    let metadata = Metadata::new(Map::new(), "metadata").unwrap();
    let user = NewUser::parse(user, None, metadata).unwrap();
    site.directory.add(&user, &by()).wait().unwrap();
}

#[test]
fn a_request_that_is_too_large_is_refused_with_the_limit_of_this_api() {
    let site = Administered::new();
    let key = site.key("users", &[Scope::Users]);
    let large = json!({ "id": "x".repeat(4 * 1024 * 1024) });
    let client = IpAddr::from([192, 0, 2, 8]);
    for repeats in [&[][..], &[("idempotency-key", "1")]] {
        let mut headers = vec![("x-api-key", key.as_str())];
        headers.extend(repeats);
        let refused = site.send(client, "POST", "/users", &headers, &large);
        assert_eq!(refused.status, StatusCode::PAYLOAD_TOO_LARGE);
        let detail = refused.body["detail"].as_str().unwrap();
        assert!(detail.contains("4096 KiB"), "{detail}");
    }
}

#[test]
fn a_redeemed_code_is_verified_here_and_each_refusal_is_recorded() {
    let site = with_stored_key();
    add(&site, "ada");
    let key = site.key("laptop", &[Scope::Admin]);
    let ask = |path: &str, body: Value| site.ask("POST", path, &key, &body);
    let made = ask("/links", json!({ "payload": { "id": "ada" } }));
    let code = made.body["code"].as_str().unwrap();
    let redeem = |code: &str| ask("/redemptions", json!({ "code": code })).body;
    assert_eq!(redeem(code)["code"], "signed_in");
    let other = ask("/links", json!({ "payload": { "id": "eve" } }));
    let other = other.body["code"].as_str().unwrap();
    let unknown = redeem(other);
    assert_eq!(unknown["code"], "unknown_user");
    assert_eq!(unknown.get("refused"), None);
    let forged = redeem(&format!("{code}x"));
    assert_eq!(forged["code"], "bad_signature");
    assert_eq!(forged["refused"]["code"], "bad_signature", "{forged}");
    let entries = site.entries();
    let recorded: Vec<(&str, Actor)> = entries
        .iter()
        .filter(|entry| entry.event.data.code() != "link_made")
        .take(3)
        .map(|entry| (entry.event.data.code(), entry.actor.clone()))
        .collect();
    let laptop = || Actor::ApiKey("laptop".to_owned());
    let expected = ["bad_signature", "unknown_user", "signed_in"];
    assert_eq!(recorded, expected.map(|code| (code, laptop())));

    for (body, field) in [
        (json!({}), "code"),
        (json!({ "code": code, "claims": { "id": "ada" } }), "code"),
        (json!({ "code": "no code" }), "code"),
        (json!({ "code": format!("{code} {other}") }), "code"),
        (json!({ "claims": {} }), "user"),
    ] {
        let refused = ask("/redemptions", body.clone());
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
        assert_eq!(refused.body["field"], field, "{body}: {}", refused.body);
    }
    let long = "x".repeat(2 * 1024 * 1024);
    for (path, body) in [
        ("/redemptions", json!({ "code": long })),
        ("/inspections", json!({ "text": long })),
    ] {
        let refused = ask(path, body);
        assert_eq!(refused.status, StatusCode::PAYLOAD_TOO_LARGE, "{path}");
        assert_eq!(refused.body["code"], "input_too_large", "{path}");
    }
}

#[test]
fn a_user_is_edited_only_with_the_profile_that_the_request_names() {
    let site = Administered::new();
    add(&site, "ada");
    let key = site.key("users", &[Scope::Users]);
    let edit = |body: Value| site.ask("PATCH", "/users/ada", &key, &body);
    let blue = json!({ "metadata": { "team": "blue" }, "if_email": null, "if_metadata": {} });
    assert_eq!(edit(blue.clone()).status, StatusCode::OK);
    let refused = edit(blue);
    assert_eq!(refused.status, StatusCode::CONFLICT, "{}", refused.body);
    assert_eq!(refused.body["code"], "user_changed");
    for (body, field) in [
        (json!({ "if_email": null }), "if_metadata"),
        (json!({ "if_metadata": {} }), "if_email"),
        (json!({ "if_email": "x", "if_metadata": {} }), "if_email"),
    ] {
        let refused = edit(body.clone());
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
        assert_eq!(refused.body["field"], field, "{body}");
    }
}

#[test]
fn a_refused_query_names_its_parameter() {
    let site = Administered::new();
    let key = site.key("laptop", &[Scope::Admin]);
    for (query, status, field) in [
        ("/users?limit=0", 422, "limit"),
        ("/users?limit=1001", 422, "limit"),
        ("/users?limit=x", 400, "limit"),
        ("/users?status=gone", 400, "status"),
        ("/users?colour=red", 400, "colour"),
        ("/users?row=1&after=x", 422, "row"),
        ("/users?after=x", 422, "after"),
        ("/users?email=x", 422, "email"),
        ("/activity?kind=x", 400, "kind"),
        ("/activity?limit=0", 422, "limit"),
    ] {
        let refused = site.ask("GET", query, &key, &Value::Null);
        assert_eq!(refused.status.as_u16(), status, "{query}: {}", refused.body);
        assert_eq!(refused.body["field"], field, "{query}: {}", refused.body);
        assert!(
            refused.body["code"].is_string(),
            "{query}: {}",
            refused.body
        );
    }
}

#[test]
fn a_claimed_address_counts_for_nothing_and_wrong_keys_lock_the_peer_out() {
    let peer = IpAddr::from([192, 0, 2, 7]);
    let site = Administered::with(ClientLimits {
        trusted_proxies: vec!["192.0.2.7".parse().unwrap()],
        ..ClientLimits::default()
    });
    let key = site.key("admin", &[Scope::Admin]);
    let ask = |key: &str, claimed: &str| {
        let headers = [("x-api-key", key), ("x-forwarded-for", claimed)];
        site.send(peer, "GET", "/settings", &headers, &Value::Null)
            .status
    };
    for last in 0..10 {
        let status = ask("lk_wrong", &format!("198.51.100.{last}"));
        assert_eq!(status, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(ask(&key, "203.0.113.9"), StatusCode::TOO_MANY_REQUESTS);
}

#[test]
fn a_link_is_revoked_by_an_id_of_bounded_length() {
    let site = Administered::new();
    let key = site.key("crm", &[Scope::Links]);
    let revoke = |id: &str| {
        let path = format!("/links/{id}/revoke");
        site.ask("POST", &path, &key, &Value::Null).status
    };
    assert_eq!(revoke(&"x".repeat(1025)), StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(revoke(&"x".repeat(1024)), StatusCode::NOT_FOUND);
}

#[test]
fn a_link_that_the_ledger_does_not_know_is_revoked_only_on_request() {
    let site = Administered::new();
    let key = site.key("crm", &[Scope::Links]);
    let revoke = |more: &Value| {
        let mut request = json!({ "link": "theirs" });
        let members = request.as_object_mut().unwrap();
        members.extend(more.as_object().unwrap().clone());
        site.ask("POST", "/revocations", &key, &request)
    };
    let status = |id: &str| {
        let path = format!("/links/{id}");
        site.ask("GET", &path, &key, &Value::Null).status
    };
    let refused = revoke(&json!({}));
    assert_eq!(refused.status, StatusCode::NOT_FOUND, "{}", refused.body);
    assert_eq!(refused.body["code"], "unknown_link");
    assert_eq!(refused.body["field"], "link");
    assert_eq!(status("theirs"), StatusCode::NOT_FOUND);
    let revoked = revoke(&json!({ "unknown": true }));
    assert_eq!(revoked.status, StatusCode::NO_CONTENT);
    assert_eq!(status("theirs"), StatusCode::OK);
}

#[test]
fn links_are_revoked_by_a_key_of_the_instance_or_of_a_link() {
    let site = Administered::new();
    let key = site.key("crm", &[Scope::Links]);
    let request = json!({ "key": "nobody" });
    let refused = site.ask("POST", "/revocations", &key, &request);
    assert_eq!(refused.status, StatusCode::NOT_FOUND, "{}", refused.body);
    assert_eq!(refused.body["code"], "unknown_signing_key");
    assert_eq!(refused.body["field"], "key");
}
