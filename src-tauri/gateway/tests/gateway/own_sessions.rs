//! The page that shows who is signed in: the person's other browsers, and signing them out.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use fantoccini::Locator;
use latchkey_core::activity::{ActivityQuery, Actor, Entry};
use latchkey_core::directory::Directory as _;
use latchkey_core::protocol::user_id::UserId;
use latchkey_core::session::{SessionHandle, SessionId};
use latchkey_store::Wait as _;

use crate::browser::Engine;
use crate::scene::{Scene, run};
use crate::serving::Running;
use crate::site::{Answer, Site, by};

const IPHONE: &str = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 \
    (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1";
const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

/// Opens a link in a browser. Returns the cookie of the session.
/// Path of the person's own page.
const PAGE: &str = "/auth/sessions";

fn sign_in(site: &Site, id: &str, browser: &str) -> String {
    let link = format!("/?externalAuthCode={}", site.new_user(id));
    let answer = site.get(&link, &[("user-agent", browser)]);
    answer.session().unwrap()
}

fn handle(cookie: &str) -> SessionHandle {
    let value = cookie.split_once('=').unwrap().1;
    SessionId::parse(value.as_bytes()).unwrap().key().handle()
}

fn end(site: &Site, session: &str, headers: &[(&str, &str)]) -> Answer {
    site.post("/auth/sessions/end", &[("session", session)], headers)
}

fn status(site: &Site, cookie: &str) -> u16 {
    site.get_as("/auth/verify", cookie).status.as_u16()
}

fn latest(site: &Site) -> Entry {
    let query = ActivityQuery::default();
    let page = site.directory.activity(&query, None, 1).wait();
    page.unwrap().entries.remove(0)
}

#[test]
fn the_page_lists_the_persons_other_browsers_and_no_address() {
    let site = Site::new();
    let own = sign_in(&site, "ada", FIREFOX);
    assert!(!site.get_as("/", &own).body.contains("other browsers"));
    let phone = sign_in(&site, "ada", IPHONE);
    sign_in(&site, "bob", "Mozilla/5.0 (Windows NT 10.0) Firefox/140.0");
    let page = site.get("/", &[("cookie", &own), ("x-forwarded-for", "203.0.113.9")]);
    assert!(page.body.contains("iPhone, Safari"), "{}", page.body);
    assert!(page.body.contains("last used now"), "{}", page.body);
    assert!(page.body.contains(&handle(&phone).to_string()));
    for hidden in [
        "Linux, Firefox",
        "Windows",
        &handle(&own).to_string(),
        "203.0.113.9",
        "127.0.0.1",
        phone.split_once('=').unwrap().1,
    ] {
        assert!(!page.body.contains(hidden), "{hidden}: {}", page.body);
    }
    // Behind a proxy, the home page is the application's.
    assert_eq!(site.get_as(PAGE, &own).body, site.get_as("/", &own).body);
    // Somebody who is not signed in sees nothing of it.
    for path in ["/", PAGE] {
        let page = site.get(path, &[]);
        assert_eq!(page.status.as_u16(), 401);
        assert!(!page.body.contains("iPhone"));
    }
}

#[test]
fn a_text_that_a_browser_sends_as_its_name_changes_nothing_on_the_page() {
    let site = Site::new();
    let own = sign_in(&site, "ada", FIREFOX);
    sign_in(&site, "ada", "Mozilla/5.0 <script>alert(1)</script> iPhone");
    sign_in(&site, "ada", "Mozilla/5.0 <img src=x>");
    let page = site.get_as("/", &own);
    assert!(!page.body.contains("<script"), "{}", page.body);
    assert!(!page.body.contains("<img"), "{}", page.body);
    assert!(page.body.contains("Another browser"), "{}", page.body);
}

#[test]
fn another_browser_is_signed_out_with_every_copy_of_its_cookie_at_the_next_request() {
    let site = Site::new();
    let (own, phone) = (
        sign_in(&site, "ada", FIREFOX),
        sign_in(&site, "ada", IPHONE),
    );
    let answer = end(&site, &handle(&phone).to_string(), &[("cookie", &own)]);
    assert_eq!((answer.status.as_u16(), answer.location()), (303, PAGE));
    assert_eq!((status(&site, &phone), status(&site, &own)), (401, 200));
    let entry = latest(&site);
    assert_eq!(entry.event.data.code(), "signed_out");
    assert_eq!(entry.event.subject.as_deref(), Some("ada"));
    assert_eq!(entry.actor, Actor::Visitor);
    // A second click finds that it has ended.
    let again = end(&site, &handle(&phone).to_string(), &[("cookie", &own)]);
    assert_eq!(again.status.as_u16(), 303);
    assert_eq!(latest(&site).number, entry.number);
}

#[test]
fn signing_out_everywhere_ends_all_sessions_of_the_person_and_of_nobody_else() {
    let site = Site::new();
    let (own, phone) = (
        sign_in(&site, "ada", FIREFOX),
        sign_in(&site, "ada", IPHONE),
    );
    let bob = sign_in(&site, "bob", IPHONE);
    let answer = site.post("/auth/sessions/end-all", &[], &[("cookie", &own)]);
    assert_eq!(answer.status.as_u16(), 200);
    assert!(answer.body.contains("You are signed out everywhere"));
    let name = own.split_once('=').unwrap().0;
    let cleared = answer.header("set-cookie").unwrap();
    assert!(cleared.starts_with(&format!("{name}=;")), "{cleared}");
    for (cookie, wanted) in [(&own, 401), (&phone, 401), (&bob, 200)] {
        assert_eq!(status(&site, cookie), wanted);
    }
    let entry = latest(&site);
    assert_eq!(entry.title(), "Signed out everywhere");
    assert_eq!(entry.actor, Actor::Visitor);
}

#[test]
fn nobody_ends_a_session_without_one_of_the_same_person() {
    let site = Site::new();
    let (own, bob) = (
        sign_in(&site, "ada", FIREFOX),
        sign_in(&site, "bob", IPHONE),
    );
    let session = handle(&bob).to_string();
    for headers in [vec![], vec![("cookie", own.as_str())]] {
        let answer = end(&site, &session, &headers);
        assert_eq!((answer.status.as_u16(), answer.location()), (303, PAGE));
        assert_eq!(status(&site, &bob), 200, "{headers:?}");
    }
    let answer = site.post("/auth/sessions/end-all", &[], &[]);
    assert_eq!((answer.status.as_u16(), answer.location()), (303, PAGE));
    assert_eq!((status(&site, &own), status(&site, &bob)), (200, 200));
    // The session of a suspended person ends nothing.
    let phone = sign_in(&site, "ada", IPHONE);
    let ada = UserId::parse("ada", "id").unwrap();
    site.directory.suspend(&ada, &by()).wait().unwrap();
    let number = latest(&site).number;
    end(&site, &handle(&phone).to_string(), &[("cookie", &own)]);
    assert_eq!(latest(&site).number, number);
}

#[test]
fn a_form_of_another_sites_page_ends_no_session() {
    let site = Site::new();
    let (own, phone) = (
        sign_in(&site, "ada", FIREFOX),
        sign_in(&site, "ada", IPHONE),
    );
    let session = handle(&phone).to_string();
    for foreign in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "https://evil.example"),
        ("origin", "null"),
    ] {
        let headers = [("cookie", own.as_str()), foreign];
        let refused = end(&site, &session, &headers);
        assert_eq!(refused.status.as_u16(), 403, "{foreign:?}");
        let refused = site.post("/auth/sessions/end-all", &[], &headers);
        assert_eq!(refused.status.as_u16(), 403, "{foreign:?}");
        assert!(refused.body.contains("Another page sent this form"));
    }
    assert_eq!((status(&site, &own), status(&site, &phone)), (200, 200));
    let headers = [("cookie", own.as_str()), ("sec-fetch-site", "same-origin")];
    assert_eq!(end(&site, &session, &headers).status.as_u16(), 303);
    assert_eq!(status(&site, &phone), 401);
    for path in ["/auth/sessions/end", "/auth/sessions/end-all"] {
        let answer = site.get_as(path, &own);
        assert_eq!(answer.status.as_u16(), 405, "a link cannot do it");
    }
}

