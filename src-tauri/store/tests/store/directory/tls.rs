//! The remote engine over TLS: the suite, its attempts, and its errors.

use std::ops::Deref;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use latchkey_core::ErrorCode;
use latchkey_core::directory::{Cursor, Directory, PageStart, Sort, UserQuery};
use latchkey_core::instance::InstanceId;
use latchkey_core::paging::Position;
use latchkey_core::secret::Secret;
use latchkey_store::{RemoteDirectory, RemoteGateway, Wait as _};

use super::conformance::administration_tests;
use super::remote::Served;
use super::tls_server::{ABOUT, Behind, TlsServer, is_greeting, json};
use super::{id, person};
use crate::by;
use crate::signed::now;

/// A directory without users behind TLS. A local socket serves it, which heeds the context of a
/// request as the tests need it.
pub(super) struct OverTls {
    remote: RemoteDirectory,
    server: TlsServer,
    process: Served,
}

impl Deref for OverTls {
    type Target = dyn Directory;

    fn deref(&self) -> &Self::Target {
        &self.remote
    }
}

impl OverTls {
    pub(super) fn begin() -> Self {
        let process = Served::begin();
        let server = TlsServer::begin(Behind::Socket(process.socket_path()));
        Self {
            remote: gateway(&server).directory(),
            server,
            process,
        }
    }

    /// Returns another client of the server.
    pub(super) fn client(&self) -> RemoteDirectory {
        gateway(&self.server).directory()
    }
}

fn empty() -> OverTls {
    OverTls::begin()
}

fn key() -> Secret {
    Secret::new("lk_0123456789".to_owned())
}

fn gateway(server: &TlsServer) -> RemoteGateway {
    let acme = InstanceId::parse("acme").unwrap();
    let pin = Some(server.fingerprint);
    RemoteGateway::new(&server.url(), pin, &key(), Some(&acme)).unwrap()
}

/// The suite, but for sessions, which only a gateway begins.
mod suite {
    super::administration_tests!(super::empty);
}

/// State of a gateway, and its API keys.
const STATE_AND_KEYS: &str = r#"{"instance":"acme","holder":"a stand-in","version":"9.9.9","gateway":null,"administration":null,"sign_ins_today":0,"refusals":[],"api_keys":[]}"#;

#[test]
fn a_pinned_certificate_is_trusted_although_it_has_expired_and_is_for_another_name() {
    let over_tls = empty();
    over_tls
        .add(&person("ada", None), &by(now()))
        .wait()
        .unwrap();
    assert_eq!(over_tls.process.count().wait().unwrap(), 1);
}

#[test]
fn a_changed_certificate_is_refused_with_both_fingerprints_and_nothing_is_sent() {
    let mut over_tls = empty();
    let known = over_tls.server.fingerprint;
    over_tls.counts(now()).wait().unwrap();
    over_tls.server.change_certificate();
    let refused = over_tls.add(&person("ada", None), &by(now())).wait();
    let refused = refused.unwrap_err();
    assert_eq!(refused.code, ErrorCode::WrongCertificate);
    let found = over_tls.server.fingerprint;
    for fingerprint in [known, found] {
        assert!(
            refused.message.contains(&fingerprint.to_string()),
            "{refused}"
        );
    }
    assert_eq!(over_tls.process.count().wait().unwrap(), 0);
    let seen = RemoteGateway::seen_fingerprint(&over_tls.server.url()).wait();
    assert_eq!(seen.unwrap(), found);
}

#[test]
fn a_certificate_that_is_not_pinned_must_be_one_that_the_computer_trusts() {
    let server = TlsServer::stand_in(|_| Some(json("200 OK", ABOUT)));
    let gateway = RemoteGateway::new(&server.url(), None, &key(), None).unwrap();
    let refused = gateway.about().wait().unwrap_err();
    assert_eq!(refused.code, ErrorCode::WrongCertificate);
    let fingerprint = server.fingerprint.to_string();
    assert!(refused.message.contains(&fingerprint), "{refused}");
}

