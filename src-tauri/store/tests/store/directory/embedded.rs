use latchkey_store::Wait as _;
use std::fs;
use std::ops::Deref;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;

use latchkey_core::ErrorCode;
use latchkey_core::activity::ActivityQuery;
use latchkey_core::directory::{Changed, Directory, Origin, PageStart, Search, Sort, UserQuery};
use latchkey_core::instance::Policy;
use latchkey_core::ledger::{LinkPageStart, LinkQuery, LinkSort, TakenLink};
use latchkey_core::verdict::Status;
use latchkey_store::EmbeddedDirectory;
use tempfile::TempDir;

use super::conformance::conformance_tests;
use super::order::made;
use super::{at, format_4, id, new_user, redeem_together};
use crate::by;
use crate::signed::now;

pub(super) fn open(folder: &TempDir) -> latchkey_core::Result<EmbeddedDirectory> {
    EmbeddedDirectory::open(folder.path(), "a test")
}

/// Opens the directory, signs Ada in, and closes it.
fn sign_ada_in(folder: &TempDir) {
    let directory = open(folder).unwrap();
    directory
        .redeem(Ok(&new_user("ada")), Policy::default(), &by(now()))
        .wait()
        .unwrap();
}

/// A directory without users, in its own folder.
struct Empty {
    directory: EmbeddedDirectory,
    _folder: TempDir,
}

impl Deref for Empty {
    type Target = dyn Directory;

    fn deref(&self) -> &Self::Target {
        &self.directory
    }
}

fn empty() -> Empty {
    let folder = tempfile::tempdir().unwrap();
    Empty {
        directory: open(&folder).unwrap(),
        _folder: folder,
    }
}

/// The suite for all engines.
mod suite {
    super::conformance_tests!(super::empty);
}

#[test]
fn changes_are_there_after_opening_again() {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(&folder).unwrap();
    directory
        .set_seat_limit(Some(5), &by(now()))
        .wait()
        .unwrap();
    directory
        .redeem(Ok(&new_user("ada")), Policy::default(), &by(now()))
        .wait()
        .unwrap();
    directory
        .redeem(Ok(&new_user("eve")), Policy::default(), &by(now()))
        .wait()
        .unwrap();
    directory.suspend(&id("eve"), &by(now())).wait().unwrap();
    let (ada, seats) = (
        directory.user(&id("ada")).wait().unwrap(),
        directory.seats(now()).wait().unwrap(),
    );
    drop(directory);
    let again = open(&folder).unwrap();
    assert_eq!(again.user(&id("ada")).wait().unwrap(), ada);
    assert_eq!(
        (
            again.seats(now()).wait().unwrap(),
            again.count().wait().unwrap()
        ),
        (seats, 2)
    );
    let query = UserQuery {
        search: Search::new("e"),
        status: Some(Status::Suspended),
        origin: Some(Origin::Link),
    };
    let page = again.users(&query, Sort::default(), &PageStart::First, 9);
    let ids: Vec<String> = page
        .wait()
        .unwrap()
        .users
        .iter()
        .map(|user| user.id.to_string())
        .collect();
    assert_eq!(ids, ["eve"], "and is found");
}

#[test]
fn a_second_opening_is_refused_and_names_the_holder() {
    let folder = tempfile::tempdir().unwrap();
    let _held = open(&folder).unwrap();
    let refused = open(&folder).err().unwrap();
    assert_eq!(refused.code, ErrorCode::DirectoryHeld);
    let process = format!("a test (process {})", std::process::id());
    assert!(refused.message.contains(&process), "{}", refused.message);
}

#[test]
fn opening_waits_for_a_directory_that_is_still_closing() {
    let folder = tempfile::tempdir().unwrap();
    for round in 0..60 {
        let directory = open(&folder).unwrap_or_else(|refused| panic!("round {round}: {refused}"));
        let user = new_user(&format!("user-{round}"));
        directory
            .redeem(Ok(&user), Policy::default(), &by(now()))
            .wait()
            .unwrap();
        assert_eq!(directory.count().wait().unwrap(), round + 1);
    }
}

#[test]
fn an_unfinished_snapshot_does_not_prevent_opening() {
    let folder = tempfile::tempdir().unwrap();
    sign_ada_in(&folder);
    fs::write(folder.path().join("sled/snap.0000.generating"), b"cut").unwrap();
    assert_eq!(open(&folder).unwrap().count().wait().unwrap(), 1);
}

#[test]
fn a_directory_that_has_lost_its_rows_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    sign_ada_in(&folder);
    fs::remove_dir_all(folder.path().join("sled")).unwrap();
    let refused = open(&folder).err().unwrap();
    assert_eq!(refused.code, ErrorCode::DamagedFile);
    assert!(refused.message.contains("backup"), "{}", refused.message);
}

