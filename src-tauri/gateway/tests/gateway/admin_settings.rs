//! Settings, signing key, API keys and state of an instance, by the administration API.

use std::sync::Arc;

use axum::http::StatusCode;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use latchkey_core::activity::{Actor, EventData};
use latchkey_core::instance::scope::Scope;
use latchkey_gateway::{Handle, Listener, run};
use serde_json::{Value, json};

use crate::admin_api::{until, with_stored_key};
use crate::administering::Administered;
use crate::site::by;

#[test]
fn a_change_of_settings_takes_effect_at_once_and_is_recorded_with_its_key() {
    let site = with_stored_key();
    let key = site.key("laptop", &[Scope::Admin]);
    let before = site.ask("GET", "/settings", &key, &Value::Null).body;
    assert_eq!(before["policy"]["require_expiry"], false);
    assert_eq!(before["secret"]["origin"], "generated");
    let change =
        json!({ "require_expiry": true, "session": "2 hours", "return_to": ["https://a.example"] });
    let changed = site.ask("PATCH", "/settings", &key, &change);
    assert_eq!(changed.status, StatusCode::OK, "{}", changed.body);
    assert_eq!(changed.body["policy"]["require_expiry"], true);
    assert_eq!(changed.body["visiting"]["session"], "2 hours");
    assert_eq!(changed.body["policy"]["provisioning"], true);
    let link = json!({ "payload": { "id": "ada" }, "expiresIn": "never" });
    let made = site.ask("POST", "/links", &key, &link).body;
    assert_eq!(made["warnings"][0]["code"], "expiry_required", "{made}");
    let entries = site.entries();
    let entry = entries
        .iter()
        .find(|entry| matches!(entry.event.data, EventData::SettingsChanged { .. }));
    assert_eq!(entry.unwrap().actor, Actor::ApiKey("laptop".to_owned()));
}

#[test]
fn a_wrong_setting_is_refused_with_its_name_and_changes_nothing() {
    let site = with_stored_key();
    let key = site.key("laptop", &[Scope::Admin]);
    let settings = || site.ask("GET", "/settings", &key, &Value::Null).body;
    let before = settings();
    for (change, field) in [
        (json!({ "provisioning": false, "url": "ftp://x" }), "url"),
        (json!({ "name": "" }), "name"),
        (json!({ "session_idle": null }), "session_idle"),
        (json!({ "session": "soon" }), "session"),
        (json!({ "return_to": ["ftp://x"] }), "return_to"),
        (json!({ "colour": "red" }), "colour"),
        (json!({ "hosted": "elsewhere" }), "hosted"),
    ] {
        let refused = site.ask("PATCH", "/settings", &key, &change);
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{change}");
        assert_eq!(refused.body["field"], field, "{}", refused.body);
        assert!(refused.body["code"].is_string(), "{}", refused.body);
    }
    assert_eq!(settings(), before);
    let same = site.ask("PATCH", "/settings", &key, &json!({ "hosted": "here" }));
    assert_eq!(same.status, StatusCode::OK, "{}", same.body);
}

#[test]
fn the_secret_of_a_new_signing_key_is_returned_once_and_old_links_stop_working() {
    let site = with_stored_key();
    let key = site.key("laptop", &[Scope::Admin]);
    let ask = |method: &str, path: &str, body: Value| site.ask(method, path, &key, &body);
    let link = ask(
        "POST",
        "/links",
        json!({ "payload": { "user": { "id": "ada" } } }),
    )
    .body;
    let verdict = || {
        let inspected = ask("POST", "/inspections", json!({ "text": link["url"] })).body;
        inspected["dry_run"]["verdict"].clone()
    };
    assert_eq!(verdict(), "provisioned");
    let set = ask("PUT", "/signing-key", json!({ "generate": true }));
    assert_eq!(set.status, StatusCode::OK, "{}", set.body);
    let secret = set.body["secret"].as_str().unwrap().to_owned();
    assert_eq!(secret.len(), 64);
    assert_eq!(verdict(), "bad_signature");
    let settings = ask("GET", "/settings", Value::Null).body.to_string();
    assert!(!settings.contains(&secret));
    let refused = site.home.reveal(&site.id, &by()).unwrap_err();
    assert_eq!(refused.code, latchkey_core::ErrorCode::SecretConcealed);
    let pasted = "a secret that another system already has";
    let set = ask("PUT", "/signing-key", json!({ "secret": pasted }));
    assert_eq!(set.body["secret"], Value::Null, "{}", set.body);
    assert_eq!(set.body["key"]["origin"], "pasted");
    assert!(!set.body.to_string().contains(pasted));
    for (wrong, field, code) in [
        (json!({ "secret": "short" }), "secret", "weak_secret"),
        (
            json!({ "secret": "%%%", "encoding": "hex" }),
            "secret",
            "invalid_secret",
        ),
        (json!({}), "secret", "invalid_setting"),
    ] {
        let refused = ask("PUT", "/signing-key", wrong);
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(refused.body["field"], field);
        assert_eq!(refused.body["code"], code);
    }
    let entries = site.entries();
    let codes: Vec<&str> = entries
        .iter()
        .map(|entry| entry.event.data.code())
        .collect();
    assert!(
        codes.contains(&"secret_replaced") && codes.contains(&"secret_shown"),
        "{codes:?}"
    );
}

