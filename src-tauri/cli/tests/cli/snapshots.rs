//! Snapshots in `tests/snapshots` of everything that the commands print: help, answers in a
//! terminal, answers in JSON, and errors. `SNAPSHOTS=overwrite cargo test --test cli snapshots`
//! writes them again.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use latchkey_core::protocol::claims::{Claims, Registered};
use latchkey_core::protocol::code::{Algorithm, sign};
use latchkey_core::protocol::email::Email;
use latchkey_core::protocol::payload::Payload;
use latchkey_core::secret::{Secret, SigningKey};
use regex::Regex;
use snapbox::{Assert, Data, Redactions};

use crate::run::{Ran, SECRET, latchkey};
use crate::serve::Serving;

const PASSPHRASE: &str = "correct horse battery";

/// Patterns of text that differs from run to run, each with its replacement.
const CHANGING: [(&str, &str); 12] = [
    ("[CODE]", r"eyJ[\w-]+\.[\w-]+\.[\w-]+"),
    ("[API_KEY]", r"\blk_[\w-]{20,}"),
    ("[TIME]", r"\b2\d{3}-\d\d-\d\dT\d\d:\d\d:\d\dZ"),
    ("[SECONDS]", r"\b1[789]\d{8}\b"),
    ("[SECRET]", r"\b[0-9a-f]{64}\b"),
    ("[ID]", r#""(jti|link|id)": "(?<redacted>[\w-]{8,})""#),
    ("[KEY_ID]", r"(?m)^(?<redacted>[\w-]{8})\t"),
    (
        "[SIGNING_KEY]",
        r"(?m)(^|key |retire )(?<redacted>[\w-]{20})([.,]?\s)",
    ),
    ("[AGO]", r#"(?m)(  |")(?<redacted>now|\d+ \w+ ago)"?$"#),
    ("[ADDRESS]", r"127\.0\.0\.1:\d+"),
    ("[VERSION]", r"\b0\.1\.0\b"),
    ("[FOLDER]", r"/[\w/.-]*/\.tmp\w+"),
];

/// Compares a text with a file in `tests/snapshots`.
fn compare(name: &str, text: String) {
    let mut redactions = Redactions::new();
    for (stand_in, pattern) in CHANGING {
        let pattern = Regex::new(pattern).unwrap();
        redactions.insert(stand_in, pattern).unwrap();
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots");
    Assert::new()
        .action_env("SNAPSHOTS")
        .normalize_paths(false)
        .redact_with(redactions)
        .eq(Data::text(text), Data::read_from(&folder.join(name), None));
}

/// A record of commands that run in their own data folder, and of their output.
struct Transcript {
    folder: tempfile::TempDir,
    text: String,
}

impl Transcript {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("secret"), SECRET).unwrap();
        Self {
            folder,
            text: String::new(),
        }
    }

    /// Runs a command that must succeed, without recording it.
    fn prepare(&self, arguments: &str) -> String {
        let ran = self.run(arguments);
        assert_eq!(ran.code, 0, "{arguments}: {}", ran.err);
        ran.out.trim().to_owned()
    }

    fn run(&self, arguments: &str) -> Ran {
        let folder = self.folder.path().to_str().unwrap();
        let arguments = self.named(arguments);
        let arguments: Vec<&str> = arguments.split_whitespace().collect();
        let environment = [
            ("LATCHKEY_DATA_DIR", folder),
            ("LATCHKEY_PASSPHRASE", PASSPHRASE),
        ];
        latchkey(&arguments, &environment, b"")
    }

    /// Replaces `DIR` by the folder.
    fn named(&self, arguments: &str) -> String {
        arguments.replace("DIR", self.folder.path().to_str().unwrap())
    }

    /// Records a command in a terminal as a person sees it. `typed` is the input of that person.
    fn terminal(&mut self, arguments: &str, typed: &str) {
        use std::io::Write as _;

        let program = env!("CARGO_BIN_EXE_latchkey");
        let run = format!(
            "stty cols 100 -echo; exec {program} {}",
            self.named(arguments)
        );
        // `script` runs the program in a terminal.
        let mut child = Command::new("script")
            .args(["-qec", &run, "/dev/null"])
            .env("LATCHKEY_KEYCHAIN", "off")
            .env("LATCHKEY_DATA_DIR", self.folder.path())
            .env("LATCHKEY_PASSPHRASE", PASSPHRASE)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        input.write_all(typed.as_bytes()).unwrap();
        let ran = child.wait_with_output().unwrap();
        drop(input);
        let shown = String::from_utf8(ran.stdout).unwrap();
        let shown = shown.replace("\r\n", "\n").replace('\u{1b}', "␛");
        // The terminal may echo the input before `stty` turns the echo off.
        let shown = shown.strip_prefix(typed).unwrap_or(&shown);
        self.record(arguments, shown, "", ran.status.code().unwrap());
    }

    /// Records a command whose output a program reads.
    fn piped(&mut self, arguments: &str) {
        let ran = self.run(arguments);
        self.record(arguments, &ran.out, &ran.err, ran.code);
    }

    /// Records a command in a terminal, and its answer in JSON. The command runs twice, so it must
    /// be repeatable.
    fn both(&mut self, arguments: &str) {
        self.terminal(arguments, "");
        self.piped(&format!("--json {arguments}"));
    }

    fn record(&mut self, arguments: &str, out: &str, err: &str, code: i32) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        let command = ["$ latchkey", arguments].join(" ");
        writeln!(self.text, "{}", command.trim_end()).unwrap();
        self.text.push_str(out);
        for line in err.lines() {
            writeln!(self.text, "[stderr] {line}").unwrap();
        }
        if code != 0 {
            writeln!(self.text, "[exit code {code}]").unwrap();
        }
    }
}

