//! Tests of the widget's responses, without a browser. The tests in `widget` use a real one.

use latchkey_store::Wait as _;
use std::io::{Read as _, Write as _};
use std::num::NonZeroU32;

use jiff::Timestamp;
use latchkey_core::directory::Directory as _;
use latchkey_core::instance::SignInStep;
use latchkey_core::link::BaseUrl;
use latchkey_core::protocol::claims::Registered;
use latchkey_core::protocol::user_id::UserId;
use latchkey_core::protocol::uses::Uses;
use latchkey_core::session::return_address::WebOrigin;
use serde_json::{Value, json};

use crate::serving::{Running, until_held_up};
use crate::site::{Answer, Site, by};

const FRAME: &str = "/auth/widget/frame";
const KEPT: &str = "__Host-latchkey_kept_383aa495=1";
/// Header that a browser adds to requests of the frame's own script.
const OWN: (&str, &str) = ("sec-fetch-site", "same-origin");

fn embedded(change: impl FnOnce(&mut latchkey_core::instance::Settings)) -> Site {
    Site::with("acme", |settings| {
        settings.visiting.embed_in = ["https://www.acme.example", "http://localhost:3000"]
            .map(|origin| WebOrigin::parse(origin).unwrap())
            .to_vec();
        change(settings);
    })
}

/// Sends a request as the frame's script does.
fn post(site: &Site, what: &str, code: &str, cookies: &str) -> Answer {
    let headers = [OWN, ("accept", "application/json"), ("cookie", cookies)];
    site.post(&format!("/auth/widget/{what}"), &[("code", code)], &headers)
}

fn body(answer: &Answer) -> Value {
    serde_json::from_str(&answer.body).unwrap_or_else(|_| panic!("{}", answer.body))
}

fn sign_in(site: &Site, id: &str) -> String {
    let answer = post(site, "open", &site.new_user(id), KEPT);
    let cookie = answer.cookies().pop();
    format!(
        "{KEPT}; {}",
        cookie.unwrap_or_else(|| panic!("{}", answer.body))
    )
}

fn session(site: &Site, cookies: &str) -> Value {
    body(&site.get_as("/auth/widget/session", cookies))
}

#[test]
fn only_the_frame_can_be_embedded_and_only_in_pages_of_allowed_origins() {
    let site = embedded(|_| {});
    let frame = site.get(FRAME, &[]);
    assert_eq!(frame.status.as_u16(), 200);
    assert_eq!(
        frame.header("content-security-policy"),
        Some(
            "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors https://www.acme.example http://localhost:3000"
        )
    );
    assert!(frame.header("x-frame-options").is_none());
    assert_eq!(frame.header("cache-control"), Some("no-store"));
    for (name, value) in [
        ("cross-origin-embedder-policy", "require-corp"),
        ("cross-origin-resource-policy", "cross-origin"),
    ] {
        assert_eq!(frame.header(name), Some(value), "{name}");
    }
    assert!(
        frame
            .body
            .contains("data-embed-in=\"https://www.acme.example http://localhost:3000\"")
    );
    let nobody = Site::new().get(FRAME, &[]);
    let others = [
        "/",
        "/auth/sign-in",
        "/nowhere",
        "/healthz",
        "/widget.js",
        "/auth/widget/frame.js",
        "/auth/widget/frame.css",
        "/auth/widget/session",
    ];
    let others = others.map(|path| site.get(path, &[]));
    for answer in others.iter().chain([&nobody]) {
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
        assert_eq!(answer.header("x-frame-options"), Some("DENY"));
        assert!(answer.header("cross-origin-embedder-policy").is_none());
    }
}

