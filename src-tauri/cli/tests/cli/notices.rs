//! Tests of warnings about states that an administrator must mend: weak secrets, shared addresses,
//! times in the future.

use std::path::Path;

use jiff::Timestamp;
use latchkey_store::home::Home;
use latchkey_store::keys::KeychainUse;
use serde_json::Value;
use tempfile::TempDir;

use crate::copied::with_notices;
use crate::run::{SECRET, hosted_here, latchkey};
#[cfg(unix)]
use crate::serve::Serving;

/// 20 bytes: long enough for every URL, but too short for HS256.
const SHORT: &str = "9f3c1b7e5d2a8046c1e7";

/// Returns a folder with the instance `Here`, whose directory needs mending.
fn folder() -> TempDir {
    let folder = hosted_here("https://chat.acme.example");
    let home = Home::open(folder.path().into(), KeychainUse::Never).unwrap();
    let instance = home.instances().find("Here").unwrap();
    let directory = home.instances().folder(&instance.id).join("directory");
    let store = Path::new(env!("CARGO_MANIFEST_DIR")).join("../store");
    with_notices(&store, &directory, Timestamp::now());
    folder
}

fn codes(warnings: &Value) -> Vec<&str> {
    let warnings = warnings.as_array().unwrap().iter();
    warnings
        .map(|warning| warning["code"].as_str().unwrap())
        .collect()
}

#[test]
fn redeem_warns_of_a_short_secret_in_words_and_in_json() {
    let folder = hosted_here("https://chat.acme.example");
    let redeem = |secret: &str, arguments: &[&str]| {
        let environment = [
            ("LATCHKEY_DATA_DIR", folder.path().to_str().unwrap()),
            ("LATCHKEY_SECRET", secret),
        ];
        let link = [
            "link",
            "--url",
            "https://chat.acme.example",
            "--user-id",
            "ada",
        ];
        let link = latchkey(&link, &environment, b"").out;
        let file = folder.path().join("given");
        std::fs::write(&file, secret).unwrap();
        let given = [
            "--instance",
            "Here",
            "--secret-file",
            file.to_str().unwrap(),
        ];
        // The link is either the argument or a line on standard input.
        let argument = (!arguments.ends_with(&["-"])).then_some(link.trim());
        let redeem: Vec<&str> = arguments
            .iter()
            .copied()
            .chain(argument)
            .chain(given)
            .collect();
        let redeemed = latchkey(&redeem, &environment, link.as_bytes());
        assert_eq!(redeemed.code, 0, "{}{}", redeemed.out, redeemed.err);
        redeemed
    };
    let warning = "warning: The secret has 20 bytes, and HS256 asks for at least 32.";
    for words in [&["redeem"][..], &["redeem", "-"]] {
        let said = redeem(SHORT, words).err;
        assert!(said.starts_with(warning), "{said}");
        assert_eq!(redeem(SECRET, words).err, "");
    }
    for json in [&["--json", "redeem"][..], &["--json", "redeem", "-"]] {
        let said = redeem(SHORT, json);
        assert_eq!(
            (codes(&said.json()["warnings"]), said.err.as_str()),
            (vec!["short_key"], "")
        );
        assert!(codes(&redeem(SECRET, json).json()["warnings"]).is_empty());
    }
}

#[test]
fn users_list_tells_of_shared_emails_and_times_in_the_future() {
    let folder = folder();
    let environment = [("LATCHKEY_DATA_DIR", folder.path().to_str().unwrap())];
    let list = ["users", "list", "--instance", "Here"];
    let listed = latchkey(&list, &environment, b"");
    assert_eq!(listed.code, 0, "{}", listed.err);
    for part in [
        "warning: buecher and xn have one email, ada@xn--bcher-kva.example.",
        "warning: Times that are recorded for eve",
        "hint: latchkey users correct-times --instance Here",
    ] {
        assert!(listed.err.contains(part), "{part}: {}", listed.err);
    }
    let listed = latchkey(&[&["--json"], &list[..]].concat(), &environment, b"");
    assert_eq!(
        codes(&listed.json()["warnings"]),
        ["shared_email", "times_ahead"]
    );
    assert_eq!(
        listed.json()["warnings"][1]["hint"],
        "latchkey users correct-times --instance Here"
    );
    assert_eq!(listed.err, "");

    let correct = ["users", "--instance", "Here", "correct-times"];
    assert_eq!(latchkey(&correct, &environment, b"").code, 0);
    let remove = ["users", "--instance", "Here", "remove", "xn"];
    assert_eq!(latchkey(&remove, &environment, b"").code, 0);
    let mended = latchkey(&list, &environment, b"");
    assert_eq!(mended.err, "");
}

#[cfg(unix)]
#[test]
fn the_log_of_serve_tells_of_a_short_secret_shared_emails_and_times_in_the_future() {
    let folder = folder();
    let file = folder.path().join("short");
    std::fs::write(&file, SHORT).unwrap();
    let given = ["--log", "json", "--secret-file", file.to_str().unwrap()];
    let log = Serving::new(folder.path(), &given).end();
    let lines = log.lines().filter_map(|line| {
        let line: Value = serde_json::from_str(line).ok()?;
        (line["level"] == "WARN").then_some(line)
    });
    let lines: Vec<Value> = lines.collect();
    for (code, part) in [
        ("short_key", "has 20 bytes"),
        ("shared_email", "buecher and xn"),
        ("times_ahead", "recorded for eve"),
    ] {
        let line = lines.iter().find(|line| line["fields"]["code"] == code);
        let line = line.unwrap_or_else(|| panic!("no {code}: {log}"));
        let message = line["fields"]["message"].as_str().unwrap();
        assert!(message.contains(part), "{message}");
        let hint = line["fields"]["hint"].as_str();
        let is_hinted = hint.is_some_and(|hint| hint.contains("correct-times"));
        assert_eq!(is_hinted, code == "times_ahead", "{line}");
    }
    assert!(!log.contains(SHORT), "{log}");
}
