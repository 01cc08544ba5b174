//! The gateway that Studio runs, by its commands and over the wire.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};

use serde_json::{Value, json};

use crate::boundary::Boundary;

/// What a visitor is answered.
fn get(url: &str, path: &str) -> String {
    let address = url.trim_start_matches("http://").trim_end_matches('/');
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// Studio with the sample instance, and its id.
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

/// The path and query of a link for a new user.
fn link(boundary: &Boundary, instance: &str, id: &str) -> String {
    let preview = boundary.ask(
        "compose",
        json!({
            "instance": instance,
            "who": { "kind": "user", "id": id, "email": "", "metadata": { "kind": "fields", "fields": [] } },
            "expires_in": "7 days", "not_before": null, "single_use": false,
            "issuer": null, "subject": null, "audience": null,
        }),
    );
    let link = &preview.unwrap()["link"];
    let part = |name: &str| link[name].as_str().unwrap().to_owned();
    format!(
        "{}{}.{}.{}",
        part("before"),
        part("header"),
        part("claims"),
        part("signature")
    )
}

fn start(boundary: &Boundary, instance: &str, port: u16) -> Result<Value, Value> {
    let request = json!({ "instance": instance, "ip": "127.0.0.1", "port": port });
    boundary.ask("gateway_start", request)
}

#[test]
fn it_answers_visitors_while_another_instance_is_worked_on_and_ends_when_it_is_told_to() {
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
    let state = boundary.ask("gateway", Value::Null).unwrap();
    assert_eq!(state["running"]["sign_ins"], 1);
    // The users of both are there, whichever the gateway holds.
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

    // Another one takes its place, and the first can be opened again at once.
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
fn what_cannot_be_listened_on_is_refused_and_an_instance_takes_its_gateway_along() {
    let (boundary, here) = with_sample();
    let other = start(&boundary, &here, 0).unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let refused = start(&boundary, &here, port).unwrap_err();
    assert_eq!(refused["code"], "address_in_use");
    for ip in ["192.0.2.1", "not an address", ""] {
        let request = json!({ "instance": here, "ip": ip, "port": 0 });
        let refused = boundary.ask("gateway_start", request).unwrap_err();
        assert_eq!(refused["code"], "address_in_use", "{ip}");
    }
    let elsewhere = json!({ "name": "B", "url": "https://b.example", "hosted": "elsewhere", "secret": { "kind": "generate" } });
    let elsewhere = boundary.ask("instance_add", elsewhere).unwrap();
    let refused = start(&boundary, elsewhere["id"].as_str().unwrap(), 0).unwrap_err();
    assert_eq!(refused["code"], "hosted_elsewhere");

    let url = other["running"]["url"].as_str().unwrap();
    assert!(
        get(url, "/healthz").starts_with("HTTP/1.1 200"),
        "what runs goes on"
    );
    let port = url.trim_end_matches('/').rsplit(':').next().unwrap();
    start(&boundary, &here, port.parse().unwrap()).unwrap();
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
