//! Tests of the API for other systems.

use axum::http::StatusCode;
use jiff::Timestamp;
use latchkey_core::activity::{ActivityQuery, Actor};
use latchkey_core::directory::Directory as _;
use latchkey_store::Wait as _;
use serde_json::{Value, json};

use crate::api_client::{Client, refusal};
use crate::site::{Site, by};

#[test]
fn the_api_is_off_without_keys_and_refuses_a_wrong_key() {
    let off = Site::new();
    for path in [
        "/api/v2/users",
        "/api/v1/links",
        "/api/openapi.json",
        "/api/x",
    ] {
        assert_eq!(refusal(&off.get(path, &[])).0, 404, "{path}");
    }
    let client = Client::new();
    let half = &client.key[..client.key.len() - 1];
    for sent in ["", "lk_", half, &format!("{}x", client.key), "\u{e9}"] {
        for (method, path) in [
            ("GET", "/api/v2/users"),
            ("POST", "/api/v1/links"),
            ("DELETE", "/api/v2/users/ada"),
        ] {
            let answer = client.site.ask(method, path, &[("x-api-key", sent)], "");
            assert_eq!(refusal(&answer).0, 401, "{sent}");
            assert!(!answer.body.contains(&client.key));
        }
    }
    assert_eq!(refusal(&client.site.get("/api/v2/users", &[])).0, 401);
    // A session cookie is not an API key.
    let cookie = client.site.sign_in("ada");
    assert_eq!(
        refusal(&client.site.get_as("/api/v2/users", &cookie)).0,
        401
    );
}

#[test]
fn a_user_is_added_found_changed_and_removed() {
    let client = Client::new();
    let ada = json!({ "id": "ada", "email": "Ada@acme.example", "groups": ["a", "b"], "metadata": { "name": "Ada" } });
    let added = client.done("POST", "/api/v2/users", &ada);
    assert_eq!(
        (&added["id"], &added["email"], &added["groups"]),
        (&ada["id"], &ada["email"], &ada["groups"])
    );
    assert_eq!(added["metadata"], json!({ "name": "Ada" }));
    assert!(
        added["createdAt"]
            .as_str()
            .unwrap()
            .parse::<Timestamp>()
            .is_ok()
    );
    let found = client.done(
        "GET",
        "/api/v2/users?email=aDA%40acme.example",
        &Value::Null,
    );
    assert_eq!(found["data"], json!([added]));
    assert_eq!(client.done("GET", "/api/v2/users/ada", &Value::Null), added);
    let change = json!({ "email": null, "groups": ["c"], "metadata": { "name": null, "desk": 7 } });
    let changed = client.done("PATCH", "/api/v2/users/ada", &change);
    assert_eq!(
        (&changed["email"], &changed["groups"]),
        (&Value::Null, &json!(["c"]))
    );
    assert_eq!(changed["metadata"], json!({ "desk": 7 }));
    let same = client.done("PATCH", "/api/v2/users/ada", &json!({}));
    assert_eq!(same, changed);
    let none = client.done("PATCH", "/api/v2/users/ada", &json!({ "groups": [] }));
    assert_eq!(none["groups"], json!([]));
    assert_eq!(
        client
            .ask("DELETE", "/api/v2/users/ada", &Value::Null)
            .status,
        StatusCode::NO_CONTENT
    );
    for (method, body) in [
        ("GET", Value::Null),
        ("PATCH", json!({})),
        ("DELETE", Value::Null),
    ] {
        assert_eq!(
            client.refused(method, "/api/v2/users/ada", &body).0,
            404,
            "{method}"
        );
    }
    let made = client.done("POST", "/api/v2/users", &json!({}));
    assert_eq!(made["id"].as_str().unwrap().len(), 16);
    let page = client
        .site
        .directory
        .activity(&ActivityQuery::default(), None, 99)
        .wait()
        .unwrap();
    let codes: Vec<&str> = page
        .entries
        .iter()
        .rev()
        .map(|entry| entry.event.data.code())
        .collect();
    assert_eq!(
        codes,
        [
            "added",
            "profile_changed",
            "profile_changed",
            "removed",
            "added"
        ]
    );
    assert!(
        page.entries
            .iter()
            .all(|entry| entry.actor == Actor::ApiKey("CRM".into()))
    );
}

#[test]
fn every_id_can_be_used_in_a_path() {
    let client = Client::new();
    for id in [
        "a/b",
        "100%",
        "ada lovelace",
        "\u{e4}da",
        "..",
        "?x=1#y",
        "ada@acme.example",
    ] {
        client.done("POST", "/api/v2/users", &json!({ "id": id }));
        let path: String = url::form_urlencoded::byte_serialize(id.as_bytes()).collect();
        let path = format!("/api/v2/users/{}", path.replace('+', "%20"));
        assert_eq!(client.done("GET", &path, &Value::Null)["id"], id);
    }
    for path in ["%00", "%ff", "%20", "%20ada", &"x".repeat(256)] {
        let path = format!("/api/v2/users/{path}");
        assert_eq!(client.refused("GET", &path, &Value::Null).0, 404, "{path}");
    }
}

