//! Proof: a disk changes a bit, loses the end of a file, a segment of the log or a whole file, or
//! returns zeros for a page. Opening the directory then finds everything that was acknowledged, or
//! is refused. A refused opening changes no file.

use std::collections::BTreeMap;
use std::fs;
use std::iter;
use std::path::{Path, PathBuf};

use futures_util::future::join_all;
use latchkey_core::activity::ActivityQuery;
use latchkey_core::directory::{Directory as _, PageStart, Profile, Sort, User, UserQuery};
use latchkey_core::instance::Policy;
use latchkey_core::protocol::metadata::Metadata;
use latchkey_core::protocol::payload::NewUser;
use latchkey_core::{ErrorCode, Result};
use latchkey_store::{EmbeddedDirectory, Wait as _};
use tempfile::TempDir;

use super::embedded::{copy, open};
use super::random::Random;
use super::{id, new_user, person};
use crate::by;
use crate::signed::now;
use crate::soak::{figure, share};

/// Number of users. Their rows and entries fill several segments of the log.
const USERS: usize = 1_500;
/// Number of users whose rows are so large that sled stores them in files of their own.
const LARGE: usize = 60;
/// Length of a segment of the log.
const SEGMENT: usize = 512 * 1024;

/// Everything that can be read from a directory.
#[derive(Debug, PartialEq)]
struct Contents {
    users: Vec<User>,
    /// Number and subject of each entry of the activity.
    entries: Vec<(u64, Option<String>)>,
}

impl Contents {
    fn read(directory: &EmbeddedDirectory) -> Result<Self> {
        let (query, all) = (UserQuery::default(), 9 * USERS);
        let page = directory.users(&query, Sort::default(), &PageStart::First, all);
        let users = page.wait()?.users;
        let (mut entries, mut before) = (Vec::new(), None);
        loop {
            let query = ActivityQuery::default();
            let page = directory.activity(&query, before, all).wait()?;
            let read = page.entries.into_iter();
            entries.extend(read.map(|entry| (entry.number, entry.event.subject)));
            before = page.before;
            if before.is_none() {
                return Ok(Self { users, entries });
            }
        }
    }
}

fn sign_in(directory: &EmbeddedDirectory, number: usize) {
    let (user, by) = (new_user(&format!("user-{number}")), by(now()));
    let redeemed = directory.redeem(Ok(&user), Policy::default(), &by);
    redeemed.wait().unwrap();
}

