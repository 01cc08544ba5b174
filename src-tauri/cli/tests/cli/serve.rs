//! Tests of `latchkey serve`, run as a service manager runs it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::run::{SECRET, hosted_here, in_folder, latchkey, until};

pub(crate) const PASSPHRASE: &str = "correct horse battery";
/// Any free port.
const FREE: &str = "127.0.0.1:0";

/// Returns a folder with an instance that is hosted here.
pub(crate) fn folder() -> tempfile::TempDir {
    hosted_here("http://localhost:8787")
}

pub(crate) fn run(folder: &Path, arguments: &[&str]) -> String {
    let secret = folder.join("secret");
    // Gives the secret, because unlocking the sealed file by its passphrase takes time.
    let given = ["--secret-file", secret.to_str().unwrap()];
    let given = match arguments.first() {
        Some(&"link") => &given[..],
        _ => &[],
    };
    let environment = [("LATCHKEY_DATA_DIR", folder.to_str().unwrap())];
    let ran = latchkey(&[arguments, given].concat(), &environment, b"");
    assert_eq!(ran.code, 0, "{}", ran.err);
    ran.out.trim().to_owned()
}

/// Returns the path and query of a link.
pub(crate) fn link(folder: &Path, id: &str) -> String {
    let link = run(folder, &["link", "--instance", "here", "--user-id", id]);
    link.strip_prefix("http://localhost:8787")
        .unwrap()
        .to_owned()
}

pub(crate) struct Serving {
    pub(crate) child: Child,
    pub(crate) address: String,
    /// Printed JSON.
    pub(crate) said: Value,
}

impl Serving {
    pub(crate) fn new(folder: &Path, arguments: &[&str]) -> Self {
        Self::with_log(folder, arguments, Stdio::piped())
    }

    /// Starts a gateway with standard error redirected.
    pub(crate) fn with_log(folder: &Path, arguments: &[&str], log: Stdio) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_latchkey"));
        command
            .args(["--json", "serve"])
            .args(if arguments.contains(&"--listen") {
                &[][..]
            } else {
                &["--listen", FREE]
            })
            .args(arguments)
            .env_clear()
            .env("LATCHKEY_KEYCHAIN", "off")
            .env("LATCHKEY_DATA_DIR", folder)
            .env("LATCHKEY_PASSPHRASE", PASSPHRASE)
            .stderr(log);
        Self::start(&mut command)
    }

    /// Starts a gateway that prints JSON, and waits until it listens.
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        out.read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line}"));
        let address = said["address"].as_str().unwrap().to_owned();
        Self {
            child,
            address,
            said,
        }
    }

    /// Sends a request. Returns the head and body of the response, or `None` if the connection
    /// broke.
    pub(crate) fn ask(address: &str, request: &str) -> Option<String> {
        let mut stream = TcpStream::connect(address).ok()?;
        stream
            .set_read_timeout(Some(Duration::from_secs(20)))
            .ok()?;
        stream.write_all(request.as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer)
    }

    pub(crate) fn get(&self, path: &str, cookie: &str) -> String {
        Self::ask(&self.address, &get(path, cookie)).unwrap()
    }

    /// Ends the gateway like a service manager. Returns its log.
    pub(crate) fn end(mut self) -> String {
        let id = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-TERM", &id])
                .status()
                .unwrap()
                .success()
        );
        assert!(self.child.wait().unwrap().success());
        let mut log = String::new();
        if let Some(mut stderr) = self.child.stderr.take() {
            stderr.read_to_string(&mut log).unwrap();
        }
        log
    }
}

/// Ends the gateway if a test fails.
impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn get(path: &str, cookie: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: Mozilla/5.0\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n"
    )
}

pub(crate) fn cookie(answer: &str) -> String {
    let set = answer
        .lines()
        .find_map(|line| line.strip_prefix("set-cookie: "))
        .filter(|cookie| cookie.contains("latchkey_session_"));
    let set = set.unwrap_or_else(|| panic!("{answer}"));
    set.split(';').next().unwrap().to_owned()
}

#[test]
fn a_link_signs_in_and_the_session_outlives_a_restart() {
    let folder = folder();
    let link = link(folder.path(), "ada");
    let serving = Serving::new(folder.path(), &[]);
    let answer = serving.get(&link, "");
    assert!(answer.starts_with("HTTP/1.1 303"), "{answer}");
    let cookie = cookie(&answer);
    let code = link.split_once('=').unwrap().1;
    assert!(
        serving
            .get("/?externalAuthCode=no.co.de", "")
            .starts_with("HTTP/1.1 403")
    );
    let missing = serving.get("/nothing", "");
    let reference = missing.split("<code>").nth(1).unwrap();
    let reference = reference.split('<').next().unwrap();
    let log = serving.end();
    assert!(
        log.contains("refused") && log.contains("reference"),
        "{log}"
    );
    assert!(log.contains(reference), "{reference}: {log}");
    for secret in [
        code,
        code.rsplit('.').next().unwrap(),
        &cookie,
        SECRET,
        PASSPHRASE,
        "no.co.de",
    ] {
        assert!(!log.contains(secret), "{log}");
    }
    let serving = Serving::new(folder.path(), &["--instance", "here", "--log", "json"]);
    let verified = serving.get("/auth/verify", &cookie);
    assert!(verified.contains("remote-user: ada"), "{verified}");
    let log = serving.end();
    assert!(
        log.lines()
            .all(|line| serde_json::from_str::<Value>(line).is_ok()),
        "{log}"
    );
    let listed = run(folder.path(), &["users", "list", "--instance", "here"]);
    assert!(listed.contains("ada"), "{listed}");
}

