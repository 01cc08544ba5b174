//! Rotation and retirement of signing keys: what visitors and administrators see before and after.

use std::sync::Arc;

use axum::body::Body;
use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use latchkey_core::instance::scope::Scope;
use latchkey_core::secret::{KeyRotation, RetireAfter, Secret, SecretSource};
use latchkey_gateway::router;
use latchkey_store::home::Home;
use latchkey_store::keys::KeychainUse;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::admin_api::{until, with_stored_key};
use crate::administering::{Administered, Response};
use crate::site::by;

/// A visitor's answer: its status and the cookie of a session, if it sets one.
struct Visit {
    status: StatusCode,
    session: Option<String>,
}

fn visit(site: &Administered, path: &str, cookie: &str) -> Visit {
    let request = Request::builder()
        .uri(path)
        .header("host", "acme.example")
        .header("user-agent", "Mozilla/5.0 (a browser)")
        .header(COOKIE, cookie)
        .body(Body::empty())
        .unwrap();
    let router = router(Arc::clone(&site.gateway));
    site.runtime.block_on(async {
        let answer = router.oneshot(request).await.unwrap();
        let (head, body) = answer.into_parts();
        body.collect().await.unwrap();
        let cookies = head.headers.get_all(SET_COOKIE).iter();
        let mut pairs = cookies.map(|cookie| cookie.to_str().unwrap().split(';').next().unwrap());
        let session = pairs.find(|pair| pair.contains("latchkey_session") && !pair.ends_with('='));
        Visit {
            status: head.status,
            session: session.map(str::to_owned),
        }
    })
}

/// Returns whether opening a link signs somebody in.
fn opens(site: &Administered, link: &str) -> bool {
    visit(site, link, "").session.is_some()
}

fn is_signed_in(site: &Administered, session: &str) -> bool {
    visit(site, "/auth/verify", session).status == StatusCode::OK
}

/// Makes a link for a new user. Returns its path and query.
fn link(site: &Administered, key: &str, user: &str) -> String {
    let wanted = json!({ "payload": { "user": { "id": user } } });
    let made = site.ask("POST", "/links", key, &wanted);
    assert_eq!(made.status, StatusCode::OK, "{}", made.body);
    let url = made.body["url"].as_str().unwrap();
    url.strip_prefix("https://acme.example").unwrap().to_owned()
}

/// Makes a link for a new user with a short link. Returns the paths of both.
fn both(site: &Administered, key: &str, user: &str) -> [String; 2] {
    let wanted = json!({ "payload": { "user": { "id": user } }, "short": true });
    let made = site.ask("POST", "/links", key, &wanted);
    assert_eq!(made.status, StatusCode::OK, "{}", made.body);
    let path = |member: &str, start: &str| {
        let url = made.body[member].as_str().unwrap();
        url.strip_prefix(start).unwrap().to_owned()
    };
    [
        path("url", "https://acme.example"),
        path("shortUrl", "HTTPS://ACME.EXAMPLE"),
    ]
}

fn keys(site: &Administered, key: &str) -> Vec<Value> {
    let listed = site.ask("GET", "/signing-keys", key, &Value::Null);
    assert_eq!(listed.status, StatusCode::OK, "{}", listed.body);
    listed.body["signing_keys"].as_array().unwrap().clone()
}

fn id(key: &Value) -> String {
    key["id"].as_str().unwrap().to_owned()
}

fn rotate(site: &Administered, key: &str, request: &Value) -> Response {
    site.ask("POST", "/signing-keys/rotations", key, request)
}

fn retire(site: &Administered, key: &str, id: &str, request: &Value) -> Response {
    let path = format!("/signing-keys/{id}/retirement");
    site.ask("POST", &path, key, request)
}

/// Returns the states of the links of these users, each of whom has one.
fn states<const N: usize>(site: &Administered, key: &str, users: [&str; N]) -> [String; N] {
    let listed = site.ask("GET", "/links", key, &Value::Null).body;
    users.map(|user| {
        let mut links = listed["links"].as_array().unwrap().iter();
        let link = links.find(|link| link["user"] == user).unwrap();
        link["status"].as_str().unwrap().to_owned()
    })
}