/// Returns the help of a command and the names of its subcommands.
fn help(command: &[&str]) -> (String, Vec<String>) {
    let ran = latchkey(&[command, &["--help"]].concat(), &[], b"");
    assert_eq!(ran.code, 0, "{command:?}: {}", ran.err);
    let below = ran.out.lines().skip_while(|line| *line != "Commands:");
    let below = below.skip(1).take_while(|line| !line.is_empty());
    // Continuation lines of a description are indented deeper.
    let below = below.filter_map(|line| line.strip_prefix("  "));
    let names = below.filter(|line| !line.starts_with(' '));
    let names = names.filter_map(|line| line.split(' ').next());
    let names = names.filter(|name| *name != "help").map(str::to_owned);
    (ran.out.clone(), names.collect())
}

#[test]
fn the_help_of_every_command() {
    let mut commands: Vec<Vec<String>> = vec![Vec::new()];
    while let Some(command) = commands.pop() {
        let words: Vec<&str> = command.iter().map(String::as_str).collect();
        let (text, below) = help(&words);
        let name = [&["latchkey"], &words[..]].concat().join("-");
        compare(&format!("help/{name}.txt"), text);
        commands.extend(
            below
                .into_iter()
                .map(|name| [&command[..], &[name]].concat()),
        );
    }
}

/// Returns a code that expired long ago.
fn expired_code() -> String {
    let key = SigningKey::from_text(&Secret::new(SECRET.into())).unwrap();
    let claims = Claims {
        payload: Payload::Email(Email::parse("ada@acme.example", "email").unwrap()),
        registered: Registered {
            issued_at: Some(1_700_000_000),
            expires_at: Some(1_700_600_000),
            ..Registered::default()
        },
    };
    let code = sign(&claims, &key, Algorithm::HS256).unwrap();
    code.expose().to_owned()
}

const ADD: &str = "instance add Acme --url https://chat.acme.example --secret-file DIR/secret";

#[test]
fn instances() {
    let mut transcript = Transcript::new();
    transcript.both("instance list");
    transcript.terminal(ADD, "");
    transcript.piped(
        "--json instance add There --url https://there.example --hosted elsewhere --no-secret",
    );
    transcript.both("instance list");
    transcript.both("instance show acme");
    transcript.both(
        "instance set acme --lifetime 2d --return-to https://app.acme.example --keep-activity 30s",
    );
    transcript.terminal("instance remove there", "n\n");
    transcript.terminal("instance remove there", "y\n");
    transcript.piped("--json instance remove acme --yes");
    compare("instances.txt", transcript.text);
}

