//! Requests for new links, from the page of the visitor to the answer of an administrator.

use std::sync::Arc;

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, COOKIE, SET_COOKIE};
use axum::http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt as _;
use jiff::Timestamp;
use latchkey_core::instance::scope::Scope;
use latchkey_gateway::router;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::admin_api::{until, with_stored_key};
use crate::administering::{Administered, Response};

/// Answer to a visitor.
struct Page {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Page {
    /// Returns the cookies that a browser would send back.
    fn cookies(&self) -> String {
        let set = self.headers.get_all(SET_COOKIE).iter();
        let pairs = set.map(|cookie| cookie.to_str().unwrap().split(';').next().unwrap());
        pairs.collect::<Vec<_>>().join("; ")
    }
}

fn send(site: &Administered, method: &str, path: &str, cookies: &str, form: &'static str) -> Page {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", "acme.example")
        .header("user-agent", "Mozilla/5.0 (a browser)")
        .header(COOKIE, cookies)
        .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
        .body(Body::from(form))
        .unwrap();
    let router = router(Arc::clone(&site.gateway));
    site.runtime.block_on(async {
        let (head, body) = router.oneshot(request).await.unwrap().into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Page {
            status: head.status,
            headers: head.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        }
    })
}

/// Opens a link in a new browser and clicks the button of its page.
fn sign_in(site: &Administered, link: &str) -> StatusCode {
    let cookies = send(site, "GET", link, "", "").cookies();
    send(site, "POST", link, &cookies, "").status
}

fn offers(page: &Page) -> bool {
    page.body.contains("Ask for a new link</button>")
}

/// Uses a link up, and asks for a new one on its page.
fn ask(site: &Administered, link: &str) {
    assert_eq!(sign_in(site, link), StatusCode::SEE_OTHER);
    let page = send(site, "GET", link, "", "");
    assert!(offers(&page), "{}", page.body);
    let asked = send(site, "POST", link, &page.cookies(), "ask=new-link");
    assert_eq!(asked.status, StatusCode::OK, "{}", asked.body);
}

/// Makes a link that works once. Returns the answer of the API.
fn make(site: &Administered, key: &str, wanted: Value) -> Value {
    let mut wanted = wanted;
    wanted["singleUse"] = json!(true);
    let made = site.ask("POST", "/links", key, &wanted);
    assert_eq!(made.status, StatusCode::OK, "{}", made.body);
    made.body
}

/// Returns the path and the query of a URL in an answer.
fn path_of(answer: &Value, member: &str) -> String {
    let url = answer[member].as_str().unwrap();
    let (_, path) = url.split_at("https://acme.example".len());
    path.to_owned()
}

fn requests(site: &Administered, key: &str) -> Vec<Value> {
    let listed = site.ask("GET", "/requests", key, &Value::Null);
    assert_eq!(listed.status, StatusCode::OK, "{}", listed.body);
    listed.body["requests"].as_array().unwrap().clone()
}

fn answer(site: &Administered, key: &str, request: &Value, how: &str) -> Response {
    let number = &request["number"];
    let body = if how == "grant" {
        json!({ "given": "link" })
    } else {
        Value::Null
    };
    site.ask("POST", &format!("/requests/{number}/{how}"), key, &body)
}

fn revoke(site: &Administered, key: &str, what: &Value) {
    let revoked = site.ask("POST", "/revocations", key, what);
    assert_eq!(revoked.status, StatusCode::NO_CONTENT, "{}", revoked.body);
}

/// Change after which the request of a person with a link cannot be granted.
type Close = fn(&Administered, &str, &Value);

#[test]
fn a_request_that_may_not_be_granted_any_more_is_gone_at_once() {
    let closings: [(&str, Close); 6] = [
        ("the link was revoked", |site, key, link| {
            revoke(site, key, &json!({ "link": link["id"] }));
        }),
        ("all links of the person were revoked", |site, key, _| {
            revoke(site, key, &json!({ "user": "ada" }));
        }),
        ("all links were revoked", |site, key, _| {
            let issued = Timestamp::now().as_second();
            until(|| Timestamp::now().as_second() > issued);
            revoke(
                site,
                key,
                &json!({ "before": Timestamp::now().to_string() }),
            );
        }),
        ("the key has leaked", |site, key, _| {
            let keys = site.ask("GET", "/signing-keys", key, &Value::Null).body;
            let id = keys["signing_keys"][0]["id"].as_str().unwrap();
            let path = format!("/signing-keys/{id}/retirement");
            let leaked = site.ask("POST", &path, key, &json!({ "leaked": true }));
            assert_eq!(leaked.status, StatusCode::OK, "{}", leaked.body);
        }),
        ("the user was suspended", |site, key, _| {
            let done = site.ask("POST", "/users/ada/suspend", key, &Value::Null);
            assert!(done.status.is_success(), "{}", done.body);
        }),
        ("the account has ended", |site, key, _| {
            let end = Timestamp::from_second(Timestamp::now().as_second() + 3).unwrap();
            let ends = json!({ "ends_at": end.to_string() });
            let set = site.ask("PUT", "/users/ada/account-end", key, &ends);
            assert!(set.status.is_success(), "{}", set.body);
            until(|| Timestamp::now() > end);
        }),
    ];
    for (what, close) in closings {
        let site = with_stored_key();
        let key = site.key("laptop", &[Scope::Admin]);
        let wanted = |user: &str| json!({ "payload": { "user": { "id": user } } });
        let (ada, bob) = (make(&site, &key, wanted("ada")), wanted("bob"));
        ask(&site, &path_of(&ada, "url"));
        let open = requests(&site, &key);
        close(&site, &key, &ada);
        assert_eq!(requests(&site, &key), [] as [Value; 0], "{what}");
        for how in ["grant", "dismiss"] {
            let refused = answer(&site, &key, &open[0], how);
            assert_eq!(refused.status, StatusCode::NOT_FOUND, "{what}");
            assert_eq!(refused.body["code"], "unknown_request", "{what}");
        }
        let page = send(&site, "GET", &path_of(&ada, "url"), "", "");
        assert!(page.status.is_client_error() && !offers(&page), "{what}");
        // Later requests of others are not affected.
        ask(&site, &path_of(&make(&site, &key, bob), "url"));
        let open = requests(&site, &key);
        assert_eq!((open.len(), &open[0]["user"]), (1, &json!("bob")), "{what}");
        let granted = answer(&site, &key, &open[0], "grant");
        let link = path_of(&granted.body, "url");
        assert_eq!(sign_in(&site, &link), StatusCode::SEE_OTHER, "{what}");
    }
}

#[test]
fn a_key_that_retires_without_a_leak_closes_no_request() {
    let site = with_stored_key();
    let key = site.key("laptop", &[Scope::Admin]);
    let ada = make(
        &site,
        &key,
        json!({ "payload": { "user": { "id": "ada" } } }),
    );
    ask(&site, &path_of(&ada, "url"));
    let rotated = site.ask(
        "POST",
        "/signing-keys/rotations",
        &key,
        &json!({ "retire_after": "now" }),
    );
    assert_eq!(rotated.status, StatusCode::OK, "{}", rotated.body);
    let open = requests(&site, &key);
    assert_eq!(open.len(), 1);
    let granted = answer(&site, &key, &open[0], "grant");
    let link = path_of(&granted.body, "url");
    assert_eq!(sign_in(&site, &link), StatusCode::SEE_OTHER);
}

#[test]
fn the_new_link_has_the_note_and_the_short_form_of_the_old_one() {
    let site = with_stored_key();
    let key = site.key("laptop", &[Scope::Admin]);
    for (user, short) in [("ada", true), ("bob", false)] {
        let wanted = json!({
            "payload": { "user": { "id": user } }, "note": "desk 4", "short": short
        });
        let old = make(&site, &key, wanted);
        ask(
            &site,
            &path_of(&old, if short { "shortUrl" } else { "url" }),
        );
        let granted = answer(&site, &key, &requests(&site, &key)[0], "grant");
        assert_eq!(granted.status, StatusCode::OK, "{}", granted.body);
        assert_eq!(granted.body["shortUrl"].is_string(), short);
        let id = granted.body["id"].as_str().unwrap();
        let listed = site.ask("GET", &format!("/links/{id}"), &key, &Value::Null);
        let new = &listed.body["link"];
        assert_eq!(
            (&new["note"], &new["has_short"]),
            (&json!("desk 4"), &json!(short))
        );
        if short {
            let path = path_of(&granted.body, "shortUrl");
            assert_eq!(sign_in(&site, &path), StatusCode::SEE_OTHER);
            let old = path_of(&old, "shortUrl");
            assert!(offers(&send(&site, "GET", &old, "", "")));
        }
    }
}

#[test]
fn a_link_for_an_address_that_nobody_has_any_more_offers_nothing() {
    let site = with_stored_key();
    let key = site.key("laptop", &[Scope::Admin]);
    let email = "ada@acme.example";
    let user = json!({ "id": "ada", "email": email });
    let added = site.ask("POST", "/users", &key, &user);
    assert!(added.status.is_success(), "{}", added.body);
    let link = make(&site, &key, json!({ "payload": { "email": email } }));
    let path = path_of(&link, "url");
    assert_eq!(sign_in(&site, &path), StatusCode::SEE_OTHER);
    assert!(offers(&send(&site, "GET", &path, "", "")));
    let moved = site.ask("PATCH", "/users/ada", &key, &json!({ "email": null }));
    assert!(moved.status.is_success(), "{}", moved.body);
    let page = send(&site, "GET", &path, "", "");
    assert!(
        page.status.is_client_error() && !offers(&page),
        "{}",
        page.body
    );
}
