//! Exchange of pairing codes, and the last use of API keys.

use std::net::IpAddr;
use std::sync::Barrier;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use latchkey_core::activity::{Actor, AuditContext, EventData};
use latchkey_core::instance::api_key::NewApiKey;
use latchkey_core::instance::scope::Scope;
use serde_json::{Value, json};

use crate::administering::{Administered, Response};
use crate::site::by;

fn laptop() -> NewApiKey {
    NewApiKey {
        scopes: vec![Scope::Admin],
        ..NewApiKey::new("laptop")
    }
}

fn code(site: &Administered, by: &AuditContext) -> String {
    let begun = site.home.make_pairing(&site.id, &laptop(), by).unwrap();
    begun.code.expose().to_owned()
}

fn exchange(site: &Administered, client: u8, code: &str) -> Response {
    let client = IpAddr::from([192, 0, 2, client]);
    site.send(client, "POST", "/pairings", &[], &json!({ "code": code }))
}

fn codes(site: &Administered) -> Vec<String> {
    let entries = site.entries().into_iter();
    let codes = entries.map(|entry| entry.event.data.code().to_owned());
    codes.filter(|code| code.starts_with("pairing")).collect()
}

#[test]
fn a_code_is_exchanged_once_for_a_key_that_works_at_once() {
    let site = Administered::new();
    let code = code(&site, &by());
    // The gateway has read the settings before the key is made.
    assert_eq!(
        site.ask("GET", "", "lk_wrong", &Value::Null).status,
        StatusCode::UNAUTHORIZED
    );
    let answer = exchange(&site, 1, &code);
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.body);
    assert_eq!(answer.headers["cache-control"], "no-store");
    let paired = answer.body;
    assert_eq!(
        (&paired["name"], &paired["instance"]),
        (&json!("laptop"), &json!("acme"))
    );
    assert_eq!(
        (&paired["scopes"], &paired["expires_at"]),
        (&json!(["admin"]), &Value::Null)
    );
    let key = paired["key"].as_str().unwrap();
    assert_eq!(
        site.ask("GET", "/users", key, &Value::Null).status,
        StatusCode::OK
    );
    let again = exchange(&site, 1, &code);
    assert_eq!(again.status, StatusCode::UNAUTHORIZED);
    assert!(!again.body.to_string().contains(&code));
    assert_eq!(
        codes(&site),
        ["pairing_refused", "pairing_exchanged", "pairing_made"]
    );
    let entries = site.entries();
    let exchanged = entries
        .iter()
        .find(|entry| entry.event.data.code() == "pairing_exchanged");
    let exchanged = exchanged.unwrap();
    assert_eq!(exchanged.address, Some(IpAddr::from([192, 0, 2, 1])));
    assert_eq!(exchanged.actor, Actor::Visitor);
    let file = site.home.instances().folder(&site.id).join("instance.json");
    let file = std::fs::read_to_string(file).unwrap();
    assert!(!file.contains(key) && !file.contains(&code));
}

#[test]
fn a_client_that_expects_another_instance_does_not_use_the_code_up() {
    let site = Administered::new();
    let code = code(&site, &by());
    let ask = |instance: &str| {
        let body = json!({ "code": code, "instance": instance });
        site.ask("POST", "/pairings", "", &body)
    };
    let refused = ask("other");
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(refused.body["field"], "instance");
    assert_eq!(ask(site.id.as_str()).status, StatusCode::CREATED);
}

#[test]
fn of_32_clients_with_one_code_one_gets_the_key() {
    let site = Administered::new();
    let code = code(&site, &by());
    let start = Barrier::new(32);
    let answers: Vec<Response> = thread::scope(|scope| {
        let clients: Vec<_> = (0..32)
            .map(|client| {
                let (site, start, code) = (&site, &start, &code);
                scope.spawn(move || {
                    start.wait();
                    exchange(site, client, code)
                })
            })
            .collect();
        clients
            .into_iter()
            .map(|client| client.join().unwrap())
            .collect()
    });
    let got = |status| {
        answers
            .iter()
            .filter(|answer| answer.status == status)
            .count()
    };
    assert_eq!(got(StatusCode::CREATED), 1);
    assert_eq!(got(StatusCode::UNAUTHORIZED), 31);
    let instance = site.home.instances().get(&site.id).unwrap();
    assert_eq!((instance.api_keys.len(), instance.pairings.len()), (1, 0));
}

#[test]
fn wrong_used_and_expired_codes_have_one_answer_and_lock_the_address_out() {
    let site = Administered::new();
    let an_hour_ago = Timestamp::now() - SignedDuration::from_hours(1);
    let expired = code(&site, &AuditContext::new(Actor::CommandLine, an_hour_ago));
    let used = code(&site, &by());
    assert_eq!(exchange(&site, 9, &used).status, StatusCode::CREATED);
    let answer = |code: &str| {
        let answer = exchange(&site, 1, code);
        (answer.status, answer.body["detail"].clone())
    };
    let wrong = answer("AAAAAAAAAAAAAAAAAAAAAA");
    assert_eq!(wrong.0, StatusCode::UNAUTHORIZED);
    for code in [&expired, &used, ""] {
        assert_eq!(answer(code), wrong);
    }
    for _ in 4..10 {
        answer("AAAAAAAAAAAAAAAAAAAAAA");
    }
    // The right code of a locked address is not used up.
    let another = NewApiKey::new("other");
    let begun = site.home.make_pairing(&site.id, &another, &by());
    let right = begun.unwrap().code;
    assert_eq!(
        exchange(&site, 1, right.expose()).status,
        StatusCode::TOO_MANY_REQUESTS
    );
    assert_eq!(
        exchange(&site, 2, right.expose()).status,
        StatusCode::CREATED
    );
    let refused = site.entries().into_iter();
    let refused = refused.filter(|entry| entry.event.data == EventData::PairingRefused);
    assert!(refused.count() >= 1);
}

#[test]
fn the_last_use_of_a_key_is_written_once_in_five_minutes() {
    let site = Administered::new();
    let used = site.key("used", &[Scope::UsersRead]);
    site.key("unused", &[Scope::UsersRead]);
    let before = Timestamp::now().as_second();
    for _ in 0..3 {
        assert_eq!(
            site.ask("GET", "/users", &used, &Value::Null).status,
            StatusCode::OK
        );
    }
    let begun = Instant::now();
    let last = loop {
        let instance = site.home.instances().get(&site.id).unwrap();
        let last: Vec<Option<i64>> = instance
            .api_keys
            .iter()
            .map(|key| key.last_used_at)
            .collect();
        if last[0].is_some() {
            break last;
        }
        assert!(
            begun.elapsed() < Duration::from_mins(1),
            "it is not written"
        );
        thread::sleep(Duration::from_millis(10));
    };
    assert!(last[0].unwrap() >= before);
    assert_eq!(last[1], None);
    assert_eq!(site.key_writes.load(Ordering::Relaxed), 1);
}
