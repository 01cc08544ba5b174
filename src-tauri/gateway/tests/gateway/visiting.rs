use jiff::Timestamp;
use latchkey_core::link::{BaseUrl, Parameter};
use latchkey_core::protocol::claims::Registered;
use latchkey_core::protocol::uses::Uses;

use crate::confirming::jar;
use crate::site::{NAVIGATES, Site};

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
fn an_instance_below_a_path_works_there() {
    let site = Site::with("acme", |settings| {
        settings.url = BaseUrl::parse("https://acme.example/chat/").unwrap();
    });
    let registered = Registered {
        id: Some("once".into()),
        uses: Uses::ONCE,
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
