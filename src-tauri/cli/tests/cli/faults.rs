//! Tests of a gateway whose files or disk fail while it runs.

use std::cell::Cell;
use std::env;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::run::{Ran, in_folder, until};
use crate::serve::{PASSPHRASE, Serving, cookie, folder, get, link, run};

fn make_pipe(path: &Path) {
    let made = Command::new("mkfifo").arg(path).status().unwrap();
    assert!(made.success());
}

/// A file that was moved away and replaced by something else.
struct Replaced {
    path: PathBuf,
    kept: PathBuf,
}

impl Replaced {
    fn new(path: PathBuf, by: impl Fn(&Path)) -> Self {
        let kept = path.with_extension("kept");
        fs::rename(&path, &kept).unwrap();
        by(&path);
        Self { path, kept }
    }

    fn put_back(&self) {
        fs::rename(&self.kept, &self.path).unwrap();
    }
}

#[test]
fn a_gateway_with_unreadable_settings_is_unhealthy_until_they_are_restored() {
    let folder = folder();
    let serving = Serving::new(folder.path(), &[]);
    let link = link(folder.path(), "ada");
    let is_well = || serving.get("/healthz", "").starts_with("HTTP/1.1 200");
    let settings = folder.path().join("instances/here/instance.json");
    let endless = |path: &Path| std::os::unix::fs::symlink("/dev/zero", path).unwrap();
    for by in [&make_pipe as &dyn Fn(&Path), &endless] {
        assert!(is_well());
        let replaced = Replaced::new(settings.clone(), by);
        until("the settings are read again", || !is_well());
        for path in ["/healthz", "/auth/verify", &link] {
            let begun = Instant::now();
            let answer = serving.get(path, "");
            assert!(answer.starts_with("HTTP/1.1 503"), "{path}: {answer}");
            assert!(begun.elapsed() < Duration::from_secs(20), "{path} hung");
        }
        replaced.put_back();
        until("it is well again", is_well);
    }
    let replaced = Replaced::new(settings, make_pipe);
    until("the settings are read again", || !is_well());
    let log = serving.end();
    assert!(log.contains("a pipe or a device"), "{log}");
    replaced.put_back();
}

#[test]
fn a_gateway_of_an_instance_hosted_elsewhere_says_so_on_a_page_and_in_its_log() {
    let folder = folder();
    let serving = Serving::new(folder.path(), &[]);
    let link = link(folder.path(), "ada");
    let elsewhere = ["instance", "set", "here", "--hosted", "elsewhere"];
    run(folder.path(), &elsewhere);
    let page = || serving.get(&link, "");
    until("nobody signs in here", || {
        page().starts_with("HTTP/1.1 503")
    });
    let page = page();
    assert!(page.contains("Sign in somewhere else"), "{page}");
    assert!(!page.contains("Try again"), "{page}");
    let log = serving.end();
    let said = "'Here' is hosted elsewhere: localhost:8787 decides who signs in";
    assert!(log.contains(said), "{log}");
    assert!(!log.contains("Error {"), "{log}");
}

#[test]
fn the_log_limits_the_lines_of_one_address_per_minute_and_counts_the_rest() {
    let folder = folder();
    let serving = Serving::new(folder.path(), &[]);
    for number in 0..60 {
        let answer = serving.get(&format!("/?externalAuthCode=ey{number}"), "");
        assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
        assert!(serving.get("/nowhere", "").starts_with("HTTP/1.1 404"));
    }
    let log = serving.end();
    let lines = log.lines().filter(|line| line.contains("reference="));
    let lines = lines.count();
    // The requests may fall into three minutes on a busy machine.
    assert!((1..=60).contains(&lines), "{lines} lines: {log}");
    let counted = log
        .lines()
        .filter(|line| line.contains("not logged one by one"));
    let numbers = counted.map(|line| {
        assert!(line.contains("127.0.0.1"), "{line}");
        line.split("count=")
            .nth(1)
            .unwrap()
            .trim()
            .parse::<usize>()
            .unwrap()
    });
    assert_eq!(numbers.sum::<usize>() + lines, 120, "{log}");
}

/// A gateway on a small disk of its own, in a mount namespace.
struct OnSmallDisk {
    child: Child,
    address: String,
    /// Path of the disk for this process.
    disk: PathBuf,
    /// Path of the disk for the gateway.
    data: PathBuf,
    /// Number of users that were added or refused.
    added: Cell<u32>,
}

