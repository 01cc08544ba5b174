//! Tests of all routes of the administration API: their scopes, keys and descriptions.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use axum::http::StatusCode;
use jiff::Timestamp;
use latchkey_core::directory::{Command, Directory as _, Redemption};
use latchkey_core::instance::Policy;
use latchkey_core::instance::api_key::NewApiKey;
use latchkey_core::instance::scope::Scope;
use latchkey_core::ledger::{Asking, TakenLink};
use latchkey_core::link::compose::{LinkSpec, compose};
use latchkey_core::protocol::claims::Registered;
use latchkey_core::protocol::code::VerifiedCode;
use latchkey_core::protocol::payload::{ExistingId, Payload};

use latchkey_core::session::{NewSession, SessionId, SessionScope};

use latchkey_store::Wait as _;
use serde_json::{Value, json};

use crate::admin_api::{add, with_stored_key};
use crate::administering::{Administered, Response};
use crate::scopes::SCOPES;
use crate::site::{by, revoke_link};

const GUIDE: &str = include_str!("../../../guides/administration.md");

/// Begins a session of a user. Returns its name.
pub(crate) fn session_of(site: &Administered, user: &str) -> String {
    let key = SessionId::new(Timestamp::now()).unwrap().key();
    let members = json!({ "id": user });
    let members = members.as_object().unwrap().clone();
    let code = VerifiedCode {
        link: format!("link of {user}"),
        is_made_here: false,
        key_id: None,
        payload: Payload::from_claims(&members).unwrap(),
        judged_at: Timestamp::now().as_second(),
        registered: Registered::default(),
        members,
    };
    let session = NewSession {
        key,
        place: SessionScope::Page,
        browser: None,
        browser_key: None,
        replaces: None,
    };
    let redemption = Redemption {
        code: Ok(code),
        policy: Policy::default(),
        session: Some(session),
    };
    let command = Command::Redeem(Arc::new(redemption));
    site.directory.execute(command, &by()).wait().unwrap();
    key.handle().to_string()
}

/// The exchange of a pairing code, which needs no key.
const PAIRING: &str = "POST /admin/v1/pairings";

/// An operation of the description that needs a key.
struct Operation {
    method: String,
    /// Path below `/admin/v1`.
    path: String,
    /// Scope that the key needs. `None` if any key may use it.
    needed: Option<Scope>,
    /// Whether the request can be sent again with the same `Idempotency-Key`.
    is_repeatable: bool,
}

fn operations(site: &Administered, key: &str) -> Vec<Operation> {
    let document = site.ask("GET", "/openapi.json", key, &Value::Null).body;
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            if format!("{} {path}", method.to_uppercase()) == PAIRING {
                assert!(operation.get("security").is_none(), "{operation}");
                continue;
            }
            let scopes = operation["security"][0]["key"].clone();
            let scopes: Vec<Scope> = serde_json::from_value(scopes).unwrap();
            assert!(scopes.len() < 2, "{method} {path} names one scope at most");
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            let mut headers = parameters.filter(|parameter| parameter["in"] == "header");
            operations.push(Operation {
                is_repeatable: headers.any(|header| header["name"] == "Idempotency-Key"),
                method: method.to_uppercase(),
                path: path.strip_prefix("/admin/v1").unwrap().to_owned(),
                needed: scopes.first().copied(),
            });
        }
    }
    operations
}

