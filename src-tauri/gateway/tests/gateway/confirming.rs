//! Links that ask before they sign in.

use latchkey_core::directory::Directory as _;
use latchkey_core::instance::SignInStep;
use latchkey_core::protocol::claims::Registered;
use latchkey_core::protocol::user_id::UserId;
use latchkey_core::protocol::uses::Uses;
use latchkey_store::Wait as _;

use crate::site::{Answer, Site};

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
        uses: Uses::ONCE,
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
pub(crate) fn jar(before: &str, answer: &Answer) -> String {
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
        uses: Uses::ONCE,
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
fn a_use_is_repeated_only_with_a_cookie_that_the_gateway_made() {
    let site = Site::new();
    for (number, change) in [
        (0, None),
        (1, Some("A".repeat(43))),
        (2, Some("B".repeat(87))),
        (3, Some(String::new())),
    ] {
        let registered = Registered {
            id: Some(format!("once {number}")),
            uses: Uses::ONCE,
            ..Registered::default()
        };
        let code = site.code_with(r#"{"user":{"id":"ada"}}"#, registered);
        let path = format!("/a?externalAuthCode={code}");
        let made = jar("", &site.get(&path, &[]));
        let (name, value) = made.split_once('=').unwrap();
        // An empty change alters only the last character.
        let cookie = match &change {
            None => made.clone(),
            Some(text) if text.is_empty() => format!("{name}={}_", &value[..value.len() - 1]),
            Some(text) => format!("{name}={text}"),
        };
        let click = || site.post(&path, &[], &[("cookie", &cookie)]);
        assert_eq!(click().status.as_u16(), 303, "{cookie}");
        let expected = if change.is_none() { 303 } else { 410 };
        // Each request is answered by a gateway that has just been started.
        assert_eq!(click().status.as_u16(), expected, "{cookie}");
    }
}

#[test]
fn going_back_reopening_and_reposting_while_signed_in_spend_no_use() {
    let site = Site::new();
    let link = |id: &str| {
        let registered = Registered {
            id: Some(id.into()),
            uses: Uses::ONCE,
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
        uses: Uses::ONCE,
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
