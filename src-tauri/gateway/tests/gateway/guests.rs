//! Guests: accounts that end by themselves, shown by real requests before and after the end.

use std::thread;
use std::time::{Duration, Instant};

use axum::http::StatusCode;
use jiff::Timestamp;
use latchkey_core::directory::Directory as _;
use latchkey_core::protocol::account_end::AccountEnd;
use latchkey_core::protocol::claims::Registered;
use latchkey_core::protocol::user_id::UserId;
use latchkey_store::Wait as _;
use serde_json::json;

use crate::api_client::Client;
use crate::site::{Site, by};

fn guest(site: &Site, id: &str, end: AccountEnd) -> String {
    let payload = format!(r#"{{"user":{{"id":"{id}"}}}}"#);
    let registered = Registered {
        account_end: Some(end),
        ..Registered::default()
    };
    let code = site.code_with(&payload, registered);
    format!("/?externalAuthCode={code}")
}

fn user(id: &str) -> UserId {
    UserId::parse(id, "id").unwrap()
}

fn verified(site: &Site, cookie: &str) -> StatusCode {
    site.get_as("/auth/verify", cookie).status
}

#[test]
fn a_guest_is_signed_out_at_the_end_of_the_account_and_gets_in_again_when_it_is_extended() {
    let site = Site::new();
    site.directory
        .set_seat_limit(Some(1), &by())
        .wait()
        .unwrap();
    let ends = Timestamp::now().as_second() + 6;
    let link = guest(&site, "edwina", AccountEnd::At(ends));
    let cookie = site.get(&link, &[]).session().unwrap();
    assert_eq!(verified(&site, &cookie), StatusCode::OK);
    let full = site.get(&format!("/?externalAuthCode={}", site.new_user("ada")), &[]);
    assert!(
        full.body.contains("There is no seat left."),
        "{}",
        full.body
    );

    // The maintenance of a gateway does not run here, so nobody has written the end.
    let begun = Instant::now();
    while verified(&site, &cookie) == StatusCode::OK {
        assert!(
            begun.elapsed() < Duration::from_secs(20),
            "the account never ends"
        );
        thread::sleep(Duration::from_millis(20));
    }
    assert!(Timestamp::now().as_second() >= ends, "it ended too early");
    assert_eq!(verified(&site, &cookie), StatusCode::UNAUTHORIZED);
    let refused = site.get(&link, &[]);
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    assert!(
        refused.body.contains("does not work any more"),
        "{}",
        refused.body
    );
    assert!(!refused.body.contains("edwina"), "it names nobody");
    assert_eq!(site.seats(), 0);

    site.directory
        .set_account_end(&user("edwina"), None, &by())
        .wait()
        .unwrap();
    assert_ne!(
        verified(&site, &cookie),
        StatusCode::OK,
        "the session has ended"
    );
    let again = site.get(&link, &[]).session().unwrap();
    assert_eq!(verified(&site, &again), StatusCode::OK);
}

#[test]
fn the_seat_of_an_ended_account_goes_to_the_next_visitor() {
    let site = Site::new();
    site.directory
        .set_seat_limit(Some(1), &by())
        .wait()
        .unwrap();
    let ends = Timestamp::now().as_second() + 4;
    site.get(&guest(&site, "eve", AccountEnd::At(ends)), &[]);
    let link = format!("/?externalAuthCode={}", site.new_user("ada"));
    let begun = Instant::now();
    while site.get(&link, &[]).session().is_none() {
        assert!(
            begun.elapsed() < Duration::from_secs(20),
            "no seat is freed"
        );
        thread::sleep(Duration::from_millis(50));
    }
    assert!(site.has_user("eve"), "an ended account stays in the list");
    assert_eq!(site.seats(), 1);
}

#[test]
fn another_system_makes_links_for_guests_and_sees_when_their_accounts_end() {
    let client = Client::new();
    let wanted =
        |ends: &str| json!({ "payload": { "user": { "id": "eve" } }, "accountEnds": ends });
    let link = client.done("POST", "/api/v1/links", &wanted("14 days"));
    let path = link["url"].as_str().unwrap();
    let path = path.strip_prefix("https://chat.acme.example").unwrap();
    assert_eq!(client.site.get(path, &[]).status, StatusCode::SEE_OTHER);
    let shown = client.done("GET", "/api/v2/users/eve", &json!(null));
    assert_eq!(shown["status"], "active");
    let ends: Timestamp = shown["endsAt"].as_str().unwrap().parse().unwrap();
    let left = ends.as_second() - Timestamp::now().as_second();
    assert!((14 * 86_400 - 60..=14 * 86_400).contains(&left), "{left}");
    for (body, code) in [
        (wanted("soon"), "invalid_time"),
        (wanted("2020-01-01T00:00:00Z"), "invalid_time"),
        (
            json!({ "payload": { "id": "eve" }, "accountEnds": "14 days" }),
            "invalid_payload",
        ),
    ] {
        let (status, found, field) = client.refused("POST", "/api/v1/links", &body);
        assert_eq!((status, found), (422, json!(code)), "{body}");
        assert_eq!(field, "accountEnds", "{body}");
    }
}