#[test]
fn links_and_codes() {
    let mut transcript = Transcript::new();
    transcript.prepare(ADD);
    let secret = "--instance acme --secret-file DIR/secret";
    transcript.both(&format!("link {secret} --email ada@acme.example"));
    transcript.both(&format!(
        "link {secret} --user-id ada --metadata name=Ada --expires-in never"
    ));
    transcript.terminal(&format!("link {secret} --id 1234 --as code"), "");
    transcript.terminal(&format!("link {secret} --id 1234 --as widget"), "");
    transcript.terminal(&format!("link {secret} --id 1234 --qr DIR/code.png"), "");
    let code = transcript.prepare(&format!("link {secret} --user-id ada --as code"));
    transcript.both(&format!("inspect {code} {secret}"));
    transcript.both(&format!("inspect {code} {secret} --dry-run"));
    transcript.terminal(&format!("redeem {code} {secret}"), "");
    transcript.piped(&format!("--json redeem {code} {secret}"));
    transcript.both(&format!("inspect {}", expired_code()));
    transcript.both(&format!("redeem {} {secret}", expired_code()));
    transcript.prepare("instance set acme --external-auth no");
    transcript.both(&format!("redeem {code} {secret}"));
    transcript.piped(&format!("--json inspect {code} {secret} --dry-run"));
    compare("links.txt", transcript.text);
}

#[test]
fn users_seats_and_activity() {
    let mut transcript = Transcript::new();
    transcript.prepare(ADD);
    let of = "--instance acme";
    transcript.both(&format!("users list {of}"));
    transcript.terminal(
        &format!("users add ada {of} --email ada@acme.example --metadata name=Ada"),
        "",
    );
    transcript.piped(&format!("--json users add bob {of}"));
    transcript.both(&format!("users list {of} --limit 1"));
    transcript.both(&format!("users show ada {of}"));
    transcript.both(&format!("seats {of} --set 2"));
    transcript.both(&format!("users suspend bob {of}"));
    transcript.both(&format!("seats {of}"));
    transcript.both(&format!("users reactivate bob {of}"));
    transcript.both(&format!("users sign-out ada {of}"));
    transcript.both(&format!("sessions list --user ada {of}"));
    transcript.both(&format!("sessions end --user ada --all {of}"));
    transcript.piped(&format!(
        "--json sessions end --user ada --session 0123456789ab {of}"
    ));
    transcript.both(&format!("users correct-times {of}"));
    transcript.terminal(&format!("users remove ada {of}"), "");
    transcript.piped(&format!("--json users remove bob {of}"));
    transcript.both(&format!("activity list {of} --kind act --limit 3"));
    transcript.both(&format!("activity list {of} --about nobody"));
    compare("users.txt", transcript.text);
}

#[test]
fn keys() {
    let mut transcript = Transcript::new();
    transcript.prepare(ADD);
    let of = "--instance acme";
    transcript.both(&format!("api-key list {of}"));
    transcript.terminal(
        &format!("api-key make CRM --scope links --expires-in 90d {of}"),
        "",
    );
    transcript.piped(&format!("--json api-key make ERP {of}"));
    transcript.both(&format!("api-key list {of}"));
    transcript.terminal(&format!("api-key revoke CRM {of}"), "");
    transcript.piped(&format!("--json api-key revoke ERP {of}"));
    transcript.both(&format!("keys list {of}"));
    transcript.terminal(&format!("keys rotate {of}"), "");
    transcript.piped(&format!("--json keys rotate --retire-after 12h {of}"));
    let keys = transcript.prepare(&format!("keys list {of}"));
    let mut keys = keys.lines().map(|row| row.split('\t').next().unwrap());
    let (active, older) = (keys.next().unwrap(), keys.next().unwrap());
    transcript.terminal(&format!("keys retire {older} --retire-after 1d {of}"), "");
    transcript.piped(&format!("keys retire {active} {of}"));
    transcript.piped(&format!("--json keys retire unknown {of}"));
    transcript.terminal(&format!("keys retire {active} --leaked {of}"), "");
    transcript.piped(&format!("keys rotate --retire-after never {of}"));
    transcript.both("secret generate");
    fs::write(transcript.folder.path().join("keys.sealed"), "rubbish").unwrap();
    transcript.piped("link --instance acme --id 1");
    transcript.terminal("secret start-anew", "n\n");
    transcript.terminal("secret start-anew", "y\n");
    transcript.piped("--json secret start-anew --yes");
    compare("keys.txt", transcript.text);
}

