//! Tests of the bodies of requests that take none, or need none.

use axum::http::StatusCode;
use latchkey_core::instance::scope::Scope;
use serde_json::{Value, json};

use crate::admin_api::add;
use crate::admin_routes::session_of;
use crate::administering::Administered;
use crate::api_client::Client;
use crate::document::document;

/// Returns the method and the path of each operation of a description that takes no body.
fn without_body(document: &Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            if operation.get("requestBody").is_none() {
                found.push((method.to_uppercase(), path.clone()));
            }
        }
    }
    found
}

#[test]
fn a_link_is_revoked_with_its_sessions_if_the_body_says_so() {
    let site = Administered::new();
    let key = site.key("admin", &[Scope::Admin]);
    for user in ["ada", "eve", "ida"] {
        add(&site, user);
        session_of(&site, user);
    }
    let revoke = |user: &str, body: &Value| {
        let path = format!("/links/link%20of%20{user}/revoke");
        site.ask("POST", &path, &key, body)
    };
    let sessions = |user: &str| {
        let path = format!("/users/{user}/sessions");
        let listed = site.ask("GET", &path, &key, &Value::Null).body;
        listed["sessions"].as_array().unwrap().len()
    };
    for (body, said) in [
        (json!({ "ends_sessions": true }), "The body has a member"),
        (json!({ "end_sessions": "yes" }), "The value of"),
        (json!([]), "The body is not a JSON object"),
    ] {
        let refused = revoke("ada", &body);
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
        let detail = refused.body["detail"].as_str().unwrap();
        assert!(detail.starts_with(said), "{detail}");
    }
    let status = |user: &str| {
        let path = format!("/links/link%20of%20{user}");
        site.ask("GET", &path, &key, &Value::Null).body["link"]["status"].clone()
    };
    assert_ne!(status("ada"), "revoked");
    let ending = json!({ "end_sessions": true });
    for (user, body, left) in [
        ("ada", &ending, 0),
        ("eve", &json!({}), 1),
        ("ida", &Value::Null, 1),
    ] {
        assert_eq!(sessions(user), 1);
        let revoked = revoke(user, body);
        assert_eq!(revoked.status, StatusCode::NO_CONTENT, "{}", revoked.body);
        assert_eq!(status(user), "revoked");
        assert_eq!(sessions(user), left, "{user}");
    }
}

#[test]
fn a_request_of_an_administrator_that_takes_no_body_is_refused_with_one_and_changes_nothing() {
    let site = Administered::new();
    let key = site.key("admin", &[Scope::Admin]);
    add(&site, "ada");
    let described = site.ask("GET", "/openapi.json", &key, &Value::Null).body;
    let operations = without_body(&described);
    assert!(operations.len() > 20, "{operations:?}");
    for (method, path) in operations {
        let path = path.strip_prefix("/admin/v1").unwrap();
        let path = path.replace("{id}", "ada").replace("{number}", "1");
        for body in [json!({ "end_sessions": true }), json!([]), json!("x")] {
            let refused = site.ask(&method, &path, &key, &body);
            let said = format!("{method} {path} with {body}: {}", refused.body);
            assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{said}");
            assert_eq!(refused.body["code"], "invalid_request", "{said}");
            assert_eq!(refused.body.get("field"), None, "{said}");
            let detail = refused.body["detail"].as_str().unwrap();
            assert!(detail.starts_with("This request takes no body."), "{said}");
        }
    }
    let shown = site.ask("GET", "/users/ada", &key, &Value::Null);
    assert_eq!(shown.body["status"], "active");
    for (path, status) in [("suspend", "suspended"), ("reactivate", "active")] {
        let path = format!("/users/ada/{path}");
        let changed = site.ask("POST", &path, &key, &json!({}));
        assert_eq!(changed.status, StatusCode::OK, "{}", changed.body);
        assert_eq!(changed.body["status"], status);
    }
}

#[test]
fn a_request_of_another_system_that_takes_no_body_is_refused_with_one_and_changes_nothing() {
    let client = Client::new();
    client.done("POST", "/api/v2/users", &json!({ "id": "ada" }));
    let operations = without_body(&document(&client.site));
    assert!(operations.len() > 2, "{operations:?}");
    for (method, path) in operations {
        let path = path.replace("{id}", "ada");
        let refused = client.refused(&method, &path, &json!({ "status": "ended" }));
        assert_eq!(refused, (422, json!("invalid_request"), Value::Null));
    }
    client.done("GET", "/api/v2/users/ada", &json!({}));
}
