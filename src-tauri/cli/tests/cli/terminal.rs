//! Tests of text that reaches a terminal, and of answers that cannot be written.

use std::fs::File;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::run::{Ran, SECRET, hosted_here, in_folder, latchkey, with_secret};

/// Control characters of C0 and C1, changes of direction, a line separator and an invisible
/// character.
pub(crate) const HOSTILE: &str = "x\u{1b}]0;owned\u{7}\u{9b}31m\u{202e}\u{2066}\u{2028}\u{200b}y";

/// Fails if the output contains a character that a terminal acts on, except `\n` and `\t`.
pub(crate) fn assert_harmless(ran: &Ran, what: &str) {
    for (stream, text) in [("output", &ran.out), ("error", &ran.err)] {
        let found = text.chars().find(|&c| {
            (c.is_control() && c != '\n' && c != '\t')
                || ('\u{200b}'..='\u{200f}').contains(&c)
                || ('\u{2028}'..='\u{202e}').contains(&c)
                || ('\u{2066}'..='\u{2069}').contains(&c)
        });
        assert_eq!(found, None, "{what}: standard {stream} is {text:?}");
    }
    assert!(
        ran.out.contains("u{202e}") || ran.err.contains("u{202e}") || ran.out.contains("\\u202e"),
        "{what} shows nothing of it: {} {}",
        ran.out,
        ran.err
    );
}

/// Returns a code with any header and claims.
fn code(header: &Value, claims: &Value) -> String {
    let part = |value: &Value| base64_url(value.to_string().as_bytes());
    format!("{}.{}.c2ln", part(header), part(claims))
}

pub(crate) fn base64_url(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    bytes
        .chunks(3)
        .flat_map(|chunk| {
            let bits = chunk
                .iter()
                .chain([0, 0].iter())
                .take(3)
                .fold(0_usize, |bits, byte| bits << 8 | usize::from(*byte));
            (0..=chunk.len()).map(move |digit| DIGITS[bits >> (18 - 6 * digit) & 63] as char)
        })
        .collect()
}

#[test]
fn nothing_of_a_code_controls_the_terminal() {
    let header = json!({ "alg": "HS256", "typ": "JWT", HOSTILE: HOSTILE });
    let claims = json!({ "email": HOSTILE, HOSTILE: [HOSTILE] });
    let code = code(&header, &claims);
    assert_harmless(&latchkey(&["inspect", &code], &[], b""), "inspect");
    let json = latchkey(&["--json", "inspect", &code], &[], b"");
    assert_harmless(&json, "inspect --json");
    assert_eq!(
        json.json()["claims"]["email"],
        HOSTILE,
        "JSON loses nothing"
    );
}

#[test]
fn nothing_of_a_user_controls_the_terminal() {
    let folder = hosted_here("https://a.b");
    let run = |arguments: &[&str]| {
        let mut all = arguments.to_vec();
        all.extend(["--instance", "here"]);
        in_folder(folder.path(), &all)
    };
    // An id cannot contain control characters, but changes of direction.
    let id = "ada\u{202e}\u{2066}\u{200b}";
    let metadata = format!("name={HOSTILE}");
    assert_harmless(&run(&["users", "add", id, "--metadata", &metadata]), "add");
    assert_harmless(&run(&["users", "show", id]), "show");
    assert_harmless(&run(&["users", "list"]), "list");
    assert_harmless(&run(&["--json", "users", "list"]), "list --json");
    assert_harmless(&run(&["activity", "list"]), "activity");
    assert_eq!(
        run(&["activity", "list"]).out.lines().count(),
        2,
        "one line for the instance and one for the user"
    );
    assert_harmless(&run(&["users", "remove", id]), "remove");
}

