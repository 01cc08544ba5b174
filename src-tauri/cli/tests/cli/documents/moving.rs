//! Test of the move to a server: the commands of the guide as written, on two computers that are
//! played by two data folders.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::process::Command;

use super::blocks::blocks_in;
use super::commands::{NETWORK, has_networks, is_of_the_move};

const GUIDE: &str = "src-tauri/guides/moving.md";

/// Stand-in for `scp`: copies into the folder that plays the server.
const SCP: &str = "#!/bin/sh\nset -eu\n[ \"$2\" = server: ]\ncp \"$1\" \"$SERVER\"\n";

#[test]
fn an_instance_moves_to_a_server_by_the_commands_as_written_and_an_older_link_signs_in() {
    if !has_networks() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    for name in ["bin", "desktop", "server"] {
        fs::create_dir(path(name)).unwrap();
    }
    symlink(env!("CARGO_BIN_EXE_latchkey"), path("bin/latchkey")).unwrap();
    fs::write(path("bin/scp"), SCP).unwrap();
    fs::set_permissions(path("bin/scp"), fs::Permissions::from_mode(0o755)).unwrap();
    let mut blocks = blocks_in(GUIDE, "sh");
    blocks.retain(|block| is_of_the_move(block));
    let [desktop, server] = &blocks[..] else {
        panic!("{blocks:?}");
    };
    let (restore, serve) = server.trim().split_once('\n').unwrap();
    assert!(serve.starts_with("latchkey serve"), "{serve}");
    let script = format!(
        "set -eu
         ip link set lo up
         open() {{ curl --fail --silent --show-error --user-agent Mozilla/5.0 --location --cookie-jar \"$2\" \"$1\"; }}
         in_desktop() {{ cd \"$HOME/desktop\"; export LATCHKEY_DATA_DIR=$HOME/desktop/data LATCHKEY_PASSPHRASE='correct horse battery'; }}
         in_server() {{ cd \"$HOME/server\"; export LATCHKEY_DATA_DIR=$HOME/server/data LATCHKEY_PASSPHRASE='staple battery horse'; }}
         in_desktop
         latchkey instance add Acme --url http://localhost:8787
         link=$(latchkey link --instance Acme --user-id ada)
         once=$(latchkey link --instance Acme --user-id bob --single-use)
         latchkey redeem --instance Acme \"$once\"
         {desktop}
         in_server
         {restore}
         {serve} >serve.out 2>serve.err &
         gateway=$!
         until grep -q . serve.out; do kill -0 $gateway || {{ cat serve.err >&2; exit 1; }}; sleep 0.02; done
         open \"$link\" cookies >page
         grep -q 'You are signed in' page
         # A used link stays used: its verdict is refused, also after the move.
         ! latchkey redeem --instance Acme \"$once\" >used
         grep -q link_already_used used
         latchkey users --instance Acme show ada
         kill $gateway
         wait $gateway"
    );
    let ran = Command::new("unshare")
        .args(NETWORK)
        .args(["sh", "-c", &script])
        .env_clear()
        .env(
            "PATH",
            format!("{}:/usr/sbin:/usr/bin:/sbin:/bin", path("bin").display()),
        )
        .env("HOME", folder.path())
        .env("SERVER", path("server"))
        .env("LATCHKEY_KEYCHAIN", "off")
        .env("LATCHKEY_BACKUP_PASSPHRASE", "another horse battery staple")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{script}\n{said}");
}
