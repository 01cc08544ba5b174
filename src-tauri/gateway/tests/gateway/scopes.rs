//! Scopes of API keys: each operation with each scope, and without a valid key.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};

use axum::http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use latchkey_core::activity::{ActivityQuery, Actor, EventData};
use latchkey_core::directory::Directory as _;
use latchkey_core::instance::api_key::{ApiKey, NewApiKey};
use latchkey_core::instance::scope::Scope;
use latchkey_core::protocol::lifetime::Lifetime;
use latchkey_core::protocol::metadata::Metadata;
use latchkey_core::protocol::payload::NewUser;
use latchkey_gateway::ClientLimits;
use latchkey_store::Wait as _;
use serde_json::{Map, Value, json};

use crate::document::document;
use crate::serving::Running;
use crate::site::{Answer, Site, by};

const GUIDE: &str = include_str!("../../../guides/api.md");

/// All scopes of API keys.
pub(crate) const SCOPES: [Scope; 5] = [
    Scope::Links,
    Scope::UsersRead,
    Scope::Users,
    Scope::Activity,
    Scope::Admin,
];

/// An operation of the `OpenAPI` description, with the scope that it says.
struct Operation {
    method: String,
    path: String,
    needed: Scope,
}

fn operations() -> Vec<Operation> {
    let (site, _) = site_with(&NewApiKey::new("CRM"), Timestamp::now());
    let document = document(&site);
    let mut operations = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            let scopes = &operation["security"][0]["key"];
            let scopes: Vec<Scope> = serde_json::from_value(scopes.clone()).unwrap();
            let [needed] = scopes[..] else {
                panic!("{method} {path} names one scope: {operation}");
            };
            operations.push(Operation {
                method: method.to_uppercase(),
                path: path.clone(),
                needed,
            });
        }
    }
    operations
}

/// Returns an instance with one API key, and the key.
fn site_with(new: &NewApiKey, made_at: Timestamp) -> (Site, String) {
    let mut site = Site::new();
    let (key, secret) = ApiKey::generate(new, made_at).unwrap();
    site.api_keys.push(key);
    (site, secret.expose().to_owned())
}