#[test]
fn nothing_of_an_argument_controls_the_terminal() {
    let forged = format!("{HOSTILE}\nerror: forged");
    for arguments in [
        &["instance", "show", &forged][..],
        &["inspect", &forged],
        &["link", "--url", &forged, "--email", "a@b.cd"],
        &["link", "--url", "https://a.b", "--email", &forged],
        &[
            "link",
            "--url",
            "https://a.b",
            "--email",
            "a@b.cd",
            "--expires-in",
            &forged,
        ],
        &[
            "link",
            "--url",
            "https://a.b",
            "--user-id",
            "a",
            "--metadata",
            &forged,
        ],
        &["secret", "generate", "--algorithm", &forged],
        &["serve", "--listen", &forged],
        &[&forged],
        &["users", &forged],
        &["--data-dir", &forged, "--json", "--what"],
    ] {
        let folder = tempfile::tempdir().unwrap();
        let mut environment = vec![("LATCHKEY_SECRET", SECRET)];
        environment.push(("LATCHKEY_DATA_DIR", folder.path().to_str().unwrap()));
        let ran = latchkey(arguments, &environment, b"");
        assert_ne!(ran.code, 0, "{arguments:?}");
        let text = ran.out + &ran.err;
        let controls = text
            .chars()
            .find(|&c| (c.is_control() && c != '\n') || ('\u{2028}'..='\u{202e}').contains(&c));
        assert_eq!(controls, None, "{arguments:?}: {text:?}");
        assert!(
            !text.lines().any(|line| line.starts_with("error: forged")),
            "{arguments:?} forges a line: {text}"
        );
    }
}

#[test]
fn an_answer_that_cannot_be_written_is_an_error() {
    let folder = hosted_here("https://a.b");
    for arguments in [
        &["link", "--url", "https://a.b", "--email", "a@b.cd"][..],
        &[
            "--json",
            "link",
            "--url",
            "https://a.b",
            "--email",
            "a@b.cd",
        ],
        &["secret", "generate"],
        &["instance", "list"],
        &["--help"],
        &["--version"],
        &["completions", "bash"],
        &["man"],
    ] {
        let Ok(full) = File::options().write(true).open("/dev/full") else {
            return;
        };
        let ran = Command::new(env!("CARGO_BIN_EXE_latchkey"))
            .args(arguments)
            .env_clear()
            .env("LATCHKEY_KEYCHAIN", "off")
            .env("LATCHKEY_SECRET", SECRET)
            .env("LATCHKEY_DATA_DIR", folder.path())
            .stdout(full)
            .output()
            .unwrap();
        let said = String::from_utf8(ran.stderr).unwrap();
        assert_eq!(ran.status.code(), Some(1), "{arguments:?}: {said}");
        assert!(said.contains("standard output"), "{arguments:?}: {said}");
        // None of these commands changes anything.
        assert!(!said.contains("changed"), "{arguments:?}: {said}");
    }
    let Ok(full) = File::options().write(true).open("/dev/full") else {
        return;
    };
    let ran = Command::new(env!("CARGO_BIN_EXE_latchkey"))
        .args(["api-key", "make", "CRM", "--instance", "here"])
        .env_clear()
        .env("LATCHKEY_KEYCHAIN", "off")
        .env("LATCHKEY_DATA_DIR", folder.path())
        .stdout(full)
        .output()
        .unwrap();
    let said = String::from_utf8(ran.stderr).unwrap();
    assert!(said.contains("has changed is kept"), "{said}");
}

#[cfg(unix)]
#[test]
fn a_standard_output_that_is_closed_is_an_error() {
    let ran = |redirected: &str| {
        Command::new("sh")
            .args(["-c", &format!("exec \"$0\" secret generate {redirected}")])
            .arg(env!("CARGO_BIN_EXE_latchkey"))
            .output()
            .unwrap()
    };
    let closed = ran(">&-");
    let said = String::from_utf8(closed.stderr).unwrap();
    assert_eq!(closed.status.code(), Some(1), "{said}");
    assert!(said.contains("standard output"), "{said}");
    assert_eq!(ran("> /dev/null").status.code(), Some(0));
    assert_eq!(ran("1<> /dev/null").status.code(), Some(0));
}

#[test]
fn a_pipe_that_its_reader_has_closed_is_quiet() {
    let mut child = Command::new(env!("CARGO_BIN_EXE_latchkey"))
        .args(["man"])
        .env_clear()
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let ran = child.wait_with_output().unwrap();
    assert_eq!(ran.status.code(), Some(0));
    assert_eq!(String::from_utf8(ran.stderr).unwrap(), "");
}

