//! Links that another system makes, and the bodies of its requests.

use axum::http::StatusCode;
use jiff::Timestamp;
use latchkey_core::activity::ActivityQuery;
use latchkey_core::directory::Directory as _;
use latchkey_core::protocol::user_id::UserId;
use latchkey_store::Wait as _;
use serde_json::{Value, json};

use crate::admin_api::until;
use crate::api_client::{Client, refusal};
use crate::site::by;

#[test]
fn a_link_that_another_system_makes_signs_in() {
    let client = Client::new();
    let wanted =
        json!({ "payload": { "user": { "id": "ada", "name": "Ada" } }, "expiresIn": "2 days" });
    let link = client.done("POST", "/api/v1/links", &wanted);
    let url = link["url"].as_str().unwrap();
    let path = url.strip_prefix("https://chat.acme.example").unwrap();
    assert!(path.contains(link["code"].as_str().unwrap()));
    assert!(link["widget"].as_str().unwrap().contains("widget.js"));
    let until: Timestamp = link["expiresAt"].as_str().unwrap().parse().unwrap();
    let left = until.as_second() - Timestamp::now().as_second();
    assert!((172_700..=172_800).contains(&left), "{left}");
    assert_eq!(client.site.get(path, &[]).status, StatusCode::SEE_OTHER);
    // The activity finds the sign-in by the ID of the link.
    let query = ActivityQuery {
        text: link["id"].as_str().unwrap().to_owned(),
        ..ActivityQuery::default()
    };
    let page = client
        .site
        .directory
        .activity(&query, None, 9)
        .wait()
        .unwrap();
    let codes: Vec<&str> = page
        .entries
        .iter()
        .map(|entry| entry.event.data.code())
        .collect();
    assert_eq!(codes, ["provisioned", "link_made"]);
    let kept = serde_json::to_string(&page).unwrap();
    assert!(!kept.contains(link["code"].as_str().unwrap()));
    let once = json!({ "payload": { "id": "ada" }, "singleUse": true, "expiresIn": "never" });
    let link = client.done("POST", "/api/v1/links", &once);
    assert_eq!(link["expiresAt"], Value::Null);
    for (body, code) in [
        (json!({}), "invalid_request"),
        (json!({ "payload": {} }), "invalid_payload"),
        (
            json!({ "payload": { "id": "a", "user": { "id": "b" } } }),
            "ambiguous_payload",
        ),
        (
            json!({ "payload": { "id": "a", "exp": 1 } }),
            "invalid_payload",
        ),
        (
            json!({ "payload": { "email": "nobody" } }),
            "invalid_payload",
        ),
        (
            json!({ "payload": { "id": "a" }, "expiresIn": "soon" }),
            "invalid_lifetime",
        ),
        (
            json!({ "payload": { "id": "a" }, "notBefore": "soon" }),
            "invalid_time",
        ),
        (
            json!({ "payload": { "id": "a" }, "expires": "soon" }),
            "invalid_request",
        ),
        (
            json!({ "payload": { "user": { "id": "a", "x": "y".repeat(7900) } } }),
            "code_too_long",
        ),
    ] {
        let (status, found, field) = client.refused("POST", "/api/v1/links", &body);
        assert_eq!(
            (status, found.as_str().unwrap_or_default()),
            (422, code),
            "{body}"
        );
        if code == "invalid_lifetime" {
            assert_eq!(field, "expiresIn");
        }
    }
}

#[test]
fn a_body_that_is_an_array_is_refused() {
    let client = Client::new();
    for (method, path, body) in [
        ("POST", "/api/v2/users", json!(["ada"])),
        ("POST", "/api/v2/users", json!([])),
        ("PATCH", "/api/v2/users/ada", json!(["ada@acme.example"])),
        (
            "POST",
            "/api/v1/links",
            json!([{ "id": "ada" }, "1 day", true]),
        ),
        (
            "POST",
            "/api/v1/links",
            json!([{ "user": { "id": "ada" } }]),
        ),
        (
            "POST",
            "/api/v1/links",
            json!({ "payload": [["id", "ada"]] }),
        ),
        (
            "POST",
            "/api/v2/users",
            json!({ "id": "ada", "metadata": [] }),
        ),
    ] {
        let (status, ..) = client.refused(method, path, &body);
        assert_eq!(status, 422, "{method} {path} {body}");
    }
    assert!(!client.site.has_user("ada"));
}