/// Returns a directory that was closed cleanly, and a copy of a directory in use, as the kill of a
/// process leaves it, with their contents.
fn closed_and_killed() -> [(&'static str, TempDir, Contents); 2] {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(&folder).unwrap();
    (0..USERS / 2).for_each(|number| sign_in(&directory, number));
    drop(directory);
    // This session begins with a snapshot.
    let directory = open(&folder).unwrap();
    (USERS / 3..USERS).for_each(|number| sign_in(&directory, number));
    directory.suspend(&id("user-7"), &by(now())).wait().unwrap();
    let killed = tempfile::tempdir().unwrap();
    copy(folder.path(), killed.path());
    let of_killed = Contents::read(&directory).unwrap();
    drop(directory);
    let closed = tempfile::tempdir().unwrap();
    copy(folder.path(), closed.path());
    let of_closed = Contents::read(&open(&folder).unwrap()).unwrap();
    assert_eq!(of_closed, of_killed);
    assert_eq!(of_closed.users.len(), USERS);
    [("closed", closed, of_closed), ("killed", killed, of_killed)]
}

fn large_text(number: usize) -> String {
    number.to_string().repeat(2_000)
}

fn large_user(number: usize) -> NewUser {
    let json = format!(r#"{{"k":"{}"}}"#, large_text(number));
    NewUser {
        metadata: Metadata::from_json(&json, "metadata").unwrap(),
        ..person(&format!("large-{number}"), None)
    }
}

/// Edits all large users at once. The edits share rows of the journal, which are large, too.
fn edit_large(directory: &EmbeddedDirectory, round: usize) {
    let by = by(now());
    let edits = (10..10 + LARGE).map(|number| {
        let text = large_text(number + round).into();
        let profile = Profile {
            email: None,
            members: iter::once(("k".to_owned(), text)).collect(),
        };
        let by = &by;
        async move {
            let id = id(&format!("large-{number}"));
            directory.edit(&id, &profile, by).await.unwrap()
        }
    });
    join_all(edits).wait();
}

/// Waits until the checkpoint after the last change has been made. The files are copied one after
/// the other, so nothing may write them.
fn settle(directory: &EmbeddedDirectory) {
    let small = id("large-12");
    directory.suspend(&small, &by(now())).wait().unwrap();
    directory.reactivate(&small, &by(now())).wait().unwrap();
}

/// Returns states of a directory whose large rows have files of their own, and their contents: in
/// use, closed cleanly, in use again, and after many edits, which reuse segments of the log.
fn large() -> Vec<(&'static str, TempDir, Contents)> {
    let folder = tempfile::tempdir().unwrap();
    let mut states = Vec::new();
    let mut keep = |state, directory: &EmbeddedDirectory| {
        let kept = tempfile::tempdir().unwrap();
        copy(folder.path(), kept.path());
        states.push((state, kept, Contents::read(directory).unwrap()));
    };
    let directory = open(&folder).unwrap();
    let users: Vec<_> = (10..10 + LARGE).map(large_user).collect();
    directory.import(&users, &by(now())).wait().unwrap();
    settle(&directory);
    keep("large, killed", &directory);
    edit_large(&directory, 1);
    directory
        .suspend(&id("large-12"), &by(now()))
        .wait()
        .unwrap();
    keep("large and edited, killed", &directory);
    drop(directory);
    let directory = open(&folder).unwrap();
    directory
        .suspend(&id("large-13"), &by(now()))
        .wait()
        .unwrap();
    keep("large and opened again, killed", &directory);
    (2..22).for_each(|round| edit_large(&directory, round));
    settle(&directory);
    keep("large and much edited, killed", &directory);
    let contents = Contents::read(&directory).unwrap();
    drop(directory);
    states.push(("large and much edited, closed", folder, contents));
    states
}

/// Returns the files of a directory that a refused opening leaves unchanged.
fn kept_files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = files(folder);
    // The lock says who has opened the directory last.
    all.retain(|path, _| !path.ends_with("lock") && !path.ends_with("holder"));
    all
}

/// Damages a copy of a directory and opens it. Returns whether that was not refused.
fn opens(folder: &Path, contents: &Contents, at: &str, damage: impl FnOnce(&Path)) -> bool {
    let damaged = tempfile::tempdir().unwrap();
    copy(folder, damaged.path());
    damage(damaged.path());
    let before = kept_files(damaged.path());
    match open(&damaged) {
        Ok(directory) => {
            let read = Contents::read(&directory);
            let read = read.unwrap_or_else(|cause| panic!("{at}: {cause}"));
            assert!(read == *contents, "{at}: something is missing");
            true
        }
        Err(cause) => {
            assert_eq!(cause.code, ErrorCode::DamagedFile, "{at}: {cause}");
            let tree = damaged.path().join("sled");
            let message = &cause.message;
            assert!(message.contains(tree.to_str().unwrap()), "{at}: {message}");
            assert!(message.contains("as they were found"), "{at}: {message}");
            let after = kept_files(damaged.path());
            assert!(after == before, "{at}: the files were changed");
            false
        }
    }
}

/// Loses each segment of the log, each file of a large value, and the watermark. Calls `count` with
/// whether the directory was opened.
fn lose_parts((state, folder, contents): &(&str, TempDir, Contents), count: &mut impl FnMut(bool)) {
    let folder = folder.path();
    let length = fs::read(folder.join("sled/db")).unwrap().len();
    // Where sled has reused segments since the snapshot, it is not certain which segments are free.
    // A lost segment can then open without an error.
    let segments = if state.contains("much edited") {
        0
    } else {
        length
    };
    for begin in (0..segments).step_by(SEGMENT) {
        let at = format!("{state}: zeros for the segment at {begin}");
        count(opens(folder, contents, &at, |damaged| {
            let log = damaged.join("sled/db");
            let mut bytes = fs::read(&log).unwrap();
            bytes[begin..length.min(begin + SEGMENT)].fill(0);
            fs::write(log, bytes).unwrap();
        }));
    }
    for blob in files(&folder.join("sled/blobs")).into_keys() {
        let blob = blob.strip_prefix(folder).unwrap();
        let at = format!("{state}: without {}", blob.display());
        count(opens(folder, contents, &at, |damaged| {
            fs::remove_file(damaged.join(blob)).unwrap();
        }));
    }
    let lose_watermark = |damaged: &Path| fs::remove_file(damaged.join("watermark")).unwrap();
    let at = format!("{state}: without the watermark");
    count(opens(folder, contents, &at, lose_watermark));
    // Nothing else says how long the log of a killed process was.
    if !folder.join("closed").exists() {
        return;
    }
    for rest in [length / 2, length - length / 10, length - 100] {
        let at = format!("{state}: without the watermark, and with {rest} bytes of the log");
        count(opens(folder, contents, &at, |damaged| {
            lose_watermark(damaged);
            let log = fs::OpenOptions::new()
                .write(true)
                .open(damaged.join("sled/db"));
            log.unwrap().set_len(rest as u64).unwrap();
        }));
    }
}

/// Returns the files of a folder and of the folders in it.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(files(&path));
        } else {
            all.insert(path.clone(), fs::read(&path).unwrap());
        }
    }
    all
}