#[test]
fn a_gateway_out_of_reach_is_named_with_the_reason() {
    let server = TlsServer::stand_in(|_| None);
    let (pin, url) = (Some(server.fingerprint), server.url());
    let asked = |url| {
        let gateway = RemoteGateway::new(url, pin, &key(), None).unwrap();
        gateway.about().wait().unwrap_err()
    };
    let interrupted = asked(&url);
    assert!(interrupted.message.contains("interrupted"), "{interrupted}");
    server.end();
    let refused = asked(&url);
    assert!(refused.message.contains("Nothing listens"), "{refused}");
    let plain = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let plain_url = format!("https://{}", plain.local_addr().unwrap()).parse_url();
    std::thread::spawn(move || {
        for stream in plain.incoming().take(1) {
            use std::io::{Read as _, Write as _};
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 100]);
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    let not_tls = asked(&plain_url);
    assert!(not_tls.message.contains("not by TLS"), "{not_tls}");
    let unknown = asked(&"https://gateway.invalid".parse_url());
    assert!(unknown.message.contains("has no address"), "{unknown}");
    for error in [interrupted, refused, not_tls, unknown] {
        assert_eq!(error.code, ErrorCode::Unreachable, "{error}");
    }
}

trait ParseUrl {
    fn parse_url(&self) -> latchkey_core::admin::GatewayUrl;
}

impl ParseUrl for str {
    fn parse_url(&self) -> latchkey_core::admin::GatewayUrl {
        latchkey_core::admin::GatewayUrl::parse(self).unwrap()
    }
}

#[test]
fn each_answer_that_refuses_a_client_has_its_own_error() {
    let problem = |status: u16| format!(r#"{{"status":{status},"detail":"It says why."}}"#);
    let unreadable = r#"{"other":"shape"}"#;
    let older = ABOUT.replace(r#","api":3"#, "");
    let newer = ABOUT.replace("\"api\":3", "\"api\":7");
    let same = ABOUT.replace("9.9.9", env!("CARGO_PKG_VERSION"));
    let elsewhere = ABOUT.replace("acme", "other");
    for (about, status, body, code) in [
        (
            ABOUT,
            "401 Unauthorized",
            problem(401),
            ErrorCode::KeyRefused,
        ),
        (
            ABOUT,
            "403 Forbidden",
            problem(403),
            ErrorCode::ScopeMissing,
        ),
        (
            ABOUT,
            "429 Too Many Requests",
            problem(429),
            ErrorCode::Busy,
        ),
        (
            ABOUT,
            "404 Not Found",
            problem(404),
            ErrorCode::OlderGateway,
        ),
        (ABOUT, "302 Found", String::new(), ErrorCode::Unreachable),
        (ABOUT, "200 OK", unreadable.into(), ErrorCode::NewerGateway),
        (&newer, "200 OK", unreadable.into(), ErrorCode::NewerGateway),
        (&same, "200 OK", unreadable.into(), ErrorCode::Unreachable),
        (&older, "200 OK", String::new(), ErrorCode::OlderGateway),
        (
            &elsewhere,
            "200 OK",
            String::new(),
            ErrorCode::UnknownInstance,
        ),
        ("<html>", "200 OK", String::new(), ErrorCode::Unreachable),
    ] {
        let about = about.to_owned();
        let server = TlsServer::stand_in(move |request| {
            Some(if is_greeting(request) {
                json("200 OK", &about)
            } else {
                json(status, &body)
            })
        });
        let refused = gateway(&server).settings().wait().unwrap_err();
        assert_eq!(refused.code, code, "{status}: {refused}");
        if matches!(code, ErrorCode::ScopeMissing | ErrorCode::Busy) {
            assert!(refused.message.contains("It says why."), "{refused}");
        }
    }
}

#[test]
fn a_refused_key_is_not_sent_again_until_the_state_of_the_gateway_is_asked_for() {
    let (asked, is_revoked) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicBool::new(true)));
    let (count, revoked) = (Arc::clone(&asked), Arc::clone(&is_revoked));
    let server = TlsServer::stand_in(move |request| {
        count.fetch_add(1, Ordering::Relaxed);
        Some(if revoked.load(Ordering::Relaxed) {
            json("401 Unauthorized", r#"{"status":401,"detail":"No."}"#)
        } else if is_greeting(request) {
            json("200 OK", ABOUT)
        } else {
            json("200 OK", STATE_AND_KEYS)
        })
    });
    let gateway = gateway(&server);
    let directory = gateway.directory();
    assert!(gateway.api_keys().wait().is_err());
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    // The stream of changes waits, too.
    directory.on_change(Box::new(|_| ()));
    for _ in 0..5 {
        let refused = directory.counts(now()).wait().unwrap_err();
        assert_eq!(refused.code, ErrorCode::KeyRefused);
        let refused = gateway.settings().wait().unwrap_err();
        assert_eq!(refused.code, ErrorCode::KeyRefused);
    }
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    assert!(gateway.state().wait().is_err());
    assert_eq!(asked.load(Ordering::Relaxed), 2);
    is_revoked.store(false, Ordering::Relaxed);
    gateway.state().wait().unwrap();
    gateway.api_keys().wait().unwrap();
}

#[test]
fn an_answer_that_is_too_long_is_not_asked_for_again_and_a_long_sentence_is_cut() {
    let long = format!(r#"{{"status":409,"detail":"{}"}}"#, "No. ".repeat(100_000));
    let endless = "x".repeat(33 * 1024 * 1024);
    let asked = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&asked);
    let server = TlsServer::stand_in(move |request| {
        Some(if is_greeting(request) {
            json("200 OK", ABOUT)
        } else if request.starts_with("GET /admin/v1/settings") {
            count.fetch_add(1, Ordering::Relaxed);
            json("200 OK", &endless)
        } else {
            json("409 Conflict", &long)
        })
    });
    let refused = gateway(&server).settings().wait().unwrap_err();
    assert!(refused.message.contains("too long"), "{refused}");
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    let refused = gateway(&server).api_keys().wait().unwrap_err();
    assert!(refused.message.contains("No. ") && refused.message.len() < 1000);
}

#[test]
fn pages_of_users_that_go_in_a_circle_end_with_an_error() {
    let sort = Sort::default();
    let position = Position::new(None, "ada");
    let next = Cursor::new(sort, &position).to_string();
    let page = format!(r#"{{"users":[],"first_row":0,"total":2,"next":"{next}"}}"#);
    let server = TlsServer::stand_in(move |request| {
        let body = if is_greeting(request) { ABOUT } else { &page };
        Some(json("200 OK", body))
    });
    let directory = gateway(&server).directory();
    let all = UserQuery::default();
    let found = directory.users(&all, sort, &PageStart::First, 10).wait();
    let refused = found.unwrap_err();
    assert!(refused.message.contains("in a circle"), "{refused}");
}

/// Returns the value of a header in a request.
fn header(request: &str, name: &str) -> Option<String> {
    let mut lines = request.lines();
    lines.find_map(|line| line.strip_prefix(&format!("{name}: ")).map(str::to_owned))
}

#[test]
fn a_change_that_was_cut_off_is_sent_again_with_the_same_idempotency_key_and_the_api_key() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let (log, user) = (Arc::clone(&seen), r#"{"deleted":true}"#);
    let server = TlsServer::stand_in(move |request| {
        assert_eq!(
            header(request, "x-api-key").as_deref(),
            Some("lk_0123456789")
        );
        if is_greeting(request) {
            return Some(json("200 OK", ABOUT));
        }
        let mut seen = log.lock().unwrap();
        seen.push(header(request, "idempotency-key").unwrap());
        // The first attempt at each change is cut off.
        if seen.len() % 2 == 1 {
            return None;
        }
        Some(json("200 OK", user))
    });
    let directory = gateway(&server).directory();
    directory.remove(&id("ada"), &by(now())).wait().unwrap();
    directory.remove(&id("ada"), &by(now())).wait().unwrap();
    let seen = seen.lock().unwrap();
    assert_eq!(seen.len(), 4);
    assert_eq!((&seen[0], &seen[2]), (&seen[1], &seen[3]));
    assert_ne!(seen[0], seen[2]);
}

#[test]
fn a_change_whose_answer_never_comes_is_reported_as_doubtful_after_three_attempts() {
    let attempts = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&attempts);
    let server = TlsServer::stand_in(move |request| {
        if is_greeting(request) {
            return Some(json("200 OK", ABOUT));
        }
        *counted.lock().unwrap() += 1;
        None
    });
    let directory = gateway(&server).directory();
    let refused = directory.remove(&id("ada"), &by(now())).wait().unwrap_err();
    assert_eq!(refused.code, ErrorCode::Unreachable);
    assert!(refused.message.contains("not known whether"), "{refused}");
    assert_eq!(*attempts.lock().unwrap(), 3);
    let refused = directory.counts(now()).wait().unwrap_err();
    assert!(!refused.message.contains("not known whether"), "{refused}");
}

#[test]
fn a_repeated_change_says_how_old_it_is_and_a_gateway_that_started_later_makes_it_doubtful() {
    let ages = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&ages);
    let server = TlsServer::stand_in(move |request| {
        if is_greeting(request) {
            return Some(json("200 OK", ABOUT));
        }
        let mut ages = log.lock().unwrap();
        ages.push(header(request, "idempotency-age"));
        (ages.len() > 1).then(|| {
            let problem = r#"{"title":"Conflict","status":409,"detail":"It started again.","code":"outcome_unknown"}"#;
            json("409 Conflict", problem)
        })
    });
    let directory = gateway(&server).directory();
    let refused = directory.remove(&id("ada"), &by(now())).wait().unwrap_err();
    assert_eq!(refused.code, ErrorCode::OutcomeUnknown);
    assert!(refused.is_in_doubt(), "{refused}");
    let ages = ages.lock().unwrap();
    assert_eq!((ages.len(), &ages[0]), (2, &None));
    assert!(ages[1].as_ref().unwrap().parse::<u64>().unwrap() > 0);
}

#[test]
fn a_change_whose_answer_cannot_be_read_is_doubtful_and_a_question_is_not() {
    for status in ["200 OK", "502 Bad Gateway"] {
        let server = TlsServer::stand_in(move |request| {
            let is_greeting = is_greeting(request);
            Some(json(
                if is_greeting { "200 OK" } else { status },
                if is_greeting { ABOUT } else { "<p>No</p>" },
            ))
        });
        let directory = gateway(&server).directory();
        let suspended = directory.suspend(&id("ada"), &by(now())).wait();
        let refused = suspended.unwrap_err();
        assert!(refused.is_in_doubt(), "{status}: {refused}");
        assert!(!refused.message.contains("Try again"), "{refused}");
        let refused = directory.counts(now()).wait().unwrap_err();
        assert!(!refused.is_in_doubt(), "{status}: {refused}");
    }
}

#[test]
fn a_lost_connection_is_reported_and_comes_back_by_itself() {
    let mut over_tls = empty();
    let (sender, changes) = mpsc::channel();
    over_tls.on_change(Box::new(move |change| sender.send(change).unwrap()));
    let soon = Duration::from_mins(1);
    let add = |over_tls: &OverTls, name: &str| {
        over_tls
            .process
            .add(&person(name, None), &by(now()))
            .wait()
            .unwrap();
    };
    // The stream may not have begun yet, so users are added until one of them is reported.
    let begun = (0..1000).any(|number| {
        add(&over_tls, &format!("before-{number}"));
        changes.recv_timeout(Duration::from_millis(50)).is_ok()
    });
    assert!(begun);
    while changes.recv_timeout(Duration::from_millis(200)).is_ok() {}
    over_tls.server.pause();
    assert!(
        changes.recv_timeout(soon).unwrap().users,
        "the loss is reported"
    );
    let refused = over_tls.counts(now()).wait().unwrap_err();
    assert_eq!(refused.code, ErrorCode::Unreachable);
    add(&over_tls, "while-away");
    let behind = Behind::Socket(over_tls.process.socket_path());
    over_tls.server.begin_again(behind);
    assert!(
        changes.recv_timeout(soon).unwrap().users,
        "the return is reported"
    );
    let is_found = (0..200).any(|_| {
        std::thread::sleep(Duration::from_millis(50));
        over_tls.user(&id("while-away")).wait().is_ok()
    });
    assert!(is_found);
    while changes.recv_timeout(Duration::from_millis(200)).is_ok() {}
    add(&over_tls, "after");
    assert!(changes.recv_timeout(soon).unwrap().users);
}
