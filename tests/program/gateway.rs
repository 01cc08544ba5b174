//! Tests of the gateway that Studio runs, by its commands and over the network.

use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::boundary::{Boundary, activity_request};
use crate::visitor::{get, get_with, press_continue};

/// Returns a Studio and the ID of the sample instance.
fn with_sample() -> (Boundary, String) {
    let boundary = Boundary::new();
    boundary
        .ask(
            "keys_create",
            json!({ "passphrase": "correct horse battery" }),
        )
        .unwrap();
    let sample = boundary.ask("sample_instance_add", Value::Null).unwrap();
    let id = sample["id"].as_str().unwrap().to_owned();
    (boundary, id)
}

/// Returns the path and query of a link for a new user.
fn link(boundary: &Boundary, instance: &str, id: &str) -> String {
    let preview = boundary.ask("compose", compose_user(instance, id)).unwrap();
    format!("{}{}", text(&preview["link"]["before"]), code(&preview))
}

fn compose_user(instance: &str, id: &str) -> Value {
    json!({
        "instance": instance,
        "who": { "kind": "user", "id": id, "email": "", "metadata": { "kind": "fields", "fields": [] } },
        "expires_in": "7 days", "not_before": null, "uses": null, "anew": false,
    })
}

fn code(preview: &Value) -> String {
    let parts = ["header", "claims", "signature"].map(|part| text(&preview["link"][part]));
    parts.join(".")
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

fn start(boundary: &Boundary, instance: &str, port: u16) -> Result<Value, Value> {
    let request =
        json!({ "instance": instance, "ip": "127.0.0.1", "port": port, "tls": { "kind": "off" } });
    boundary.ask("gateway_start", request)
}

#[test]
fn the_gateway_serves_visitors_while_another_instance_is_selected_and_ends_on_request() {
    let (boundary, here) = with_sample();
    let other = boundary
        .ask(
            "instance_add",
            json!({ "name": "B", "url": "https://b.example", "hosted": "here", "secret": { "kind": "generate" } }),
        )
        .unwrap();
    let other = other["id"].as_str().unwrap().to_owned();

    let state = boundary.ask("gateway", Value::Null).unwrap();
    assert_eq!(state["running"], Value::Null);
    assert_eq!(
        state["addresses"][0],
        json!({ "ip": "127.0.0.1", "interface": null })
    );
    let state = start(&boundary, &here, 0).unwrap();
    let url = state["running"]["url"].as_str().unwrap().to_owned();
    assert_eq!(state["running"]["on_network"], false);
    assert!(get(&url, &link(&boundary, &here, "ada")).starts_with("HTTP/1.1 303"));
    let after = boundary.ask("gateway", Value::Null).unwrap();
    assert_eq!(after["running"]["sign_ins"], 1);
    assert!(get(&url, "/?externalAuthCode=no.code.here").starts_with("HTTP/1.1 403"));
    // The users of both instances can be read, although the gateway holds one of the directories.
    for _ in 0..2 {
        for (instance, used) in [(&here, 1), (&other, 0)] {
            let seats = boundary
                .ask("seats", json!({ "instance": instance }))
                .unwrap();
            assert_eq!(seats["used"], used);
        }
    }
    boundary
        .ask("user_suspend", json!({ "instance": here, "id": "ada" }))
        .unwrap();
    assert!(get(&url, &link(&boundary, &here, "ada")).starts_with("HTTP/1.1 403"));

    let refused = boundary.ask("activity", activity_request(&here)).unwrap();
    let codes: Vec<&str> = refused["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["code"].as_str().unwrap())
        .collect();
    assert_eq!(
        codes,
        [
            "user_suspended",
            "suspended",
            "malformed_code",
            "provisioned",
            "gateway_started",
            "instance_made"
        ]
    );
    let [refused, provisioned] = [0, 3].map(|at| &refused["entries"][at]);
    assert_eq!(
        (&refused["address"], &provisioned["address"]),
        (&json!("127.0.0.1"), &json!("127.0.0.1"))
    );
    assert_eq!(refused["reference"].as_str().unwrap().len(), 8);
    assert_eq!(provisioned["reference"], Value::Null);

    // A gateway for another instance replaces it, and the first directory can be opened at once.
    let state = start(&boundary, &other, 0).unwrap();
    assert_eq!(state["running"]["instance"], other.as_str());
    let address = url.trim_start_matches("http://").trim_end_matches('/');
    assert!(TcpStream::connect(address).is_err());
    boundary.ask("seats", json!({ "instance": here })).unwrap();
    let state = boundary.ask("gateway_stop", Value::Null).unwrap();
    assert_eq!(state["running"], Value::Null);
    boundary.ask("gateway_stop", Value::Null).unwrap();
    boundary
        .ask("instance_remove", json!({ "instance": other }))
        .unwrap();
}

#[test]
fn a_used_single_use_code_says_so_and_stays_until_another_is_requested() {
    let (boundary, here) = with_sample();
    let state = start(&boundary, &here, 0).unwrap();
    let url = text(&state["running"]["url"]);
    let mut request = compose_user(&here, "ada");
    request["uses"] = json!(1);
    let compose = |request: &Value| boundary.ask("compose", request.clone()).unwrap();
    let first = compose(&request);
    assert_eq!(first["uses"], 1);
    assert_eq!(first["forecast"]["verdict"], "provisioned");

    let continued = press_continue(url, &format!("/?externalAuthCode={}", code(&first)));
    assert!(continued.starts_with("HTTP/1.1 303"), "{continued}");
    let used = compose(&request);
    assert_eq!(code(&used), code(&first), "it was replaced without a word");
    assert_eq!(used["forecast"]["verdict"], "link_already_used");

    // Links for other users and other instances do not replace the code, unless they were composed
    // in its place.
    let other = json!({ "name": "B", "url": "https://b.example", "hosted": "here", "secret": { "kind": "generate" } });
    let other = boundary.ask("instance_add", other).unwrap();
    for number in 0..10 {
        compose(&compose_user(text(&other["id"]), &format!("user-{number}")));
    }
    assert_eq!(code(&compose(&request)), code(&first));
    let mut anew = request.clone();
    anew["anew"] = json!(true);
    let second = compose(&anew);
    assert_ne!(code(&second), code(&first));
    assert_eq!(second["forecast"]["verdict"], "signed_in");
    assert_eq!(code(&compose(&request)), code(&second));

    // With other settings the code would differ.
    let started = boundary.ask("start", Value::Null).unwrap();
    let mut instances = started["instances"].as_array().unwrap().iter();
    let mut settings = instances.find(|one| one["id"] == here).unwrap().clone();
    let before = settings.clone();
    settings["url"] = json!("https://chat.acme.example");
    boundary
        .ask(
            "instance_update",
            json!({ "instance": here, "settings": settings, "before": before }),
        )
        .unwrap();
    assert_ne!(code(&compose(&request)), code(&second));
    // A link without a use limit is signed again for each preview.
    request["uses"] = json!(null);
    assert_ne!(code(&compose(&request)), code(&compose(&request)));
}

#[test]
fn a_wrong_address_is_refused_and_removing_an_instance_ends_its_gateway() {
    let (boundary, here) = with_sample();
    let other = start(&boundary, &here, 0).unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let refused = start(&boundary, &here, port).unwrap_err();
    assert_eq!(refused["code"], "address_in_use");
    for ip in ["192.0.2.1", "not an address", ""] {
        let request = json!({ "instance": here, "ip": ip, "port": 0, "tls": { "kind": "off" } });
        let refused = boundary.ask("gateway_start", request).unwrap_err();
        assert_eq!(refused["code"], "invalid_setting", "{ip}");
    }
    let elsewhere = json!({ "name": "B", "url": "https://b.example", "hosted": "elsewhere", "secret": { "kind": "generate" } });
    let elsewhere = boundary.ask("instance_add", elsewhere).unwrap();
    let refused = start(&boundary, elsewhere["id"].as_str().unwrap(), 0).unwrap_err();
    assert_eq!(refused["code"], "hosted_elsewhere");

    let url = other["running"]["url"].as_str().unwrap();
    let port = url.trim_end_matches('/').rsplit(':').next().unwrap();
    let port: u16 = port.parse().unwrap();
    let no_files = json!({ "kind": "files", "certificate": "/nonexistent", "key": "/nonexistent" });
    let request = json!({ "instance": here, "ip": "127.0.0.1", "port": port, "tls": no_files });
    boundary.ask("gateway_start", request).unwrap_err();
    assert!(
        get(url, "/healthz").starts_with("HTTP/1.1 200"),
        "what runs goes on"
    );
    start(&boundary, &here, port).unwrap();
    assert!(
        get(url, "/healthz").starts_with("HTTP/1.1 200"),
        "it is begun anew"
    );
    boundary
        .ask("instance_remove", json!({ "instance": here }))
        .unwrap();
    let state = boundary.ask("gateway", Value::Null).unwrap();
    assert_eq!(state["running"], Value::Null);
}

#[test]
fn the_options_of_a_gateway_are_kept_as_long_as_its_instance() {
    let (boundary, here) = with_sample();
    let remembered = || boundary.ask("start", Value::Null).unwrap()["gateways"].clone();
    assert_eq!(remembered(), json!([]));
    start(&boundary, &here, 0).unwrap();
    let mut request =
        json!({ "instance": here, "ip": "127.0.0.1", "port": 0, "tls": { "kind": "self_signed" } });
    boundary.ask("gateway_start", request.clone()).unwrap();
    assert_eq!(remembered(), json!([request]));
    // A failed start is not stored.
    request["ip"] = json!("192.0.2.1");
    boundary.ask("gateway_start", request.clone()).unwrap_err();
    request["ip"] = json!("127.0.0.1");
    assert_eq!(remembered(), json!([request]));
    // Other preferences are stored beside it.
    boundary
        .ask("appearance_set", json!({ "theme": "dark" }))
        .unwrap();
    boundary.ask("gateway_stop", Value::Null).unwrap();
    assert_eq!(remembered(), json!([request]));
    boundary
        .ask("instance_remove", json!({ "instance": here }))
        .unwrap();
    assert_eq!(remembered(), json!([]));
}

#[test]
fn the_gateway_speaks_https_with_a_certificate_that_is_kept() {
    let (boundary, here) = with_sample();
    let start = |tls: Value| {
        let request = json!({ "instance": here, "ip": "127.0.0.1", "port": 0, "tls": tls });
        boundary.ask("gateway_start", request)
    };
    let fingerprint = || {
        let state = start(json!({ "kind": "self_signed" })).unwrap();
        let url = state["running"]["url"].as_str().unwrap().to_owned();
        assert!(url.starts_with("https://127.0.0.1:"), "{url}");
        state["running"]["fingerprint"].clone()
    };
    let first = fingerprint();
    assert_eq!(first.as_str().unwrap().len(), 95);
    assert_eq!(fingerprint(), first);
    let nowhere = json!({ "kind": "files", "certificate": "/nowhere.pem", "key": "/nowhere.pem" });
    let refused = start(nowhere).unwrap_err();
    assert_eq!(refused["code"], "storage");
    let state = boundary.ask("gateway", Value::Null).unwrap();
    assert_eq!(
        state["running"]["fingerprint"], first,
        "the old one goes on"
    );
    boundary.ask("gateway_stop", Value::Null).unwrap();
}

#[test]
fn the_api_works_with_a_new_key_and_refuses_a_revoked_one() {
    let (boundary, here) = with_sample();
    let state = start(&boundary, &here, 0).unwrap();
    let url = state["running"]["url"].as_str().unwrap().to_owned();
    let users = |key: &str| get_with(&url, "/api/v2/users", &format!("X-API-KEY: {key}\r\n"));
    assert!(users("x").starts_with("HTTP/1.1 404"));
    let made = json!({ "instance": here, "name": "CRM", "scopes": ["users:read"], "expires_in": "90 days" });
    let made = boundary.ask("api_key_make", made).unwrap();
    let key = made["key"].as_str().unwrap();
    let id = made["instance"]["api_keys"][0]["id"].clone();
    let scopes = &made["instance"]["api_keys"][0]["scopes"];
    assert_eq!(*scopes, json!(["users:read"]));
    assert!(!made["instance"].to_string().contains(key));
    // The gateway caches settings for a second.
    let until = |status: &str| {
        let begun = Instant::now();
        while !users(key).starts_with(status) {
            let answer = users(key);
            assert!(begun.elapsed() < Duration::from_mins(1), "{answer}");
            thread::sleep(Duration::from_millis(50));
        }
    };
    until("HTTP/1.1 200");
    let revoked = json!({ "instance": here, "key": id });
    let instance = boundary.ask("api_key_revoke", revoked).unwrap();
    assert_eq!(instance["api_keys"], json!([]));
    until("HTTP/1.1 404");
    boundary.ask("gateway_stop", Value::Null).unwrap();
}
