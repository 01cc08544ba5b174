//! Tests of folders that are missing, replaced by other files, lost, or held.

use std::fs;
#[cfg(target_os = "linux")]
use std::io::{BufReader, Read as _, Write as _};
#[cfg(target_os = "linux")]
use std::path::Path;
use std::process::Command;
#[cfg(target_os = "linux")]
use std::process::Stdio;

#[cfg(target_os = "linux")]
use crate::run::latchkey;
use crate::run::{hosted_here, in_folder};

#[test]
fn a_command_that_changes_nothing_makes_no_data_folder() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    assert_eq!(in_folder(&data, &["instance", "list"]).code, 0);
    for command in [
        &["instance", "show", "here"][..],
        &["users", "list", "--instance", "here"],
        &["link", "--instance", "here", "--id", "1"],
        &["instance", "remove", "here", "--yes"],
    ] {
        let ran = in_folder(&data, &[&["--json"], command].concat());
        assert_eq!(ran.refusal().1, "unknown_instance", "{command:?}");
    }
    assert!(!data.exists());
}

#[test]
fn a_data_folder_that_is_a_file_is_reported_as_one() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    fs::write(&data, "").unwrap();
    let ran = in_folder(&data, &["instance", "list"]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("data is a file"), "{}", ran.err);
}

#[cfg(target_os = "linux")]
#[test]
fn a_data_folder_that_is_a_device_is_reported_as_no_folder() {
    let arguments = [
        "--data-dir",
        "/dev/full",
        "instance",
        "add",
        "A",
        "--url",
        "http://localhost:1",
        "--no-secret",
    ];
    let refused = latchkey(&arguments, &[], b"");
    assert_eq!(refused.code, 1, "{}", refused.out);
    assert!(
        refused.err.contains("/dev/full is not a folder"),
        "{}",
        refused.err
    );
}

#[test]
fn a_certificate_that_cannot_be_read_is_named_with_its_file() {
    let folder = hosted_here("http://localhost:4711");
    let secret = folder.path().join("secret");
    let file = secret.to_str().unwrap();
    let tls = ["--tls-cert", file, "--tls-key", file];
    let serve = ["serve", "--instance", "here", "--listen", "127.0.0.1:0"];
    let ran = in_folder(folder.path(), &[&serve[..], &tls].concat());
    assert_eq!(ran.code, 1);
    assert!(
        ran.err.contains(file) && ran.err.contains("PEM"),
        "{}",
        ran.err
    );
}

#[test]
fn a_missing_directory_is_not_silently_created_again() {
    let folder = hosted_here("https://a.b");
    let users = |arguments: &[&str]| {
        in_folder(
            folder.path(),
            &[&["users", "--instance", "here"], arguments].concat(),
        )
    };
    assert_eq!(users(&["add", "ada"]).code, 0);
    let directory = folder.path().join("instances/here/directory");
    fs::remove_dir_all(&directory).unwrap();
    let ran = users(&["list"]);
    assert_eq!(ran.code, 1, "{}", ran.out);
    assert!(
        ran.err.contains("is gone") && ran.err.contains("backup"),
        "{}",
        ran.err
    );
    assert!(ran.err.contains(directory.to_str().unwrap()), "{}", ran.err);
    assert!(!directory.exists());
    // A disk that is not mounted leaves an empty folder.
    fs::create_dir(&directory).unwrap();
    assert_eq!(users(&["list"]).code, 1);
    // The message names this way out.
    let anew = directory.join("anew");
    assert!(ran.err.contains(anew.to_str().unwrap()), "{}", ran.err);
    fs::write(&anew, "").unwrap();
    assert_eq!(users(&["list"]).code, 0);
    assert!(!anew.exists());
}

#[test]
fn commands_at_the_same_time_wait_for_each_other() {
    let folder = hosted_here("https://a.b");
    assert_eq!(
        in_folder(folder.path(), &["seats", "--instance", "here"]).code,
        0
    );
    let started: Vec<_> = (0..4)
        .map(|number| {
            Command::new(env!("CARGO_BIN_EXE_latchkey"))
                .args([
                    "users",
                    "--instance",
                    "here",
                    "add",
                    &format!("user-{number}"),
                ])
                .env_clear()
                .env("LATCHKEY_KEYCHAIN", "off")
                .env("LATCHKEY_DATA_DIR", folder.path())
                .spawn()
                .unwrap()
        })
        .collect();
    for mut child in started {
        assert!(child.wait().unwrap().success());
    }
}

/// Adds an instance in a terminal, and answers each prompt with the next text. Returns the exit
/// code and the screen.
#[cfg(target_os = "linux")]
fn add_in_a_terminal(data: &Path, answers: &[&str]) -> (Option<i32>, String) {
    let program = env!("CARGO_BIN_EXE_latchkey");
    let command = format!("{program} instance add Acme --url https://a.b");
    let mut child = Command::new("script")
        .args([
            "--quiet",
            "--return",
            "--flush",
            "--command",
            &command,
            "/dev/null",
        ])
        .env_remove("LATCHKEY_PASSPHRASE")
        .env_remove("LATCHKEY_PASSPHRASE_FILE")
        .env("LATCHKEY_KEYCHAIN", "off")
        .env("LATCHKEY_DATA_DIR", data)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut typed = child.stdin.take().unwrap();
    let mut answers = answers.iter();
    let mut screen = String::new();
    for byte in BufReader::new(child.stdout.take().unwrap()).bytes() {
        screen.push(char::from(byte.unwrap()));
        if screen.ends_with("characters): ") || screen.ends_with("again: ") {
            writeln!(typed, "{}", answers.next().unwrap()).unwrap();
        }
    }
    (child.wait().unwrap().code(), screen)
}

#[cfg(target_os = "linux")]
#[test]
fn the_passphrase_of_a_new_sealed_file_is_typed_twice() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let (chosen, mistyped) = (
        "tulips behind nine windmills",
        "tulips behind nine windmlils",
    );
    let (code, screen) = add_in_a_terminal(&data, &[chosen, mistyped]);
    assert_eq!(code, Some(2), "{screen}");
    assert!(screen.contains("passphrases differ"), "{screen}");
    let (code, screen) = add_in_a_terminal(&data, &[chosen, chosen]);
    assert_eq!(code, Some(0), "{screen}");
}
