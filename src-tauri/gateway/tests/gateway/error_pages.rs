//! Pages about refusals and about requests that cannot be answered.

use jiff::Timestamp;
use latchkey_core::activity::{ActivityQuery, Actor};
use latchkey_core::directory::Directory as _;
use latchkey_core::instance::SignInStep;
use latchkey_core::protocol::claims::Registered;
use latchkey_core::protocol::payload::NewUser;
use latchkey_core::protocol::user_id::UserId;
use latchkey_core::protocol::uses::Uses;
use latchkey_core::session::return_address::WebOrigin;
use latchkey_store::Wait as _;
use serde_json::Value;

use crate::site::{Site, by};

#[test]
fn every_refusal_is_a_page_with_a_reference_that_hides_the_reason() {
    let site = Site::new();
    site.directory
        .set_seat_limit(Some(1), &by())
        .wait()
        .unwrap();
    site.sign_in("ada");
    let suspended = UserId::parse("ada", "id").unwrap();
    site.directory.suspend(&suspended, &by()).wait().unwrap();
    let bob = NewUser {
        id: UserId::parse("bob", "id").unwrap(),
        email: None,
        metadata: latchkey_core::protocol::metadata::Metadata::default(),
    };
    site.directory.add(&bob, &by()).wait().unwrap();
    let expired = Registered {
        expires_at: Some(1_000_000_000),
        ..Registered::default()
    };
    for (code, status, says) in [
        (site.new_user("ada"), 403, "does not"),
        (site.new_user("carol"), 403, "no seat left"),
        (site.code(r#"{"id":"nobody"}"#), 403, "does not work"),
        (
            site.code(r#"{"email":"nobody@acme.example"}"#),
            403,
            "does not work",
        ),
        (
            site.code_with(r#"{"id":"bob"}"#, expired),
            410,
            "does not work any more",
        ),
        ("not.a.code".to_owned(), 403, ""),
        (String::new(), 403, ""),
        ("%00%ff".to_owned(), 403, ""),
    ] {
        let answer = site.get(&format!("/?externalAuthCode={code}"), &[]);
        assert_eq!(answer.status.as_u16(), status, "{}", answer.body);
        assert!(answer.body.contains(says), "{says}: {}", answer.body);
        assert!(answer.body.contains("Reference"), "{}", answer.body);
        // The random reference of the page may contain three letters that are a name.
        let (before, _) = answer.body.split_once("Reference").unwrap();
        for secret in ["ada", "suspended", "nobody", "unknown"] {
            assert!(!before.contains(secret), "{secret}: {}", answer.body);
        }
        assert!(answer.cookies().is_empty());
        let problem = site.get(
            &format!("/?externalAuthCode={code}"),
            &[("accept", "application/json")],
        );
        assert_eq!(
            problem.header("content-type"),
            Some("application/problem+json")
        );
        let problem: serde_json::Value = serde_json::from_str(&problem.body).unwrap();
        assert_eq!(problem["status"], status);
        assert!(problem["reference"].as_str().unwrap().len() == 8);
    }
}

#[test]
fn text_from_the_request_is_escaped() {
    let site = Site::with("acme", |settings| {
        settings.visiting.step = SignInStep::Confirm;
    });
    let evil = r#"<script>alert(1)</script>"><img src=x onerror=alert(1)>'"#;
    let payload = serde_json::json!({ "user": { "id": evil, "name": evil } });
    let code = site.code(&payload.to_string());
    let path = "/%22%3E%3Cscript%3Ealert(1)%3C/script%3E";
    let query = format!("{path}?a=%22%3E%3Cscript%3E&externalAuthCode={code}");
    let confirm = site.get(&query, &[]);
    assert!(confirm.body.contains("&lt;script&gt;"), "{}", confirm.body);
    let cookie = site.confirm(&query, &[]).session().unwrap();
    let bodies = [
        confirm.body,
        site.get_as("/", &cookie).body,
        site.get(
            &format!("/{evil}").replace(['<', '>', '"', ' '], "%3C"),
            &[],
        )
        .body,
        site.get(
            &format!("/?externalAuthCode={}", "%3Cscript%3Ealert(1)%3C/script%3E"),
            &[],
        )
        .body,
        site.get(
            "/auth/sign-in?rd=%22%3E%3Cscript%3Ealert(1)%3C/script%3E",
            &[],
        )
        .body,
    ];
    for body in bodies {
        assert!(
            !body.contains("<script") && !body.contains("<img"),
            "{body}"
        );
        assert!(body.contains("Acme &lt;Chat&gt;"), "{body}");
    }
}

#[test]
fn a_wrong_method_gets_an_error_page_and_the_allowed_methods() {
    let site = Site::new();
    for (method, path, allowed) in [
        ("GET", "/auth/sign-out", "POST"),
        ("GET", "/auth/widget/continue", "POST"),
        ("POST", "/auth/style.css", "GET,HEAD"),
        ("DELETE", "/healthz", "GET,HEAD"),
        ("PUT", "/report", "GET,HEAD"),
        ("PUT", "/report?externalAuthCode=a.b.c", "GET,HEAD,POST"),
    ] {
        let answer = site.ask(method, path, &[], "");
        assert_eq!(answer.status.as_u16(), 405, "{path}");
        assert_eq!(answer.header("allow"), Some(allowed), "{path}");
        let title = "<title>Not possible on this page · Acme &lt;Chat&gt;</title>";
        assert!(answer.body.contains(title), "{path}: {}", answer.body);
        assert!(answer.body.contains("Reference"), "{path}");
    }
}

#[test]
fn a_name_cannot_change_the_text_around_it() {
    let site = Site::with("acme", |settings| {
        settings.visiting.step = SignInStep::Confirm;
        settings.visiting.embed_in = vec![WebOrigin::parse("https://www.acme.example").unwrap()];
    });
    let name = "ada\u{202e}\u{2066}\u{2069}\u{0}\u{9b}\n\u{5d0}";
    let shown = "ada\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{fffd}\u{5d0}";
    let payload = serde_json::json!({ "user": { "id": "ada", "name": name } });
    let code = site.code(&payload.to_string());
    let link = format!("/?externalAuthCode={code}");
    let asked = site.get(&link, &[]);
    let button = format!("Continue as <bdi>{shown}</bdi>");
    assert!(asked.body.contains(&button), "{}", asked.body);
    let cookie = site.confirm(&link, &[]).session().unwrap();
    let home = site.get_as("/", &cookie);
    assert!(
        home.body.contains(&format!("<bdi>{shown}</bdi>")),
        "{}",
        home.body
    );
    let other = format!("/?externalAuthCode={}", site.new_user("bob"));
    let asked = site.get_as(&other, &cookie);
    assert!(
        asked.body.contains(&format!("<bdi>{shown}</bdi>")),
        "{}",
        asked.body
    );
    let headers = [
        ("sec-fetch-site", "same-origin"),
        ("cookie", "__Host-latchkey_kept_383aa495=1"),
    ];
    let asked = site.post("/auth/widget/open", &[("code", &code)], &headers);
    let asked: serde_json::Value = serde_json::from_str(&asked.body).unwrap();
    assert_eq!(asked["whom"], shown);
}

#[test]
fn the_administrator_finds_by_the_reference_why_somebody_was_refused() {
    let mut site = Site::new();
    site.directory
        .set_seat_limit(Some(0), &by())
        .wait()
        .unwrap();
    let new = site.new_user("ada");
    let forged = format!("{}.{}", new.rsplit_once('.').unwrap().0, "A".repeat(43));
    for step in [SignInStep::Automatic, SignInStep::Confirm] {
        site.settings.visiting.step = step;
        for (code, verdict, subject) in [
            (&new, "no_seats", Some("ada")),
            (
                &site.code(r#"{"id":"nobody"}"#),
                "unknown_user",
                Some("nobody"),
            ),
            (&forged, "bad_signature", None),
        ] {
            let path = format!("/?externalAuthCode={code}");
            let headers = [("accept", "application/json")];
            let problem: Value = serde_json::from_str(&site.get(&path, &headers).body).unwrap();
            let query = ActivityQuery {
                text: problem["reference"].as_str().unwrap().to_owned(),
                ..ActivityQuery::default()
            };
            // Ends the minute in which refusals are counted.
            site.directory
                .record_counted(Timestamp::MAX)
                .wait()
                .unwrap();
            let page = site.directory.activity(&query, None, 9).wait().unwrap();
            let [entry] = &page.entries[..] else {
                panic!("{verdict}: {page:?}");
            };
            assert_eq!(entry.event.data.code(), verdict);
            assert_eq!(entry.event.subject.as_deref(), subject);
            assert_eq!(entry.actor, Actor::Visitor);
            let kept = serde_json::to_string(entry).unwrap();
            assert!(!kept.contains(code.as_str()), "{kept}");
        }
    }
    let all = site
        .directory
        .activity(&ActivityQuery::default(), None, 99)
        .wait()
        .unwrap();
    assert_eq!(all.entries.len(), 1 + 6, "each is recorded once");
}

#[test]
fn an_unreadable_request_gets_an_error_page() {
    let site = Site::new();
    let form = ("content-type", "application/x-www-form-urlencoded");
    let long = "x".repeat(20_000);
    for (kind, body, status) in [
        (("content-type", "text/plain"), "code=x", 415),
        (form, "", 422),
        (form, "other=x", 422),
        (form, "code=a&code=b", 422),
        (form, &long, 413),
    ] {
        let answer = site.ask("POST", "/auth/widget/open", &[kind], body);
        assert_eq!(answer.status.as_u16(), status, "{}", answer.body);
        assert!(answer.cookies().is_empty());
        if status != 413 {
            assert!(answer.body.contains("Reference"), "{}", answer.body);
        }
    }
    let answer = site.get("/auth/sign-in?rd=a&rd=b", &[]);
    assert_eq!(answer.status.as_u16(), 400);
    assert!(answer.body.contains("Reference"), "{}", answer.body);
}

#[test]
fn each_page_has_a_title_of_its_own() {
    let site = Site::new();
    let cookie = site.sign_in("ada");
    let expired = site.code_with(
        r#"{"user":{"id":"ada"}}"#,
        Registered {
            expires_at: Some(Timestamp::now().as_second() - 3600),
            ..Registered::default()
        },
    );
    let once = site.code_with(
        r#"{"user":{"id":"ada"}}"#,
        Registered {
            id: Some("once".into()),
            uses: Uses::ONCE,
            ..Registered::default()
        },
    );
    let answers = [
        site.get("/", &[]),
        site.get_as("/", &cookie),
        site.get(&format!("/?externalAuthCode={once}"), &[]),
        site.get(&format!("/?externalAuthCode={expired}"), &[]),
        site.get("/?externalAuthCode=no.code.here", &[]),
        site.get("/no/such/page", &[]),
        site.post("/", &[], &[]),
        site.post("/auth/sign-out", &[], &[]),
    ];
    let titles: Vec<&str> = answers
        .iter()
        .map(|answer| {
            let title = answer.body.split("<title>").nth(1).expect(&answer.body);
            title.split(['<', '·']).next().unwrap().trim()
        })
        .collect();
    let mut distinct = titles.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), titles.len(), "{titles:?}");
    assert_eq!(answers[5].status.as_u16(), 404);
    assert_eq!(titles[5], "Page not found");
    assert_eq!(titles[0], "Not signed in");
}