#[test]
fn an_administrator_ends_a_session_and_the_next_request_is_refused() {
    let site = Site::new();
    let (own, phone) = (
        sign_in(&site, "ada", FIREFOX),
        sign_in(&site, "ada", IPHONE),
    );
    let ada = UserId::parse("ada", "id").unwrap();
    let by = by();
    let ended = site.directory.end_session_of(&ada, handle(&phone), &by);
    ended.wait().unwrap();
    assert_eq!((status(&site, &own), status(&site, &phone)), (200, 401));
    assert_eq!(latest(&site).actor, by.actor);
}

#[test]
fn a_person_with_many_browsers_sees_the_latest_and_their_number() {
    let site = Site::new();
    let own = sign_in(&site, "ada", FIREFOX);
    for _ in 0..25 {
        sign_in(&site, "ada", IPHONE);
    }
    let page = site.get_as("/", &own);
    assert_eq!(page.body.matches("iPhone, Safari").count(), 2 * 20);
    assert!(page.body.contains("And 5 more."), "{}", page.body);
}

/// Sends a request to a running gateway. Returns the response.
fn http(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn another_browser_is_signed_out_by_real_requests() {
    let site = Site::new();
    let (own, phone) = (
        sign_in(&site, "ada", FIREFOX),
        sign_in(&site, "ada", IPHONE),
    );
    let running = Running::new(&site);
    let head = |cookie: &str| format!("Host: x\r\nCookie: {cookie}\r\nConnection: close\r\n");
    let verify = |cookie: &str| {
        let request = format!("GET /auth/verify HTTP/1.1\r\n{}\r\n", head(cookie));
        http(running.address, &request)
    };
    assert!(verify(&phone).starts_with("HTTP/1.1 200"));
    let body = format!("session={}", handle(&phone));
    let answer = http(
        running.address,
        &format!(
            "POST /auth/sessions/end HTTP/1.1\r\n{}Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
            head(&own),
            body.len(),
        ),
    );
    assert!(answer.starts_with("HTTP/1.1 303"), "{answer}");
    assert!(verify(&phone).starts_with("HTTP/1.1 401"));
    assert!(verify(&own).starts_with("HTTP/1.1 200"));
    running.end();
}

/// Does work that has a runtime of its own, outside of the test's runtime.
fn aside<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| scope.spawn(work).join().unwrap())
}

