//! Copies of the directories that are kept beside these tests. The tests of other packages include
//! this file.

use latchkey_store::Wait as _;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use latchkey_core::activity::{Actor, AuditContext};
use latchkey_core::directory::Directory as _;
use latchkey_core::protocol::user_id::UserId;
use latchkey_store::EmbeddedDirectory;

/// Length of the log. The zeros at its end are not stored.
const LOG_BYTES: u64 = 524_287;

/// Copies the directory in the folder `kept` to the folder `to`.
pub(crate) fn copy(kept: &Path, to: &Path) {
    let sled = to.join("sled");
    fs::create_dir_all(sled.join("blobs")).unwrap();
    for name in ["tally", "watermark", "closed"] {
        if kept.join(name).exists() {
            fs::copy(kept.join(name), to.join(name)).unwrap();
        }
    }
    for file in fs::read_dir(kept.join("sled")).unwrap() {
        let file = file.unwrap();
        let bytes = fs::read(file.path()).unwrap();
        let mut copy = File::create(sled.join(file.file_name())).unwrap();
        copy.write_all(&bytes).unwrap();
    }
    let log = OpenOptions::new().write(true).open(sled.join("db"));
    log.unwrap().set_len(LOG_BYTES).unwrap();
}

/// Makes a directory in the folder `to` with two users who share one address, `buecher` and `xn`,
/// and with a removal of `eve` by a clock that was a year ahead. `store` is the folder of the
/// package `latchkey-store`.
pub(crate) fn with_notices(store: &Path, to: &Path, now: Timestamp) {
    copy(&store.join("tests/store/directory/format-4"), to);
    let directory = EmbeddedDirectory::open(to, "a test").unwrap();
    let ahead = now + SignedDuration::from_hours(8760);
    let by = AuditContext::new(Actor::CommandLine, ahead);
    directory
        .remove(&UserId::parse("eve", "id").unwrap(), &by)
        .wait()
        .unwrap();
}
