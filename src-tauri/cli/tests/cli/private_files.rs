//! Tests of the permissions of files that the program writes.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

/// Runs the program under a umask that removes no permissions.
fn with_open_umask(data: &Path, arguments: &str) {
    let ran = Command::new("sh")
        .arg("-c")
        .arg(format!("umask 000; exec \"$0\" {arguments}"))
        .arg(env!("CARGO_BIN_EXE_latchkey"))
        .current_dir(data)
        .env("LATCHKEY_KEYCHAIN", "off")
        .env("LATCHKEY_DATA_DIR", data.join("data"))
        .env("LATCHKEY_PASSPHRASE", "correct horse battery")
        .output()
        .unwrap();
    assert!(
        ran.status.success(),
        "{arguments}: {}",
        String::from_utf8_lossy(&ran.stderr)
    );
}

fn assert_private(path: &Path) {
    let found = fs::symlink_metadata(path).unwrap();
    let mode = found.permissions().mode() & 0o777;
    let wanted = if found.is_dir() { 0o700 } else { 0o600 };
    assert_eq!(mode, wanted, "{} has mode {mode:o}", path.display());
    if found.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            assert_private(&entry.unwrap().path());
        }
    }
}

#[test]
fn no_umask_makes_data_readable_by_other_users() {
    let folder = tempfile::tempdir().unwrap();
    for arguments in [
        "instance add Here --url http://localhost:1",
        "users add ada --instance here",
        "instance set here --generate-secret",
        "api-key make CRM --instance here",
        "link --instance here --user-id eve --qr ./eve.png",
    ] {
        with_open_umask(folder.path(), arguments);
    }
    assert_private(&folder.path().join("data"));
    assert_private(&folder.path().join("eve.png"));
}
