//! Runs `server.py`, the stand-in for TypingMind's API.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Key that the stand-in accepts.
pub(crate) const KEY: &str = "tm-key-of-the-stand-in";

/// A running stand-in. It ends when it is dropped.
pub(crate) struct StandIn {
    process: Child,
    folder: tempfile::TempDir,
    port: u16,
}

impl StandIn {
    /// Starts a stand-in with a number of users.
    pub(crate) fn start(users: usize) -> Self {
        Self::run(users, None)
    }

    /// Starts a stand-in. It speaks HTTPS if there is a PEM file with a certificate and its key.
    pub(crate) fn run(users: usize, certificate: Option<&Path>) -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut folders = root
            .ancestors()
            .map(|folder| folder.join("tests/typingmind/server.py"));
        let script = folders.find(|script| script.exists()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new("python3");
        command
            .arg(script)
            .args(["--key", KEY, "--users", &users.to_string(), "--folder"])
            .arg(folder.path())
            .stdout(Stdio::piped());
        if let Some(certificate) = certificate {
            command.arg("--certificate").arg(certificate);
        }
        let mut process = command.spawn().unwrap();
        let mut line = String::new();
        let mut printed = BufReader::new(process.stdout.take().unwrap());
        printed.read_line(&mut line).unwrap();
        Self {
            process,
            folder,
            port: line.trim().parse().unwrap(),
        }
    }

    /// Returns the URL of the API.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/api", self.port)
    }

    /// Returns the port.
    #[allow(dead_code, reason = "not every test needs it")]
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Sets the fault of the next answers. An empty text ends it.
    pub(crate) fn set_mode(&self, mode: &str) {
        fs::write(self.folder.path().join("mode"), mode).unwrap();
    }

    /// Returns the requests so far, each in a line.
    #[allow(dead_code, reason = "not every test needs it")]
    pub(crate) fn requests(&self) -> String {
        fs::read_to_string(self.folder.path().join("requests")).unwrap_or_default()
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