#[test]
fn any_page_may_load_the_script_which_is_beside_the_applications_page() {
    let site = Site::with("acme", |settings| {
        settings.url = BaseUrl::parse("https://chat.acme.example/app/").unwrap();
    });
    for path in ["/widget.js", "/app/widget.js"] {
        let script = site.get(path, &[]);
        assert_eq!(script.status.as_u16(), 200, "{path}");
        for (name, value) in [
            ("content-type", "text/javascript; charset=utf-8"),
            ("cache-control", "public, max-age=300"),
            ("cross-origin-resource-policy", "cross-origin"),
            ("access-control-allow-origin", "*"),
            ("x-content-type-options", "nosniff"),
        ] {
            assert_eq!(script.header(name), Some(value), "{path} {name}");
        }
        assert!(script.cookies().is_empty());
    }
    assert_eq!(site.get("/other/widget.js", &[]).status.as_u16(), 404);
    for (path, kind) in [
        ("/auth/widget/frame.js", "text/javascript; charset=utf-8"),
        ("/auth/widget/frame.css", "text/css; charset=utf-8"),
    ] {
        let own = site.get(path, &[]);
        assert_eq!(own.header("content-type"), Some(kind));
        assert_eq!(
            own.header("cross-origin-resource-policy"),
            Some("same-origin")
        );
    }
}

#[test]
fn the_frame_has_its_own_cookie_which_is_partitioned() {
    let site = embedded(|_| {});
    let kept = site.get(FRAME, &[]);
    let signed_in = post(&site, "open", &site.new_user("ada"), KEPT);
    let signed_out = post(&site, "sign-out", "", KEPT);
    for (answer, begins) in [
        (&kept, "__Host-latchkey_kept_383aa495="),
        (&signed_in, "__Host-latchkey_widget_383aa495="),
        (&signed_out, "__Host-latchkey_widget_383aa495=;"),
    ] {
        let cookie = answer.header("set-cookie").unwrap();
        assert!(cookie.starts_with(begins), "{cookie}");
        let attributes: Vec<&str> = cookie.split("; ").collect();
        for attribute in [
            "HttpOnly",
            "SameSite=None",
            "Secure",
            "Partitioned",
            "Path=/",
        ] {
            assert!(attributes.contains(&attribute), "{cookie}");
        }
    }
    assert!(
        signed_out
            .header("set-cookie")
            .unwrap()
            .contains("Max-Age=0")
    );
    // Over HTTP, too, because a browser on this computer keeps the cookie.
    let site = embedded(|settings| {
        settings.url = BaseUrl::parse("http://localhost:8787/").unwrap();
    });
    let answer = post(
        &site,
        "open",
        &site.new_user("ada"),
        "latchkey_kept_372d09b3=1",
    );
    let cookie = answer.header("set-cookie").unwrap();
    assert!(
        cookie.starts_with("latchkey_widget_372d09b3=") && cookie.contains("Partitioned; Secure"),
        "{cookie}"
    );
}

#[test]
fn a_session_of_the_widget_does_not_count_on_pages_nor_a_session_of_a_page_in_the_widget() {
    let site = embedded(|_| {});
    let (widget, page) = (sign_in(&site, "ada"), site.sign_in("bob"));
    let ada = json!({ "outcome": "signed_in", "id": "ada", "name": "ada Person" });
    let nobody = json!({ "outcome": "signed_out" });
    assert_eq!(session(&site, &widget), ada);
    assert_eq!(site.get_as("/auth/verify", &widget).status.as_u16(), 401);
    assert_eq!(site.get_as("/", &widget).status.as_u16(), 401);
    assert_eq!(site.get_as("/auth/verify", &page).status.as_u16(), 200);
    assert_eq!(session(&site, &format!("{KEPT}; {page}")), nobody);
    // Nor does it count under the name of the other cookie.
    let value = |cookie: &str| {
        cookie
            .rsplit_once("latchkey_")
            .unwrap()
            .1
            .split_once('=')
            .unwrap()
            .1
            .to_owned()
    };
    let renamed = format!("__Host-latchkey_session_383aa495={}", value(&widget));
    assert_eq!(site.get_as("/auth/verify", &renamed).status.as_u16(), 401);
    let renamed = format!("{KEPT}; __Host-latchkey_widget_383aa495={}", value(&page));
    assert_eq!(session(&site, &renamed), nobody);
    // A browser can have both sessions at once.
    let both = format!("{widget}; {page}");
    assert_eq!(session(&site, &both), ada);
    let verified = site.get_as("/auth/verify", &both);
    assert_eq!(verified.header("remote-user"), Some("bob"));
}