#[test]
fn the_page_works_in_real_browsers() {
    for engine in [Engine::Chromium, Engine::WebKit] {
        println!("{engine:?}");
        run(async {
            let scene = Scene::of(engine).await;
            let site = &scene.served.site;
            let phone = aside(|| {
                sign_in(site, "ada", "Mozilla/5.0 (a browser)");
                sign_in(site, "ada", IPHONE)
            });
            let link = format!(
                "{}/?externalAuthCode={}",
                scene.served.gateway,
                site.new_user("ada")
            );
            let client = scene.client();
            client.set_window_size(390, 844).await.unwrap();
            client.goto(&link).await.unwrap();
            scene
                .until(
                    "the list",
                    "return document.querySelectorAll('.browsers li').length === 2",
                )
                .await;
            let fits = "return document.documentElement.scrollWidth <= document.documentElement.clientWidth";
            assert_eq!(scene.script(fits).await, true);
            let name = format!("{engine:?}").to_lowercase();
            scene.picture(&format!("own-sessions-{name}")).await;
            let button = format!("button[value='{}']", handle(&phone));
            let button = client.find(Locator::Css(&button)).await.unwrap();
            button.click().await.unwrap();
            scene
                .until(
                    "one browser less",
                    "return document.querySelectorAll('.browsers li').length === 1",
                )
                .await;
            assert_eq!(aside(|| status(site, &phone)), 401);
            let all = client
                .find(Locator::Css("form[action$='end-all'] button"))
                .await
                .unwrap();
            all.click().await.unwrap();
            scene
                .until(
                    "the end",
                    "return document.querySelector('h1')?.textContent === 'You are signed out everywhere'",
                )
                .await;
            client
                .goto(&format!("{}/", scene.served.gateway))
                .await
                .unwrap();
            scene
                .until(
                    "nobody",
                    "return document.querySelector('h1')?.textContent === 'You are not signed in'",
                )
                .await;
            scene.end().await;
        });
    }
}
