//! Tests of the log of `latchkey`.

use std::process::{Command, Stdio};
use std::time::Instant;

use serde_json::Value;

use crate::run::{SECRET, latchkey};
use crate::serve::{PASSPHRASE, Serving, cookie, folder, link, run};

/// Returns the reference on an error page.
fn reference(page: &str) -> &str {
    let text = page
        .split("<code>")
        .nth(1)
        .unwrap_or_else(|| panic!("{page}"));
    text.split('<').next().unwrap()
}

/// Parses the lines of a log in JSON.
fn lines(log: &str) -> Vec<Value> {
    let lines = log.lines().map(serde_json::from_str);
    lines
        .collect::<Result<_, _>>()
        .unwrap_or_else(|_| panic!("{log}"))
}

#[test]
fn each_log_line_of_a_request_has_the_reference_that_its_visitor_sees() {
    let folder = folder();
    let link = link(folder.path(), "ada");
    let serving = Serving::new(folder.path(), &["--log", "json"]);
    let pages = ["/nothing", "/?externalAuthCode=no.co.de"].map(|path| serving.get(path, ""));
    assert!(serving.get(&link, "").starts_with("HTTP/1.1 303"));
    let lines = lines(&serving.end());
    let of = |reference: &str| {
        let lines = lines.iter();
        let lines = lines.filter(move |line| line["span"]["reference"] == reference);
        lines.collect::<Vec<_>>()
    };
    for (page, part, value) in [
        (&pages[0], "status", Value::from(404)),
        (&pages[1], "verdict", "malformed_code".into()),
    ] {
        let lines = of(reference(page));
        assert_eq!(lines.len(), 1, "{page}");
        assert_eq!(lines[0]["fields"][part], value);
    }
    let signed_in = lines
        .iter()
        .find(|line| line["fields"]["verdict"] == "provisioned");
    let own = signed_in.unwrap()["span"]["reference"].as_str().unwrap();
    assert_eq!((own.len(), of(own).len()), (8, 1));
    // The activity has the same reference.
    let found = [
        "--json",
        "activity",
        "list",
        "--instance",
        "here",
        "--search",
        own,
    ];
    let found: Value = serde_json::from_str(&run(folder.path(), &found)).unwrap();
    assert_eq!(found["entries"].as_array().unwrap().len(), 1, "{found}");
}