#[test]
fn a_payload_that_breaks_a_rule_is_refused_with_its_field_and_reason() {
    let client = Client::new();
    for (payload, code, field, words) in [
        (json!({}), "invalid_payload", "user", "names nobody"),
        (
            json!({ "user": { "id": "" } }),
            "invalid_payload",
            "user.id",
            "empty",
        ),
        (
            json!({ "user": { "email": "a@b.example" } }),
            "invalid_payload",
            "user.id",
            "missing",
        ),
        (
            json!({ "email": "not an email" }),
            "invalid_payload",
            "email",
            "address",
        ),
        (
            json!({ "id": "7", "user": { "id": "8" } }),
            "ambiguous_payload",
            "user",
            "'id'",
        ),
        (
            json!({ "id": "a", "exp": 1 }),
            "invalid_payload",
            "exp",
            "'exp'",
        ),
        // The ID decides, but an invalid address is still reported.
        (
            json!({ "id": "b", "email": "a" }),
            "invalid_payload",
            "email",
            "address",
        ),
    ] {
        let body = json!({ "payload": payload });
        let answer = client.ask("POST", "/api/v1/links", &body);
        assert_eq!(
            refusal(&answer),
            (422, json!(code), json!(field)),
            "{payload}"
        );
        let problem: Value = serde_json::from_str(&answer.body).unwrap();
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(words), "{payload}: {detail}");
        assert!(!detail.contains("Inspect"), "{payload}: {detail}");
    }
}

#[test]
fn a_number_that_would_lose_digits_is_refused() {
    let client = Client::new();
    for id in [json!(9_007_199_254_740_993_u64), json!(i64::MIN + 1)] {
        let body = json!({ "payload": { "id": id } });
        let (status, ..) = client.refused("POST", "/api/v1/links", &body);
        assert_eq!(status, 422, "{body}");
    }
}

#[test]
fn a_link_for_a_user_who_cannot_sign_in_has_a_warning() {
    let client = Client::new();
    let warnings = |payload: Value| {
        let link = client.done("POST", "/api/v1/links", &json!({ "payload": payload }));
        let warnings = link["warnings"].as_array().unwrap().clone();
        let codes = warnings.iter().map(|warning| warning["code"].clone());
        codes.collect::<Vec<_>>()
    };
    let ada = json!({ "id": "ada" });
    assert_eq!(warnings(ada.clone()), ["unknown_user"]);
    client.done("POST", "/api/v2/users", &ada);
    assert_eq!(warnings(ada.clone()), [""; 0]);
    let user = UserId::parse("ada", "id").unwrap();
    let directory = &client.site.directory;
    directory.suspend(&user, &by()).wait().unwrap();
    assert_eq!(warnings(ada.clone()), ["user_suspended"]);
    directory.reactivate(&user, &by()).wait().unwrap();
    let soon = Some(by().at.as_second() + 3);
    directory
        .set_account_end(&user, soon, &by())
        .wait()
        .unwrap();
    until(|| warnings(ada.clone()) == ["user_ended"]);
}

#[test]
fn a_group_that_proxies_do_not_get_is_warned_of_and_an_empty_list_is_not_stored() {
    let client = Client::new();
    let with_comma = json!({ "id": "ada", "groups": ["p,q", "r"] });
    let added = client.done("POST", "/api/v2/users", &with_comma);
    assert_eq!(added["warnings"][0]["code"], "group_with_comma", "{added}");
    let shown = client.done("GET", "/api/v2/users/ada", &Value::Null);
    assert_eq!(shown.get("warnings"), None, "{shown}");
    let changed = client.done("PATCH", "/api/v2/users/ada", &json!({ "groups": ["s,t"] }));
    assert_eq!(
        changed["warnings"][0]["code"], "group_with_comma",
        "{changed}"
    );
    let payload = json!({ "payload": { "user": { "id": "eve", "groups": ["p,q"] } } });
    let link = client.done("POST", "/api/v1/links", &payload);
    assert_eq!(link["warnings"][0]["code"], "group_with_comma", "{link}");
    let fine = client.done(
        "POST",
        "/api/v1/links",
        &json!({ "payload": { "id": "ada" } }),
    );
    assert_eq!(fine["warnings"], json!([]));

    client.done("POST", "/api/v2/users", &json!({ "id": "bob" }));
    let kept = client
        .site
        .directory
        .known_user(&UserId::parse("bob", "id").unwrap())
        .wait()
        .unwrap();
    assert_eq!(json!(kept.metadata), json!({}));
}
