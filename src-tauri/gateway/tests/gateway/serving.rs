use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::num::NonZeroU32;
use std::thread;
use std::time::{Duration, Instant};

use latchkey_core::ErrorCode;
use latchkey_gateway::{Certificate, Handle, Listener, serve};

use crate::site::Site;

pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    handle: Handle,
    thread: thread::JoinHandle<latchkey_core::Result<()>>,
}

impl Running {
    pub(crate) fn new(site: &Site) -> Self {
        Self::with(site, None)
    }

    /// Serves over HTTPS with a self-signed certificate.
    pub(crate) fn with_tls(site: &Site) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let address = "127.0.0.1:0".parse().unwrap();
        let certificate = Certificate::self_signed(folder.path(), &site.settings.url, address);
        Self::with(site, Some(certificate.unwrap()))
    }

    fn with(site: &Site, certificate: Option<Certificate>) -> Self {
        let listener = Listener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let (address, handle) = (listener.address().unwrap(), Handle::default());
        let (router, own) = (site.router(), handle.clone());
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .enable_all()
                .worker_threads(2)
                .build()
                .unwrap();
            runtime.block_on(serve(router, listener, certificate, own))
        });
        Self {
            address,
            handle,
            thread,
        }
    }

    pub(crate) fn end(self) {
        self.handle.shut_down();
        self.thread.join().unwrap().unwrap();
    }

    pub(crate) fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_secs(30)))
            .unwrap();
        stream
    }

    pub(crate) fn get(&self, path: &str) -> String {
        let mut stream = self.connect();
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: x\r\nUser-Agent: Mozilla/5.0\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

/// Sends requests until the gateway refuses one because of a rate limit. Returns the responses
/// before it, and the refusal.
pub(crate) fn until_held_up(ask: impl Fn(usize) -> String) -> (Vec<String>, String) {
    let (begun, mut answers) = (Instant::now(), Vec::new());
    loop {
        let answer = ask(answers.len());
        if answer.starts_with("HTTP/1.1 429") {
            return (answers, answer);
        }
        answers.push(answer);
        assert!(
            begun.elapsed() < Duration::from_mins(1),
            "none of {} requests was refused",
            answers.len()
        );
    }
}

#[test]
fn a_gateway_listens_responds_and_shuts_down() {
    let site = Site::new();
    let running = Running::new(&site);
    assert!(running.get("/healthz").starts_with("HTTP/1.1 200"));
    let link = format!("/?externalAuthCode={}", site.new_user("ada"));
    assert!(running.get(&link).starts_with("HTTP/1.1 303"));
    // An idle connection does not delay the shutdown for long.
    let idle = running.connect();
    let (begun, address) = (Instant::now(), running.address);
    running.end();
    assert!(begun.elapsed() < Duration::from_mins(1));
    drop(idle);
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn an_address_over_the_limit_of_links_gets_429_and_other_requests_still_work() {
    let mut site = Site::new();
    // The lowest limit, because a busy machine may answer only a few requests per second.
    site.limits.links_per_second = NonZeroU32::new(1);
    let running = Running::new(&site);
    let link = format!("/?externalAuthCode={}", site.new_user("ada"));
    let (answers, held_up) = until_held_up(|_| running.get(&link));
    assert!(answers.len() >= 4, "a burst is allowed");
    assert!(
        answers
            .iter()
            .all(|answer| answer.starts_with("HTTP/1.1 303"))
    );
    assert!(
        held_up.contains("retry-after: 1") && held_up.contains("Wait a moment"),
        "{held_up}"
    );
    // Requests that open no link are still answered.
    assert!(running.get("/healthz").starts_with("HTTP/1.1 200"));
    assert!(running.get("/auth/verify").starts_with("HTTP/1.1 401"));
    let begun = Instant::now();
    while !running.get(&link).starts_with("HTTP/1.1 303") {
        assert!(begun.elapsed() < Duration::from_mins(1));
        thread::sleep(Duration::from_millis(50));
    }
    running.end();
}

#[test]
fn headers_that_are_too_large_are_refused() {
    let site = Site::new();
    let running = Running::new(&site);
    let mut stream = running.connect();
    let begun = b"GET / HTTP/1.1\r\nHost: x\r\nX-Large: ";
    let _ = stream.write_all(&[&begun[..], &vec![b'a'; 100_000]].concat());
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    assert!(
        answer.is_empty() || answer.starts_with(b"HTTP/1.1 431"),
        "{}",
        String::from_utf8_lossy(&answer)
    );
    running.end();
}

#[test]
fn headers_may_have_32_kib_and_no_more() {
    let site = Site::new();
    let running = Running::new(&site);
    // The rest of the head: the path, the names and values of two headers, and four bytes for each
    // header.
    let others = "/healthz".len() + "host".len() + 1 + 4 + "x-large".len() + 4;
    let answer = |path: &str, bytes: usize| {
        let mut stream = running.connect();
        let large = "a".repeat(bytes);
        let asked = format!("GET {path} HTTP/1.1\r\nHost: x\r\nX-Large: {large}\r\n\r\n");
        // Ignores an error, because the gateway may refuse and close the connection before it has
        // read everything.
        let _ = stream.write_all(asked.as_bytes());
        let mut answer = [0; 12];
        let read = stream.read_exact(&mut answer);
        read.map(|()| String::from_utf8_lossy(&answer).into_owned())
    };
    let most = 32 * 1024 - others;
    assert_eq!(answer("/healthz", most).unwrap(), "HTTP/1.1 200");
    let long = format!("/{}", "a".repeat(40_000));
    for (path, bytes) in [("/healthz", most + 1), ("/healthz", 40_000), (&*long, 1)] {
        let answer = answer(path, bytes);
        assert!(is_refused(&answer), "{bytes}: {answer:?}");
    }
    running.end();
}

/// Returns whether headers were refused. A connection that is closed before everything was read may
/// lose the response.
fn is_refused(answer: &io::Result<String>) -> bool {
    match answer {
        Ok(answer) => answer == "HTTP/1.1 431",
        Err(cause) => matches!(
            cause.kind(),
            ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::UnexpectedEof
        ),
    }
}

/// A client that sends requests and reads nothing is disconnected when its buffers are full.
#[cfg(target_os = "linux")]
#[test]
fn a_client_that_reads_nothing_is_disconnected() {
    let site = Site::new();
    let running = Running::new(&site);
    let mut stream = running.connect();
    stream.set_nonblocking(true).unwrap();
    let asked = b"GET /widget.js HTTP/1.1\r\nHost: x\r\n\r\n".repeat(1000);
    let begun = Instant::now();
    let ended = loop {
        match stream.write(&asked) {
            Err(cause) if cause.kind() != ErrorKind::WouldBlock => break cause.kind(),
            Ok(_) | Err(_) => thread::sleep(Duration::from_millis(20)),
        }
        assert!(begun.elapsed() < Duration::from_mins(3), "it is still held");
    };
    assert!(
        matches!(ended, ErrorKind::ConnectionReset | ErrorKind::BrokenPipe),
        "{ended}"
    );
    assert!(begun.elapsed() > Duration::from_secs(10));
    running.end();
}

#[test]
fn a_slow_client_reads_the_response_to_a_request_whose_body_nobody_reads() {
    let site = Site::new();
    let running = Running::new(&site);
    let mut stream = running.connect();
    let (piece, pieces) = ([b'a'; 10_000], 8);
    let bytes = piece.len() * pieces;
    write!(
        stream,
        "POST /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {bytes}\r\n\r\n"
    )
    .unwrap();
    for _ in 0..pieces {
        thread::sleep(Duration::from_millis(20));
        stream.write_all(&piece).unwrap();
    }
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 405"), "{answer}");
    // A client that asks first gets the response at once.
    let mut stream = running.connect();
    write!(
        stream,
        "POST /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: {bytes}\r\nExpect: 100-continue\r\n\r\n"
    )
    .unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 405");
    running.end();
}

#[test]
fn listening_on_a_taken_address_fails_otherwise_than_on_a_foreign_one() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let refused = Listener::bind(taken.local_addr().unwrap()).unwrap_err();
    assert_eq!(refused.code, ErrorCode::AddressInUse);
    assert!(
        refused.message.contains("another port"),
        "{}",
        refused.message
    );
    let foreign = Listener::bind("192.0.2.1:0".parse().unwrap()).unwrap_err();
    assert_eq!(foreign.code, ErrorCode::InvalidSetting);
}

#[test]
fn a_request_that_names_no_host_or_two_is_refused() {
    let site = Site::new();
    let running = Running::new(&site);
    let link = format!("/?externalAuthCode={}", site.new_user("ada"));
    for path in [&link, "/healthz", "/auth/verify", "/nowhere"] {
        for (version, hosts, is_refused) in [
            ("1.1", "", true),
            ("1.1", "Host: a\r\nHost: b\r\n", true),
            ("1.1", "Host: a\r\nhost: a\r\n", true),
            ("1.0", "Host: a\r\nHost: b\r\n", true),
            ("1.1", "Host: a\r\n", false),
            // Probes of old kinds use HTTP/1.0 without `Host`.
            ("1.0", "", false),
        ] {
            let mut stream = running.connect();
            write!(
                stream,
                "GET {path} HTTP/{version}\r\n{hosts}Connection: close\r\n\r\n"
            )
            .unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            let is_400 = answer.split(' ').nth(1) == Some("400");
            assert_eq!(is_400, is_refused, "{path} {version} {hosts:?}: {answer}");
        }
    }
    assert!(!site.has_user("ada"));
    running.end();
}
