//! Tests of nginx, Caddy, Traefik and `HAProxy` with the configurations of their guide. The
//! application behind them returns the headers it has received.

mod application;
#[path = "../../../../cli/tests/cli/documents/blocks.rs"]
mod blocks;
mod proxy;

use latchkey_store::Wait as _;
use std::fs;
use std::io::{Read as _, Write as _};

use latchkey_core::directory::Directory as _;
use latchkey_core::ledger::TakenLink;
use latchkey_core::link::BaseUrl;
use latchkey_core::link::short_code::ShortCode;
use latchkey_core::protocol::claims::Claims;
use latchkey_core::protocol::metadata::Metadata;
use latchkey_core::protocol::payload::NewUser;
use latchkey_core::protocol::user_id::UserId;

use self::application::{KEY, application};
use self::proxy::{Begin, Proxy, free};
use crate::serving::Running;
use crate::site::{Site, by};

/// Headers with which a browser asks for a page.
const PAGE: &str = "Accept: text/html,*/*;q=0.8\r\nSec-Fetch-Mode: navigate\r\n";
/// Headers with which a script asks for data.
const FETCH: &str = "Accept: application/json\r\nSec-Fetch-Mode: cors\r\n";

const FORGED: &str = "Remote-User: forger\r\nRemote-Email: forger@evil.com\r\n\
    Remote-Name: Forger\r\nRemote-Groups: admins\r\nX-Auth-Request-User: forger\r\n\
    X-Auth-Request-Email: forger@evil.com\r\n\
    remote-user: forger\r\nREMOTE-EMAIL: forger@evil.com\r\n\
    Remote_User: forger\r\nRemote.User: forger\r\nREMOTE_GROUPS: admins\r\n\
    Remote!User: forger\r\nX_Auth_Request_User: forger\r\nX.Auth.Request.User: forger\r\n\
    X-Auth_Request-User: forger\r\nX-Auth-Request.Email: forger@evil.com\r\n\
    X-Auth-Request~User: forger\r\n";

/// A gateway and an application behind a proxy.
struct Behind {
    site: Site,
    running: Running,
    proxy: Proxy,
    folder: tempfile::TempDir,
}

impl Behind {
    fn new(begin: Begin) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let address = free();
        let site = Site::with("acme", |settings| {
            settings.url = BaseUrl::parse(&format!("http://{address}/")).unwrap();
        });
        let running = Running::new(&site);
        let proxy = begin(folder.path(), address, running.address, application());
        Self {
            site,
            running,
            proxy,
            folder,
        }
    }

    /// Signs a user in through the proxy. Returns the header line with their cookie.
    fn sign_in(&self, code: &str) -> String {
        let link = format!("/?externalAuthCode={code}");
        let opened = self.proxy.get(&link, PAGE);
        assert!(opened.starts_with("HTTP/1.1 303"), "{opened}");
        cookie(&opened)
    }

    fn ada(&self) -> String {
        self.sign_in(
            &self
                .site
                .code(r#"{"user":{"id":"ada","name":"Ada Lovelace","groups":["staff"]}}"#),
        )
    }

    fn end(self) -> tempfile::TempDir {
        drop(self.proxy);
        self.running.end();
        self.folder
    }
}

fn header(answer: &str, wanted: &str) -> Option<String> {
    let head = answer.split("\r\n\r\n").next().unwrap();
    let mut fields = head.lines().filter_map(|line| line.split_once(": "));
    let found = fields.find(|(name, _)| name.eq_ignore_ascii_case(wanted));
    found.map(|(_, value)| value.to_owned())
}

/// Returns the header line that sends back the cookies of a response.
fn cookie(answer: &str) -> String {
    let set = header(answer, "set-cookie").unwrap_or_else(|| panic!("{answer}"));
    format!("Cookie: {}\r\n", set.split(';').next().unwrap())
}

