//! Test of the service in the guide to the gateway: its unit, and its commands as written.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::Command;

use super::blocks::blocks_in;
use super::commands::is_of_the_service;

const GUIDE: &str = "src-tauri/guides/gateway.md";

/// Stand-in for systemd. It starts and ends the command of the unit, as the unit's user and without
/// capabilities. The service can write only below `/var/lib`.
const SYSTEMCTL: &str = r#"#!/bin/sh
set -eu
unit=/etc/systemd/system/latchkey.service
value_of() {
    sed -n "s/^$1=//p" "$unit" | sed "s,%d,/var/lib/credentials,g"
}
case "$*" in
daemon-reload) ;;
"enable --now latchkey" | "start latchkey")
    mkdir -p /var/lib/credentials
    source=$(value_of LoadCredential | cut -d: -f2)
    install -m 0400 -o latchkey "$source" /var/lib/credentials/secret
    : >"$STATE/out"
    unshare --mount sh -euc "mount -o remount,bind,ro /
        exec env $(value_of Environment) setpriv --reuid=latchkey --regid=latchkey --init-groups \
            --no-new-privs --bounding-set=-all --inh-caps=-all $(value_of ExecStart)" \
        >"$STATE/out" 2>"$STATE/err" &
    echo $! >"$STATE/pid"
    until grep -q . "$STATE/out"; do
        kill -0 $!
        sleep 0.02
    done
    ;;
"stop latchkey")
    id=$(cat "$STATE/pid")
    kill "$id"
    # A process that has ended and that nobody has waited for is in state Z.
    while grep -qs "^State:[[:space:]]*[^Z[:space:]]" "/proc/$id/status"; do
        sleep 0.02
    done
    ;;
*)
    echo "systemctl $*" >&2
    exit 1
    ;;
esac
"#;

#[test]
fn the_unit_of_the_guide_is_exposed_at_most_1_5() {
    let folder = tempfile::tempdir().unwrap();
    let unit = folder.path().join("latchkey.service");
    fs::write(&unit, &blocks_in(GUIDE, "ini")[0]).unwrap();
    let ran = Command::new("systemd-analyze")
        .args(["security", "--offline=true", "--no-pager", "--threshold=15"])
        .arg(&unit)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{said}");
    assert!(said.contains("Overall exposure level"), "{said}");
}

/// Returns whether this computer allows the test to make namespaces.
#[expect(clippy::print_stderr, reason = "a skipped test prints that")]
pub(super) fn may_unshare(folder: &Path) -> bool {
    let is_root = fs::metadata(folder).unwrap().uid() == 0;
    let tried = is_root.then(|| {
        Command::new("unshare")
            .args(["--mount", "--net", "--pid", "--fork", "true"])
            .status()
    });
    let may = matches!(tried, Some(Ok(status)) if status.success());
    if !may {
        eprintln!("skipped: this test needs root and namespaces of its own");
    }
    may
}

#[test]
fn the_service_of_the_guide_is_set_up_administered_backed_up_and_restored_as_written() {
    let folder = tempfile::tempdir().unwrap();
    if !may_unshare(folder.path()) {
        return;
    }
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    fs::create_dir(folder.path().join("bin")).unwrap();
    fs::copy(
        env!("CARGO_BIN_EXE_latchkey"),
        folder.path().join("bin/latchkey"),
    )
    .unwrap();
    write("bin/systemctl", SYSTEMCTL);
    let executable = fs::Permissions::from_mode(0o755);
    fs::set_permissions(folder.path().join("bin/systemctl"), executable).unwrap();
    write("unit", &blocks_in(GUIDE, "ini")[0]);
    let mut blocks = blocks_in(GUIDE, "sh");
    blocks.retain(|block| is_of_the_service(block));
    for (number, block) in blocks.iter().enumerate() {
        write(&number.to_string(), block);
    }
    let [_setup, start, change, back_up, restore] = &blocks[..] else {
        panic!("{blocks:?}");
    };
    assert!(start.contains("systemctl enable"), "{start}");
    assert!(change.contains("api-key make"), "{change}");
    assert!(back_up.contains("systemctl stop"), "{back_up}");
    assert!(restore.contains("tar"), "{restore}");
    // Works on copies of all paths that the commands change, so that this computer is not changed.
    let here = folder.path().display();
    let script = format!(
        "ip link set lo up
         mkdir {here}/etc && cp -a /etc/. {here}/etc && mount --bind {here}/etc /etc
         mount -t tmpfs tmpfs /var/lib
         mkdir {here}/root && mount --bind {here}/root /root
         mount --bind {here}/bin /usr/local/bin
         export PATH=/usr/local/bin:$PATH LATCHKEY_KEYCHAIN=off STATE={here} HOME=/root
         cd /root
         sh -eu {here}/0
         cat {here}/unit >/etc/systemd/system/latchkey.service
         sh -eu {here}/1
         curl --fail --silent http://127.0.0.1:8787/healthz
         sh -eu {here}/2
         [ -z \"$(find /var/lib/latchkey ! -user latchkey)\" ]
         systemctl stop latchkey
         export LATCHKEY_DATA_DIR=/var/lib/latchkey
         latchkey users --instance Acme add ada
         systemctl start latchkey
         sh -eu {here}/3
         systemctl stop latchkey
         rm -r /var/lib/latchkey
         sh -eu {here}/4
         systemctl start latchkey
         curl --fail --silent http://127.0.0.1:8787/healthz
         systemctl stop latchkey
         latchkey users --instance Acme show ada
         latchkey api-key list --instance Acme | grep -q CRM
         [ -z \"$(find /var/lib/latchkey ! -user latchkey)\" ]"
    );
    let ran = Command::new("unshare")
        .args([
            "--net",
            "--mount",
            "--pid",
            "--fork",
            "--kill-child",
            "--mount-proc",
        ])
        .args(["sh", "-euxc", &script])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stderr);
    let log = fs::read_to_string(folder.path().join("err")).unwrap_or_default();
    assert!(ran.status.success(), "{said}\n{log}");
}