#[test]
fn a_session_of_the_widget_ends_by_the_same_rules() {
    let mut site = embedded(|_| {});
    let ada = UserId::parse("ada", "id").unwrap();
    let cookies = sign_in(&site, "ada");
    let outcome = |site: &Site, cookies: &str| session(site, cookies)["outcome"].clone();
    assert_eq!(outcome(&site, &cookies), "signed_in");
    site.settings.policy.external_auth = false;
    assert_eq!(outcome(&site, &cookies), "signed_out");
    site.settings.policy.external_auth = true;
    site.directory.sign_out(&ada, &by()).wait().unwrap();
    assert_eq!(outcome(&site, &cookies), "signed_out");
    let cookies = sign_in(&site, "ada");
    // The cookies of another instance have other names.
    site.instance = "other";
    assert_eq!(outcome(&site, &cookies), "no_cookies");
    site.instance = "acme";
    site.directory.suspend(&ada, &by()).wait().unwrap();
    assert_eq!(outcome(&site, &cookies), "signed_out");
}

#[test]
fn only_the_script_of_the_frame_gets_responses() {
    let site = embedded(|_| {});
    let code = site.new_user("ada");
    let host = ("host", "chat.acme.example");
    let foreign = [
        vec![],
        vec![host],
        vec![host, ("sec-fetch-site", "cross-site")],
        vec![host, ("sec-fetch-site", "same-site")],
        vec![host, ("sec-fetch-site", "none")],
        vec![
            host,
            ("sec-fetch-site", "cross-site"),
            ("origin", "https://chat.acme.example"),
        ],
        vec![host, ("origin", "https://www.acme.example")],
        vec![host, ("origin", "null")],
        vec![
            host,
            ("origin", "null"),
            ("cookie", "__Host-latchkey_shown_383aa495=1"),
        ],
        vec![
            ("host", "other.acme.example"),
            ("origin", "https://chat.acme.example"),
        ],
    ];
    for what in ["open", "continue", "sign-out"] {
        let path = format!("/auth/widget/{what}");
        for headers in &foreign {
            let mut headers = headers.clone();
            headers.push(("cookie", KEPT));
            let answer = site.post(&path, &[("code", &code)], &headers);
            assert_eq!(answer.status.as_u16(), 403, "{what} {headers:?}");
            assert!(answer.header("set-cookie").is_none());
        }
        for method in ["GET", "HEAD", "PUT"] {
            assert_eq!(site.ask(method, &path, &[OWN], "").status.as_u16(), 405);
        }
    }
    assert!(!site.has_user("ada"));
    let own = [
        host,
        ("origin", "https://chat.acme.example"),
        ("cookie", KEPT),
    ];
    let answer = site.post("/auth/widget/open", &[("code", &code)], &own);
    assert_eq!(answer.status.as_u16(), 200);
    assert!(site.has_user("ada"));
}

