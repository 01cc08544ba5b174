//! Running the program without the developer's own environment.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

pub(crate) const SECRET: &str = "a-secret-of-more-than-thirty-two-bytes";

/// Waits until a condition holds.
pub(crate) fn until(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_mins(1), "{what}");
        thread::sleep(Duration::from_millis(50));
    }
}

/// Exit code and output of a run.
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|_| panic!("not JSON: {}", self.out))
    }

    /// Returns the exit code, and the code and field of the error that `--json` prints.
    pub(crate) fn refusal(&self) -> (i32, String, Option<String>) {
        let value: Value =
            serde_json::from_str(&self.err).unwrap_or_else(|_| panic!("not JSON: {}", self.err));
        let text = |name: &str| value["error"][name].as_str().map(str::to_owned);
        (self.code, text("code").unwrap(), text("field"))
    }
}

/// Runs `latchkey` with arguments, environment variables and standard input.
pub(crate) fn latchkey(arguments: &[&str], environment: &[(&str, &str)], input: &[u8]) -> Ran {
    let mut child = Command::new(env!("CARGO_BIN_EXE_latchkey"))
        .args(arguments)
        .env_clear()
        .env("LATCHKEY_KEYCHAIN", "off")
        // No process can create this folder, so a test that names no data folder fails and does not
        // use the developer's own.
        .env("LATCHKEY_DATA_DIR", "/proc/no-data-folder")
        .envs(environment.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // An error is ignored, because a program that does not read its input closes it early.
    let _ = child.stdin.take().unwrap().write_all(input);
    let output = child.wait_with_output().unwrap();
    Ran {
        code: output.status.code().unwrap(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// Runs `latchkey` with a secret in the environment.
pub(crate) fn with_secret(arguments: &[&str]) -> Ran {
    latchkey(arguments, &[("LATCHKEY_SECRET", SECRET)], b"")
}

/// Runs `latchkey` with a data folder and the passphrase of its sealed file.
pub(crate) fn in_folder(folder: &Path, arguments: &[&str]) -> Ran {
    let environment = [
        ("LATCHKEY_DATA_DIR", folder.to_str().unwrap()),
        ("LATCHKEY_PASSPHRASE", "correct horse battery"),
    ];
    latchkey(arguments, &environment, b"")
}

/// Returns a data folder with the instance `Here`, which is hosted here and has the secret.
pub(crate) fn hosted_here(url: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    std::fs::write(&secret, SECRET).unwrap();
    let file = secret.to_str().unwrap();
    let add = [
        "instance",
        "add",
        "Here",
        "--url",
        url,
        "--secret-file",
        file,
    ];
    assert_eq!(in_folder(folder.path(), &add).code, 0);
    folder
}