#[test]
fn a_link_of_a_retiring_key_has_a_warning_when_it_is_given_out_again() {
    let site = with_stored_key();
    let admin = site.key("laptop", &[Scope::Admin]);
    let wanted = json!({ "payload": { "user": { "id": "ada" } } });
    let made = site.ask("POST", "/links", &admin, &wanted).body;
    let copy = |made: &Value| {
        let path = format!("/links/{}/copies", id(made));
        let copied = site.ask("POST", &path, &admin, &json!({ "given": "link" }));
        assert_eq!(copied.status, StatusCode::OK, "{}", copied.body);
        assert_eq!(copied.body["code"], made["code"]);
        copied.body["warnings"].clone()
    };
    assert_eq!(copy(&made), json!([]));
    let rotated = rotate(&site, &admin, &json!({ "retire_after": "2 days" }));
    assert_eq!(rotated.status, StatusCode::OK, "{}", rotated.body);
    assert_eq!(copy(&made)[0]["code"], "outlives_key");
}

#[test]
fn old_links_and_sessions_work_after_a_rotation_and_old_links_stop_at_the_date() {
    let site = with_stored_key();
    let admin = site.key("laptop", &[Scope::Admin]);
    let (before, later) = (link(&site, &admin, "ada"), link(&site, &admin, "bob"));
    let session = visit(&site, &before, "").session.unwrap();
    let rotated = rotate(&site, &admin, &json!({ "retire_after": "8 seconds" }));
    assert_eq!(rotated.status, StatusCode::OK, "{}", rotated.body);
    assert_eq!(rotated.body["secret"].as_str().unwrap().len(), 64);
    assert_eq!(rotated.body["signing_keys"][0]["state"], "active");
    assert_eq!(rotated.body["signing_keys"][1]["state"], "retiring");
    assert!(opens(&site, &later), "a link of the old key");
    assert!(
        opens(&site, &link(&site, &admin, "eve")),
        "a link of the new key"
    );
    assert!(is_signed_in(&site, &session));
    assert_eq!(states(&site, &admin, ["ada", "bob", "eve"]), ["in_use"; 3]);
    until(|| !opens(&site, &later));
    assert_eq!(keys(&site, &admin).len(), 1);
    let ended = states(&site, &admin, ["ada", "bob", "eve"]);
    assert_eq!(ended, ["revoked", "revoked", "in_use"]);
    assert!(is_signed_in(&site, &session));
    assert!(opens(&site, &link(&site, &admin, "ivy")));
    let kept = site.home.instances().get(&site.id).unwrap();
    until(|| {
        visit(&site, "/", "");
        let kept = site.home.instances().get(&site.id).unwrap();
        kept.retiring.is_empty() && kept.dropped.is_empty()
    });
    assert!(site.home.signing_key(&kept).is_ok());
}

#[test]
fn a_leaked_key_stops_at_the_next_request_and_another_is_active() {
    let site = with_stored_key();
    let admin = site.key("laptop", &[Scope::Admin]);
    let old = link(&site, &admin, "ada");
    let session = visit(&site, &old, "").session.unwrap();
    let before = keys(&site, &admin);
    let leaked = id(&before[0]);
    assert_eq!(before[0]["links"]["count"], 1, "{}", before[0]);
    let expires = before[0]["links"]["last_expires_at"].as_str();
    assert!(expires.is_some(), "{}", before[0]);
    let given_up = retire(&site, &admin, &leaked, &json!({ "leaked": true }));
    assert_eq!(given_up.status, StatusCode::OK, "{}", given_up.body);
    assert_eq!(given_up.body["secret"].as_str().unwrap().len(), 64);
    assert_ne!(id(&given_up.body["signing_keys"][0]), leaked);
    assert!(!opens(&site, &old));
    assert!(is_signed_in(&site, &session));
    assert!(opens(&site, &link(&site, &admin, "bob")));
    // The ledger says so, too.
    let links = site.ask("GET", "/links", &admin, &Value::Null).body;
    let links = links["links"].as_array().unwrap().iter();
    let signed = links.filter(|link| link["key"] == leaked);
    let states: Vec<&Value> = signed.map(|link| &link["status"]).collect();
    assert_eq!(states, ["revoked"]);
    let entries = site.entries();
    let entry = entries
        .iter()
        .find(|entry| entry.event.data.code() == "key_leaked");
    assert_eq!(entry.unwrap().event.data.parameters()["key"], leaked);
}

