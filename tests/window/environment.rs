//! Environment of a test's Studio: its own folders, and its own keychain or none.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

/// Folders and a session for Studio, which last over its restarts.
pub(crate) struct Environment {
    home: TempDir,
    session: Option<Session>,
}

/// A D-Bus session with an unlocked gnome-keyring.
struct Session {
    address: String,
    bus: Child,
    keyring: Child,
}

impl Environment {
    /// Creates an environment with a real Secret Service.
    pub(crate) fn with_keychain() -> Self {
        let home = tempfile::tempdir().unwrap();
        let session = Session::start(home.path());
        Self {
            home,
            session: Some(session),
        }
    }

    /// Creates an environment without any keychain.
    pub(crate) fn without_keychain() -> Self {
        Self {
            home: tempfile::tempdir().unwrap(),
            session: None,
        }
    }

    pub(crate) fn data_dir(&self) -> std::path::PathBuf {
        self.home.path().join("data")
    }

    /// Makes the desktop ask every window for more contrast and less motion.
    pub(crate) fn ask_for_contrast_and_less_motion(&self) {
        let folder = self.home.path().join("config/gtk-3.0");
        std::fs::create_dir_all(&folder).unwrap();
        let settings = "[Settings]\ngtk-theme-name=HighContrast\ngtk-enable-animations=0\n";
        std::fs::write(folder.join("settings.ini"), settings).unwrap();
    }

    /// Makes the keychain hang, like one that waits for a hidden dialog.
    pub(crate) fn hang_keychain(&self) {
        self.signal_keychain("-STOP");
    }

    /// Makes the keychain respond again.
    pub(crate) fn resume_keychain(&self) {
        self.signal_keychain("-CONT");
    }

    fn signal_keychain(&self, signal: &str) {
        let keyring = self
            .session
            .as_ref()
            .expect("there is a keychain")
            .keyring
            .id();
        let status = Command::new("kill")
            .args([signal, &keyring.to_string()])
            .status()
            .unwrap();
        assert!(status.success());
    }

    pub(crate) fn variables(&self) -> Vec<(&'static str, String)> {
        let below = |name: &str| self.home.path().join(name).display().to_string();
        let address = match &self.session {
            Some(session) => session.address.clone(),
            None => "unix:path=/nonexistent".to_owned(),
        };
        vec![
            ("HOME", below("")),
            ("XDG_RUNTIME_DIR", below("")),
            ("XDG_DATA_HOME", below("share")),
            ("XDG_CONFIG_HOME", below("config")),
            ("XDG_CACHE_HOME", below("cache")),
            ("LATCHKEY_DATA_DIR", below("data")),
            ("DBUS_SESSION_BUS_ADDRESS", address),
            ("GTK_USE_PORTAL", "0".to_owned()),
            ("LANG", "C.UTF-8".to_owned()),
            ("TZ", "UTC".to_owned()),
        ]
    }
}

impl Session {
    fn start(home: &Path) -> Self {
        let mut bus = Command::new("dbus-daemon")
            .args(["--session", "--nofork", "--print-address"])
            .env("HOME", home)
            .env("XDG_RUNTIME_DIR", home)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("dbus-daemon is installed: `cargo xtask test` does it");
        let mut address = String::new();
        BufReader::new(bus.stdout.take().unwrap())
            .read_line(&mut address)
            .unwrap();
        let address = address.trim().to_owned();
        let mut keyring = Command::new("gnome-keyring-daemon")
            .args(["--foreground", "--unlock", "--components=secrets"])
            .env("HOME", home)
            .env("XDG_RUNTIME_DIR", home)
            .env("XDG_DATA_HOME", home.join("share"))
            .env("DBUS_SESSION_BUS_ADDRESS", &address)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("gnome-keyring is installed: `cargo xtask test` does it");
        // Password of the keyring. The daemon reads its input to the end.
        keyring.stdin.take().unwrap().write_all(b"\n").unwrap();
        let session = Self {
            address,
            bus,
            keyring,
        };
        session.wait_for_keyring();
        session
    }

    /// Waits until the Secret Service is on the bus.
    fn wait_for_keyring(&self) {
        for _ in 0..200 {
            let found = Command::new("dbus-send")
                .args([
                    "--session",
                    "--print-reply",
                    "--dest=org.freedesktop.DBus",
                    "/org/freedesktop/DBus",
                    "org.freedesktop.DBus.NameHasOwner",
                    "string:org.freedesktop.secrets",
                ])
                .env("DBUS_SESSION_BUS_ADDRESS", &self.address)
                .output()
                .unwrap();
            if String::from_utf8_lossy(&found.stdout).contains("boolean true") {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        panic!("gnome-keyring did not start");
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        for child in [&mut self.keyring, &mut self.bus] {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