#[test]
fn other_commands() {
    let mut transcript = Transcript::new();
    transcript.prepare(ADD);
    for (json, arguments) in [("", "serve"), ("--json ", "serve --tls-self-signed")] {
        let arguments = format!("{json}{arguments} --listen 127.0.0.1:0 --secret-file DIR/secret");
        let mut child = Command::new(env!("CARGO_BIN_EXE_latchkey"))
            .args(transcript.named(&arguments).split(' '))
            .env("LATCHKEY_KEYCHAIN", "off")
            .env("LATCHKEY_DATA_DIR", transcript.folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let address = String::new();
        Serving {
            child,
            address,
            said: serde_json::Value::Null,
        }
        .end();
        transcript.record(&arguments, &line, "", 0);
    }
    transcript.both("--version");
    transcript.terminal("man --out DIR", "");
    transcript.piped("--json man --out DIR");
    transcript.terminal("users --help", "");
    compare("other.txt", transcript.text);
}

#[test]
fn errors() {
    let mut transcript = Transcript::new();
    transcript.piped("users list --instance acme");
    transcript.prepare(ADD);
    transcript
        .prepare("instance add There --url https://there.example --hosted elsewhere --no-secret");
    transcript.prepare("instance add Bare --url http://localhost:4711 --no-secret");
    transcript.prepare("users add ada --instance acme --email ada@acme.example");
    fs::write(transcript.folder.path().join("short"), "short").unwrap();
    fs::write(transcript.folder.path().join("half.json"), r#"{"team":"#).unwrap();
    fs::write(transcript.folder.path().join("no.json"), "team: Research").unwrap();
    for command in [
        "",
        "lnk",
        "link --id 1",
        "link --url https://a.b",
        "link --url https://a.b --id 1",
        "link --url https://a.b --id 1 --secret-file DIR/short",
        "link --instance there --id 1",
        "link --instance acme --secret-file DIR/secret --id 1 --expires-in soon",
        "link --instance acme --secret-file DIR/secret --email nobody",
        "link --instance acme --secret-file DIR/none --id 1",
        "inspect nothing --instance acme --secret-file DIR/secret",
        "redeem nothing --instance acme --secret-file DIR/secret",
        "users list",
        "users list --instance nobody",
        "users list --instance there",
        "users add ada --instance acme",
        "users show ada@acme.example --instance acme",
        "users list --instance acme --after x",
        "users list --instance acme --limit 0",
        "seats --instance acme --set many",
        "seats --instance there --set 3",
        "activity list --instance there",
        "api-key make CRM --instance there",
        "serve --instance there",
        "serve --instance bare --listen 127.0.0.1:0",
        "link --instance bare --id 1",
        "serve --instance acme --listen here",
        "instance add Acme --url nowhere",
        "instance set acme --session-idle 1s",
        "link --url https:// --id 1",
        "link --url https://a.b --user-id a --metadata-json DIR/half.json",
        "link --url https://a.b --user-id a --metadata-json DIR/no.json",
        "link --url https://a.b --user-id a --metadata-json x",
        "serve --visits-per-second -4",
        "instance set acme --return-to app..example",
        "instance remove acme",
        "api-key revoke CRM --instance acme",
        "--data-dir DIR/secret instance list",
    ] {
        transcript.piped(command);
        transcript.piped(format!("--json {command}").trim());
    }
    compare("errors.txt", transcript.text);
}