#[test]
fn after_a_killed_process_a_changed_bit_at_the_end_of_the_log_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(&folder).unwrap();
    for number in 0..90 {
        let user = new_user(&format!("user-{number}"));
        directory
            .redeem(Ok(&user), Policy::default(), &by(now()))
            .wait()
            .unwrap();
    }
    for from_end in [5, 150, 2_500, 12_000] {
        let killed = tempfile::tempdir().unwrap();
        copy(folder.path(), killed.path());
        let log = killed.path().join("sled/db");
        let mut bytes = fs::read(&log).unwrap();
        let end = bytes.iter().rposition(|byte| *byte != 0).unwrap();
        bytes[end - from_end] ^= 1;
        fs::write(&log, bytes).unwrap();
        let refused = open(&killed).err();
        let refused = refused.unwrap_or_else(|| panic!("{from_end} bytes before the end"));
        assert_eq!(refused.code, ErrorCode::DamagedFile);
    }
    let killed = tempfile::tempdir().unwrap();
    copy(folder.path(), killed.path());
    assert_eq!(open(&killed).unwrap().count().wait().unwrap(), 90);
}

#[test]
fn another_format_is_refused() {
    for (format, code) in [
        (&b"1"[..], ErrorCode::OlderFormat),
        (b"12", ErrorCode::NewerFormat),
        (b"x", ErrorCode::NewerFormat),
    ] {
        let folder = tempfile::tempdir().unwrap();
        drop(open(&folder).unwrap());
        set_format(&folder, format);
        let refused = open(&folder).err().unwrap();
        assert_eq!(refused.code, code);
    }
}

#[test]
fn older_formats_are_migrated() {
    for (format, has_journal) in [(b"2", false), (b"3", true)] {
        let folder = format_4::folder();
        set_format(&folder, format);
        if !has_journal {
            fs::remove_file(folder.path().join("tally")).unwrap();
            let tree = tree(&folder);
            for row in tree.scan_prefix("j:") {
                tree.remove(row.unwrap().0).unwrap();
            }
            tree.flush().unwrap();
        }
        assert_eq!(tree(&folder).scan_prefix("j:").count() > 0, has_journal);
        let directory = open(&folder).unwrap();
        assert_eq!(directory.count().wait().unwrap(), 4);
        drop(directory);
        assert_eq!(tree(&folder).get(b"m:format").unwrap().unwrap(), b"11");
    }
}

#[test]
fn codes_that_are_redeemed_together_are_there_after_opening_again() {
    let folder = tempfile::tempdir().unwrap();
    let codes: Vec<_> = (0..100)
        .map(|number| new_user(&format!("user-{number}")))
        .collect();
    let by = by(now());
    let codes: Vec<_> = codes.into_iter().map(Ok).collect();
    let directory = open(&folder).unwrap();
    for some in codes.chunks(30) {
        let verdicts = redeem_together(&directory, some, &by);
        assert_eq!(verdicts.len(), some.len());
    }
    drop(directory);
    let directory = open(&folder).unwrap();
    assert_eq!(directory.count().wait().unwrap(), 100);
    let page = directory
        .activity(&ActivityQuery::default(), None, 999)
        .wait();
    let numbers: Vec<u64> = page
        .unwrap()
        .entries
        .iter()
        .map(|entry| entry.number)
        .collect();
    assert_eq!(numbers, (1..=100).rev().collect::<Vec<_>>());
}

pub(super) fn tree(folder: &TempDir) -> sled::Db {
    loop {
        // A tree that was dropped may still be closing.
        if let Ok(tree) = sled::open(folder.path().join("sled")) {
            return tree;
        }
        thread::yield_now();
    }
}

pub(super) fn set_format(folder: &TempDir, format: &[u8]) {
    let tree = tree(folder);
    tree.insert(b"m:format", format).unwrap();
    tree.flush().unwrap();
}

#[test]
fn a_tree_that_has_lost_its_latest_changes_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let before = tempfile::tempdir().unwrap();
    sign_ada_in(&folder);
    copy(&folder.path().join("sled"), &before.path().join("sled"));
    sign_ada_in(&folder);
    // The tree has as many rows, but lacks the newest.
    fs::remove_dir_all(folder.path().join("sled")).unwrap();
    copy(&before.path().join("sled"), &folder.path().join("sled"));
    let refused = open(&folder).err().unwrap();
    assert_eq!(refused.code, ErrorCode::DamagedFile);
    assert!(
        refused.message.contains("latest changes"),
        "{}",
        refused.message
    );
}