#[test]
fn the_reference_of_a_refused_api_request_stands_in_the_log() {
    let folder = folder();
    let key = run(
        folder.path(),
        &["api-key", "make", "CRM", "--instance", "here"],
    );
    let serving = Serving::new(folder.path(), &["--log", "json"]);
    let begun = Instant::now();
    let ask = |request: &str, key: &str, body: &str| {
        let length = body.len();
        let request = format!(
            "{request} HTTP/1.1\r\nHost: localhost\r\nX-API-KEY: {key}\r\nContent-Type: application/json\r\n\
             Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        );
        let answer = Serving::ask(&serving.address, &request).unwrap();
        let (_, problem) = answer.split_once("\r\n\r\n").unwrap();
        let problem: Value = serde_json::from_str(problem).unwrap_or_else(|_| panic!("{answer}"));
        problem["reference"].as_str().unwrap().to_owned()
    };
    let refused = [
        (
            ask("GET /api/v2/users", "lk_wrong-key", ""),
            401,
            "key_refused".into(),
            "GET /api/v2/users".into(),
        ),
        (
            ask("POST /api/v1/links", &key, "{private"),
            400,
            "invalid_request".into(),
            "POST /api/v1/links".into(),
        ),
        (
            ask("DELETE /api/v2/users/private", &key, ""),
            404,
            "unknown_user".into(),
            "DELETE /api/v2/users/{id}".into(),
        ),
        (
            ask("PRIVATE /api/v2/users", &key, ""),
            405,
            "invalid_request".into(),
            "another method on /api/v2/users".into(),
        ),
        (
            ask("GET /api/private", &key, ""),
            404,
            Value::Null,
            Value::Null,
        ),
    ];
    for _ in 0..30 {
        ask("GET /api/v2/users", "lk_wrong-key", "");
    }
    let log = serving.end();
    // The requests may fall into several minutes on a busy machine.
    let minutes = usize::try_from(begun.elapsed().as_secs() / 60 + 1).unwrap();
    let lines = lines(&log);
    for (reference, status, code, request) in &refused {
        let mut of = lines
            .iter()
            .filter(|line| line["span"]["reference"] == **reference);
        let line = of.next().unwrap_or_else(|| panic!("{reference}: {log}"));
        assert_eq!(of.next(), None, "one line for a request");
        assert_eq!(line["level"], "INFO");
        let fields = &line["fields"];
        assert_eq!(
            (&fields["status"], &fields["code"], &fields["request"]),
            (&Value::from(*status), code, request)
        );
    }
    let of_api = lines
        .iter()
        .filter(|line| line["fields"]["message"] == "a request of the API was refused");
    let logged = of_api.count();
    assert!(
        (20..=20 * minutes).contains(&logged),
        "an address causes 20 lines a minute, not {logged} in {minutes}"
    );
    let counted = lines
        .iter()
        .filter(|line| line["fields"]["message"] == "further refusals were not logged one by one");
    let left_out: u64 = counted
        .map(|line| line["fields"]["count"].as_u64().unwrap())
        .sum();
    let asked = refused.len() + 30;
    assert_eq!(usize::try_from(left_out).unwrap() + logged, asked, "{log}");
    for unverified in ["private", "PRIVATE", "lk_"] {
        assert!(!log.contains(unverified), "{log}");
    }
}

#[test]
fn no_code_cookie_or_secret_is_logged_at_any_level() {
    let folder = folder();
    let link = link(folder.path(), "ada");
    let code = link.split_once('=').unwrap().1;
    let mut command = Command::new(env!("CARGO_BIN_EXE_latchkey"));
    command
        .args(["--json", "serve", "--listen", "127.0.0.1:0"])
        .env_clear()
        .envs([
            ("LATCHKEY_KEYCHAIN", "off"),
            ("LATCHKEY_DATA_DIR", folder.path().to_str().unwrap()),
            ("LATCHKEY_PASSPHRASE", PASSPHRASE),
            ("LATCHKEY_LOG", "trace"),
        ])
        .stderr(Stdio::piped());
    let serving = Serving::start(&mut command);
    let answer = serving.get(&link, "");
    let cookie = cookie(&answer);
    assert!(
        serving
            .get("/auth/verify", &cookie)
            .contains("remote-user: ada")
    );
    assert!(
        serving
            .get(&link.replace('.', "x."), &cookie)
            .starts_with("HTTP/1.1 403")
    );
    let log = serving.end();
    assert!(log.contains("signed in"), "{log}");
    let (_, session) = cookie.split_once('=').unwrap();
    let signature = code.rsplit('.').next().unwrap();
    for secret in [code, signature, session, SECRET, PASSPHRASE] {
        assert!(!log.contains(secret), "{log}");
    }
}

#[test]
fn a_command_logs_the_cause_of_its_failure_if_the_log_is_turned_on() {
    let folder = folder();
    let file = folder.path().join("secret/inside");
    let file = file.to_str().unwrap();
    let failing = |environment: &[(&str, &str)]| {
        let link = ["--json", "link", "--url", "https://a.bc", "--id", "1"];
        let ran = latchkey(
            &[&link[..], &["--secret-file", file]].concat(),
            environment,
            b"",
        );
        assert_eq!(ran.code, 1);
        ran.err
    };
    let refused = failing(&[]);
    assert!(serde_json::from_str::<Value>(&refused).is_ok(), "{refused}");
    let logged = failing(&[("LATCHKEY_LOG", "debug")]);
    assert!(
        logged.contains("DEBUG latchkey: the command failed error="),
        "{logged}"
    );
    assert!(logged.contains("Cause: Not a directory"), "{logged}");
}
