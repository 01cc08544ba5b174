//! JWT libraries of others, as programs that read requests and write responses, one line of JSON
//! each.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::Value;

/// A running program with a library of others.
pub(crate) struct Peer {
    child: Child,
    requests: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Peer {
    /// Starts Node.js with `jsonwebtoken` and `fast-jwt`.
    pub(crate) fn node() -> Self {
        let mut command = Command::new("node");
        command.arg(packages().join("node/peer.mjs"));
        Self::start(command)
    }

    /// Starts Python with `PyJWT` and `segno`.
    pub(crate) fn python() -> Self {
        let mut command = Command::new("python3");
        command
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/interop/peer.py"))
            .env("PYTHONPATH", packages().join("python"));
        Self::start(command)
    }

    fn start(mut command: Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the peer's program is installed: `cargo xtask test` does it");
        Self {
            requests: child.stdin.take(),
            answers: BufReader::new(child.stdout.take().unwrap()),
            child,
        }
    }

    /// Sends a request. Panics with the message of the library if it fails.
    pub(crate) fn ask(&mut self, request: &Value) -> Value {
        let answer = self.try_ask(request);
        assert!(answer.get("error").is_none(), "{answer}");
        answer
    }

    /// Sends a request. An error of the library is in the member `error`.
    pub(crate) fn try_ask(&mut self, request: &Value) -> Value {
        let requests = self.requests.as_mut().unwrap();
        writeln!(requests, "{request}").unwrap();
        requests.flush().unwrap();
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        serde_json::from_str(&line).expect("the peer answers; are its packages installed?")
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        // The program ends when its input is closed.
        drop(self.requests.take());
        let _ = self.child.wait();
    }
}

fn packages() -> PathBuf {
    std::env::var_os("LATCHKEY_INTEROP").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("target/interop"),
        PathBuf::from,
    )
}
