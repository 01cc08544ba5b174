//! Proof: a disk changes a bit, loses the end of a file or returns zeros for a page. Opening the
//! directory then either finds everything that was acknowledged, or is refused and leaves the files
//! of the tree as they are.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use latchkey_core::activity::ActivityQuery;
use latchkey_core::directory::{Directory as _, PageStart, Sort, User, UserQuery};
use latchkey_core::instance::Policy;
use latchkey_core::{ErrorCode, Result};
use latchkey_store::{EmbeddedDirectory, Wait as _};
use tempfile::TempDir;

use super::embedded::{copy, open};
use super::random::Random;
use super::{id, new_user};
use crate::by;
use crate::signed::now;
use crate::soak::{figure, share};

/// Number of users. Their rows and entries fill several segments of the log.
const USERS: usize = 1_500;

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

/// Returns a directory that was closed cleanly, a copy of one in use, which is what the kill of a
/// process leaves, and their contents.
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
    for (state, folder, contents) in closed_and_killed() {
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
                let at = format!("{state}: {kind:?} of {} at bit {place}", name.display());
                let damaged = tempfile::tempdir().unwrap();
                copy(folder.path(), damaged.path());
                damage(&damaged.path().join(name), kind, place);
                let before = files(&damaged.path().join("sled"));
                match open(&damaged) {
                    Ok(directory) => {
                        let read = Contents::read(&directory);
                        let read = read.unwrap_or_else(|cause| panic!("{at}: {cause}"));
                        assert!(read == contents, "{at}: something is missing");
                        opened += 1;
                    }
                    Err(cause) => {
                        assert_eq!(cause.code, ErrorCode::DamagedFile, "{at}: {cause}");
                        let tree = damaged.path().join("sled");
                        let message = &cause.message;
                        assert!(message.contains(tree.to_str().unwrap()), "{at}: {message}");
                        assert!(message.contains("as they were found"), "{at}: {message}");
                        assert!(files(&tree) == before, "{at}: the files were changed");
                        refused += 1;
                    }
                }
            }
        }
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