#[test]
fn a_directory_is_free_until_a_process_holds_it() {
    let folder = tempfile::tempdir().unwrap();
    EmbeddedDirectory::require_free(&folder.path().join("none")).unwrap();
    let directory = open(&folder).unwrap();
    let refused = EmbeddedDirectory::require_free(folder.path()).unwrap_err();
    assert_eq!(refused.code, ErrorCode::DirectoryHeld);
    drop(directory);
    EmbeddedDirectory::require_free(folder.path()).unwrap();
}

pub(super) fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

#[cfg(unix)]
#[test]
fn a_pipe_in_place_of_a_file_blocks_nothing() {
    for name in [
        "lock",
        "holder",
        "watermark",
        "closed",
        "order",
        "sled/db",
        "sled/conf",
        "sled/snap.1",
    ] {
        let folder = tempfile::tempdir().unwrap();
        drop(open(&folder).unwrap());
        let path = folder.path().join(name);
        let _ = fs::remove_file(&path);
        // Not by the program `mkfifo`, because a starting process inherits the locks of all tests
        // for a moment.
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
        match open(&folder) {
            // This file is only a note.
            Ok(directory) => drop(directory.snapshot().wait().unwrap()),
            Err(refused) => {
                assert_eq!(refused.code, ErrorCode::DamagedFile, "{name}");
                assert!(refused.message.contains(name), "{}", refused.message);
            }
        }
    }
}

#[cfg(unix)]
#[test]
fn a_link_in_place_of_a_file_is_not_followed() {
    for name in ["sled/db", "sled/conf", "sled/blobs", "sled"] {
        let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        drop(open(&folder).unwrap());
        let (path, target) = (folder.path().join(name), other.path().join("target"));
        fs::rename(&path, other.path().join("kept")).unwrap();
        fs::write(&target, "important").unwrap();
        for target in [
            target.clone(),
            other.path().join("kept"),
            other.path().join("none"),
        ] {
            std::os::unix::fs::symlink(&target, &path).unwrap();
            let refused = open(&folder).err().unwrap();
            assert_eq!(refused.code, ErrorCode::DamagedFile, "{name}");
            assert!(refused.message.contains(name), "{}", refused.message);
            fs::remove_file(&path).unwrap();
        }
        assert_eq!(fs::read(&target).unwrap(), b"important");
        assert!(!other.path().join("none").exists());
    }
}

#[test]
fn only_changes_of_users_and_seats_and_new_entries_are_published() {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(&folder).unwrap();
    let told = Arc::new(Mutex::new(Vec::new()));
    let tell = Arc::clone(&told);
    directory.on_change(Box::new(move |changed| tell.lock().unwrap().push(changed)));
    let told = || std::mem::take(&mut *told.lock().unwrap());
    let (users, entry) = (
        Changed {
            activity: true,
            users: true,
        },
        Changed {
            activity: true,
            users: false,
        },
    );
    let (claims, ada) = made("ada", "", now());
    directory
        .redeem(Ok(&ada), Policy::default(), &by(now()))
        .wait()
        .unwrap();
    assert_eq!(told(), [users]);
    // Recording a link changes no user.
    directory
        .take_link(TakenLink::new(claims.clone(), None), &by(now()))
        .wait()
        .unwrap();
    assert_eq!(told(), [entry]);
    directory.remove(&id("ada"), &by(now())).wait().unwrap();
    assert_eq!(told(), [users]);
    // The seat limit is shown with the number of users.
    directory
        .set_seat_limit(Some(5), &by(now()))
        .wait()
        .unwrap();
    assert_eq!(told(), [users]);
    // Neither of these has an entry.
    directory.link_shown(&claims, &by(now())).wait().unwrap();
    assert!(directory.suspend(&id("bob"), &by(now())).wait().is_err());
    assert_eq!(told(), []);
}

#[test]
fn links_and_cutoffs_are_the_same_after_a_kill_and_a_reopening() {
    let folder = tempfile::tempdir().unwrap();
    let open = |folder: &Path| EmbeddedDirectory::open(folder, "a test").unwrap();
    let directory = open(folder.path());
    super::ledger::one_of_each_state(&directory);
    let listed = |directory: &EmbeddedDirectory| {
        let query = LinkQuery {
            now: at(0).as_second(),
            ..LinkQuery::default()
        };
        let start = LinkPageStart::First;
        let page = directory.links(&query, LinkSort::default(), &start, 99);
        page.wait().unwrap()
    };
    let before = listed(&directory);
    assert_eq!(before.total, 7);
    let killed = tempfile::tempdir().unwrap();
    copy(folder.path(), killed.path());
    assert_eq!(listed(&open(killed.path())), before);
    drop(directory);
    assert_eq!(listed(&open(folder.path())), before);
}