#[test]
fn pages_follow_each_other() {
    let client = Client::new();
    for number in 0..25 {
        client.done(
            "POST",
            "/api/v2/users",
            &json!({ "id": format!("user-{number:02}") }),
        );
    }
    let (mut after, mut seen) = (String::new(), Vec::new());
    loop {
        let page = client.done(
            "GET",
            &format!("/api/v2/users?limit=10{after}"),
            &Value::Null,
        );
        seen.extend(
            page["data"]
                .as_array()
                .unwrap()
                .iter()
                .map(|user| user["id"].clone()),
        );
        let Some(next) = page["next"].as_str() else {
            break;
        };
        after = format!("&after={next}");
    }
    assert_eq!(seen.len(), 25);
    assert!(seen.is_sorted_by_key(Value::to_string));
    assert_eq!(
        client.done("GET", "/api/v2/users", &Value::Null)["data"]
            .as_array()
            .unwrap()
            .len(),
        25
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "it is a table")]
fn a_refused_request_names_its_error_and_changes_nothing() {
    let client = Client::new();
    client.done(
        "POST",
        "/api/v2/users",
        &json!({ "id": "ada", "email": "ada@acme.example" }),
    );
    client
        .site
        .directory
        .set_seat_limit(Some(2), &by())
        .wait()
        .unwrap();
    let long = "x".repeat(256);
    let large = json!({ "metadata": { "x": "y".repeat(9000) } });
    for (method, path, body, status, code, field) in [
        (
            "POST",
            "users",
            json!({ "id": "ada" }),
            409,
            "user_exists",
            "id",
        ),
        (
            "POST",
            "users",
            json!({ "email": "ADA@acme.example" }),
            409,
            "email_in_use",
            "email",
        ),
        (
            "POST",
            "users",
            json!({ "id": "" }),
            422,
            "invalid_payload",
            "id",
        ),
        (
            "POST",
            "users",
            json!({ "id": long }),
            422,
            "invalid_payload",
            "id",
        ),
        (
            "POST",
            "users",
            json!({ "id": 7 }),
            422,
            "invalid_request",
            "id",
        ),
        (
            "POST",
            "users",
            json!({ "id": null }),
            422,
            "invalid_request",
            "id",
        ),
        (
            "POST",
            "users",
            json!({ "email": "nobody" }),
            422,
            "invalid_payload",
            "email",
        ),
        (
            "POST",
            "users",
            json!({ "groups": "a" }),
            422,
            "invalid_request",
            "groups",
        ),
        (
            "POST",
            "users",
            json!({ "role": "admin" }),
            422,
            "invalid_request",
            "role",
        ),
        (
            "POST",
            "users",
            json!({ "metadata": { "id": "x" } }),
            422,
            "invalid_payload",
            "metadata.id",
        ),
        (
            "POST",
            "users",
            json!({ "metadata": { "groups": [] } }),
            422,
            "invalid_request",
            "",
        ),
        (
            "POST",
            "users",
            large.clone(),
            422,
            "invalid_payload",
            "metadata",
        ),
        ("POST", "users", json!([]), 422, "invalid_request", ""),
        (
            "PATCH",
            "users/ada",
            large,
            422,
            "invalid_payload",
            "metadata",
        ),
        (
            "PATCH",
            "users/ada",
            json!({ "groups": null }),
            422,
            "invalid_request",
            "groups",
        ),
        (
            "PATCH",
            "users/ada",
            json!({ "id": "eve" }),
            422,
            "invalid_request",
            "id",
        ),
        (
            "PATCH",
            "users/nobody",
            json!({}),
            404,
            "unknown_user",
            "id",
        ),
        (
            "GET",
            "users?email=nobody",
            Value::Null,
            422,
            "invalid_payload",
            "email",
        ),
        (
            "GET",
            "users?limit=0",
            Value::Null,
            400,
            "invalid_request",
            "",
        ),
        (
            "GET",
            "users?limit=1001",
            Value::Null,
            400,
            "invalid_request",
            "",
        ),
        (
            "GET",
            "users?limit=x",
            Value::Null,
            400,
            "invalid_request",
            "",
        ),
        (
            "GET",
            "users?mail=x",
            Value::Null,
            400,
            "invalid_request",
            "",
        ),
        (
            "GET",
            "users?after=x",
            Value::Null,
            422,
            "invalid_cursor",
            "after",
        ),
        ("PUT", "users", json!({}), 405, "invalid_request", ""),
        ("GET", "nothing", Value::Null, 404, "", ""),
    ] {
        let (found, its_code, its_field) =
            client.refused(method, &format!("/api/v2/{path}"), &body);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        assert_eq!(
            (found, text(&its_code), text(&its_field)),
            (status, code.to_owned(), field.to_owned()),
            "{method} {path} {body}"
        );
    }
    let headers = [
        ("x-api-key", client.key.as_str()),
        ("content-type", "application/json"),
    ];
    for (body, status) in [
        ("", 400),
        ("{", 400),
        (r#"{"id":"a","id":"b"}"#, 400),
        (&"[".repeat(100), 400),
    ] {
        assert_eq!(
            refusal(&client.site.ask("POST", "/api/v2/users", &headers, body)).0,
            status,
            "{body}"
        );
    }
    for kind in ["text/plain", "application/jsonx", ""] {
        let headers = [("x-api-key", client.key.as_str()), ("content-type", kind)];
        assert_eq!(
            refusal(&client.site.ask("POST", "/api/v2/users", &headers, "{}")).0,
            415
        );
    }
    let huge = format!(r#"{{"id":"{}"}}"#, "x".repeat(20_000));
    let answer = client.site.ask("POST", "/api/v2/users", &headers, &huge);
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(answer.body.contains("16 KiB"), "{}", answer.body);
    assert_eq!(client.site.directory.count().wait().unwrap(), 1);
    client.done("POST", "/api/v2/users", &json!({ "id": "bob" }));
    assert_eq!(
        client.refused("POST", "/api/v2/users", &json!({})),
        (409, json!("no_seats"), Value::Null)
    );
}