#[test]
fn the_widget_asks_for_a_click_whenever_a_link_does() {
    let confirm = embedded(|settings| settings.visiting.step = SignInStep::Confirm);
    let automatic = embedded(|_| {});
    let once = Registered {
        id: Some("only-once".into()),
        uses: Uses::ONCE,
        ..Registered::default()
    };
    let single_use = automatic.code_with(r#"{"user":{"id":"ada","name":"Ada"}}"#, once);
    let bob = sign_in(&automatic, "bob");
    for (site, code, cookies, whom, other) in [
        (
            &confirm,
            confirm.new_user("ada"),
            KEPT,
            "ada Person",
            Value::Null,
        ),
        (&automatic, single_use, KEPT, "Ada", Value::Null),
        (
            &automatic,
            automatic.new_user("eve"),
            &bob,
            "eve Person",
            json!("bob Person"),
        ),
    ] {
        let seats = site.seats();
        let asked = post(site, "open", &code, cookies);
        let wanted = json!({ "outcome": "needs_confirmation", "whom": whom, "other": other });
        assert_eq!(body(&asked), wanted);
        assert!(asked.cookies().is_empty() && site.seats() == seats);
        let done = post(site, "continue", &code, cookies);
        assert_eq!(body(&done)["outcome"], "signed_in", "{}", done.body);
        assert_eq!(site.seats(), seats + 1);
        // The same person loads the page again.
        let cookies = format!("{KEPT}; {}", done.cookies().remove(0));
        let again = post(
            site,
            "open",
            &site.code(&format!(r#"{{"id":{}}}"#, body(&done)["id"])),
            &cookies,
        );
        assert_eq!(body(&again)["outcome"], "signed_in");
    }
}

#[test]
fn a_click_without_the_cookie_of_the_frame_spends_no_use() {
    let site = embedded(|_| {});
    let once = Registered {
        id: Some("only-once".into()),
        uses: Uses::ONCE,
        ..Registered::default()
    };
    let code = site.code_with(r#"{"user":{"id":"ada"}}"#, once);
    for what in ["continue", "open"] {
        let answer = post(&site, what, &code, "other=1");
        assert_eq!(body(&answer), json!({ "outcome": "no_cookies" }), "{what}");
        assert!(!site.has_user("ada"), "{what}");
    }
    let done = post(&site, "continue", &code, KEPT);
    assert_eq!(body(&done)["outcome"], "signed_in", "the use was spent");
}

#[test]
fn a_link_preview_signs_nobody_in() {
    let site = embedded(|_| {});
    let code = site.new_user("ada");
    for look in [
        ("user-agent", "Slackbot 1.0"),
        ("sec-purpose", "prefetch;prerender"),
    ] {
        let headers = [OWN, look, ("cookie", KEPT)];
        let answer = site.post("/auth/widget/open", &[("code", &code)], &headers);
        assert_eq!(body(&answer)["outcome"], "needs_confirmation", "{look:?}");
    }
    assert!(!site.has_user("ada"));
}

#[test]
fn codes_opened_in_a_frame_count_towards_the_limit_of_links() {
    let mut site = embedded(|_| {});
    site.limits.links_per_second = NonZeroU32::new(1);
    let running = Running::new(&site);
    let form = format!("code={}", site.new_user("ada"));
    let (answers, held_up) = until_held_up(|at| {
        let what = if at % 2 == 0 { "open" } else { "continue" };
        let mut stream = running.connect();
        write!(
            stream,
            "POST /auth/widget/{what} HTTP/1.1\r\nHost: x\r\nSec-Fetch-Site: same-origin\r\n\
             Accept: application/json\r\nCookie: {KEPT}\r\nConnection: close\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
            form.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    });
    assert!(answers.len() >= 4, "a burst is allowed");
    assert!(
        answers
            .iter()
            .all(|answer| answer.starts_with("HTTP/1.1 200"))
    );
    assert!(held_up.contains("Wait a moment"));
    running.end();
}

#[test]
fn without_cookies_no_code_is_redeemed() {
    let site = embedded(|_| {});
    let code = site.new_user("ada");
    let refused = json!({ "outcome": "no_cookies" });
    assert_eq!(body(&post(&site, "open", &code, "")), refused);
    assert_eq!(session(&site, ""), refused);
    assert!(!site.has_user("ada"));
}

#[test]
fn a_refusal_in_the_widget_says_no_more_than_the_error_page() {
    let site = embedded(|_| {});
    let expired = Registered {
        expires_at: Some(Timestamp::now().as_second() - 3600),
        ..Registered::default()
    };
    let expired = site.code_with(r#"{"user":{"id":"ada"}}"#, expired);
    for (code, status) in [(expired.as_str(), 410), ("x", 403)] {
        let answer = post(&site, "open", code, KEPT);
        assert_eq!(answer.status.as_u16(), status);
        let problem = body(&answer);
        let page = site.get(&format!("/?externalAuthCode={code}"), &[]);
        let sentence = problem["detail"].as_str().unwrap();
        assert!(page.body.contains(sentence), "{sentence}");
        assert_eq!(problem["reference"].as_str().unwrap().len(), 8);
        assert!(!answer.body.contains(code) || code == "x");
    }
}

#[test]
fn the_frame_escapes_names() {
    let site = embedded(|_| {});
    let frame = site.get(FRAME, &[]);
    assert!(frame.body.contains("Acme &lt;Chat&gt;"));
    assert!(!frame.body.contains("<Chat>"));
    assert_eq!(frame.body.matches("<script").count(), 1);
    assert!(!frame.body.contains("style=") && !frame.body.contains("onclick"));
}