#[test]
fn a_gateway_that_was_started_with_a_secret_refuses_to_replace_it() {
    let site = Administered::new();
    site.administration.set_gateway(&site.gateway);
    let key = site.key("laptop", &[Scope::Admin]);
    let refused = site.ask("PUT", "/signing-key", &key, &json!({ "generate": true }));
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    let detail = refused.body["detail"].as_str().unwrap();
    assert!(
        detail.contains("started with a secret of its own"),
        "{detail}"
    );
    let made = site.ask(
        "POST",
        "/links",
        &key,
        &json!({ "payload": { "id": "ada" } }),
    );
    assert_eq!(made.status, StatusCode::OK, "{}", made.body);
}

#[test]
fn an_api_key_works_from_the_answer_that_has_it_until_it_is_revoked() {
    let site = with_stored_key();
    let admin = site.key("laptop", &[Scope::Admin]);
    let wanted = json!({ "name": "CRM", "scopes": ["users:read"], "expires_in": "90 days" });
    let made = site.ask("POST", "/api-keys", &admin, &wanted);
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    let key = made.body["key"].as_str().unwrap();
    let listed = || site.ask("GET", "/users", key, &Value::Null).status;
    assert_eq!(listed(), StatusCode::OK);
    let keys = site.ask("GET", "/api-keys", &admin, &Value::Null).body;
    assert!(!keys.to_string().contains(key));
    assert_eq!(keys["api_keys"][1], made.body["api_key"]);
    assert_eq!(keys["api_keys"][1]["scopes"], json!(["users:read"]));
    let again = site.ask("POST", "/api-keys", &admin, &wanted);
    assert_eq!(
        (again.status.as_u16(), &again.body["field"]),
        (422, &json!("name"))
    );
    let more = json!({ "name": "more", "scopes": ["admin"] });
    let refused = site.ask("POST", "/api-keys", &admin, &more);
    assert_eq!(
        (refused.status.as_u16(), &refused.body["field"]),
        (422, &json!("scopes"))
    );
    let id = made.body["api_key"]["id"].as_str().unwrap();
    let path = format!("/api-keys/{id}");
    let revoked = site.ask("DELETE", &path, &admin, &Value::Null);
    assert_eq!(revoked.status, StatusCode::NO_CONTENT);
    assert_eq!(listed(), StatusCode::UNAUTHORIZED);
    let gone = site.ask("DELETE", &path, &admin, &Value::Null);
    assert_eq!(
        (gone.status.as_u16(), &gone.body["code"]),
        (404, &json!("unknown_api_key"))
    );
}

#[test]
fn the_state_has_the_running_gateway_its_sign_ins_of_today_and_the_last_refusals() {
    let site = with_stored_key();
    let key = site.key("laptop", &[Scope::Admin]);
    let state = || site.ask("GET", "/gateway", &key, &Value::Null).body;
    let closed = state();
    assert_eq!(closed["gateway"], Value::Null, "{closed}");
    assert_eq!(closed["holder"], "latchkey serve");
    let listener = Listener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = listener.address().unwrap().to_string();
    let handle = Handle::default();
    let running = run(
        Arc::clone(&site.gateway),
        listener,
        None,
        handle.clone(),
        Actor::CommandLine,
    );
    let running = site.runtime.spawn(running);
    until(|| !state()["gateway"].is_null());
    let claims = json!({ "claims": { "user": { "id": "ada" }, "iat": 1_700_000_000 } });
    let today = || Timestamp::now().to_zoned(TimeZone::UTC).date();
    // Midnight sets the number to zero. The sign-ins are then made again.
    loop {
        let day = today();
        let before = state()["sign_ins_today"].as_u64().unwrap();
        for _ in 0..3 {
            let redeemed = site.ask("POST", "/redemptions", &key, &claims);
            assert_eq!(redeemed.status, StatusCode::OK, "{}", redeemed.body);
            state();
        }
        let after = state()["sign_ins_today"].as_u64().unwrap();
        if today() == day {
            assert_eq!(after, before + 3);
            break;
        }
    }
    let unknown = json!({ "claims": { "id": "bob", "iat": 1_700_000_000 } });
    site.ask("POST", "/redemptions", &key, &unknown);
    let open = state();
    assert_eq!(open["gateway"]["address"], address, "{open}");
    assert_eq!(open["gateway"]["url"], format!("http://{address}"));
    assert_eq!(open["gateway"]["is_healthy"], true);
    assert_eq!(open["refusals"][0]["subject"], "bob");
    handle.shut_down();
    site.runtime.block_on(running).unwrap().unwrap();
    assert_eq!(state()["gateway"], Value::Null);
}
