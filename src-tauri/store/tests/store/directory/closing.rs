//! Tests that opening reads all users after a crash, and does not after a clean close.

use latchkey_store::Wait as _;
use std::path::Path;

use latchkey_core::ErrorCode;
use latchkey_core::directory::{Directory as _, PageStart, Sort, UserQuery};
use latchkey_core::instance::Policy;
use latchkey_store::EmbeddedDirectory;
use tempfile::TempDir;

use super::embedded::{copy, open, tree};
use super::{id, new_user};
use crate::by;
use crate::signed::now;

fn sign_in(directory: &EmbeddedDirectory, user: &str) {
    let redeemed = directory
        .redeem(Ok(&new_user(user)), Policy::default(), &by(now()))
        .wait();
    redeemed.unwrap();
}

/// Returns a directory with three users that was closed cleanly.
fn closed() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(&folder).unwrap();
    for user in ["ada", "bob", "eve"] {
        sign_in(&directory, user);
    }
    drop(directory);
    // Opening writes the journal into the rows.
    drop(open(&folder).unwrap());
    folder
}

/// Returns a copy of an open directory, which is what a crash leaves.
fn crashed(folder: &Path) -> TempDir {
    let crashed = tempfile::tempdir().unwrap();
    copy(folder, crashed.path());
    crashed
}

fn list(directory: &EmbeddedDirectory) -> latchkey_core::Result<usize> {
    let page = directory
        .users(
            &UserQuery::default(),
            Sort::default(),
            &PageStart::First,
            99,
        )
        .wait();
    page.map(|page| page.users.len())
}

fn remove_row(folder: &TempDir, key: &str) {
    let tree = tree(folder);
    assert!(tree.remove(key).unwrap().is_some());
    tree.flush().unwrap();
}

#[test]
fn after_a_clean_close_users_are_read_only_when_they_are_listed() {
    let folder = closed();
    remove_row(&folder, "u:bob");
    let directory = open(&folder).unwrap();
    assert!(directory.user(&id("ada")).wait().unwrap().is_some());
    // Only listing finds that the row is missing.
    for _ in 0..2 {
        let refused = list(&directory).unwrap_err();
        assert_eq!(refused.code, ErrorCode::DamagedFile);
        assert!(refused.message.contains("rows are missing"), "{refused}");
    }
}

#[test]
fn after_a_crash_opening_reads_all_users() {
    let folder = closed();
    let directory = open(&folder).unwrap();
    let crashed = crashed(folder.path());
    drop(directory);
    drop(open(&crashed).unwrap());
    // This close was clean.
    assert!(crashed.path().join("closed").exists());

    let directory = open(&crashed).unwrap();
    assert!(!crashed.path().join("closed").exists());
    let again = self::crashed(crashed.path());
    drop(directory);
    remove_row(&again, "u:bob");
    let refused = open(&again).err().unwrap();
    assert_eq!(refused.code, ErrorCode::DamagedFile);
    assert!(refused.message.contains("rows are missing"), "{refused}");
}

#[test]
fn the_note_of_an_earlier_close_does_not_count() {
    let folder = closed();
    let note = std::fs::read(folder.path().join("closed")).unwrap();
    let directory = open(&folder).unwrap();
    sign_in(&directory, "joe");
    let crashed = crashed(folder.path());
    drop(directory);
    // Restores the note, as if its deletion had not reached the disk.
    std::fs::write(crashed.path().join("closed"), note).unwrap();
    // Opening makes a checkpoint of the journal first.
    remove_row(&crashed, "u:bob");
    let refused = open(&crashed).err().unwrap();
    assert_eq!(refused.code, ErrorCode::DamagedFile);
}

#[test]
fn a_log_that_has_lost_its_end_is_detected_after_a_clean_close() {
    let folder = closed();
    let note = folder.path().join("closed");
    let noted = std::fs::read_to_string(&note).unwrap();
    let mut numbers = noted
        .split(' ')
        .map(|number| number.parse::<u64>().unwrap());
    let changes = numbers.next().unwrap();
    let longer = numbers.next().unwrap() + 1;
    std::fs::write(&note, format!("{changes} {longer}")).unwrap();
    remove_row(&folder, "u:bob");
    let refused = open(&folder).err().unwrap();
    assert_eq!(refused.code, ErrorCode::DamagedFile);
}
