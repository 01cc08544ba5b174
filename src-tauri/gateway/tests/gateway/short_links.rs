//! Short links: what opening one does, before and after it was taken back.

use jiff::Timestamp;
use latchkey_core::activity::ActivityQuery;
use latchkey_core::directory::Directory as _;
use latchkey_core::ledger::{ListedLink, Revocation, RevocationScope, TakenLink};
use latchkey_core::link::BaseUrl;
use latchkey_core::link::short_code::ShortCode;
use latchkey_core::protocol::claims::{Claims, Registered};
use latchkey_core::protocol::user_id::UserId;
use latchkey_core::protocol::uses::Uses;
use latchkey_store::Wait as _;
use serde_json::{Value, json};

use crate::api_client::Client;
use crate::site::{Answer, Site, by};

/// Gives a link out with a short link. Returns its path, in upper case.
pub(crate) fn give(site: &Site, claims: &Value, supersedes: bool) -> String {
    let mut members = json!({ "iat": Timestamp::now().as_second() });
    let all = members.as_object_mut().unwrap();
    all.extend(claims.as_object().unwrap().clone());
    let code = ShortCode::new().unwrap();
    let taken = TakenLink {
        short: Some(code.hash()),
        supersedes,
        ..TakenLink::new(Claims::from_signed(all).unwrap(), Some("key".to_owned()))
    };
    site.directory.take_link(taken, &by()).wait().unwrap();
    let url = code.url(&site.settings.url);
    let path = url.to_ascii_lowercase().find("/auth/l/").unwrap();
    url[path..].to_owned()
}

pub(crate) fn ada(site: &Site, link: &str) -> String {
    give(
        site,
        &json!({ "user": { "id": "ada" }, "jti": link }),
        false,
    )
}

/// Returns a link of the ledger, and its claims.
fn listed(site: &Site, id: &str) -> (ListedLink, Option<Claims>) {
    let found = site.directory.link(id, Timestamp::now()).wait();
    found.unwrap().unwrap()
}

fn opened(site: &Site, path: &str) -> u16 {
    site.get(path, &[]).status.as_u16()
}

/// Returns the page without the parts that differ each time.
fn words(answer: &Answer) -> String {
    let mut body = answer.body.clone();
    if let Some(at) = body.find("Reference") {
        body.truncate(at);
    }
    body
}

/// Returns the codes of all entries of the activity, the newest first, and all of it as text.
fn activity(site: &Site) -> (Vec<String>, String) {
    let all = ActivityQuery::default();
    let page = site.directory.activity(&all, None, 99);
    let entries = page.wait().unwrap().entries;
    let codes = entries
        .iter()
        .map(|entry| entry.event.data.code().to_owned());
    (codes.collect(), format!("{entries:?}"))
}

#[test]
fn a_short_link_signs_in_in_either_case_and_leads_to_the_instance() {
    let site = Site::new();
    let short = ada(&site, "a");
    let code = short.strip_prefix("/AUTH/L/").unwrap();
    let lower = short.to_ascii_lowercase();
    for path in [
        short.clone(),
        lower.clone(),
        format!("/auth/l/{code}"),
        // A program that recognises links may take the full stop for a part of it.
        format!("{lower}."),
        format!("{short}%20"),
    ] {
        let answer = site.get(&path, &[]);
        assert_eq!(
            (answer.status.as_u16(), answer.location()),
            (303, "/"),
            "{path}"
        );
        let all = format!("{:?}{}", answer.headers, answer.body).to_ascii_uppercase();
        assert!(!all.contains(code), "{all}");
        assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let session = answer.session().unwrap();
        assert_eq!(site.get_as("/auth/verify", &session).status.as_u16(), 200);
    }
    assert_eq!(site.seats(), 1);
    assert_eq!(listed(&site, "a").0.link.used, 5);
    let (codes, all) = activity(&site);
    assert_eq!(codes.iter().filter(|code| *code == "signed_in").count(), 4);
    assert!(!all.to_ascii_uppercase().contains(code), "{all}");
}

#[test]
fn a_short_link_leads_back_to_the_page_that_a_proxy_has_sent_away() {
    let site = Site::new();
    let asked = site.get(
        "/auth/sign-in?rd=/report?year=2026",
        &[crate::site::NAVIGATES],
    );
    let cookies = asked.cookies().join("; ");
    let answer = site.get_as(&ada(&site, "a"), &cookies);
    assert_eq!(
        (answer.status.as_u16(), answer.location()),
        (303, "/report?year=2026")
    );
}