#[test]
fn wrong_usage_is_reported_in_json_if_json_is_requested() {
    for (arguments, field, says) in [
        (
            &["--json", "link", "--nonsense"][..],
            Some("nonsense"),
            "unexpected argument",
        ),
        (
            &["link", "--json", "--nonsense"],
            Some("nonsense"),
            "unexpected",
        ),
        (&["--json", "link"], Some("email"), "required arguments"),
        (
            &[
                "--json",
                "link",
                "--url",
                "https://a.b",
                "--email",
                "a@b.cd",
                "--expires-in",
                "soon",
            ],
            Some("expires-in"),
            "soon",
        ),
        (&["--json", "what"], None, "what"),
        (&["--json"], None, "subcommand"),
        (&["--json", "users"], None, "subcommand"),
    ] {
        let ran = with_secret(arguments);
        let (code, kind, named) = ran.refusal();
        assert_eq!((code, kind.as_str()), (2, "usage"), "{arguments:?}");
        let error: Value = serde_json::from_str(&ran.err).unwrap();
        let message = error["error"]["message"].as_str().unwrap();
        assert!(message.contains(says), "{arguments:?}: {message}");
        assert!(
            !message.contains('\n') && !message.starts_with("error"),
            "{message}"
        );
        if field.is_some() {
            assert_eq!(named.as_deref(), field, "{arguments:?}: {message}");
        }
        assert_eq!(ran.out, "");
    }
    // After `--`, `--json` is not an option.
    let ran = with_secret(&["inspect", "--", "--json", "b"]);
    assert_eq!(ran.code, 2);
    assert!(ran.err.starts_with("error: "), "{}", ran.err);
}

/// Collects the members whose value is a number in the range of current Unix times.
fn moments(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                // Claims are shown as they were signed.
                if name != "claims" {
                    moments(value, &format!("{path}.{name}"), found);
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| moments(item, path, found)),
        Value::Number(number) if number.as_f64().is_some_and(|number| number > 1e9) => {
            found.push(format!("{path}: {number}"));
        }
        _ => {}
    }
}

#[test]
fn every_time_in_json_is_in_rfc_3339() {
    let folder = hosted_here("https://a.b");
    let link = ["link", "--instance", "here", "--user-id", "ada"];
    let link = in_folder(folder.path(), &link).out;
    let here = |arguments: &[&str]| {
        let mut all = vec!["--json"];
        all.extend(arguments);
        all.extend(["--instance", "here"]);
        let ran = in_folder(folder.path(), &all);
        assert_eq!(ran.code, 0, "{arguments:?}: {}", ran.err);
        ran.json()
    };
    let mut found = Vec::new();
    let mut look = |answer: &Value, what: &str| moments(answer, what, &mut found);
    look(&here(&["redeem", link.trim()]), "redeem");
    let user = here(&["users", "show", "ada"]);
    look(&user, "users show");
    look(&here(&["users", "list"]), "users list");
    look(&here(&["activity", "list"]), "activity list");
    here(&["api-key", "make", "CRM"]);
    let keys = here(&["api-key", "list"]);
    look(&keys, "api-key list");
    look(
        &here(&["link", "--email", "a@b.cd", "--not-before", "2026-01-01"]),
        "link",
    );
    look(&here(&["inspect", link.trim(), "--dry-run"]), "inspect");
    let shown = in_folder(folder.path(), &["--json", "instance", "show", "here"]).json();
    look(&shown, "instance show");
    let listed = in_folder(folder.path(), &["--json", "instance", "list"]).json();
    look(&listed, "instance list");
    assert_eq!(found, [""; 0]);
    for time in [
        &user["created_at"],
        &user["last_sign_in"],
        &keys["api_keys"][0]["created_at"],
        &shown["secret"]["set_at"],
    ] {
        let time = time.as_str().unwrap();
        assert!(
            time.parse::<jiff::Timestamp>().is_ok() && time.ends_with('Z'),
            "{time}"
        );
    }
}
