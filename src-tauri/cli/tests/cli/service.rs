//! The service of the README: its unit, and its commands as written.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use crate::readme::blocks;

#[test]
fn the_unit_of_the_readme_is_exposed_at_most_1_5() {
    let folder = tempfile::tempdir().unwrap();
    let unit = folder.path().join("latchkey.service");
    fs::write(&unit, &blocks("ini")[0]).unwrap();
    let ran = Command::new("systemd-analyze")
        .args(["security", "--offline=true", "--no-pager", "--threshold=15"])
        .arg(&unit)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{said}");
    assert!(said.contains("Overall exposure level"), "{said}");
}

/// A service in mounts of its own, so that nothing of this computer is changed.
struct Service(Child);

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Service {
    /// Runs a command as root where the service runs.
    fn as_root(&self, command: &str) -> Output {
        Command::new("nsenter")
            .args([
                "--target",
                &self.0.id().to_string(),
                "--mount",
                "sh",
                "-euc",
            ])
            .arg(command)
            .env("LATCHKEY_DATA_DIR", "/var/lib/latchkey")
            .env("LATCHKEY_KEYCHAIN", "off")
            .output()
            .unwrap()
    }
}

/// Whether this test may make mounts of its own.
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn may_mount(folder: &Path) -> bool {
    let is_root = fs::metadata(folder).unwrap().uid() == 0;
    let tried = is_root.then(|| Command::new("unshare").args(["--mount", "true"]).status());
    let may = matches!(tried, Some(Ok(status)) if status.success());
    if !may {
        eprintln!("skipped: this test needs root and mounts of its own");
    }
    may
}

#[test]
fn the_service_of_the_readme_is_set_up_and_administered_as_written() {
    let folder = tempfile::tempdir().unwrap();
    if !may_mount(folder.path()) {
        return;
    }
    let here = folder.path().to_str().unwrap();
    let program = env!("CARGO_BIN_EXE_latchkey");
    let setup = blocks("sh")
        .into_iter()
        .find(|block| block.contains("useradd"));
    fs::write(folder.path().join("setup"), setup.unwrap()).unwrap();
    // Copies of what the commands change; then, as the unit wants it, the service sees everything but its
    // own folder as read-only, has no capabilities, and gains none.
    let script = format!(
        "cp -a /etc {here}/etc && mount --bind {here}/etc /etc
         mount -t tmpfs tmpfs /var/lib
         mkdir {here}/bin && cp {program} {here}/bin/latchkey && mount --bind {here}/bin /usr/local/bin
         export PATH=/usr/local/bin:$PATH LATCHKEY_KEYCHAIN=off
         sh -eu {here}/setup >&2
         install -m 0400 -o latchkey /etc/latchkey/acme.secret /var/lib/latchkey/credential
         export LATCHKEY_DATA_DIR=/var/lib/latchkey LATCHKEY_SECRET_FILE=/var/lib/latchkey/credential
         mount -o remount,bind,ro /
         exec setpriv --reuid=latchkey --regid=latchkey --init-groups --no-new-privs \
           --bounding-set=-all --inh-caps=-all \
           latchkey --json serve --instance Acme --listen 127.0.0.1:0 --trusted-proxy 127.0.0.1"
    );
    let child = Command::new("unshare")
        .args(["--mount", "sh", "-euc", &script])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut service = Service(child);
    let mut said = String::new();
    let mut out = BufReader::new(service.0.stdout.take().unwrap());
    out.read_line(&mut said).unwrap();
    assert!(said.contains("127.0.0.1:"), "it serves: {said}");
    // Root changes the settings while it runs, and leaves nothing of root's behind.
    for command in [
        "latchkey instance set Acme --sign-in confirm",
        "latchkey api-key make CRM --instance Acme",
    ] {
        let ran = service.as_root(&format!("/usr/local/bin/{command}"));
        let said = String::from_utf8_lossy(&ran.stderr).into_owned();
        assert!(ran.status.success(), "{command}: {said}");
    }
    let of_others = service.as_root("find /var/lib/latchkey ! -user latchkey");
    assert!(of_others.status.success());
    assert_eq!(String::from_utf8_lossy(&of_others.stdout), "");
}