#[test]
fn a_request_for_headers_or_inside_another_page_does_nothing() {
    let site = Site::new();
    let short = ada(&site, "a");
    assert_eq!(site.ask("HEAD", &short, &[], "").status.as_u16(), 200);
    let embedded = site.get(
        &short,
        &[
            ("sec-fetch-dest", "image"),
            ("sec-fetch-site", "cross-site"),
        ],
    );
    assert_eq!(embedded.status.as_u16(), 403);
    assert_eq!(site.ask("PUT", &short, &[], "").status.as_u16(), 405);
    assert!(!site.has_user("ada"));
    let preview = site.get(&short, &[("user-agent", "WhatsApp/2")]);
    assert!(preview.body.contains("Continue as"), "{}", preview.body);
    assert!(!site.has_user("ada"));
}

#[test]
fn the_uses_of_a_short_link_are_those_of_its_link_and_the_click_spends_one() {
    let site = Site::new();
    let claims = json!({ "user": { "id": "ada" }, "jti": "a", "uses": 2 });
    let short = give(&site, &claims, false);
    for _ in 0..2 {
        for _ in 0..3 {
            let asked = site.get(&short, &[]);
            assert!(asked.body.contains("Continue as"), "{}", asked.body);
            assert!(
                !asked.body.to_ascii_uppercase().contains("/AUTH/L/"),
                "{}",
                asked.body
            );
        }
        let done = site.confirm(&short, &[]);
        assert_eq!((done.status.as_u16(), done.location()), (303, "/"));
    }
    assert_eq!(site.confirm(&short, &[]).status.as_u16(), 410);
    assert_eq!(opened(&site, &short), 410);
    assert_eq!(listed(&site, "a").0.link.used, 2);
    // The click needs the cookie of the page.
    let another = give(
        &site,
        &json!({ "user": { "id": "bob" }, "jti": "b", "uses": 2 }),
        false,
    );
    assert_eq!(site.post(&another, &[], &[]).status.as_u16(), 403);
    assert!(!site.has_user("bob"));
}

#[test]
fn a_short_link_ends_with_its_link() {
    let site = Site::new();
    let revoke = |scope| {
        let revocation = Revocation {
            scope,
            ends_sessions: false,
            allows_unknown: true,
        };
        site.directory
            .revoke_links(revocation, &by())
            .wait()
            .unwrap();
    };
    let before = ada(&site, "revoked");
    assert_eq!(opened(&site, &before), 303);
    revoke(RevocationScope::Link("revoked".to_owned()));
    assert_eq!(opened(&site, &before), 410);

    let person = ada(&site, "person");
    assert_eq!(opened(&site, &person), 303);
    revoke(RevocationScope::Person(UserId::parse("ada", "id").unwrap()));
    assert_eq!(opened(&site, &person), 410);

    let older = ada(&site, "older");
    assert_eq!(opened(&site, &older), 303);
    let newer = give(
        &site,
        &json!({ "user": { "id": "ada" }, "jti": "newer" }),
        true,
    );
    assert_eq!(opened(&site, &older), 410);
    assert_eq!(opened(&site, &newer), 303);

    let rotated = ada(&site, "of-the-key");
    revoke(RevocationScope::Key("another".to_owned()));
    assert_eq!(opened(&site, &rotated), 303);
    revoke(RevocationScope::Key("key".to_owned()));
    assert_eq!(opened(&site, &rotated), 410);

    let now = Timestamp::now().as_second();
    let until = |end: i64| json!({ "user": { "id": "ada" }, "jti": format!("{end}"), "exp": end });
    assert_eq!(opened(&site, &give(&site, &until(now - 30), false)), 303);
    assert_eq!(opened(&site, &give(&site, &until(now - 61), false)), 410);
    let later = json!({ "user": { "id": "ada" }, "jti": "later", "nbf": now + 600 });
    assert_eq!(opened(&site, &give(&site, &later, false)), 403);

    let last = ada(&site, "last");
    let user = UserId::parse("ada", "id").unwrap();
    site.directory.suspend(&user, &by()).wait().unwrap();
    assert_eq!(opened(&site, &last), 403);
    site.directory.reactivate(&user, &by()).wait().unwrap();
    assert_eq!(opened(&site, &last), 303);
    site.directory.remove(&user, &by()).wait().unwrap();
    assert_eq!(opened(&site, &last), 403);
    let (kept, claims) = listed(&site, "last");
    assert!(
        !kept.link.has_short && claims.is_none(),
        "they have gone with the user"
    );
}

