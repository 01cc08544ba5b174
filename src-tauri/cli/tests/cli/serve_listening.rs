//! Tests of how `latchkey serve` begins to listen, and of its listeners.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::process::{Command, Stdio};

use crate::run::in_folder;
use crate::serve::{FREE, PASSPHRASE, Serving, folder, get, link, run};

#[test]
fn serve_speaks_https_with_a_self_signed_or_a_given_certificate() {
    let folder = folder();
    let made = tempfile::tempdir().unwrap();
    let (cert, key) = (made.path().join("cert.pem"), made.path().join("key.pem"));
    let openssl = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=localhost",
        ])
        .args([
            "-addext",
            "subjectAltName=DNS:localhost,IP:127.0.0.1",
            "-keyout",
        ])
        .arg(&key)
        .arg("-out")
        .arg(&cert)
        .output()
        .unwrap();
    assert!(openssl.status.success());
    let (cert, key) = (cert.to_str().unwrap(), key.to_str().unwrap());
    let serving = Serving::new(folder.path(), &["--tls-cert", cert, "--tls-key", key]);
    let url = format!("https://{}/healthz", serving.address);
    let curl = Command::new("curl")
        .args(["-sS", "--cacert", cert, &url])
        .output()
        .unwrap();
    assert_eq!(
        String::from_utf8_lossy(&curl.stdout),
        "ok\n",
        "{}",
        String::from_utf8_lossy(&curl.stderr)
    );
    serving.end();

    let serving = Serving::new(folder.path(), &["--tls-self-signed"]);
    let url = format!("https://{}/healthz", serving.address);
    let untrusted = Command::new("curl").args(["-sS", &url]).output().unwrap();
    assert!(!untrusted.status.success());
    let curl = Command::new("curl").args(["-sSk", &url]).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&curl.stdout), "ok\n");
    serving.end();

    let refused = in_folder(
        folder.path(),
        &[
            &["--json", "serve", "--listen", FREE],
            &["--tls-cert", key, "--tls-key", cert][..],
        ]
        .concat(),
    );
    assert_eq!(refused.refusal().1, "invalid_setting");
}

#[test]
fn counters_are_on_a_listener_of_their_own() {
    let folder = folder();
    let (link, other) = (link(folder.path(), "ada"), "/?externalAuthCode=no.co.de");
    // A free port of an address on which no other test listens.
    let free = TcpListener::bind("127.0.0.2:0").unwrap();
    let metrics = free.local_addr().unwrap().to_string();
    drop(free);
    let serving = Serving::new(
        folder.path(),
        &["--metrics", &metrics, "--trusted-proxy", "127.0.0.0/8"],
    );
    for _ in 0..2 {
        assert!(serving.get(&link, "").starts_with("HTTP/1.1 303"));
    }
    assert!(serving.get(other, "").starts_with("HTTP/1.1 403"));
    assert!(serving.get("/metrics", "").starts_with("HTTP/1.1 404"));
    // A page of another site can send requests here under its own host name.
    let foreign = get("/metrics", "").replace("Host: localhost", "Host: evil.example");
    let foreign = Serving::ask(&metrics, &foreign).unwrap();
    assert!(foreign.starts_with("HTTP/1.1 403"), "{foreign}");
    assert!(!foreign.contains("latchkey_"), "{foreign}");
    let counted = Serving::ask(&metrics, &get("/metrics", "")).unwrap();
    assert!(counted.starts_with("HTTP/1.1 200"), "{counted}");
    for line in [
        "latchkey_verdicts_total{verdict=\"provisioned\"} 1",
        "latchkey_verdicts_total{verdict=\"signed_in\"} 1",
        "latchkey_verdicts_total{verdict=\"malformed_code\"} 1",
        "latchkey_answers_total{route=\"page\",status=\"303\"} 2",
        "latchkey_answer_time_seconds_count{route=\"page\"} 4",
        "latchkey_answer_time_seconds_count{route=\"verify\"} 0",
        "latchkey_users 1",
        "latchkey_seats_used 1",
        "latchkey_seat_limit -1",
        "# EOF",
    ] {
        assert!(counted.contains(line), "{line}: {counted}");
    }
    assert!(!counted.contains("ada"), "{counted}");
    // The listener has no other path.
    let page = Serving::ask(&metrics, &get(&link, "")).unwrap();
    assert!(page.starts_with("HTTP/1.1 404"), "{page}");
    serving.end();
    let refused = in_folder(
        folder.path(),
        &["serve", "--listen", FREE, "--trusted-proxy", "172.18/16"],
    );
    assert_eq!(refused.code, 2);
    assert!(refused.err.contains("172.18.0.0/16"), "{}", refused.err);
    let refused = in_folder(
        folder.path(),
        &["serve", "--listen", FREE, "--metrics", "0.0.0.0:0"],
    );
    assert_eq!(refused.code, 2);
    assert!(
        refused.err.contains("only this computer"),
        "{}",
        refused.err
    );
}