#[test]
fn a_short_link_outlives_the_key_of_its_link_unless_the_key_leaked() {
    let site = with_stored_key();
    let admin = site.key("laptop", &[Scope::Admin]);
    let [long, short] = both(&site, &admin, "ada");
    let first = id(&keys(&site, &admin)[0]);
    rotate(&site, &admin, &json!({ "retire_after": "30 days" }));
    let [newer_long, newer_short] = both(&site, &admin, "bob");
    let second = id(&keys(&site, &admin)[0]);
    for link in [&long, &short, &newer_long, &newer_short] {
        assert!(opens(&site, link), "{link}");
    }
    let retired = retire(&site, &admin, &first, &json!({}));
    assert_eq!(retired.status, StatusCode::OK, "{}", retired.body);
    assert!(!opens(&site, &long), "the signature does not hold any more");
    assert!(opens(&site, &short));
    assert_eq!(states(&site, &admin, ["ada", "bob"]), ["in_use"; 2]);
    let session = visit(&site, &newer_short, "").session.unwrap();
    let leaked = retire(&site, &admin, &second, &json!({ "leaked": true }));
    assert_eq!(leaked.status, StatusCode::OK, "{}", leaked.body);
    for link in [&newer_long, &newer_short] {
        assert!(!opens(&site, link), "{link}");
    }
    assert!(opens(&site, &short), "its key has not leaked");
    assert!(is_signed_in(&site, &session));
    let listed = site.ask("GET", "/links", &admin, &Value::Null).body;
    let short = |link: &Value| link["has_short"].clone();
    let listed: Vec<Value> = listed["links"]
        .as_array()
        .unwrap()
        .iter()
        .map(short)
        .collect();
    assert_eq!(listed, [json!(true), json!(true)]);
}

#[test]
fn a_leaked_key_that_has_retired_already_is_given_up_with_its_short_links() {
    let site = with_stored_key();
    let admin = site.key("laptop", &[Scope::Admin]);
    let [_, short] = both(&site, &admin, "ada");
    let old = id(&keys(&site, &admin)[0]);
    rotate(&site, &admin, &json!({ "retire_after": "now" }));
    let [_, newer] = both(&site, &admin, "bob");
    assert!(opens(&site, &short), "only its key has retired");
    let leaked = json!({ "leaked": true });
    let before = keys(&site, &admin);
    let unknown = retire(&site, &admin, "unknown", &leaked);
    assert_eq!(unknown.status, StatusCode::NOT_FOUND, "{}", unknown.body);
    assert!(opens(&site, &short), "another key was named");
    let given_up = retire(&site, &admin, &old, &leaked);
    assert_eq!(given_up.status, StatusCode::OK, "{}", given_up.body);
    assert_eq!(given_up.body["secret"], Value::Null);
    assert!(!opens(&site, &short), "its key has leaked");
    assert!(opens(&site, &newer), "its key is active");
    assert_eq!(id(&keys(&site, &admin)[0]), id(&before[0]));
}