#[test]
fn all_unknown_short_links_have_one_page_and_fixed_words_in_the_activity() {
    let site = Site::new();
    let short = ada(&site, "a");
    let code = short.strip_prefix("/AUTH/L/").unwrap();
    let removed = give(
        &site,
        &json!({ "user": { "id": "bob" }, "jti": "b" }),
        false,
    );
    assert_eq!(opened(&site, &removed), 303);
    let bob = UserId::parse("bob", "id").unwrap();
    site.directory.remove(&bob, &by()).wait().unwrap();
    let first = site.get("/AUTH/L/AAAAAAAAAAAAAAAAAAAAAAAAAA", &[]);
    assert_eq!(first.status.as_u16(), 403);
    assert!(
        first.body.contains("This link does not work."),
        "{}",
        first.body
    );
    for path in [
        removed,
        "/auth/l/a".to_owned(),
        "/auth/l/%00%ff".to_owned(),
        format!("/auth/l/{}", &code[1..]),
        format!("/auth/l/{code}A"),
        format!("/AUTH/L/{}", "7".repeat(9_000)),
        "/auth/l/%3Cscript%3E".to_owned(),
    ] {
        let answer = site.get(&path, &[]);
        assert_eq!(
            (answer.status, words(&answer)),
            (first.status, words(&first)),
            "{path}"
        );
        assert_eq!(site.post(&path, &[], &[]).status, first.status, "{path}");
    }
    assert_eq!(opened(&site, &short), 303);
    let (codes, all) = activity(&site);
    assert!(codes.iter().any(|code| code == "unknown_link"), "{codes:?}");
    for text in [code, "77777", "AAAAA", "script"] {
        assert!(!all.contains(text), "{text}: {all}");
    }
}

#[test]
fn a_short_link_below_a_folder_works_there() {
    let site = Site::with("acme", |settings| {
        settings.url = BaseUrl::parse("https://acme.example/chat/").unwrap();
    });
    let short = ada(&site, "a");
    assert!(short.starts_with("/auth/l/"), "{short}");
    let answer = site.get(&format!("/chat{short}"), &[]);
    assert_eq!((answer.status.as_u16(), answer.location()), (303, "/chat/"));
    let upper = Site::with("acme", |settings| {
        settings.url = BaseUrl::parse("https://acme.example/CHAT/").unwrap();
    });
    let short = ada(&upper, "a");
    assert!(short.starts_with("/AUTH/L/"), "{short}");
    let answer = upper.get(&format!("/CHAT{short}"), &[]);
    assert_eq!((answer.status.as_u16(), answer.location()), (303, "/CHAT/"));
}

#[test]
fn another_system_makes_a_short_link_that_is_shown_once() {
    let client = Client::new();
    let wanted = json!({ "payload": { "user": { "id": "ada" } }, "short": true });
    let made = client.done("POST", "/api/v1/links", &wanted);
    let short = made["shortUrl"].as_str().unwrap();
    let path = short.strip_prefix("HTTPS://CHAT.ACME.EXAMPLE").unwrap();
    assert_eq!(path.len(), "/AUTH/L/".len() + 26);
    for path in [path, made["url"].as_str().unwrap()] {
        assert_eq!(client.site.get(path, &[]).status.as_u16(), 303, "{path}");
    }
    let plain = json!({ "payload": { "user": { "id": "ada" } } });
    let made = client.done("POST", "/api/v1/links", &plain);
    assert_eq!(made["shortUrl"], Value::Null);
}

#[test]
fn a_code_with_the_id_of_a_link_for_another_person_takes_nothing_over() {
    let site = Site::new();
    let claims = json!({ "user": { "id": "ada" }, "jti": "a", "uses": 3 });
    let short = give(&site, &claims, false);
    let with_id = |payload: &str, uses: Uses| {
        let registered = Registered {
            id: Some("a".to_owned()),
            uses,
            ..Registered::default()
        };
        let code = site.code_with(payload, registered);
        format!("/?externalAuthCode={code}")
    };
    let three = Uses::limited(3).unwrap();
    let long = with_id(r#"{"user":{"id":"ada"}}"#, three);
    assert_eq!(site.confirm(&short, &[]).status.as_u16(), 303);
    for uses in [Uses::UNLIMITED, Uses::ONCE, three] {
        let foreign = with_id(r#"{"user":{"id":"bob"}}"#, uses);
        for answer in [site.get(&foreign, &[]), site.confirm(&foreign, &[])] {
            assert_eq!(answer.status.as_u16(), 403, "{}", answer.body);
            assert!(answer.body.contains("This link does not work."));
            assert!(!answer.body.contains("Ask for a new link"));
        }
    }
    assert!(!site.has_user("bob"));
    let found = site.directory.link("a", Timestamp::now()).wait().unwrap();
    let (listed, kept) = found.unwrap();
    let user = listed.link.user.as_ref().map(UserId::as_str);
    assert_eq!((user, listed.link.used), (Some("ada"), 1));
    assert!(kept.is_some() && listed.link.has_short);
    for link in [&long, &short] {
        assert_eq!(site.confirm(link, &[]).status.as_u16(), 303);
    }
    assert_eq!(site.confirm(&short, &[]).status.as_u16(), 410, "used up");
}
