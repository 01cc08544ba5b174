//! Tests of exports on standard output: in a terminal, in a pipe and as JSON.

use std::process::{Command, Stdio};

use serde_json::Value;

use crate::run::{Ran, hosted_here, in_folder};
use crate::terminal::{HOSTILE, assert_harmless};

#[test]
fn nothing_of_an_export_controls_the_terminal_and_a_pipe_gets_it_unchanged() {
    let folder = hosted_here("https://a.b");
    let metadata = format!("name={HOSTILE}");
    let link = ["--user-id", "ada", "--metadata", &metadata];
    let link = [&["link", "--instance", "here"][..], &link].concat();
    let made = in_folder(folder.path(), &link);
    let redeem = ["redeem", made.out.trim(), "--instance", "here"];
    assert_eq!(in_folder(folder.path(), &redeem).code, 0);
    for export in [
        &["links", "export"][..],
        &["links", "export", "--format", "jsonl"],
        &["activity", "export"],
        &["activity", "export", "--format", "jsonl"],
        &["users", "export"],
        &["users", "export", "--format", "json"],
    ] {
        let arguments = [export, &["--instance", "here"]].concat();
        let piped = in_folder(folder.path(), &arguments);
        assert_eq!(piped.code, 0, "{export:?}: {}", piped.err);
        // `script` runs the program in a terminal, which writes CR and LF for a line end.
        let command = format!("{} {}", env!("CARGO_BIN_EXE_latchkey"), arguments.join(" "));
        let ran = Command::new("script")
            .args(["-qec", &command, "/dev/null"])
            .env("LATCHKEY_KEYCHAIN", "off")
            .env("LATCHKEY_PASSPHRASE", "correct horse battery")
            .env("LATCHKEY_DATA_DIR", folder.path())
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let shown = String::from_utf8(ran.stdout).unwrap().replace("\r\n", "\n");
        let what = export.join(" ");
        assert_eq!(
            shown.lines().count(),
            piped.out.lines().count(),
            "{what}: {shown}"
        );
        if export[0] != "activity" {
            assert!(piped.out.contains('\u{202e}'), "{what}: {}", piped.out);
            let ran = Ran {
                code: 0,
                out: shown,
                err: String::new(),
            };
            assert_harmless(&ran, &what);
        }
    }
}

#[test]
fn an_export_to_standard_output_is_json_if_json_is_requested() {
    let folder = hosted_here("https://a.b");
    let run = |arguments: &[&str]| {
        in_folder(
            folder.path(),
            &[arguments, &["--instance", "here"]].concat(),
        )
    };
    assert_eq!(run(&["link", "--user-id", "ada"]).code, 0);
    for what in ["links", "activity", "users"] {
        let ran = run(&["--json", what, "export"]);
        assert_eq!(ran.code, 0, "{what}: {}", ran.err);
        let is_json = match what {
            "users" => serde_json::from_str::<Value>(&ran.out).is_ok(),
            _ => ran
                .out
                .lines()
                .all(|line| serde_json::from_str::<Value>(line).is_ok()),
        };
        assert!(is_json, "{what}: {}", ran.out);
        let refused = run(&["--json", what, "export", "--format", "csv"]).refusal();
        let usage = (2, "usage".to_owned(), Some("format".to_owned()));
        assert_eq!(refused, usage, "{what}");
        // A file has the format that was asked for, and the answer is JSON.
        let file = folder.path().join(what);
        let written = run(&["--json", what, "export", "--out", file.to_str().unwrap()]);
        assert_eq!(written.json()["file"], file.to_str().unwrap());
        let content = std::fs::read(&file).unwrap();
        assert!(content.starts_with(b"\xef\xbb\xbf"), "{what} is CSV");
    }
}
