//! A `latchkey serve` for tests, run as a service manager runs it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;

use crate::run::{hosted_here, latchkey};

pub(crate) const PASSPHRASE: &str = "correct horse battery";
/// Any free port.
pub(crate) const FREE: &str = "127.0.0.1:0";

/// Returns a folder with an instance that is hosted here.
pub(crate) fn folder() -> tempfile::TempDir {
    hosted_here("http://localhost:8787")
}

pub(crate) fn run(folder: &Path, arguments: &[&str]) -> String {
    let secret = folder.join("secret");
    // Gives the secret, because unlocking the sealed file by its passphrase takes time.
    let given = ["--secret-file", secret.to_str().unwrap()];
    let given = match arguments.first() {
        Some(&"link") => &given[..],
        _ => &[],
    };
    let environment = [("LATCHKEY_DATA_DIR", folder.to_str().unwrap())];
    let ran = latchkey(&[arguments, given].concat(), &environment, b"");
    assert_eq!(ran.code, 0, "{}", ran.err);
    ran.out.trim().to_owned()
}

/// Returns the path and query of a link.
pub(crate) fn link(folder: &Path, id: &str) -> String {
    let link = run(folder, &["link", "--instance", "here", "--user-id", id]);
    link.strip_prefix("http://localhost:8787")
        .unwrap()
        .to_owned()
}

pub(crate) struct Serving {
    pub(crate) child: Child,
    pub(crate) address: String,
    /// Printed JSON.
    pub(crate) said: Value,
}

impl Serving {
    pub(crate) fn new(folder: &Path, arguments: &[&str]) -> Self {
        Self::with_log(folder, arguments, Stdio::piped())
    }

    /// Starts a gateway with standard error redirected.
    pub(crate) fn with_log(folder: &Path, arguments: &[&str], log: Stdio) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_latchkey"));
        command
            .args(["--json", "serve"])
            .args(if arguments.contains(&"--listen") {
                &[][..]
            } else {
                &["--listen", FREE]
            })
            .args(arguments)
            .env_clear()
            .env("LATCHKEY_KEYCHAIN", "off")
            .env("LATCHKEY_DATA_DIR", folder)
            .env("LATCHKEY_PASSPHRASE", PASSPHRASE)
            .stderr(log);
        Self::start(&mut command)
    }

    /// Starts a gateway that prints JSON, and waits until it listens.
    pub(crate) fn start(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        out.read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line}"));
        let address = said["address"].as_str().unwrap().to_owned();
        Self {
            child,
            address,
            said,
        }
    }

    /// Sends a request. Returns the head and body of the response, or `None` if the connection
    /// broke.
    pub(crate) fn ask(address: &str, request: &str) -> Option<String> {
        let mut stream = TcpStream::connect(address).ok()?;
        stream.set_read_timeout(Some(Duration::from_mins(1))).ok()?;
        stream.write_all(request.as_bytes()).ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Some(answer)
    }

    pub(crate) fn get(&self, path: &str, cookie: &str) -> String {
        Self::ask(&self.address, &get(path, cookie)).unwrap()
    }

    /// Ends the gateway like a service manager. Returns its log.
    pub(crate) fn end(mut self) -> String {
        let id = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-TERM", &id])
                .status()
                .unwrap()
                .success()
        );
        assert!(self.child.wait().unwrap().success());
        let mut log = String::new();
        if let Some(mut stderr) = self.child.stderr.take() {
            stderr.read_to_string(&mut log).unwrap();
        }
        log
    }
}

/// Ends the gateway if a test fails.
impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn get(path: &str, cookie: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: localhost\r\nUser-Agent: Mozilla/5.0\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n"
    )
}

pub(crate) fn cookie(answer: &str) -> String {
    let set = answer
        .lines()
        .find_map(|line| line.strip_prefix("set-cookie: "))
        .filter(|cookie| cookie.contains("latchkey_session_"));
    let set = set.unwrap_or_else(|| panic!("{answer}"));
    set.split(';').next().unwrap().to_owned()
}