/// Returns a body with which the request succeeds.
fn body(operation: &Operation, number: usize) -> Value {
    let claims = json!({ "claims": { "id": "ada", "iat": 1_700_000_000 } });
    match (operation.method.as_str(), operation.path.as_str()) {
        ("GET" | "DELETE", _) | (_, "/requests/{number}/dismiss") => Value::Null,
        (_, "/users") => json!({ "id": format!("new {number}") }),
        (_, "/users/{id}") => json!({ "metadata": { "team": "blue" } }),
        (_, "/users/{id}/account-end") => json!({ "ends_at": null }),
        (_, "/imports") => json!({ "users": [{ "id": format!("imported {number}") }] }),
        (_, "/lookups") => json!({ "ids": ["ada"] }),
        (_, "/seats") => json!({ "limit": null }),
        (_, "/times-ahead/correct") => json!({ "times": [] }),
        (_, "/dry-runs" | "/redemptions") => claims,
        (_, "/links") => json!({ "payload": { "id": "ada" } }),
        (_, "/revocations") => json!({ "link": "4af1", "end_sessions": true, "unknown": true }),
        (_, "/inspections") => {
            json!({ "text": "eyJhbGciOiJIUzI1NiJ9.eyJpZCI6ImFkYSJ9.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" })
        }
        (_, "/settings") => json!({ "require_expiry": false }),
        (_, "/signing-key") => json!({ "generate": true }),
        (_, "/signing-keys/rotations") => json!({ "retire_after": "now" }),
        (_, "/signing-keys/{id}/retirement") => json!({ "leaked": true }),
        (_, "/api-keys") => json!({ "name": format!("key {number}") }),
        (_, "/links/{id}/copies" | "/requests/{number}/grant") => json!({ "given": "qr_code" }),
        (_, path) if path.starts_with("/users/{id}/") || path.starts_with("/links/{id}/") => {
            Value::Null
        }
        other => panic!("this test has no body for {other:?}"),
    }
}

/// Enters a link in the ledger. Returns its ID.
fn take_link(site: &Administered) -> String {
    let instance = site.home.instances().get(&site.id).unwrap();
    let key = site.home.signing_key(&instance).unwrap();
    let payload = Payload::Id(ExistingId::parse("ada", false).unwrap());
    let spec = LinkSpec::new(payload, "7 days".parse().unwrap());
    let composed = compose(&instance.settings.target(), &key, spec, Timestamp::now());
    let claims = composed.unwrap().claims;
    let id = claims.registered.id.clone().unwrap();
    let taken = TakenLink::new(claims, None);
    site.directory.take_link(taken, &by()).wait().unwrap();
    id
}

/// Asks for a new link with one of a user that is used up. Returns the number of the request.
fn ask_for_link(site: &Administered, user: &str) -> String {
    let members = json!({ "user": { "id": user }, "jti": user, "single_use": true });
    let members = members.as_object().unwrap().clone();
    let code = VerifiedCode {
        link: user.to_owned(),
        is_made_here: false,
        key_id: None,
        payload: Payload::from_claims(&members).unwrap(),
        judged_at: Timestamp::now().as_second(),
        registered: Registered::from_members(&members).unwrap(),
        members,
    };
    let policy = Policy::default();
    let redeemed = site.directory.redeem(Ok(&code), policy, &by()).wait();
    assert!(redeemed.unwrap().user().is_some());
    let asking = Asking {
        code: code.into(),
        policy,
        browser: None,
    };
    site.directory.ask_for_link(asking, &by()).wait().unwrap();
    let open = site.directory.link_requests(by().at).wait().unwrap();
    open[0].number.to_string()
}

/// Sends a request that succeeds with a right key. Each request has a client address of its own, so
/// that wrong keys lock none out.
fn send(site: &Administered, operation: &Operation, number: usize, key: &str) -> Response {
    let user = format!("user{number}");
    let id = match operation.path.as_str() {
        "/api-keys/{id}" => {
            let new = NewApiKey::new(&user);
            site.home.make_api_key(&site.id, &new, &by()).unwrap();
            user.clone()
        }
        path if path.starts_with("/users/{id}") => {
            add(site, &user);
            user.clone()
        }
        "/signing-keys/{id}/retirement" => {
            let instance = site.home.instances().get(&site.id).unwrap();
            instance.key.unwrap().key_id().to_owned()
        }
        "/links/{id}" | "/links/{id}/revoke" => {
            revoke_link(&*site.directory, &user);
            user.clone()
        }
        "/links/{id}/copies" => take_link(site),
        _ => "4af1".to_owned(),
    };
    let [.., high, low] = number.to_be_bytes();
    let client = IpAddr::from([10, 0, high, low]);
    let mut path = operation.path.replace("{id}", &id);
    if path.contains("{session}") {
        path = path.replace("{session}", &session_of(site, &id));
    }
    if path.contains("{number}") {
        path = path.replace("{number}", &ask_for_link(site, &user));
    }
    let headers = [("x-api-key", key)];
    let headers = &headers[..usize::from(!key.is_empty())];
    let body = body(operation, number);
    site.send(client, &operation.method, &path, headers, &body)
}