fn lets_only_signed_in_users_through(begin: Begin) {
    let behind = Behind::new(begin);
    let (proxy, address) = (&behind.proxy, behind.proxy.address);

    // A visitor who is not signed in cannot get in by sending the headers of a user.
    for headers in ["", FORGED] {
        let asked = format!("{headers}{PAGE}");
        let refused = proxy.get("/report?year=2026&all", &asked);
        assert!(refused.starts_with("HTTP/1.1 302"), "{refused}");
        assert!(!refused.contains("forger"), "{refused}");
        let to = header(&refused, "location").unwrap();
        assert!(
            to.starts_with(&format!("http://{address}/auth/sign-in")),
            "{to}"
        );
    }
    // The query of the page may contain the parameter of `/auth/verify`.
    for page in ["/report?year=2026&all", "/report?redirect=no&redirect"] {
        let asked = proxy.get(page, PAGE);
        let sign_in = header(&asked, "location").unwrap();
        let sign_in = sign_in.strip_prefix(&format!("http://{address}")).unwrap();
        let shown = proxy.get(sign_in, PAGE);
        assert!(shown.contains("You are not signed in"), "{shown}");
        let remembered = format!("{PAGE}{}", cookie(&shown));
        // A link that names no page leads to the remembered one.
        let code = behind.site.new_user("bob");
        let back = proxy.get(&format!("/?externalAuthCode={code}"), &remembered);
        let wanted = format!("http://{address}{page}");
        assert_eq!(header(&back, "location").unwrap(), wanted);
    }

    // A link that names a page leads to that page.
    let code = behind
        .site
        .code(r#"{"user":{"id":"ada","name":"Ada Lovelace","groups":["staff"]}}"#);
    let link = format!("/report?year=2026&externalAuthCode={code}");
    let opened = proxy.get(&link, FORGED);
    assert!(opened.starts_with("HTTP/1.1 303"), "{opened}");
    assert_eq!(header(&opened, "location").unwrap(), "/report?year=2026");
    let cookie = cookie(&opened);
    for forged in ["", FORGED] {
        let page = proxy.get("/report?year=2026", &format!("{forged}{cookie}"));
        assert!(page.starts_with("HTTP/1.1 200"), "{page}");
        for told in [
            "remote-user: ada\n",
            "remote-name: ada lovelace\n",
            "remote-groups: staff\n",
            "x-auth-request-user: ada\n",
        ] {
            assert_eq!(page.matches(told).count(), 1, "{told}: {page}");
        }
        // Ada has no address. The proxy passes on neither a forged one nor a placeholder.
        assert!(
            !page.contains("forger") && !page.contains("admins"),
            "{page}"
        );
        for line in page.lines().filter(|line| line.contains("email")) {
            assert!(line.ends_with(": ") || line.ends_with(':'), "{line}");
        }
        assert!(page.contains("get /report?year=2026 "), "{page}");
    }

    // A short link works in either case.
    let short = short_link(&behind.site);
    for path in [
        format!("/AUTH/L/{short}"),
        format!("/auth/l/{}", short.to_lowercase()),
    ] {
        let opened = proxy.get(&path, FORGED);
        assert!(opened.starts_with("HTTP/1.1 303"), "{path}: {opened}");
        assert_eq!(header(&opened, "location").unwrap(), "/");
    }

    // A suspended user is refused at the next request.
    let ada = UserId::parse("ada", "id").unwrap();
    behind.site.directory.suspend(&ada, &by()).wait().unwrap();
    let refused = proxy.get("/report", &format!("{FORGED}{PAGE}{cookie}"));
    assert!(refused.starts_with("HTTP/1.1 302"), "{refused}");
    let folder = behind.end();

    // No file of the proxy contains a code.
    for file in fs::read_dir(folder.path()).unwrap() {
        let path = file.unwrap().path();
        if path.is_file() && path.file_name().unwrap() != "error.log" {
            let text = String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned();
            assert!(!text.contains(&code), "{}", path.display());
            let text = text.to_uppercase();
            assert!(!text.contains(&short), "{}", path.display());
        }
    }
    // Caddy writes an access log only if it is configured.
    if let Ok(log) = fs::read_to_string(folder.path().join("access.log")) {
        assert!(log.contains("GET /report"), "{log}");
        assert!(
            !log.contains("/auth/verify"),
            "a page that was asked for: {log}"
        );
    }
}

/// Gives a link out with a short link. Returns its code.
fn short_link(site: &Site) -> String {
    let claims = serde_json::json!({ "user": { "id": "eve" }, "jti": "short" });
    let code = ShortCode::new().unwrap();
    let taken = TakenLink {
        short: Some(code.hash()),
        ..TakenLink::new(
            Claims::from_signed(claims.as_object().unwrap()).unwrap(),
            None,
        )
    };
    site.directory.take_link(taken, &by()).wait().unwrap();
    code.expose().to_owned()
}

fn sends_pages_to_sign_in_and_answers_scripts_401(begin: Begin) {
    let behind = Behind::new(begin);
    let proxy = &behind.proxy;
    for path in ["/api/poll", "/api/poll?redirect&since=5"] {
        for method in ["GET", "POST", "DELETE"] {
            let length = if method == "POST" {
                "Content-Length: 0\r\n"
            } else {
                ""
            };
            let refused = proxy.ask(method, path, &format!("{FETCH}{length}"));
            assert!(refused.starts_with("HTTP/1.1 401"), "{method}: {refused}");
            let page = proxy.ask(method, path, &format!("{PAGE}{length}"));
            assert!(page.starts_with("HTTP/1.1 302"), "{method}: {page}");
            // The address of a form is not remembered.
            let to = header(&page, "location").unwrap();
            assert_eq!(to.contains("rd="), method == "GET", "{method}: {to}");
        }
    }
    let ada = behind.ada();
    for method in ["GET", "POST", "DELETE"] {
        let asked = format!("{FETCH}{ada}Content-Length: 0\r\n");
        let done = proxy.ask(method, "/api/items", &asked);
        assert!(done.starts_with("HTTP/1.1 200"), "{method}: {done}");
        let told = format!("{} /api/items ", method.to_lowercase());
        assert!(done.contains(&told), "{done}");
        assert!(done.contains("remote-user: ada\n"), "{done}");
    }
    behind.end();
}

fn passes_web_sockets_of_people_who_are_signed_in(begin: Begin) {
    let behind = Behind::new(begin);
    let proxy = &behind.proxy;
    let opening = format!(
        "{FORGED}Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: {KEY}\r\nSec-Fetch-Mode: websocket\r\n"
    );
    let mut refused = [0; 12];
    let mut stream = proxy.send("GET", "/live", &opening);
    stream.read_exact(&mut refused).unwrap();
    assert_eq!(String::from_utf8_lossy(&refused), "HTTP/1.1 401");

    let mut stream = proxy.send("GET", "/live", &format!("{opening}{}", behind.ada()));
    let mut read = String::new();
    let mut until = |stream: &mut std::net::TcpStream, wanted: &str| {
        while !read.contains(wanted) {
            let mut part = [0; 1024];
            let length = stream.read(&mut part).unwrap();
            assert_ne!(length, 0, "{wanted}: {read}");
            read.push_str(&String::from_utf8_lossy(&part[..length]));
        }
        read.clone()
    };
    let opened = until(&mut stream, "remote-user: ada\n");
    assert!(opened.starts_with("HTTP/1.1 101"), "{opened}");
    stream.write_all(b"a message").unwrap();
    let all = until(&mut stream, "a message");
    assert!(!all.contains("forger"), "{all}");
    drop(stream);
    behind.end();
}

fn signs_out_by_a_form_of_the_application(begin: Begin) {
    let behind = Behind::new(begin);
    let (proxy, ada) = (&behind.proxy, behind.ada());
    let form = |origin: &str| {
        let lines = format!("{PAGE}{ada}Origin: {origin}\r\nContent-Length: 0\r\n");
        proxy.ask("POST", "/auth/sign-out", &lines)
    };
    let refused = form("https://www.acme.example");
    assert!(refused.starts_with("HTTP/1.1 403"), "{refused}");
    let page = proxy.get("/report", &format!("{PAGE}{ada}"));
    assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    let own = proxy.get("/auth/sessions", &format!("{PAGE}{ada}"));
    assert!(own.contains("You are signed in"), "{own}");
    let done = form(&format!("http://{}", proxy.address));
    assert!(done.contains("You are signed out"), "{done}");
    let page = proxy.get("/report", &format!("{PAGE}{ada}"));
    assert!(page.starts_with("HTTP/1.1 302"), "{page}");
    behind.end();
}

fn lets_preflights_through_without_a_user(begin: Begin) {
    let behind = Behind::new(begin);
    let proxy = &behind.proxy;
    let asks = "Origin: https://www.acme.example\r\nAccess-Control-Request-Method: PUT\r\n";
    for cookie in [String::new(), behind.ada()] {
        let answer = proxy.ask(
            "OPTIONS",
            "/api/items?a=b",
            &format!("{FORGED}{asks}{cookie}"),
        );
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        assert!(answer.contains("options /api/items?a=b "), "{answer}");
        assert!(
            !answer.contains("forger") && !answer.contains("admins"),
            "{answer}"
        );
    }
    // A request that is not a preflight is refused.
    for (method, lines) in [
        ("OPTIONS", FETCH.to_owned()),
        ("OPTIONS", format!("{FETCH}Origin: https://a.example\r\n")),
        ("GET", format!("{FETCH}{asks}")),
        ("PUT", format!("{FETCH}{asks}Content-Length: 0\r\n")),
    ] {
        let refused = proxy.ask(method, "/api/items", &lines);
        assert!(refused.starts_with("HTTP/1.1 401"), "{method}: {refused}");
    }
    behind.end();
}

fn passes_large_links_cookies_and_groups(begin: Begin) {
    let behind = Behind::new(begin);
    let groups: Vec<String> = (0..190)
        .map(|number| format!("a-team-of-people-in-{number:03}-{}", "x".repeat(12)))
        .collect();
    let metadata = serde_json::json!({ "groups": groups }).to_string();
    let crowd = NewUser {
        id: UserId::parse("crowd", "id").unwrap(),
        email: None,
        metadata: Metadata::from_json(&metadata, "metadata").unwrap(),
    };
    behind.site.directory.add(&crowd, &by()).wait().unwrap();
    let about = "y".repeat(5_600);
    let payload = format!(r#"{{"user":{{"id":"large","about":"{about}"}}}}"#);
    let code = behind.site.code(&payload);
    assert!((7_500..8_192).contains(&code.len()), "{}", code.len());
    let cookies = format!("Cookie: theme={}\r\n", "z".repeat(4_000));
    let link = format!("/report?externalAuthCode={code}");
    let opened = behind.proxy.get(&link, &format!("{PAGE}{cookies}"));
    assert!(opened.starts_with("HTTP/1.1 303"), "{opened}");

    let cookie = behind.sign_in(&behind.site.code(r#"{"id":"crowd"}"#));
    let page = behind
        .proxy
        .get("/report", &format!("{PAGE}{cookies}{cookie}"));
    assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    let told = format!("remote-groups: {}\n", groups.join(","));
    assert!(told.len() > 7_000 && page.contains(&told), "{page}");
    behind.end();
}

/// A proxy removes the headers that `Connection` names (RFC 9110 §7.6.1). An application that lets
/// in every request without a user header would then let in anybody.
fn keeps_the_user_headers_that_a_visitor_names_in_connection(begin: Begin) {
    let behind = Behind::new(begin);
    let ada = behind.ada();
    for connection in [
        "close, Remote-User, X-Auth-Request-User",
        "close, remote-user, remote-name, remote-groups",
    ] {
        let asked = format!("Connection: {connection}\r\n{PAGE}{ada}");
        let page = behind.proxy.get("/report", &asked);
        assert!(page.starts_with("HTTP/1.1 200"), "{page}");
        for told in ["remote-user: ada\n", "remote-groups: staff\n"] {
            assert!(page.contains(told), "{connection}: {page}");
        }
        // The header does not reach the application, which could do the same.
        let passed = page.lines().find(|line| line.starts_with("connection: "));
        assert!(passed.is_none_or(|line| !line.contains("remote")), "{page}");
    }
    behind.end();
}

fn lets_nobody_through_while_the_gateway_is_down(begin: Begin) {
    let behind = Behind::new(begin);
    let ada = behind.ada();
    let Behind { running, proxy, .. } = behind;
    running.end();
    for headers in [FORGED.to_owned(), format!("{PAGE}{ada}"), ada] {
        let refused = proxy.get("/report", &headers);
        assert!(refused.starts_with("HTTP/1.1 5"), "{refused}");
        assert!(!refused.contains("get /report"), "{refused}");
    }
}

macro_rules! behind_each {
    ($($proxy:ident),+: $($test:ident),+ $(,)?) => {
        behind_each!(@ [$($proxy),+] [$($test),+]);
    };
    (@ [$($proxy:ident),+] $tests:tt) => {
        $(behind_each!(@@ $proxy $tests);)+
    };
    (@@ $proxy:ident [$($test:ident),+]) => {
        mod $proxy {
            use super::Proxy;

            $(#[test]
            fn $test() {
                super::$test(Proxy::$proxy);
            })+
        }
    };
}

behind_each!(nginx, caddy, traefik, haproxy:
    lets_only_signed_in_users_through,
    sends_pages_to_sign_in_and_answers_scripts_401,
    passes_web_sockets_of_people_who_are_signed_in,
    signs_out_by_a_form_of_the_application,
    lets_preflights_through_without_a_user,
    passes_large_links_cookies_and_groups,
    keeps_the_user_headers_that_a_visitor_names_in_connection,
    lets_nobody_through_while_the_gateway_is_down,
);

#[test]
fn an_instance_below_a_path_works_behind_nginx() {
    let folder = tempfile::tempdir().unwrap();
    let address = free();
    let site = Site::with("acme", |settings| {
        settings.url = BaseUrl::parse(&format!("http://{address}/chat/")).unwrap();
    });
    let running = Running::new(&site);
    let proxy = Proxy::nginx_for_a_folder(folder.path(), address, running.address);
    assert!(proxy.get("/auth/sign-in", PAGE).starts_with("HTTP/1.1 418"));
    let code = site.new_user("ada");
    let opened = proxy.get(&format!("/chat/a?b=c&externalAuthCode={code}"), PAGE);
    assert!(opened.starts_with("HTTP/1.1 303"), "{opened}");
    assert!(opened.contains("location: /chat/a?b=c\r\n"), "{opened}");
    let home = proxy.get("/chat/", &format!("{PAGE}{}", cookie(&opened)));
    assert!(home.contains("You are signed in"), "{home}");
    // All resources that the page names are below the path.
    let (_, body) = home.split_once("\r\n\r\n").unwrap();
    let names = body.split('"').filter(|part| part.starts_with('/'));
    let names: Vec<&str> = names.collect();
    assert_eq!(names, ["/chat/auth/style.css", "/chat/auth/sign-out"]);
    for path in [
        "/chat/auth/style.css",
        "/chat/widget.js",
        "/chat/auth/widget/frame",
    ] {
        let answer = proxy.get(path, "");
        assert!(answer.starts_with("HTTP/1.1 200"), "{path}: {answer}");
    }
    drop(proxy);
    running.end();
}
