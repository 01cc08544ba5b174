//! Directories as earlier versions wrote them, kept beside the tests.

use latchkey_store::Wait as _;
use std::path::Path;

use latchkey_core::activity::ActivityQuery;
use latchkey_core::directory::Directory;
use latchkey_store::EmbeddedDirectory;
use tempfile::TempDir;

use super::copied::copy;

/// Returns a copy of a directory.
pub(super) fn folder(name: &str) -> TempDir {
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/store/directory");
    let folder = tempfile::tempdir().unwrap();
    copy(&kept.join(name), folder.path());
    folder
}

/// Opens a directory with the current version.
pub(super) fn open(folder: &TempDir) -> EmbeddedDirectory {
    EmbeddedDirectory::open(folder.path(), "a test").unwrap()
}

/// Returns the codes of the entries about a subject, newest first.
pub(super) fn about(directory: &dyn Directory, subject: &str) -> Vec<String> {
    let query = ActivityQuery {
        subject: Some(subject.to_owned()),
        ..ActivityQuery::default()
    };
    let page = directory.activity(&query, None, 99).wait().unwrap();
    assert_eq!(page.before, None);
    let entries = page.entries.into_iter();
    entries
        .map(|entry| entry.event.data.code().to_owned())
        .collect()
}