#[test]
fn serve_says_why_it_cannot_start() {
    let empty = tempfile::tempdir().unwrap();
    let none = in_folder(empty.path(), &["serve", "--listen", FREE]);
    assert_eq!(none.code, 2);
    assert!(none.err.contains("latchkey instance add"), "{}", none.err);
    let folder = folder();
    let serving = Serving::new(folder.path(), &[]);
    let taken = in_folder(
        folder.path(),
        &["--json", "serve", "--listen", &serving.address],
    );
    assert_eq!(
        taken.refusal(),
        (1, "address_in_use".into(), Some("listen".into()))
    );
    let held = in_folder(folder.path(), &["--json", "serve", "--listen", FREE]);
    assert_eq!(held.refusal().1, "directory_held");
    serving.end();
    let elsewhere = ["instance", "set", "here", "--hosted", "elsewhere"];
    run(folder.path(), &elsewhere);
    // This error comes before that of a taken port.
    let taken = TcpListener::bind(FREE).unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let serve = ["--json", "serve", "--listen", &taken, "--instance", "here"];
    let refused = in_folder(folder.path(), &serve);
    assert_eq!(refused.refusal().1, "hosted_elsewhere");
}

#[test]
fn a_listening_address_may_be_a_name_or_a_port_alone() {
    for address in ["localhost:0", ":0", "[::1]:0"] {
        let folder = folder();
        let serving = Serving::new(folder.path(), &["--listen", address]);
        let expected = if address.starts_with('[') {
            "[::1]:"
        } else {
            "127.0.0.1:"
        };
        assert!(
            serving.address.starts_with(expected),
            "{address}: {}",
            serving.address
        );
        assert!(serving.get("/healthz", "").starts_with("HTTP/1.1 200"));
        serving.end();
    }
    let refused = in_folder(folder().path(), &["serve", "--listen", "example.com:80"]);
    assert_eq!(refused.code, 2);
    assert!(refused.err.contains("localhost:8787"), "{}", refused.err);
}

#[cfg(unix)]
#[test]
fn the_gateway_opens_also_where_standard_output_cannot_be_written() {
    let folder = folder();
    for redirected in [">&-", ">/dev/full"] {
        let serve = format!("exec \"$0\" serve --listen {FREE} {redirected}");
        let mut child = Command::new("sh")
            .args(["-c", &serve, env!("CARGO_BIN_EXE_latchkey")])
            .env_clear()
            .env("LATCHKEY_KEYCHAIN", "off")
            .env("LATCHKEY_DATA_DIR", folder.path())
            .env("LATCHKEY_PASSPHRASE", PASSPHRASE)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        let said = log.lines().map_while(Result::ok).find_map(|line| {
            let (_, address) = line.split_once(" is open at http://")?;
            let (address, rest) = address.split_once(". ")?;
            Some((address.to_owned(), rest.to_owned()))
        });
        let (address, rest) = said.unwrap_or_else(|| panic!("{redirected}: it did not open"));
        assert!(rest.contains("standard output"), "{redirected}: {rest}");
        let serving = Serving {
            child,
            address,
            said: serde_json::Value::Null,
        };
        let healthy = serving.get("/healthz", "");
        assert!(
            healthy.starts_with("HTTP/1.1 200"),
            "{redirected}: {healthy}"
        );
        drop(serving.end());
    }
}
