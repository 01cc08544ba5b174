//! Tests of `latchkey serve --admin-listen`, with curl over TLS.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use latchkey_core::admin::ConnectionString;
use serde_json::Value;

use crate::run::{in_folder, until};
use crate::serve::{Serving, folder, run};

/// Any free port.
pub(crate) const FREE: &str = "127.0.0.1:0";

/// Response to a request.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
}

/// Returns the command that asks the administration API. The configuration with the key is read from
/// standard input, so that no other user sees it.
fn curl(certificate: &Path, url: &str, arguments: &[&str]) -> Command {
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--show-error", "--config", "-", "--cacert"])
        .arg(certificate)
        .args(arguments)
        .arg(url)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    curl
}

fn begin(mut curl: Command, key: &str) -> Child {
    let mut child = curl.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    if !key.is_empty() {
        writeln!(stdin, "header = \"X-API-KEY: {key}\"").unwrap();
    }
    child
}

pub(crate) fn certificate(folder: &Path) -> std::path::PathBuf {
    folder.join("instances/here/self-signed.pem")
}

pub(crate) fn ask(
    serving: &Serving,
    certificate: &Path,
    path: &str,
    key: &str,
    arguments: &[&str],
) -> Answer {
    let address = serving.said["admin"]["address"].as_str().unwrap();
    let url = format!("https://{address}{path}");
    let arguments = [&["--write-out", "\n%{http_code}"], arguments].concat();
    let ran = begin(curl(certificate, &url, &arguments), key);
    let ran = ran.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{said}");
    let out = String::from_utf8(ran.stdout).unwrap();
    let (body, status) = out.rsplit_once('\n').unwrap();
    Answer {
        status: status.parse().unwrap(),
        body: serde_json::from_str(body).unwrap_or(Value::Null),
    }
}

pub(crate) fn key(folder: &Path, name: &str, scope: &str) -> String {
    let make = [
        "api-key",
        "make",
        name,
        "--instance",
        "here",
        "--scope",
        scope,
    ];
    run(folder, &make)
}

#[test]
fn the_administration_api_is_served_over_tls_to_keys_of_the_right_scope_and_not_to_visitors() {
    let folder = folder();
    let reader = key(folder.path(), "reader", "users:read");
    let users = key(folder.path(), "users", "users");
    let serving = Serving::new(folder.path(), &["--admin-listen", FREE]);
    let fingerprint = serving.said["admin"]["fingerprint"].as_str().unwrap();
    assert_eq!(fingerprint.len(), 95, "{fingerprint}");
    let own = certificate(folder.path());
    let ask = |path: &str, key: &str, more: &[&str]| ask(&serving, &own, path, key, more);
    assert_eq!(ask("/admin/v1/users", "", &[]).status, 401);
    assert_eq!(ask("/admin/v1/users", "lk_wrong", &[]).status, 401);
    let json = ["--header", "Content-Type: application/json", "--data"];
    let add = [&json[..], &["{\"id\": \"ada\"}"]].concat();
    assert_eq!(ask("/admin/v1/users", &reader, &add).status, 403);
    assert_eq!(ask("/admin/v1/users", &users, &add).status, 201);
    let listed = ask("/admin/v1/users", &reader, &[]);
    assert_eq!(
        (listed.status, &listed.body["total"]),
        (200, &Value::from(1))
    );
    // A page of the listener for visitors, with the same key.
    let visitors = format!("http://{}/admin/v1/users", serving.address);
    let write_out = ["--write-out", "%{http_code}"];
    let ran = begin(curl(&own, &visitors, &write_out), &users);
    let ran = ran.wait_with_output().unwrap();
    let out = String::from_utf8(ran.stdout).unwrap();
    assert!(out.ends_with("404"), "{out}");
    // No page for visitors, and nothing without TLS.
    assert_eq!(ask("/", &users, &[]).status, 404);
    let address = serving.said["admin"]["address"].as_str().unwrap();
    let mut plain = TcpStream::connect(address).unwrap();
    plain
        .write_all(b"GET /admin/v1 HTTP/1.1\r\nHost: a\r\n\r\n")
        .unwrap();
    let mut answer = Vec::new();
    let _ = plain.read_to_end(&mut answer);
    assert!(
        !answer.starts_with(b"HTTP"),
        "{}",
        String::from_utf8_lossy(&answer)
    );
    let log = serving.end();
    assert!(log.contains("a request of the API was refused"), "{log}");
    for key in [&reader, &users] {
        assert!(!log.contains(key.as_str()), "{log}");
    }
}

