//! Repeated requests with the header `Idempotency-Key`.

use std::net::IpAddr;
use std::sync::Barrier;
use std::thread;

use axum::http::StatusCode;
use latchkey_core::instance::scope::Scope;
use serde_json::{Value, json};

use crate::administering::{Administered, Response};

fn change(
    site: &Administered,
    key: &str,
    idempotency_key: &str,
    request: (&str, &str),
    body: &Value,
) -> Response {
    let headers = [("x-api-key", key), ("idempotency-key", idempotency_key)];
    let (method, path) = request;
    site.send(IpAddr::from([192, 0, 2, 7]), method, path, &headers, body)
}

const ADD: (&str, &str) = ("POST", "/users");

#[test]
fn a_repeated_change_is_made_once_and_has_the_first_response() {
    let site = Administered::new();
    let key = site.key("users", &[Scope::Users]);
    let ada = json!({ "id": "ada" });
    let first = change(&site, &key, "one", ADD, &ada);
    assert_eq!(first.status, StatusCode::CREATED, "{}", first.body);
    assert!(!first.headers.contains_key("idempotency-replayed"));
    for _ in 0..3 {
        let again = change(&site, &key, "one", ADD, &ada);
        assert_eq!(again.status, StatusCode::CREATED);
        assert_eq!(again.headers["idempotency-replayed"], "true");
        assert_eq!(again.headers["content-type"], "application/json");
        assert_eq!(again.body, first.body);
    }
    // A refusal by a rule is a response, too.
    let refused = change(&site, &key, "two", ADD, &ada);
    assert_eq!(refused.status, StatusCode::CONFLICT);
    let remove = ("DELETE", "/users/ada");
    assert_eq!(
        change(&site, &key, "three", remove, &Value::Null).status,
        StatusCode::NO_CONTENT
    );
    assert_eq!(
        change(&site, &key, "three", remove, &Value::Null).status,
        StatusCode::NO_CONTENT
    );
    let again = change(&site, &key, "two", ADD, &ada);
    assert_eq!((again.status, again.body), (refused.status, refused.body));
    let added = site
        .entries()
        .into_iter()
        .filter(|entry| entry.event.data.code() == "added");
    assert_eq!(added.count(), 1);
}

#[test]
fn another_request_with_the_same_key_is_refused_and_another_client_has_keys_of_its_own() {
    let site = Administered::new();
    let (key, other) = (
        site.key("one", &[Scope::Users]),
        site.key("other", &[Scope::Users]),
    );
    assert_eq!(
        change(&site, &key, "1", ADD, &json!({ "id": "ada" })).status,
        StatusCode::CREATED
    );
    let bob = json!({ "id": "bob" });
    for (request, body) in [(ADD, &bob), (("POST", "/users/ada/suspend"), &Value::Null)] {
        let refused = change(&site, &key, "1", request, body);
        assert_eq!(
            refused.status,
            StatusCode::UNPROCESSABLE_ENTITY,
            "{request:?}"
        );
    }
    assert_eq!(
        change(&site, &other, "1", ADD, &bob).status,
        StatusCode::CREATED
    );
    // Reading needs no key, and a key without the scope learns nothing.
    let reader = change(&site, &key, "1", ("GET", "/users"), &Value::Null);
    assert_eq!(reader.body["total"], 2);
    let unknown = change(&site, "lk_wrong", "1", ADD, &bob);
    assert_eq!(unknown.status, StatusCode::UNAUTHORIZED);
}

#[test]
fn of_16_requests_at_once_with_one_key_one_makes_the_change() {
    let site = Administered::new();
    let key = site.key("users", &[Scope::Users]);
    let ada = json!({ "id": "ada" });
    let start = Barrier::new(16);
    let answers: Vec<StatusCode> = thread::scope(|scope| {
        let ask = || {
            start.wait();
            change(&site, &key, "one", ADD, &ada).status
        };
        let clients: Vec<_> = (0..16).map(|_| scope.spawn(ask)).collect();
        clients
            .into_iter()
            .map(|client| client.join().unwrap())
            .collect()
    });
    // The others wait for nothing: they get the response, or learn that the first still runs.
    assert!(answers.contains(&StatusCode::CREATED), "{answers:?}");
    let added = site
        .entries()
        .into_iter()
        .filter(|entry| entry.event.data.code() == "added");
    assert_eq!(added.count(), 1);
    assert_eq!(
        change(&site, &key, "one", ADD, &ada).status,
        StatusCode::CREATED
    );
}

#[test]
fn a_change_that_an_earlier_gateway_may_have_made_is_not_made_again() {
    let site = Administered::new();
    let key = site.key("users", &[Scope::Users]);
    let ada = json!({ "id": "ada" });
    let repeated = |idempotency_key, age| {
        let headers = [
            ("x-api-key", &*key),
            ("idempotency-key", idempotency_key),
            ("idempotency-age", age),
        ];
        let client = IpAddr::from([192, 0, 2, 7]);
        site.send(client, "POST", "/users", &headers, &ada)
    };
    let refused = repeated("one", "2000");
    assert_eq!(refused.status, StatusCode::CONFLICT, "{}", refused.body);
    assert_eq!(refused.body["code"], "outcome_unknown");
    assert_eq!(repeated("one", "soon").status, StatusCode::BAD_REQUEST);
    // The first attempt came to this gateway.
    let first = change(&site, &key, "two", ADD, &ada);
    assert_eq!(first.status, StatusCode::CREATED);
    assert_eq!(repeated("two", "2000").body, first.body);
}

#[test]
fn a_response_with_a_new_api_key_is_not_given_again() {
    let site = Administered::new();
    let key = site.key("admin", &[Scope::Admin]);
    let (post_key, crm) = (("POST", "/api-keys"), json!({ "name": "CRM" }));
    let made = change(&site, &key, "one", post_key, &crm);
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    let again = change(&site, &key, "one", post_key, &crm);
    assert_eq!(again.status, StatusCode::CONFLICT);
    let secret = made.body["key"].as_str().unwrap();
    assert!(!again.body.to_string().contains(secret));
    let keys = site.home.instances().get(&site.id).unwrap().api_keys;
    assert_eq!(keys.len(), 2);
}

#[test]
fn a_key_that_is_too_long_or_has_spaces_is_refused() {
    let site = Administered::new();
    let key = site.key("users", &[Scope::Users]);
    let ada = json!({ "id": "ada" });
    for wrong in ["", "a b", "\u{fc}", &"x".repeat(256)] {
        let refused = change(&site, &key, wrong, ADD, &ada);
        assert_eq!(refused.status, StatusCode::BAD_REQUEST, "{wrong}");
    }
    let longest = "x".repeat(255);
    assert_eq!(
        change(&site, &key, &longest, ADD, &ada).status,
        StatusCode::CREATED
    );
}