#[test]
fn a_change_of_the_keys_by_another_process_counts_at_the_next_request() {
    let site = with_stored_key();
    let admin = site.key("laptop", &[Scope::Admin]);
    let old = link(&site, &admin, "ada");
    assert!(opens(&site, &old));
    let other = Home::open(site.home.data_dir().to_owned(), KeychainUse::Never).unwrap();
    let passphrase = Secret::new("correct horse battery staple".into());
    other.keys().unlock(&passphrase).unwrap();
    for _ in 0..5 {
        let rotation = KeyRotation {
            source: SecretSource::Generate,
            retire_after: Some(RetireAfter::default()),
        };
        let rotated = other.rotate(&site.id, rotation, &by()).unwrap();
        let new = rotated.key.as_ref().unwrap().key_id();
        assert_eq!(id(&keys(&site, &admin)[0]), new);
        assert!(opens(&site, &old));
        let inspected = site.ask("POST", "/inspections", &admin, &json!({ "text": old }));
        let signed_by = &inspected.body["signed_by"];
        assert_eq!(
            signed_by["retires_at"],
            keys(&site, &admin)[1]["retires_at"]
        );
    }
    let first = id(&keys(&site, &admin)[1]);
    let leaked = latchkey_core::admin::RetirementRequest {
        leaked: true,
        retire_after: None,
        without_secret: false,
    };
    other.retire_key(&site.id, &first, leaked, &by()).unwrap();
    assert!(!opens(&site, &old), "at the very next request");
}

#[test]
fn the_retirement_of_a_key_is_set_and_what_cannot_be_is_refused() {
    let site = with_stored_key();
    let admin = site.key("laptop", &[Scope::Admin]);
    let old = link(&site, &admin, "ada");
    let pasted =
        json!({ "secret": "a secret that another system already has", "retire_after": "7 days" });
    let rotated = rotate(&site, &admin, &pasted);
    assert_eq!(rotated.body["secret"], Value::Null, "{}", rotated.body);
    let listed = keys(&site, &admin);
    assert_eq!(listed[0]["origin"], "pasted");
    let (active, retiring) = (id(&listed[0]), id(&listed[1]));
    let set = retire(
        &site,
        &admin,
        &retiring,
        &json!({ "retire_after": "1 day" }),
    );
    assert_eq!(set.status, StatusCode::OK, "{}", set.body);
    assert_eq!(set.body["secret"], Value::Null);
    let date = |key: &Value| key["retires_at"].as_str().unwrap().to_owned();
    assert!(date(&set.body["signing_keys"][1]) < date(&listed[1]));
    for (key, request, status, field) in [
        (active.as_str(), json!({}), 422, "key"),
        ("unknown", json!({}), 404, "key"),
        (
            &retiring,
            json!({ "leaked": true, "retire_after": "1 day" }),
            422,
            "retire_after",
        ),
        (
            &retiring,
            json!({ "retire_after": "never" }),
            422,
            "retire_after",
        ),
    ] {
        let refused = retire(&site, &admin, key, &request);
        assert_eq!(refused.status.as_u16(), status, "{}", refused.body);
        assert_eq!(refused.body["field"], field, "{}", refused.body);
    }
    for (request, field) in [
        (json!({ "retire_after": "soon" }), "retire_after"),
        (json!({ "encoding": "hex" }), "encoding"),
        (json!({ "secret": "short" }), "secret"),
        (json!({ "after": "1 day" }), "after"),
    ] {
        let refused = rotate(&site, &admin, &request);
        assert_eq!(refused.status.as_u16(), 422, "{}", refused.body);
        assert_eq!(refused.body["field"], field, "{}", refused.body);
    }
    assert!(opens(&site, &old));
    let retired = retire(&site, &admin, &retiring, &json!({}));
    assert_eq!(retired.body["signing_keys"].as_array().unwrap().len(), 1);
    assert!(!opens(&site, &old));
}

#[test]
fn a_gateway_that_was_started_with_a_secret_rotates_no_key() {
    let site = Administered::new();
    site.administration.set_gateway(&site.gateway);
    let admin = site.key("laptop", &[Scope::Admin]);
    let refused = rotate(&site, &admin, &json!({}));
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(refused.body["field"], "secret");
    assert!(keys(&site, &admin).is_empty());
}
