//! Tests of a store that is damaged or cannot be written.

use std::fs;
use std::path::{Path, PathBuf};

use crate::run::{Ran, hosted_here, in_folder};

fn store(folder: &Path) -> PathBuf {
    folder.join("instances/here/directory/sled")
}

fn listed(folder: &Path) -> Ran {
    in_folder(folder, &["users", "list", "--instance", "here"])
}

fn with_users() -> tempfile::TempDir {
    let folder = hosted_here("https://a.b");
    for id in ["ada", "eve"] {
        let added = in_folder(folder.path(), &["users", "add", id, "--instance", "here"]);
        assert_eq!(added.code, 0, "{}", added.err);
    }
    folder
}

/// Returns the paths of the store's snapshots. Each opening writes one.
fn snapshots(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(store(folder)).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .filter(|path| {
            path.file_name()
                .unwrap()
                .to_string_lossy()
                .starts_with("snap.")
        })
        .collect()
}

#[test]
fn an_empty_or_truncated_snapshot_loses_no_user() {
    let folder = with_users();
    for bytes in [0, 7] {
        let snapshots = snapshots(folder.path());
        assert!(!snapshots.is_empty(), "the store keeps a snapshot");
        for snapshot in snapshots {
            let contents = fs::read(&snapshot).unwrap();
            fs::write(&snapshot, &contents[..bytes.min(contents.len())]).unwrap();
        }
        let ran = listed(folder.path());
        assert_eq!(ran.code, 0, "{}", ran.err);
        assert!(
            ran.out.contains("ada") && ran.out.contains("eve"),
            "{}",
            ran.out
        );
    }
}

#[test]
fn a_damaged_store_is_reported_with_a_way_out_and_without_a_panic() {
    for damage in [
        |bytes: &mut Vec<u8>| bytes.iter_mut().for_each(|byte| *byte ^= 0x55),
        |bytes: &mut Vec<u8>| bytes.truncate(100),
        |bytes: &mut Vec<u8>| bytes.clear(),
    ] {
        let folder = with_users();
        let log = store(folder.path()).join("db");
        let mut bytes = fs::read(&log).unwrap();
        damage(&mut bytes);
        fs::write(&log, bytes).unwrap();
        let ran = listed(folder.path());
        assert_eq!(ran.code, 1, "{}{}", ran.out, ran.err);
        let directory = folder.path().join("instances/here/directory");
        assert!(ran.err.contains(directory.to_str().unwrap()), "{}", ran.err);
        assert!(ran.err.contains("Restore it from a backup"), "{}", ran.err);
        assert!(!ran.err.contains("panicked"), "{}", ran.err);
        assert_eq!(ran.err.lines().count(), 1, "{}", ran.err);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_read_only_home_is_named_with_what_to_do() {
    // No user, not even root, can make a folder in /proc or /sys.
    let data = Path::new("/proc/latchkey");
    let ran = in_folder(data, &["instance", "add", "A", "--url", "https://a.b"]);
    assert_eq!(ran.code, 1, "{}", ran.out);
    assert!(
        ran.err.contains("/proc/latchkey could not be made"),
        "{}",
        ran.err
    );
    assert!(!ran.err.contains("os error"), "{}", ran.err);
}
