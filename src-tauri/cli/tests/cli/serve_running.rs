//! Tests of how a running `latchkey serve` follows what others change.

use std::process::Command;

use serde_json::Value;

use crate::run::{SECRET, in_folder, latchkey, until};
use crate::serve::{PASSPHRASE, Serving, cookie, folder, link, run};

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
fn sighup_is_ignored_as_documented() {
    let folder = folder();
    let serving = Serving::new(folder.path(), &[]);
    let id = serving.child.id().to_string();
    let sent = Command::new("kill").args(["-HUP", &id]).status().unwrap();
    assert!(sent.success());
    // A limit of the size of files must not end the gateway without a word.
    let sent = Command::new("kill").args(["-XFSZ", &id]).status().unwrap();
    assert!(sent.success());
    assert!(serving.get("/healthz", "").starts_with("HTTP/1.1 200"));
    // After SIGTERM, the log says that a SIGHUP was ignored.
    let log = serving.end();
    assert!(log.contains("SIGHUP is ignored"), "{log}");
    assert!(log.contains("(ulimit -f)"), "{log}");
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