#[test]
fn each_route_accepts_the_scopes_that_the_description_says_and_no_other_key() {
    let site = with_stored_key();
    add(&site, "ada");
    let keys = SCOPES.map(|scope| (scope, site.key(scope.name(), &[scope])));
    let revoked = site.key("revoked", &[Scope::Admin]);
    site.home
        .revoke_api_key(&site.id, "revoked", &by())
        .unwrap();
    let admin = &keys[4].1;
    let mut number = 0;
    for operation in operations(&site, admin) {
        let Operation {
            method,
            path,
            needed,
            ..
        } = &operation;
        let may = |scope: Scope| needed.is_none_or(|needed| scope.includes(needed));
        for (scope, key) in &keys {
            number += 1;
            // An accepted stream of changes does not end. Another test follows it.
            if path == "/changes" && may(*scope) {
                continue;
            }
            let answer = send(&site, &operation, number, key);
            let said = format!("{method} {path} with {scope}: {}", answer.body);
            if may(*scope) {
                assert!(answer.status.is_success(), "{said}");
            } else {
                assert_eq!(answer.status, StatusCode::FORBIDDEN, "{said}");
                assert_eq!(answer.body["code"], "scope_missing", "{said}");
            }
        }
        for key in ["", &revoked] {
            number += 1;
            let answer = send(&site, &operation, number, key);
            let said = format!("{method} {path} with '{key}': {}", answer.body);
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{said}");
            assert_eq!(answer.body["code"], "key_refused", "{said}");
        }
    }
    assert!(number > 7 * 30, "there are more than 30 routes");
}

#[test]
fn each_route_reads_the_idempotency_key_that_its_description_has_and_no_other_does() {
    let site = with_stored_key();
    add(&site, "ada");
    let admin = site.key("admin", &[Scope::Admin]);
    let headers = [("x-api-key", admin.as_str()), ("idempotency-key", "a b")];
    revoke_link(&*site.directory, "ada");
    let client = IpAddr::from([192, 0, 2, 8]);
    let (mut repeatable, mut others) = (0, 0);
    for (number, operation) in operations(&site, &admin).into_iter().enumerate() {
        // An accepted stream of changes does not end.
        if operation.path == "/changes" {
            assert!(!operation.is_repeatable);
            continue;
        }
        let path = operation.path.replace("{id}", "ada");
        let path = path.replace("{number}", "1");
        let body = body(&operation, number);
        let answer = site.send(client, &operation.method, &path, &headers, &body);
        let said = format!("{} {path}: {}", operation.method, answer.body);
        if operation.is_repeatable {
            repeatable += 1;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{said}");
            let detail = answer.body["detail"].as_str().unwrap();
            assert!(detail.contains("Idempotency-Key"), "{said}");
        } else {
            others += 1;
            assert_eq!(answer.status, StatusCode::OK, "{said}");
        }
    }
    assert!(repeatable > 15 && others > 9, "{repeatable} and {others}");
}

#[test]
fn the_table_in_the_guide_has_each_route_with_its_scope() {
    let site = Administered::new();
    let key = site.key("admin", &[Scope::Admin]);
    let rows = GUIDE.lines().filter_map(|line| {
        let (request, rest) = line.strip_prefix("| `")?.split_once("` | ")?;
        let (scope, _) = rest.split_once(" |")?;
        Some((request.to_owned(), scope.to_owned()))
    });
    let is_request = |row: &(String, String)| row.0.contains(" /admin/v1");
    let rows: BTreeSet<(String, String)> = rows.filter(is_request).collect();
    let described = operations(&site, &key).into_iter().map(|operation| {
        let Operation {
            method,
            path,
            needed,
            ..
        } = operation;
        let needed = needed.map_or("any".to_owned(), |scope| format!("`{scope}`"));
        (format!("{method} /admin/v1{path}"), needed)
    });
    let pairing = (PAIRING.to_owned(), "no key".to_owned());
    assert_eq!(rows, described.chain([pairing]).collect());
}
