//! The commands of the README, as written.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use crate::run::{SECRET, with_secret};

/// Commands that do not run here, by how they begin, and why.
const NOT_HERE: [(&str, &str); 7] = [
    ("cargo xtask run", "it opens a window"),
    ("cargo xtask test", "it runs this test"),
    ("cargo install", "it builds this program"),
    (
        "latchkey serve",
        "it runs until it is ended, at a fixed port: see `serve`",
    ),
    ("useradd", "it is of the service's block: see `service`"),
    ("install -d", "it is of the service's block: see `service`"),
    (
        "curl",
        "it asks a gateway in the network: see the gateway's tests of the API",
    ),
];

/// The blocks of the README in a language.
pub(crate) fn blocks(language: &str) -> Vec<String> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md");
    let text = fs::read_to_string(path).unwrap();
    let begin = format!("```{language}\n");
    let blocks = text.split(&begin).skip(1);
    blocks
        .map(|block| block.split_once("```").unwrap().0.to_owned())
        .collect()
}

/// The commands of all blocks, each with the lines that it goes on in.
fn commands() -> Vec<String> {
    let mut commands: Vec<String> = Vec::new();
    let blocks = blocks("sh").into_iter();
    // The service's block is run whole, as root.
    for block in blocks.filter(|block| !block.contains("useradd")) {
        let mut goes_on = false;
        for line in block.lines() {
            if goes_on {
                let command = commands.last_mut().unwrap();
                command.push('\n');
                command.push_str(line);
            } else if !line.is_empty() && !line.starts_with('#') {
                commands.push(line.to_owned());
            }
            goes_on = line.ends_with('\\');
        }
    }
    commands
}

#[test]
fn every_command_of_the_readme_runs_as_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    // What the reader has: the program, a secret in a file, and a link on the clipboard.
    fs::create_dir(path("bin")).unwrap();
    symlink(env!("CARGO_BIN_EXE_latchkey"), path("bin/latchkey")).unwrap();
    fs::create_dir(path("secrets")).unwrap();
    fs::write(path("secrets/chat"), SECRET).unwrap();
    fs::write(path("secret.txt"), SECRET).unwrap();
    let link = with_secret(&["link", "--url", "https://a.b", "--email", "a@b.cd"]).out;
    let paste = format!("#!/bin/sh\necho '{}'\n", link.trim());
    fs::write(path("bin/pbpaste"), paste).unwrap();
    let made = Command::new("chmod")
        .arg("+x")
        .arg(path("bin/pbpaste"))
        .status();
    assert!(made.unwrap().success());

    let mut script = "set -eu\n".to_owned();
    let mut run = 0;
    for command in commands() {
        let not_here = NOT_HERE.iter().any(|(begin, _)| command.starts_with(begin));
        if !not_here {
            // The command is named where it fails.
            script.push_str(&command);
            script.push_str(" || { echo \"failed: command ");
            script.push_str(&run.to_string());
            script.push_str("\" >&2; exit 1; }\n");
            run += 1;
        }
    }
    let ran = Command::new("sh")
        .arg("-c")
        .arg(&script)
        .current_dir(folder.path())
        .env_clear()
        .env("PATH", format!("{}:/usr/bin:/bin", path("bin").display()))
        .env("HOME", folder.path())
        .env("LATCHKEY_KEYCHAIN", "off")
        .env("LATCHKEY_DATA_DIR", path("data"))
        .env("LATCHKEY_PASSPHRASE", "correct horse battery staple")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{script}\n{said}");
    assert!(run >= 7, "only {run} commands were found");
    assert!(path("ada.png").is_file());
}