#[derive(Clone, Copy, Debug)]
enum Damage {
    Bit,
    Truncation,
    Page,
}

/// Damages a file at a place.
fn damage(path: &Path, damage: Damage, place: usize) {
    let mut bytes = fs::read(path).unwrap();
    match damage {
        Damage::Bit => bytes[place / 8] ^= 1 << (place % 8),
        Damage::Truncation => bytes.truncate(place / 8),
        Damage::Page => {
            let page = place / 8 / 4096 * 4096;
            let end = bytes.len().min(page + 4096);
            bytes[page..end].fill(0);
        }
    }
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_damaged_file_loses_nothing_or_opening_is_refused_and_leaves_the_files_as_they_are() {
    let places = share(2_400);
    let mut random = Random::new();
    let (mut opened, mut refused) = (0, 0);
    let mut count = |is_open: bool| *(if is_open { &mut opened } else { &mut refused }) += 1;
    for state in &closed_and_killed() {
        let (name_of_state, folder, contents) = state;
        let names = [
            ("sled/db", 20),
            ("sled/conf", 1),
            ("sled/snap", 2),
            ("watermark", 1),
            ("closed", 1),
        ];
        for (name, weight) in names {
            let found = files(folder.path()).into_keys().find(|path| {
                let path = path.strip_prefix(folder.path()).unwrap();
                path.to_str().unwrap().starts_with(name)
            });
            let Some(found) = found else { continue };
            let name = found.strip_prefix(folder.path()).unwrap();
            let length = fs::read(&found).unwrap().len();
            for number in 0..(places * weight / 50).max(3) {
                let kind = [Damage::Bit, Damage::Bit, Damage::Page, Damage::Truncation][number % 4];
                // The first and the last bits, and others at random.
                let place = match number {
                    0 => 0,
                    1 => length * 8 - 1,
                    _ => random.below(length * 8),
                };
                let at = format!(
                    "{name_of_state}: {kind:?} of {} at bit {place}",
                    name.display()
                );
                count(opens(folder.path(), contents, &at, |damaged| {
                    damage(&damaged.join(name), kind, place);
                }));
            }
        }
        lose_parts(state, &mut count);
    }
    for state in &large() {
        lose_parts(state, &mut count);
    }
    assert!(opened > 0 && refused > 0, "{opened} {refused}");
    figure("damages", opened + refused);
    figure("opened with everything", opened);
    figure("refused with the files as they were", refused);
}

#[test]
fn an_opening_that_a_crash_interrupted_begins_again_with_the_files_before_it() {
    let folder = tempfile::tempdir().unwrap();
    let directory = open(&folder).unwrap();
    sign_in(&directory, 1);
    drop(directory);
    let tree = folder.path().join("sled");
    let [whole, part] = ["sled.before", "sled.copying"].map(|name| folder.path().join(name));
    copy(&tree, &whole);
    copy(&tree, &part);
    damage(&tree.join("db"), Damage::Truncation, 0);
    let directory = open(&folder).unwrap();
    assert_eq!(directory.count().wait().unwrap(), 1);
    assert!(!whole.exists() && !part.exists());
}
