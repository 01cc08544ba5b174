//! A server on another computer, played by `latchkey serve` with a data folder of its own.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// A data folder with the instance `acme`, and the program that serves it.
pub(crate) struct Server {
    folder: TempDir,
    serving: Option<Child>,
    pub(crate) visitors: SocketAddr,
    pub(crate) admin: SocketAddr,
    pub(crate) fingerprint: String,
}

impl Server {
    /// Adds the instance with some people, and starts to serve it.
    pub(crate) fn start(people: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let add = [
            "instance",
            "add",
            "Acme",
            "--url",
            "http://chat.acme.example",
        ];
        run(folder.path(), &add);
        for (id, email) in people {
            let add = ["users", "add", "--instance", "acme", id, "--email", email];
            run(folder.path(), &add);
        }
        let (serving, said) = serve(folder.path());
        Self {
            visitors: address(&said["address"]),
            admin: address(&said["admin"]["address"]),
            fingerprint: said["admin"]["fingerprint"].as_str().unwrap().to_owned(),
            serving: Some(serving),
            folder,
        }
    }

    /// Runs a command on the server. Returns what it prints.
    pub(crate) fn run(&self, arguments: &[&str]) -> String {
        run(self.folder.path(), arguments)
    }

    /// Returns a connection string for a new key, whose address is that of `wire`.
    pub(crate) fn connection_string(&self, name: &str, wire: SocketAddr) -> String {
        let url = format!("https://{wire}");
        let make = [
            "--json",
            "api-key",
            "make",
            name,
            "--scope",
            "admin",
            "--instance",
            "acme",
            "--url",
            &url,
        ];
        let said: Value = serde_json::from_str(&self.run(&make)).unwrap();
        said["connection"].as_str().unwrap().to_owned()
    }

    /// Serves with a new certificate, at other ports.
    pub(crate) fn replace_certificate(&mut self) {
        self.stop();
        let certificate = self.folder.path().join("instances/acme/self-signed.pem");
        std::fs::remove_file(certificate).unwrap();
        let (serving, said) = serve(self.folder.path());
        self.visitors = address(&said["address"]);
        self.admin = address(&said["admin"]["address"]);
        let fingerprint = said["admin"]["fingerprint"].as_str();
        fingerprint.unwrap().clone_into(&mut self.fingerprint);
        self.serving = Some(serving);
    }

    fn stop(&mut self) {
        if let Some(mut serving) = self.serving.take() {
            let id = serving.id().to_string();
            let _ = Command::new("kill").arg(&id).status();
            let _ = serving.wait();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}

fn program() -> PathBuf {
    let program = Path::new(env!("CARGO_BIN_EXE_latchkey-studio")).with_file_name("latchkey");
    assert!(
        program.is_file(),
        "{} is missing: `cargo build --workspace` makes it",
        program.display()
    );
    program
}

fn latchkey(folder: &Path) -> Command {
    let mut command = Command::new(program());
    command
        .env_clear()
        .env("LATCHKEY_DATA_DIR", folder)
        .env("LATCHKEY_KEYCHAIN", "off")
        .env("LATCHKEY_PASSPHRASE", "correct horse battery")
        .stdin(Stdio::null());
    command
}

fn run(folder: &Path, arguments: &[&str]) -> String {
    let ran = latchkey(folder).args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{arguments:?}: {said}");
    String::from_utf8(ran.stdout).unwrap().trim().to_owned()
}

fn serve(folder: &Path) -> (Child, Value) {
    let free = "127.0.0.1:0";
    let mut serving = latchkey(folder)
        .args(["--json", "serve", "--instance", "acme"])
        .args(["--listen", free, "--admin-listen", free])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let mut out = BufReader::new(serving.stdout.take().unwrap());
    out.read_line(&mut line).unwrap();
    let said = serde_json::from_str(&line).unwrap_or_else(|_| panic!("serve: {line}"));
    (serving, said)
}

fn address(value: &Value) -> SocketAddr {
    value.as_str().unwrap().parse().unwrap()
}