impl OnSmallDisk {
    /// Returns `None` if the test may not mount.
    fn new(folder: &Path) -> Option<Self> {
        Self::after(folder, "")
    }

    /// Runs `commands` in the folder of the disk before the gateway starts.
    #[expect(clippy::print_stderr, reason = "a skipped test prints that")]
    fn after(folder: &Path, commands: &str) -> Option<Self> {
        let here = folder.to_str().unwrap();
        let program = env!("CARGO_BIN_EXE_latchkey");
        let may = Command::new("unshare").args(["--mount", "true"]).output();
        if !may.is_ok_and(|tried| tried.status.success()) {
            eprintln!("skipped: this test needs root and mounts of its own");
            return None;
        }
        let script = format!(
            "mkdir {here}/disk
             mount -t tmpfs -o size=24m,mode=700 tmpfs {here}/disk
             cp -a {here}/instances {here}/keys.sealed {here}/disk/
             cd {here}/disk
             {commands}
             export LATCHKEY_DATA_DIR={here}/disk LATCHKEY_KEYCHAIN=off
             exec {program} --json serve --listen 127.0.0.1:0 --secret-file {here}/secret"
        );
        let mut child = Command::new("unshare")
            .args(["--mount", "sh", "-euc", &script])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        out.read_line(&mut line).unwrap();
        let said: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line}"));
        let address = said["address"].as_str().unwrap().to_owned();
        let disk = format!("/proc/{}/root{here}/disk", child.id()).into();
        Some(Self {
            child,
            address,
            disk,
            data: folder.join("disk"),
            added: Cell::new(0),
        })
    }

    /// Writes a file that leaves less than the minimum below which nothing is recorded, and enough
    /// for the settings.
    fn fill(&self) {
        let filler = self.disk.join("filler");
        let _ = fs::write(&filler, vec![0; 24 * 1024 * 1024]);
        let file = File::options().write(true).open(&filler).unwrap();
        let bytes = file.metadata().unwrap().len();
        file.set_len(bytes - 1024 * 1024).unwrap();
    }

    fn make_room(&self) {
        fs::remove_file(self.disk.join("filler")).unwrap();
    }

    /// Adds a user with an ID of its own. Returns whether the user is there then.
    fn adds_a_user(&self) -> bool {
        let number = self.added.get();
        self.added.set(number + 1);
        self.run(&["users", "add", &format!("user-{number}")]).code == 0
    }

    /// Runs a command line that sees the disk of the gateway. Its answer is JSON.
    fn run(&self, arguments: &[&str]) -> Ran {
        let output = Command::new("nsenter")
            .args(["--mount", "--target", &self.child.id().to_string()])
            .args([env!("CARGO_BIN_EXE_latchkey"), "--json"])
            .args(arguments)
            .args(["--instance", "here"])
            .env_clear()
            .env("PATH", env::var_os("PATH").unwrap())
            .env("LATCHKEY_KEYCHAIN", "off")
            .env("LATCHKEY_DATA_DIR", &self.data)
            .env("LATCHKEY_PASSPHRASE", PASSPHRASE)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        Ran {
            code: output.status.code().unwrap(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    fn require_full(&self, arguments: &[&str]) {
        let ran = self.run(arguments);
        assert_eq!(
            ran.refusal(),
            (1, "storage".to_owned(), None),
            "{arguments:?}: {}",
            ran.err
        );
        assert!(
            ran.err.contains("is full. Make room"),
            "{arguments:?}: {}",
            ran.err
        );
    }

    fn status(&self, path: &str) -> String {
        let answer = Serving::ask(&self.address, &get(path, "")).unwrap();
        answer.split(' ').nth(1).unwrap().to_owned()
    }
}

impl Drop for OnSmallDisk {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn healthz_stays_503_while_the_disk_is_full_and_is_200_when_there_is_room_again() {
    let folder = folder();
    let Some(serving) = OnSmallDisk::new(folder.path()) else {
        return;
    };
    let links: Vec<String> = ["ada", "bob", "eve"]
        .map(|id| link(folder.path(), id))
        .to_vec();
    assert_eq!(serving.status(&links[0]), "303");
    assert_eq!(serving.status("/healthz"), "200");
    let filler = serving.disk.join("filler");
    let _ = fs::write(&filler, vec![0; 24 * 1024 * 1024]);
    until("nobody signs in", || serving.status(&links[1]) == "503");
    for _ in 0..10 {
        assert_eq!(serving.status("/?externalAuthCode=ey"), "403");
        assert_eq!(serving.status("/healthz"), "503");
    }
    fs::remove_file(&filler).unwrap();
    until("it is well by itself", || {
        serving.status("/healthz") == "200"
    });
    assert_eq!(serving.status(&links[2]), "303");
}

#[test]
fn a_gateway_starts_on_a_full_disk_and_serves_the_sessions_that_there_are() {
    let folder = folder();
    let before = Serving::new(folder.path(), &[]);
    let session = cookie(&before.get(&link(folder.path(), "ada"), ""));
    let refused = link(folder.path(), "bob");
    drop(before.end());
    // These changes wait in `instance.json` to be recorded in the activity.
    for expiry in ["yes", "no"] {
        let set = ["instance", "set", "here", "--require-expiry", expiry];
        assert_eq!(in_folder(folder.path(), &set).code, 0);
    }
    // Leaves less than the minimum below which nothing is written, and enough to open the store.
    let fill = "dd if=/dev/zero of=filler bs=4k || true
         truncate -s -1M filler";
    let Some(serving) = OnSmallDisk::after(folder.path(), fill) else {
        return;
    };
    let home = get("/", &session);
    let home = Serving::ask(&serving.address, &home).unwrap();
    assert!(home.starts_with("HTTP/1.1 200"), "{home}");
    let waiting = || {
        let bytes = fs::read(serving.disk.join("instances/here/instance.json")).unwrap();
        let instance: Value = serde_json::from_slice(&bytes).unwrap();
        instance["acts"]["waiting"].as_array().unwrap().len()
    };
    assert_eq!(waiting(), 2);
    assert_eq!(serving.status("/healthz"), "503");
    assert_eq!(serving.status(&refused), "503");
    fs::remove_file(serving.disk.join("filler")).unwrap();
    until("it is well by itself", || {
        serving.status("/healthz") == "200"
    });
    assert_eq!(serving.status(&refused), "303");
    until("the changes are recorded", || waiting() == 0);
}

#[test]
fn commands_beside_a_gateway_on_a_full_disk_say_so_and_work_when_there_is_room_again() {
    let folder = folder();
    let Some(serving) = OnSmallDisk::new(folder.path()) else {
        return;
    };
    assert!(serving.adds_a_user());
    serving.fill();
    until("nothing is recorded", || !serving.adds_a_user());
    serving.require_full(&["users", "add", "bob"]);
    assert_eq!(serving.run(&["users", "list"]).code, 0, "it can be read");
    serving.make_room();
    until("it works again", || serving.adds_a_user());
}

#[test]
fn a_key_is_rotated_beside_a_gateway_on_a_full_disk_and_recorded_when_there_is_room_again() {
    let folder = folder();
    let Some(serving) = OnSmallDisk::new(folder.path()) else {
        return;
    };
    let keys = |ran: &Ran| {
        assert_eq!(ran.code, 0, "{}", ran.err);
        ran.json()["signing_keys"].as_array().unwrap().clone()
    };
    serving.fill();
    until("nothing is recorded", || !serving.adds_a_user());
    let rotated = keys(&serving.run(&["keys", "rotate"]));
    assert_eq!(rotated.len(), 2);
    assert_eq!(rotated[1]["links"]["count"], 0, "{rotated:?}");
    let old = rotated[1]["id"].as_str().unwrap();
    let retired = keys(&serving.run(&["keys", "retire", old]));
    assert_eq!(retired.len(), 1);
    assert_eq!(retired[0]["id"], rotated[0]["id"]);
    assert_eq!(keys(&serving.run(&["keys", "list"])), retired);
    let recorded = || {
        let list = ["activity", "list", "--search", "signing key"];
        let listed = serving.run(&list).json();
        listed["entries"].as_array().unwrap().len()
    };
    assert_eq!(recorded(), 0);
    serving.require_full(&["users", "add", "bob"]);
    serving.make_room();
    until("it works again", || serving.adds_a_user());
    assert_eq!(recorded(), 2);
}
