//! Directories as earlier versions wrote them, kept beside the tests.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::Path;

use latchkey_core::activity::ActivityQuery;
use latchkey_core::directory::{Directory as _, SledDirectory};
use tempfile::TempDir;

/// Length of the log. The zeros at its end are not kept.
const LOG_BYTES: u64 = 524_287;

/// A copy of a directory.
pub(super) fn folder(name: &str) -> TempDir {
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/core/directory");
    let kept = kept.join(name);
    let folder = tempfile::tempdir().unwrap();
    let sled = folder.path().join("sled");
    fs::create_dir_all(sled.join("blobs")).unwrap();
    fs::copy(kept.join("tally"), folder.path().join("tally")).unwrap();
    for file in fs::read_dir(kept.join("sled")).unwrap() {
        let file = file.unwrap();
        let bytes = fs::read(file.path()).unwrap();
        let mut copy = File::create(sled.join(file.file_name())).unwrap();
        copy.write_all(&bytes).unwrap();
    }
    let log = OpenOptions::new().write(true).open(sled.join("db"));
    log.unwrap().set_len(LOG_BYTES).unwrap();
    folder
}

/// The directory, opened by this program.
pub(super) fn open(folder: &TempDir) -> SledDirectory {
    SledDirectory::open(folder.path(), "a test").unwrap()
}

/// Codes of the entries about somebody, newest first.
pub(super) fn about(directory: &SledDirectory, subject: &str) -> Vec<String> {
    let query = ActivityQuery {
        subject: Some(subject.to_owned()),
        ..ActivityQuery::default()
    };
    let page = directory.activity(&query, None, 99).unwrap();
    assert_eq!(page.before, None);
    let entries = page.entries.into_iter();
    entries.map(|entry| entry.event.code).collect()
}
