use jiff::Timestamp;
use latchkey_core::activity::{ActivityQuery, Actor};
use latchkey_core::directory::Directory as _;
use latchkey_core::instance::SignInStep;
use latchkey_core::link::{BaseUrl, Parameter};
use latchkey_core::protocol::claims::Registered;
use latchkey_core::protocol::payload::NewUser;
use latchkey_core::protocol::user_id::UserId;
use latchkey_core::session::return_address::WebOrigin;
use latchkey_store::Wait as _;
use serde_json::Value;

use crate::site::{Answer, NAVIGATES, Site, by};

#[test]
fn a_link_signs_in_at_once_and_leads_to_the_address_without_the_code() {
    let site = Site::new();
    let code = site.new_user("ada");
    for (path, clean) in [
        (format!("/?externalAuthCode={code}"), "/"),
        (
            format!("/a/b?x=1&externalAuthCode={code}&y=%20z"),
            "/a/b?x=1&y=%20z",
        ),
        (
            format!("/a?externalAuthCode={code}&externalAuthCode=other"),
            "/a",
        ),
        (format!("/a?external%41uthCode={code}"), "/a"),
    ] {
        let answer = site.get(&path, &[]);
        assert_eq!(
            (answer.status.as_u16(), answer.location()),
            (303, clean),
            "{path}"
        );
        assert!(!format!("{:?}{}", answer.headers, answer.body).contains(&code));
        let cookie = answer.header("set-cookie").unwrap();
        for part in [
            "__Host-latchkey_session_383aa495=",
            "HttpOnly",
            "SameSite=Lax",
            "Secure",
            "Path=/",
        ] {
            assert!(cookie.contains(part), "{cookie}");
        }
        let home = site.get_as("/", &answer.session().unwrap());
        assert_eq!(home.status.as_u16(), 200);
        assert!(home.body.contains("ada Person"), "{}", home.body);
    }
    assert_eq!(site.seats(), 1);
}

#[test]
fn a_link_never_leads_to_a_page_of_another_site() {
    let site = Site::new();
    let code = site.new_user("ada");
    for path in ["//evil.com/", "//evil.com", "/%5cevil.com", "///evil.com/x"] {
        let link = format!("{path}?externalAuthCode={code}");
        for answer in [site.get(&link, &[]), site.confirm(&link, &[])] {
            assert_eq!(answer.status.as_u16(), 303);
            let to = answer.location();
            assert!(
                to.starts_with('/') && !to.starts_with("//") && !to.contains('\\'),
                "{to}"
            );
        }
    }
}

#[test]
fn the_query_parameter_is_that_of_the_settings() {
    let site = Site::with("acme", |settings| {
        settings.parameter = Parameter::parse("ticket").unwrap();
    });
    let code = site.new_user("ada");
    assert_eq!(
        site.get(&format!("/?externalAuthCode={code}"), &[])
            .status
            .as_u16(),
        401
    );
    assert_eq!(
        site.get(&format!("/?ticket={code}"), &[]).status.as_u16(),
        303
    );
}