#[test]
fn changed_settings_count_within_seconds() {
    let folder = folder();
    let link = link(folder.path(), "ada");
    let serving = Serving::new(folder.path(), &[]);
    let set = [
        "instance",
        "set",
        "here",
        "--sign-in",
        "confirm",
        "--session",
        "1h",
        "--session-ends-with-link",
        "yes",
        "--session-idle",
        "30 minutes",
        "--return-to",
        "https://app.b.cd",
        "--embed-in",
        "https://www.b.cd",
        "--embed-in",
        "http://localhost:3000",
    ];
    let shown = run(folder.path(), &set);
    for line in [
        "sign-in                 confirm",
        "session                 1 hour",
        "session-ends-with-link  yes",
        "session-idle            30 minutes",
        "return-to               https://app.b.cd",
        "embed-in                https://www.b.cd http://localhost:3000",
    ] {
        assert!(shown.contains(line), "{shown}");
    }
    let answers = |status: &str| serving.get(&link, "").starts_with(status);
    until("the page asks first", || answers("HTTP/1.1 200"));
    let answer = serving.get(&link, "");
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.contains("Continue as <bdi>ada"),
        "{answer}"
    );
    assert!(
        answer.contains("form-action 'self' https://app.b.cd;"),
        "{answer}"
    );
    run(
        folder.path(),
        &[
            "instance",
            "set",
            "here",
            "--external-auth",
            "no",
            "--return-to",
            "none",
        ],
    );
    until("links are refused", || answers("HTTP/1.1 403"));
    assert!(serving.get("/healthz", "").starts_with("HTTP/1.1 200"));
    // Once the instance is hosted elsewhere, nobody is signed in here.
    let elsewhere = ["instance", "set", "here", "--hosted", "elsewhere"];
    run(
        folder.path(),
        &[&elsewhere[..], &["--external-auth", "yes"]].concat(),
    );
    until("nobody is let in", || answers("HTTP/1.1 503"));
    for path in ["/auth/verify", "/healthz"] {
        let answer = serving.get(path, "");
        assert!(answer.starts_with("HTTP/1.1 503"), "{path}: {answer}");
    }
    serving.end();
}

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

#[test]
fn sighup_is_ignored_as_documented() {
    let folder = folder();
    let serving = Serving::new(folder.path(), &[]);
    let id = serving.child.id().to_string();
    let sent = Command::new("kill").args(["-HUP", &id]).status().unwrap();
    assert!(sent.success());
    assert!(serving.get("/healthz", "").starts_with("HTTP/1.1 200"));
    // After SIGTERM, the log says that a SIGHUP was ignored.
    assert!(serving.end().contains("SIGHUP is ignored"));
    let help = latchkey(&["serve", "--help"], &[], b"").out;
    assert!(help.contains("SIGHUP"), "{help}");
}

#[test]
fn a_link_of_the_command_line_works_at_once_after_a_removal_while_the_gateway_runs() {
    let folder = folder();
    let made = run(
        folder.path(),
        &["--json", "api-key", "make", "crm", "--instance", "here"],
    );
    let made: Value = serde_json::from_str(&made).unwrap();
    let key = made["key"].as_str().unwrap();
    let serving = Serving::new(folder.path(), &[]);
    let before = link(folder.path(), "gus");
    assert!(serving.get(&before, "").starts_with("HTTP/1.1 303"));
    let remove = format!(
        "DELETE /api/v2/users/gus HTTP/1.1\r\nHost: localhost:8787\r\nX-API-KEY: {key}\r\nConnection: close\r\n\r\n"
    );
    let removed = Serving::ask(&serving.address, &remove).unwrap();
    assert!(removed.starts_with("HTTP/1.1 2"), "{removed}");
    let after = link(folder.path(), "gus");
    let opened = serving.get(&after, "");
    assert!(opened.starts_with("HTTP/1.1 303"), "{opened}");
    assert!(serving.get(&before, "").starts_with("HTTP/1.1 403"));
}

/// The gateway must still run, because the log of a service manager may be on a full disk.
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

#[test]
fn hosting_an_instance_elsewhere_warns_while_its_gateway_runs() {
    let folder = folder();
    let set = |hosted: &str| {
        let arguments = ["--json", "instance", "set", "Here", "--hosted", hosted];
        in_folder(folder.path(), &arguments).json()["warnings"].clone()
    };
    let serving = Serving::new(folder.path(), &[]);
    let warnings = set("elsewhere");
    assert_eq!(warnings[0]["code"], "gateway_runs", "{warnings}");
    let message = warnings[0]["message"].as_str().unwrap();
    assert!(
        message.contains("latchkey instance set here --hosted here"),
        "{message}"
    );
    assert_eq!(set("here"), serde_json::json!([]));
    serving.end();
    assert_eq!(set("elsewhere"), serde_json::json!([]));
}