/// Sends a valid request about a new user.
fn send(site: &Site, operation: &Operation, user: &str, key: Option<&str>) -> Answer {
    let metadata = Metadata::new(Map::new(), "metadata").unwrap();
    let new = NewUser::parse(user, None, metadata).unwrap();
    site.directory.add(&new, &by()).wait().unwrap();
    let Operation { method, path, .. } = operation;
    let body = match (method.as_str(), path.as_str()) {
        ("GET" | "DELETE", _) => Value::Null,
        (_, "/api/v2/users" | "/api/v2/users/{id}") => json!({}),
        (_, "/api/v1/links") => json!({ "payload": { "id": user } }),
        (_, "/api/v1/inspect") => json!({ "text": site.code(r#"{"id":"ada"}"#) }),
        other => panic!("this test has no body for {other:?}"),
    };
    let path = path.replace("{id}", user);
    let mut headers = vec![("content-type", "application/json")];
    headers.extend(key.map(|key| ("x-api-key", key)));
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    site.ask(method, &path, &headers, &body)
}

fn detail(answer: &Answer) -> String {
    let problem: Value = serde_json::from_str(&answer.body).unwrap();
    problem["detail"].as_str().unwrap().to_owned()
}

/// Returns the events of an actor, without repetitions.
fn events(site: &Site, actor: &Actor) -> Vec<EventData> {
    let everything = ActivityQuery::default();
    let page = site.directory.activity(&everything, None, 99).wait();
    let entries = page.unwrap().entries.into_iter();
    let of_actor = entries.filter(|entry| entry.actor == *actor);
    let mut events: Vec<EventData> = of_actor.map(|entry| entry.event.data).collect();
    events.dedup();
    events
}

#[test]
fn each_operation_accepts_the_scopes_that_the_description_says_and_names_a_missing_one() {
    let operations = operations();
    assert_eq!(operations.len(), 7);
    for scope in SCOPES {
        let new = NewApiKey {
            scopes: vec![scope],
            ..NewApiKey::new("CRM")
        };
        let (site, key) = site_with(&new, Timestamp::now());
        let mut missing = BTreeSet::new();
        for (number, operation) in operations.iter().enumerate() {
            let Operation {
                method,
                path,
                needed,
            } = operation;
            let answer = send(&site, operation, &format!("user{number}"), Some(&key));
            let said = format!("{method} {path} with {scope}: {}", answer.body);
            if scope.includes(*needed) {
                assert!(answer.status.is_success(), "{said}");
            } else {
                assert_eq!(answer.status, StatusCode::FORBIDDEN, "{said}");
                let named = format!("lacks the scope '{needed}'.");
                assert!(detail(&answer).contains(&named), "{said}");
                missing.insert(*needed);
            }
        }
        let recorded = events(&site, &Actor::ApiKey("CRM".to_owned()));
        let recorded = recorded.into_iter().filter_map(|event| match event {
            EventData::ApiKeyScopeMissing { scope } => Some(scope),
            _ => None,
        });
        let recorded: BTreeSet<Scope> = recorded.collect();
        assert_eq!(recorded, missing, "with {scope}");
    }
}

#[test]
fn each_operation_refuses_a_missing_a_revoked_and_an_expired_key() {
    let operations = operations();
    let all = NewApiKey {
        scopes: vec![Scope::Admin],
        lifetime: Lifetime::Secs(3600),
        ..NewApiKey::new("CRM")
    };
    let two_hours_ago = Timestamp::now() - SignedDuration::from_hours(2);
    let (expired, expired_key) = site_with(&all, two_hours_ago);
    let (revoked, _) = site_with(&NewApiKey::new("other"), Timestamp::now());
    let (_, revoked_key) = site_with(&all, Timestamp::now());
    for (number, operation) in operations.iter().enumerate() {
        for (site, key, words) in [
            (&revoked, None, "is missing"),
            (&revoked, Some(&revoked_key), "does not contain a key"),
            (&expired, Some(&expired_key), "has expired"),
        ] {
            let user = format!("user{number}{}", key.is_some());
            let answer = send(site, operation, &user, key.map(String::as_str));
            let Operation { method, path, .. } = operation;
            let said = format!("{method} {path}: {}", answer.body);
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{said}");
            assert!(detail(&answer).contains(words), "{said}");
            assert!(site.has_user(&user), "{said}");
        }
    }
    let recorded = events(&expired, &Actor::ApiKey("CRM".to_owned()));
    assert_eq!(recorded, [EventData::ApiKeyExpired]);
    assert_eq!(
        events(&revoked, &Actor::Visitor),
        [EventData::ApiKeyRefused]
    );
}

#[test]
fn other_methods_of_a_path_are_refused() {
    let operations = operations();
    let (site, key) = site_with(&NewApiKey::new("CRM"), Timestamp::now());
    let paths: BTreeSet<&str> = operations.iter().map(|known| known.path.as_str()).collect();
    for path in paths {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            let is_known =
                |known: &Operation| (known.path.as_str(), known.method.as_str()) == (path, method);
            if !operations.iter().any(is_known) {
                let answer = site.ask(method, path, &[("x-api-key", key.as_str())], "");
                assert_eq!(
                    answer.status,
                    StatusCode::METHOD_NOT_ALLOWED,
                    "{method} {path}"
                );
            }
        }
    }
}

#[test]
fn the_table_in_the_guide_has_each_operation_with_its_scope() {
    let rows = GUIDE.lines().filter_map(|line| {
        let (request, rest) = line.strip_prefix("| `")?.split_once("` | ")?;
        let (scope, _) = rest.split_once(" |")?;
        Some((request.to_owned(), scope.to_owned()))
    });
    let rows: BTreeSet<(String, String)> = rows
        .filter(|(request, _)| request.contains(" /api/"))
        .collect();
    let in_description = operations().into_iter().map(|operation| {
        let Operation {
            method,
            path,
            needed,
        } = operation;
        (format!("{method} {path}"), format!("`{needed}`"))
    });
    let open = ("GET /api/openapi.json".to_owned(), "no key".to_owned());
    let expected: BTreeSet<_> = in_description.chain([open]).collect();
    assert_eq!(rows, expected);
}

#[test]
fn ten_wrong_keys_lock_an_address_out_and_missing_ones_do_not() {
    let (mut site, key) = site_with(&NewApiKey::new("CRM"), Timestamp::now());
    site.limits = ClientLimits::default();
    let running = Running::new(&site);
    let ask = |key: &str| {
        let mut stream = running.connect();
        write!(
            stream,
            "GET /api/v2/users HTTP/1.1\r\nHost: x\r\n{key}Connection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let status = answer.split(' ').nth(1).unwrap().to_owned();
        (status, answer)
    };
    let right = format!("X-API-KEY: {key}\r\n");
    for _ in 0..11 {
        assert_eq!(ask("").0, "401");
    }
    assert_eq!(ask(&right).0, "200");
    for _ in 0..10 {
        assert_eq!(ask("X-API-KEY: lk_wrong\r\n").0, "401");
    }
    let (status, answer) = ask(&right);
    assert_eq!(status, "429", "{answer}");
    let mut lines = answer.lines();
    let waits = lines.find_map(|line| line.strip_prefix("retry-after: "));
    let waits: u64 = waits.unwrap().parse().unwrap();
    assert!((1..=60).contains(&waits), "{answer}");
    running.end();
}