#[test]
fn a_ten_minute_link_begins_a_session_of_the_instances_own_length() {
    let site = Site::new();
    let registered = Registered {
        expires_at: Some(Timestamp::now().as_second() + 600),
        ..Registered::default()
    };
    let code = site.code_with(r#"{"user":{"id":"ada"}}"#, registered);
    let answer = site.get(&format!("/?externalAuthCode={code}"), &[]);
    let cookie = answer.header("set-cookie").unwrap();
    let seconds: u64 = cookie
        .split("Max-Age=")
        .nth(1)
        .and_then(|rest| rest.split(';').next())
        .and_then(|seconds| seconds.parse().ok())
        .unwrap();
    assert_eq!(seconds, 14 * 86_400, "{cookie}");
}

/// A code is accepted for a minute after its end, and still begins a session.
#[test]
fn a_code_in_its_leeway_signs_in() {
    let site = Site::new();
    let ended = |seconds| Registered {
        expires_at: Some(Timestamp::now().as_second() - seconds),
        ..Registered::default()
    };
    let code = site.code_with(r#"{"user":{"id":"ada"}}"#, ended(10));
    let answer = site.get(&format!("/?externalAuthCode={code}"), &[]);
    let page = site.get_as("/", &answer.session().unwrap());
    assert_eq!(page.status.as_u16(), 200);
    let late = site.code_with(r#"{"user":{"id":"bob"}}"#, ended(61));
    let answer = site.get(&format!("/?externalAuthCode={late}"), &[]);
    assert_eq!(answer.status.as_u16(), 410);
    assert!(!site.has_user("bob"));
}

#[test]
fn a_link_that_must_be_confirmed_does_nothing_until_the_click() {
    let site = Site::with("acme", |settings| {
        settings.visiting.step = SignInStep::Confirm;
    });
    let code = site.new_user("ada");
    let link = format!("/a?b=c&externalAuthCode={code}");
    let answer = site.get(&link, &[]);
    assert_eq!(answer.status.as_u16(), 200);
    assert!(
        answer.body.contains("Continue as <bdi>ada Person</bdi>"),
        "{}",
        answer.body
    );
    assert!(answer.session().is_none());
    assert!(!site.has_user("ada"));
    let answer = site.confirm(&link, &[]);
    assert_eq!((answer.status.as_u16(), answer.location()), (303, "/a?b=c"));
    assert!(answer.session().is_some() && site.has_user("ada"));
}

#[test]
fn a_single_use_link_is_always_confirmed_and_works_once() {
    let site = Site::new();
    let registered = Registered {
        id: Some("once".into()),
        single_use: true,
        ..Registered::default()
    };
    let code = site.code_with(r#"{"user":{"id":"ada"}}"#, registered);
    let path = format!("/?externalAuthCode={code}");
    assert_eq!(site.get(&path, &[]).status.as_u16(), 200);
    assert_eq!(site.get(&path, &[]).status.as_u16(), 200);
    assert_eq!(site.confirm(&path, &[]).status.as_u16(), 303);
    let again = site.confirm(&path, &[]);
    assert_eq!(again.status.as_u16(), 410);
    assert!(again.session().is_none());
}

/// Returns the cookies of a browser after a response, given those before it.
fn jar(before: &str, answer: &Answer) -> String {
    let mut cookies = answer.cookies();
    cookies.extend(before.split("; ").map(str::to_owned));
    cookies.retain(|cookie| !cookie.is_empty());
    cookies.join("; ")
}

#[test]
fn a_double_click_on_continue_signs_in_and_another_browser_is_refused() {
    let site = Site::new();
    let registered = Registered {
        id: Some("once".into()),
        single_use: true,
        ..Registered::default()
    };
    let code = site.code_with(r#"{"user":{"id":"ada"}}"#, registered);
    let path = format!("/a?externalAuthCode={code}");
    let cookies = jar("", &site.get(&path, &[]));
    let click = |cookies: &str| site.post(&path, &[], &[("cookie", cookies)]);
    let (first, second) = (click(&cookies), click(&cookies));
    for answer in [&first, &second] {
        assert_eq!((answer.status.as_u16(), answer.location()), (303, "/a"));
        let session = answer.session().unwrap();
        assert_eq!(site.get_as("/auth/verify", &session).status.as_u16(), 200);
    }
    // Going back shows the question again while the code may be repeated.
    assert_eq!(site.get_as(&path, &cookies).status.as_u16(), 200);
    let other = site.shown();
    assert_eq!(click(&other).status.as_u16(), 410);
    assert_eq!(site.get_as(&path, &other).status.as_u16(), 410);
}

#[test]
fn going_back_reopening_and_reposting_while_signed_in_spend_no_use() {
    let site = Site::new();
    let link = |id: &str| {
        let registered = Registered {
            id: Some(id.into()),
            single_use: true,
            ..Registered::default()
        };
        site.code_with(r#"{"user":{"id":"ada"}}"#, registered)
    };
    let (code, unused) = (link("1"), link("2"));
    let open =
        |code: &str, cookies: &str| site.get_as(&format!("/a?externalAuthCode={code}"), cookies);
    let click = |code: &str, cookies: &str| {
        let path = format!("/a?externalAuthCode={code}");
        site.post(&path, &[], &[("cookie", cookies)])
    };
    let cookies = jar("", &open(&code, ""));
    let signed_in = jar(&cookies, &click(&code, &cookies));
    let sign_ins = || {
        let ada = UserId::parse("ada", "id").unwrap();
        site.directory.known_user(&ada).wait().unwrap().sign_ins
    };
    assert_eq!(sign_ins(), 1);
    let session = Answer::session_in(&signed_in);
    for answer in [
        open(&code, &signed_in),
        click(&code, &signed_in),
        // A browser that sends only its session cookie.
        open(&code, &session),
        click(&code, &session),
        open(&unused, &session),
        click(&unused, &session),
    ] {
        assert_eq!((answer.status.as_u16(), answer.location()), (303, "/a"));
        assert!(answer.session().is_none(), "the session goes on");
    }
    assert_eq!(sign_ins(), 1);
    assert_eq!(site.get_as("/auth/verify", &session).status.as_u16(), 200);
    // The use of the second link is not spent.
    assert_eq!(click(&unused, &site.shown()).status.as_u16(), 303);
    assert_eq!(click(&code, &site.shown()).status.as_u16(), 410);
}

#[test]
fn the_confirm_page_names_the_user_who_is_signed_in() {
    let site = Site::new();
    let ada = site.sign_in("ada");
    let code = site.new_user("bob");
    let path = format!("/?externalAuthCode={code}");
    let answer = site.get_as(&path, &ada);
    assert_eq!(answer.status.as_u16(), 200);
    for text in [
        "signed in as",
        "ada Person",
        "Continue as <bdi>bob Person</bdi>",
    ] {
        assert!(answer.body.contains(text), "{}", answer.body);
    }
    assert!(!site.has_user("bob"));
    // The same person is not asked again.
    let own = site.get_as(
        &format!("/?externalAuthCode={}", site.new_user("ada")),
        &ada,
    );
    assert_eq!(own.status.as_u16(), 303);
}

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
        for secret in ["ada", "suspended", "nobody", "unknown"] {
            assert!(!answer.body.contains(secret), "{secret}: {}", answer.body);
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
fn a_form_of_another_page_does_nothing() {
    let site = Site::new();
    let link = format!("/?externalAuthCode={}", site.new_user("ada"));
    for headers in [
        [
            ("sec-fetch-site", "cross-site"),
            ("host", "chat.acme.example"),
        ],
        [
            ("sec-fetch-site", "same-site"),
            ("host", "chat.acme.example"),
        ],
        [
            ("origin", "https://evil.com"),
            ("host", "chat.acme.example"),
        ],
        [("origin", "null"), ("host", "chat.acme.example")],
    ] {
        for path in [link.as_str(), "/auth/sign-out"] {
            let answer = site.post(path, &[], &headers);
            assert_eq!(answer.status.as_u16(), 403, "{headers:?}");
            assert!(answer.header("set-cookie").is_none());
        }
    }
    assert!(!site.has_user("ada"));
    // A page of this server in an older browser, or over HTTP.
    let shown = site.get_as("/", &site.sign_in("bob")).cookies();
    let null = [("origin", "null"), ("cookie", shown[0].as_str())];
    assert_eq!(site.confirm(&link, &null).status.as_u16(), 303);
    let browser = ("cookie", shown[0].as_str());
    for headers in [
        [
            ("sec-fetch-site", "same-origin"),
            ("host", "chat.acme.example"),
            browser,
        ],
        [
            ("origin", "https://chat.acme.example"),
            ("host", "chat.acme.example"),
            browser,
        ],
    ] {
        assert_eq!(site.confirm(&link, &headers).status.as_u16(), 303);
    }
}

#[test]
fn a_browser_that_keeps_no_cookies_is_told_so_and_no_use_is_spent() {
    let site = Site::new();
    let registered = Registered {
        id: Some("once".into()),
        single_use: true,
        ..Registered::default()
    };
    let code = site.code_with(r#"{"user":{"id":"ada"}}"#, registered);
    let link = format!("/?externalAuthCode={code}");
    let host = ("host", "chat.acme.example");
    for says in [
        ("sec-fetch-site", "same-origin"),
        ("origin", "https://chat.acme.example"),
        ("origin", "null"),
        // Programs and old browsers, some of them sent here by another page.
        ("accept", "*/*"),
        ("referer", "http://evil.example/"),
        ("cookie", "latchkey_shown=1; other=2"),
    ] {
        let answer = site.post(&link, &[], &[host, says]);
        assert_eq!(answer.status.as_u16(), 403, "{says:?}");
        let text = "Your browser keeps no cookies here";
        assert!(answer.body.contains(text), "{}", answer.body);
        assert!(answer.cookies().is_empty());
    }
    assert!(!site.has_user("ada"));
    // If a link signs in at once, the page after it says so.
    let page = site.get("/", &[]);
    assert!(page.body.contains("keeps no cookies"), "{}", page.body);
    let cookies = jar("", &site.get(&link, &[]));
    let kept = [
        host,
        ("sec-fetch-site", "same-origin"),
        ("cookie", &cookies),
    ];
    let answer = site.confirm(&link, &kept);
    assert_eq!(answer.status.as_u16(), 303, "the use was not spent");
}

#[test]
fn an_instance_below_a_path_works_there() {
    let site = Site::with("acme", |settings| {
        settings.url = BaseUrl::parse("https://acme.example/chat/").unwrap();
    });
    let registered = Registered {
        id: Some("once".into()),
        single_use: true,
        ..Registered::default()
    };
    let code = site.code_with(r#"{"user":{"id":"ada"}}"#, registered);
    let link = format!("/chat/a?externalAuthCode={code}");
    let asked = site.get(&link, &[]);
    let style = r#"href="/chat/auth/style.css""#;
    assert!(asked.body.contains(style), "{}", asked.body);
    let cookies = [("cookie", jar("", &asked))];
    let cookies = cookies
        .each_ref()
        .map(|(name, value)| (*name, value.as_str()));
    let done = site.confirm(&link, &cookies);
    assert_eq!((done.status.as_u16(), done.location()), (303, "/chat/a"));
    let session = done.session().unwrap();
    for home in ["/chat/", "/chat"] {
        let page = site.get_as(home, &session);
        let button = r#"action="/chat/auth/sign-out""#;
        assert!(page.body.contains(button), "{home}: {}", page.body);
    }
    let on = site.get_as("/chat/auth/sign-in?rd=//evil.com", &session);
    assert_eq!(on.location(), "/chat/", "home is below the path, too");
    let sent = site.get("/auth/verify?redirect", &[NAVIGATES]);
    assert!(
        sent.location()
            .starts_with("https://acme.example/chat/auth/sign-in"),
        "{}",
        sent.location()
    );
    for (path, status) in [
        ("/chat/auth/style.css", 200),
        ("/chat/auth/sign-in", 200),
        ("/chat/widget.js", 200),
        ("/chat/auth/widget/frame", 200),
        ("/chat/auth/widget/frame.js", 200),
        ("/chat/auth/verify", 401),
        ("/chat/nowhere", 404),
        ("/chatter", 404),
    ] {
        assert_eq!(site.get(path, &[]).status.as_u16(), status, "{path}");
    }
    let frame = site.get("/chat/auth/widget/frame", &[]).body;
    assert!(
        frame.contains(r#"src="/chat/auth/widget/frame.js""#),
        "{frame}"
    );
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
            single_use: true,
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