#[test]
fn a_stream_of_changes_reports_a_change_and_does_not_delay_the_end() {
    let folder = folder();
    let reader = key(folder.path(), "reader", "users:read");
    let serving = Serving::new(folder.path(), &["--admin-listen", FREE]);
    let address = serving.said["admin"]["address"].as_str().unwrap();
    let url = format!("https://{address}/admin/v1/changes");
    let own = certificate(folder.path());
    let mut curl = begin(curl(&own, &url, &["--no-buffer"]), &reader);
    let mut out = curl.stdout.take().unwrap();
    let mut read = move |wanted: &str| {
        let (mut text, mut bytes) = (String::new(), [0; 512]);
        while !text.contains(wanted) {
            let count = out.read(&mut bytes).unwrap();
            assert!(count > 0, "it has ended: {text}");
            text.push_str(&String::from_utf8_lossy(&bytes[..count]));
        }
    };
    read("\"users\":false");
    run(
        folder.path(),
        &["users", "--instance", "here", "add", "ada"],
    );
    read("\"users\":true");
    let begun = Instant::now();
    serving.end();
    assert!(
        begun.elapsed() < Duration::from_secs(20),
        "{:?}",
        begun.elapsed()
    );
    curl.wait().unwrap();
}

#[test]
fn its_certificate_is_its_own_or_that_of_the_gateway_or_self_signed() {
    let folder = folder();
    let path = |name: &str| folder.path().join(name);
    let make = |name: &str| {
        let gateway = folder.path().join(name);
        fs::create_dir(&gateway).unwrap();
        let other = crate::serve::folder();
        let serving = Serving::new(other.path(), &["--admin-listen", FREE]);
        fs::copy(certificate(other.path()), gateway.join("tls.pem")).unwrap();
        let fingerprint = serving.said["admin"]["fingerprint"].clone();
        serving.end();
        (
            gateway.join("tls.pem").to_str().unwrap().to_owned(),
            fingerprint,
        )
    };
    let ((of_gateway, one), (of_administration, two)) = (make("one"), make("two"));
    let fingerprint = |arguments: &[&str]| {
        let arguments = [&["--admin-listen", FREE], arguments].concat();
        let serving = Serving::new(folder.path(), &arguments);
        let fingerprint = serving.said["admin"]["fingerprint"].clone();
        serving.end();
        fingerprint
    };
    let gateway = ["--tls-cert", &of_gateway, "--tls-key", &of_gateway];
    let own = [
        "--admin-tls-cert",
        &of_administration,
        "--admin-tls-key",
        &of_administration,
    ];
    assert_eq!(fingerprint(&gateway), one);
    assert_eq!(fingerprint(&own), two);
    assert_eq!(fingerprint(&[&gateway[..], &own].concat()), two);
    let self_signed = fingerprint(&[]);
    assert_eq!(fingerprint(&["--tls-self-signed"]), self_signed);
    assert!(![&one, &two].contains(&&self_signed));
    for (arguments, named) in [
        (
            &["--admin-tls-cert", "a", "--admin-tls-key", "b"][..],
            "--admin-listen",
        ),
        (
            &["--admin-listen", FREE, "--admin-tls-cert", "a"],
            "--admin-tls-key",
        ),
    ] {
        let refused = in_folder(&path(""), &[&["serve"], arguments].concat());
        assert_eq!(refused.code, 2, "{}", refused.err);
        assert!(refused.err.contains(named), "{}", refused.err);
    }
}

#[test]
fn an_address_that_is_taken_is_named_by_its_option() {
    let folder = folder();
    let taken = std::net::TcpListener::bind(FREE).unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let refused = in_folder(
        folder.path(),
        &[
            "--json",
            "serve",
            "--listen",
            FREE,
            "--admin-listen",
            &address,
        ],
    );
    assert_eq!(refused.refusal().1, "address_in_use");
    assert!(refused.err.contains("admin-listen"), "{}", refused.err);
}

#[test]
fn a_client_that_does_not_speak_is_disconnected() {
    let folder = folder();
    let serving = Serving::new(folder.path(), &["--admin-listen", FREE]);
    let address = serving.said["admin"]["address"].as_str().unwrap();
    let mut silent = TcpStream::connect(address).unwrap();
    silent
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    assert_eq!(silent.read(&mut [0; 16]).unwrap(), 0, "it is closed");
    serving.end();
}

#[test]
fn one_address_has_at_most_64_connections() {
    let folder = folder();
    let key = key(folder.path(), "reader", "users:read");
    let serving = Serving::new(folder.path(), &["--admin-listen", FREE]);
    let address = serving.said["admin"]["address"].as_str().unwrap();
    let open: Vec<TcpStream> = (0..64)
        .map(|_| TcpStream::connect(address).unwrap())
        .collect();
    let mut further = TcpStream::connect(address).unwrap();
    further
        .set_read_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    assert_eq!(further.read(&mut [0; 16]).unwrap_or_default(), 0);
    // Visitors are still served.
    assert!(serving.get("/healthz", "").starts_with("HTTP/1.1 200"));
    drop((open, further));
    let own = certificate(folder.path());
    until("a connection is free", || {
        let url = format!("https://{address}/admin/v1/counts");
        let ran = begin(curl(&own, &url, &["--fail"]), &key);
        ran.wait_with_output().unwrap().status.success()
    });
    serving.end();
}

