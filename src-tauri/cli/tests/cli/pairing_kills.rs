//! A gateway that is killed while it exchanges a pairing code.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::run::{Ran, latchkey};
use crate::serve::{PASSPHRASE, Serving, folder};

fn at(folder: &Path, arguments: &[&str]) -> Ran {
    let environment = [
        ("LATCHKEY_DATA_DIR", folder.to_str().unwrap()),
        ("LATCHKEY_PASSPHRASE", PASSPHRASE),
    ];
    latchkey(arguments, &environment, b"")
}

fn serving(server: &Path) -> Serving {
    Serving::new(server, &["--admin-listen", "127.0.0.1:0"])
}

/// Returns the names of the keys, and those of the waiting pairings.
fn keys(server: &Path) -> (Vec<String>, Vec<String>) {
    let file = fs::read(server.join("instances/here/instance.json")).unwrap();
    let file: Value = serde_json::from_slice(&file).unwrap();
    let names = |member: &str| {
        let listed = file[member].as_array().into_iter().flatten();
        listed
            .map(|one| one["name"].as_str().unwrap().to_owned())
            .collect()
    };
    (names("api_keys"), names("pairings"))
}

/// Moment at which the gateway is killed.
#[derive(Clone, Copy, Debug)]
enum Moment {
    /// A time after the client has started.
    After(Duration),
    /// As soon as the pairing is not waiting any more.
    Exchanged,
}

#[test]
fn after_a_kill_the_code_works_or_the_key_is_listed_and_can_be_revoked() {
    let server = folder();
    let moments = (0..6).map(|step| Moment::After(Duration::from_millis(40 * step)));
    let moments = moments.chain([Moment::Exchanged; 4]);
    let mut exchanged = 0;
    for (number, moment) in moments.enumerate() {
        let mut gateway = serving(server.path());
        let name = format!("laptop-{number}");
        let make = [
            "api-key",
            "make",
            &name,
            "--scope",
            "admin",
            "--instance",
            "here",
        ];
        let printed = at(server.path(), &make);
        assert_eq!(printed.code, 0, "{}", printed.err);
        let string = printed.out.trim().to_owned();
        let client = tempfile::tempdir().unwrap();
        let mut connecting = Command::new(env!("CARGO_BIN_EXE_latchkey"))
            .args(["instance", "connect", &string, "--name", "Server"])
            .env_clear()
            .env("LATCHKEY_KEYCHAIN", "off")
            .env("LATCHKEY_DATA_DIR", client.path())
            .env("LATCHKEY_PASSPHRASE", PASSPHRASE)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        match moment {
            Moment::After(pause) => thread::sleep(pause),
            Moment::Exchanged => {
                let begun = Instant::now();
                while keys(server.path()).1.contains(&name) {
                    assert!(begun.elapsed() < Duration::from_mins(1), "no exchange");
                    thread::sleep(Duration::from_micros(200));
                }
            }
        }
        gateway.child.kill().unwrap();
        gateway.child.wait().unwrap();
        // The client may wait for a gateway that does not come back.
        let _ = connecting.kill();
        connecting.wait().unwrap();

        let (ready, waiting) = keys(server.path());
        assert_ne!(
            ready.contains(&name),
            waiting.contains(&name),
            "{moment:?}: the key exists or its code works"
        );
        let gateway = serving(server.path());
        if ready.contains(&name) {
            exchanged += 1;
            let listed = at(
                server.path(),
                &["--json", "api-key", "list", "--instance", "here"],
            );
            assert!(listed.out.contains(&name), "{moment:?}: {}", listed.out);
            let revoke = ["api-key", "revoke", &name, "--instance", "here"];
            let revoked = at(server.path(), &revoke);
            assert_eq!(revoked.code, 0, "{moment:?}: {}", revoked.err);
            assert!(!keys(server.path()).0.contains(&name), "{moment:?}");
        } else {
            let (_, instance) = string.rsplit_once("/here?").unwrap();
            let url = gateway.said["admin"]["address"].as_str().unwrap();
            let authority = url.trim_start_matches("https://");
            let again = format!("latchkey://{authority}/here?{instance}");
            let client = tempfile::tempdir().unwrap();
            let connected = at(
                client.path(),
                &["instance", "connect", &again, "--name", "Server"],
            );
            assert_eq!(connected.code, 0, "{moment:?}: {}", connected.err);
            assert!(keys(server.path()).0.contains(&name), "{moment:?}");
        }
    }
    assert!(exchanged >= 4, "{exchanged} kills came after the exchange");
}
