//! Proof: an instance with many users is backed up while people sign in. The restored instance
//! equals the original at a moment of the backup.

#![expect(clippy::disallowed_methods, reason = "a proof measures its time")]

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use latchkey_core::activity::{ActivityQuery, Entry};
use latchkey_core::directory::{Directory, PageStart, Sort, User, UserQuery};
use latchkey_core::instance::{Instance, Policy};
use latchkey_store::Wait as _;
use latchkey_store::home::{Home, RestoreOptions};

use super::{add, back_up, home, import, open, restore};
use crate::by;
use crate::directory::snapshots::rows;
use crate::signed::{judge, now};
use crate::soak::{figure, share};

const USERS: usize = 100_000;
const THREADS: usize = 2;

fn entries(directory: &dyn Directory) -> HashMap<u64, Entry> {
    let (mut all, mut before) = (HashMap::new(), None);
    loop {
        let query = ActivityQuery::default();
        let page = directory.activity(&query, before, 5_000);
        let page = page.wait().unwrap();
        all.extend(page.entries.into_iter().map(|entry| (entry.number, entry)));
        before = page.before;
        if before.is_none() {
            return all;
        }
    }
}

fn users(directory: &dyn Directory) -> Vec<User> {
    let query = UserQuery::default();
    let page = directory.users(&query, Sort::default(), &PageStart::First, usize::MAX);
    page.wait().unwrap().users
}

/// Runs work while people sign in by single-use links. Returns the number of sign-ins, the time of
/// the slowest in milliseconds, and the outcome of the work.
fn while_people_sign_in<T>(
    directory: &dyn Directory,
    users: usize,
    work: impl FnOnce() -> T,
) -> (usize, f64, T) {
    let (is_done, signed_in) = (AtomicBool::new(false), AtomicUsize::new(0));
    let (is_done, signed_in) = (&is_done, &signed_in);
    let sign_in = |number: usize| {
        let (iat, user) = (now().as_second() - 60, (number * 7919) % users);
        let code = judge(&format!(
            r#"{{"user":{{"id":"user-{user}"}},"jti":"link-{number}","single_use":true,"iat":{iat}}}"#
        ));
        let begun = Instant::now();
        let verdict = directory
            .redeem(code.as_ref(), Policy::default(), &by(now()))
            .wait();
        assert_eq!(verdict.unwrap().code(), "signed_in");
        signed_in.fetch_add(1, Ordering::Relaxed);
        begun.elapsed().as_secs_f64() * 1000.0
    };
    let (slowest, done) = thread::scope(|scope| {
        let people: Vec<_> = (0..THREADS)
            .map(|thread| {
                scope.spawn(move || {
                    let numbers = (thread..).step_by(THREADS);
                    let going_on = numbers.take_while(|_| !is_done.load(Ordering::Relaxed));
                    going_on.map(sign_in).fold(0.0, f64::max)
                })
            })
            .collect();
        while signed_in.load(Ordering::Relaxed) < 20 {
            thread::yield_now();
        }
        let done = work();
        is_done.store(true, Ordering::Relaxed);
        let slowest = people.into_iter().map(|thread| thread.join().unwrap());
        (slowest.fold(0.0, f64::max), done)
    });
    (signed_in.load(Ordering::Relaxed), slowest, done)
}

/// Without changes at the same time, every row of a restored instance is equal.
fn assert_equal_when_quiet(
    folder: &Path,
    here: &Home,
    instance: &Instance,
    directory: &dyn Directory,
) {
    let mut quiet = Vec::new();
    here.back_up(
        &instance.id,
        directory,
        None,
        now(),
        &mut quiet,
        &mut |_| Ok(()),
    )
    .unwrap();
    let elsewhere = home(folder);
    let options = RestoreOptions::default();
    let reader = latchkey_store::backup::BackupReader::open(&quiet[..]).unwrap();
    let second = elsewhere
        .restore(reader, &options, &by(now()), &mut |_| Ok(()))
        .unwrap();
    // The entry about the restore waits to be recorded.
    let second = elsewhere
        .directory_to_serve(&second.instance, "a test")
        .unwrap();
    assert!(rows(&*second) == rows(directory), "the rows differ");
    assert!(users(&*second) == users(directory), "the users differ");
    assert_eq!(
        second.seats(now()).wait().unwrap(),
        directory.seats(now()).wait().unwrap()
    );
}

#[test]
fn a_backup_of_many_users_while_people_sign_in_is_restored_equal() {
    let count = share(USERS);
    let folder = tempfile::tempdir().unwrap();
    let here = home(&folder.path().join("here"));
    let instance = add(&here, "Acme");
    let directory = open(&here, &instance);
    import(&*directory, "user", count);
    directory
        .set_seat_limit(Some(count as u64 * 2), &by(now()))
        .wait()
        .unwrap();

    let (signed_in, slowest, (backup, seconds)) = while_people_sign_in(&*directory, count, || {
        let begun = Instant::now();
        let backup = back_up(&here, &instance, &*directory, true);
        (backup, begun.elapsed().as_secs_f64())
    });
    let there = home(&folder.path().join("there"));
    let begun = Instant::now();
    let restored = restore(&there, &backup, false, None).unwrap();
    let restoring = begun.elapsed().as_secs_f64();
    // The entry about the restore waits to be recorded.
    let again = there
        .directory_to_serve(&restored.instance, "a test")
        .unwrap();

    // Each entry up to that moment is there, and none after it.
    let (all, kept) = (entries(&*directory), entries(&*again));
    let last = kept.keys().max().copied().unwrap();
    assert_eq!(
        kept.len(),
        all.keys().filter(|number| **number <= last).count()
    );
    for (number, entry) in &kept {
        assert_eq!(all.get(number), Some(entry));
    }
    // Each user is as the entries up to that moment say.
    let mut sign_ins: HashMap<&str, u64> = HashMap::new();
    for entry in kept
        .values()
        .filter(|entry| entry.event.data.code() == "signed_in")
    {
        *sign_ins
            .entry(entry.event.subject.as_deref().unwrap())
            .or_default() += 1;
    }
    let found = users(&*again);
    assert_eq!(found.len(), count);
    for user in &found {
        let expected = sign_ins.get(user.id.as_str()).copied().unwrap_or_default();
        assert_eq!(user.sign_ins, expected, "{}", user.id);
    }
    let linked = rows(&*again)
        .iter()
        .filter(|row| row.starts_with(r#"{"issued_link":"#))
        .count();
    assert_eq!(linked as u64, sign_ins.values().sum::<u64>(), "used links");

    assert_equal_when_quiet(
        &folder.path().join("elsewhere"),
        &here,
        &instance,
        &*directory,
    );
    figure("users", count);
    figure("entries of the activity", kept.len());
    figure("sign-ins while the backup was made", signed_in);
    figure("seconds for the backup", format!("{seconds:.2}"));
    figure("slowest sign-in meanwhile, ms", format!("{slowest:.1}"));
    figure("size of the backup, KiB", backup.len() / 1024);
    figure("seconds for restoring", format!("{restoring:.2}"));
    figure("users, seats and entries that differ", 0);
}