/// Makes a connection string. Standard output has only that.
fn connection(folder: &Path, more: &[&str]) -> ConnectionString {
    let make = [
        "api-key",
        "make",
        "laptop",
        "--scope",
        "admin",
        "--instance",
        "here",
    ];
    let printed = run(folder, &[&make[..], more].concat());
    assert_eq!(printed.lines().count(), 1, "{printed}");
    printed.parse().unwrap()
}

fn keys(folder: &Path) -> Value {
    let printed = run(folder, &["--json", "api-key", "list", "--instance", "here"]);
    serde_json::from_str(&printed).unwrap()
}

#[test]
fn a_connection_string_is_exchanged_for_a_key_with_the_scope_admin_which_can_be_revoked() {
    let folder = folder();
    let serving = Serving::new(folder.path(), &["--admin-listen", FREE]);
    let address = serving.said["admin"]["address"]
        .as_str()
        .unwrap()
        .to_owned();
    let string = connection(folder.path(), &[]);
    assert_eq!(string.url.as_str(), format!("https://{address}/"));
    assert_eq!(string.instance.as_str(), "here");
    let fingerprint = serving.said["admin"]["fingerprint"].as_str().unwrap();
    assert_eq!(string.fingerprint.unwrap().to_string(), fingerprint);
    let waiting = keys(folder.path());
    assert_eq!(waiting["pairings"][0]["name"], "laptop");
    assert_eq!(waiting["api_keys"].as_array().unwrap().len(), 0);
    let own = certificate(folder.path());
    let code = string.pair.expose();
    let body = format!("{{\"code\": \"{code}\"}}");
    let json = [
        "--header",
        "Content-Type: application/json",
        "--data",
        &body,
    ];
    let paired = ask(&serving, &own, "/admin/v1/pairings", "", &json);
    assert_eq!(paired.status, 201, "{}", paired.body);
    let key = paired.body["key"].as_str().unwrap();
    let status = || ask(&serving, &own, "/admin/v1/users", key, &[]).status;
    assert_eq!(status(), 200);
    assert_eq!(
        ask(&serving, &own, "/admin/v1/pairings", "", &json).status,
        401
    );
    until("the last use is written", || {
        keys(folder.path())["api_keys"][0]["last_used_at"].is_string()
    });
    assert_eq!(keys(folder.path())["pairings"].as_array().unwrap().len(), 0);
    run(
        folder.path(),
        &["api-key", "revoke", "laptop", "--instance", "here"],
    );
    until("the key is refused", || status() == 401);
    let activity = run(
        folder.path(),
        &["--json", "activity", "list", "--instance", "here"],
    );
    for code in [
        "pairing_made",
        "pairing_exchanged",
        "pairing_refused",
        "api_key_revoked",
    ] {
        assert!(
            activity.contains(&format!("\"{code}\"")),
            "{code}: {activity}"
        );
    }
    let log = serving.end();
    for secret in [code, key] {
        assert!(!log.contains(secret) && !activity.contains(secret), "{log}");
    }
}

#[test]
fn a_waiting_code_is_replaced_by_a_new_one_and_can_be_revoked() {
    let folder = folder();
    let url = ["--url", "https://acme.example:8789"];
    let (first, second) = (
        connection(folder.path(), &url),
        connection(folder.path(), &url),
    );
    assert_ne!(first.pair.expose(), second.pair.expose());
    assert_eq!(second.url.authority(), "acme.example:8789");
    assert_eq!(second.fingerprint, None);
    assert_eq!(keys(folder.path())["pairings"].as_array().unwrap().len(), 1);
    run(
        folder.path(),
        &["api-key", "revoke", "laptop", "--instance", "here"],
    );
    assert_eq!(keys(folder.path())["pairings"].as_array().unwrap().len(), 0);
}

#[test]
fn a_connection_string_needs_an_address_and_only_the_scope_admin_has_one() {
    let folder = folder();
    let make = ["--json", "api-key", "make", "laptop", "--instance", "here"];
    let refused = in_folder(folder.path(), &[&make[..], &["--scope", "admin"]].concat());
    assert_eq!(refused.refusal().1, "unreachable");
    assert!(refused.err.contains("--admin-listen"), "{}", refused.err);
    let url = ["--scope", "users", "--url", "https://acme.example"];
    let refused = in_folder(folder.path(), &[&make[..], &url].concat());
    assert_eq!(refused.code, 2, "{}", refused.err);
    let plain = ["--scope", "admin", "--url", "http://acme.example"];
    let refused = in_folder(folder.path(), &[&make[..], &plain].concat());
    assert_eq!(refused.code, 2, "{}", refused.err);
    assert_eq!(keys(folder.path())["pairings"].as_array().unwrap().len(), 0);
}
