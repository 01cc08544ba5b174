//! Tests of a directory on a full disk, a tmpfs of 24 MB. Only root can mount it, so for other
//! users the tests do nothing.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::Map;

use super::EmbeddedDirectory;
use super::open::Opened;
use super::room::Limits;
use crate::elapsed;
use crate::wait::Wait as _;
use latchkey_core::Result;
use latchkey_core::activity::{ActivityQuery, Actor, AuditContext, Kind};
use latchkey_core::directory::Directory as _;
use latchkey_core::instance::Policy;
use latchkey_core::protocol::claims::Registered;
use latchkey_core::protocol::code::{CodeRefusal, VerifiedCode};
use latchkey_core::protocol::metadata::Metadata;
use latchkey_core::protocol::payload::{NewUser, Payload};
use latchkey_core::protocol::user_id::UserId;
use latchkey_core::verdict::Verdict;

struct Disk {
    folder: tempfile::TempDir,
}

impl Disk {
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=24m", "latchkey-test"])
            .arg(folder.path())
            .status();
        let is_mounted = mounted.is_ok_and(|status| status.success());
        is_mounted.then_some(Self { folder })
    }

    fn directory(&self) -> PathBuf {
        self.folder.path().join("directory")
    }

    fn open(&self) -> EmbeddedDirectory {
        EmbeddedDirectory::open(&self.directory(), "a test").unwrap()
    }

    /// Writes a file until `left` bytes are free.
    fn fill(&self, left: u64) -> Ballast {
        let path = self.folder.path().join("ballast");
        let mut file = File::create(&path).unwrap();
        while fs4::available_space(&path).unwrap() > left {
            if file.write_all(&[1; 4096]).is_err() {
                break;
            }
        }
        Ballast(path)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let path: &Path = self.folder.path();
        // Unmounts lazily, because a dropped tree may still be closing.
        drop(Command::new("umount").arg("-l").arg(path).status());
    }
}

struct Ballast(PathBuf);

impl Drop for Ballast {
    fn drop(&mut self) {
        fs::remove_file(&self.0).unwrap();
    }
}

fn by(at: i64) -> AuditContext {
    AuditContext::new(Actor::Visitor, Timestamp::from_second(at).unwrap())
}

fn sign_in(directory: &EmbeddedDirectory, id: &str) -> Result<Verdict> {
    let code = VerifiedCode {
        judged_at: 0,
        key_id: None,
        link: id.to_owned(),
        is_made_here: false,
        payload: Payload::User(NewUser {
            id: UserId::parse(id, "id").unwrap(),
            email: None,
            metadata: Metadata::default(),
        }),
        registered: Registered::default(),
        members: Map::new(),
    };
    directory
        .redeem(Ok(&code), Policy::default(), &by(0))
        .wait()
}

fn refuse(directory: &EmbeddedDirectory, at: i64) {
    let refused = Err(&CodeRefusal::BadSignature);
    let verdict = directory.redeem(refused, Policy::default(), &by(at)).wait();
    assert_eq!(verdict.unwrap().code(), "bad_signature", "at {at}");
}

fn count(directory: &EmbeddedDirectory, kind: Kind) -> usize {
    let (mut count, mut before) = (0, None);
    loop {
        let query = ActivityQuery {
            kind: Some(kind),
            ..ActivityQuery::default()
        };
        let page = directory.activity(&query, before, 999_999).wait().unwrap();
        count += page.entries.len();
        before = page.before;
        if before.is_none() {
            return count;
        }
    }
}

#[test]
fn bad_codes_do_not_fill_the_disk_and_a_full_disk_needs_no_restart() {
    let Some(disk) = Disk::mount() else { return };
    let directory = disk.open();
    sign_in(&directory, "first").unwrap();
    let ballast = disk.fill(8 * 1024 * 1024);
    // One code per hour, so that each refusal would be recorded at once.
    let mut hour = 0;
    while directory.shared.opened.room().is_ample() {
        refuse(&directory, hour * 3600);
        hour += 1;
        assert!(hour < 100_000, "the reserve is never reached");
    }
    for _ in 0..200 {
        refuse(&directory, hour * 3600);
        hour += 1;
    }
    let recorded = count(&directory, Kind::Refusal);
    assert!(
        recorded <= usize::try_from(hour - 190).unwrap(),
        "{recorded} of {hour}"
    );
    for number in 0..100 {
        sign_in(&directory, &format!("reserve-{number}")).unwrap();
    }
    drop(ballast);
    let ballast = disk.fill(0);
    thread::sleep(Duration::from_millis(60));
    let refused = sign_in(&directory, "full").unwrap_err();
    assert!(refused.message.contains("full"), "{}", refused.message);
    let first = UserId::parse("first", "id").unwrap();
    assert!(
        directory.user(&first).wait().unwrap().is_some(),
        "it can be read"
    );
    // A refusal is still answered and counted.
    refuse(&directory, hour * 3600);
    drop(ballast);
    thread::sleep(Duration::from_millis(60));
    sign_in(&directory, "again").unwrap();
    directory.record_counted(Timestamp::MAX).wait().unwrap();
    assert!(
        count(&directory, Kind::Refusal) > recorded,
        "counted ones are recorded"
    );
    drop(directory);
    let directory = disk.open();
    assert_eq!(directory.count().wait().unwrap(), 102);
    assert_eq!(count(&directory, Kind::SignIn), 102);
}

#[test]
fn a_tree_that_a_failed_write_has_broken_is_opened_again_with_all_that_was_acknowledged() {
    const THREADS: usize = 4;
    let Some(disk) = Disk::mount() else { return };
    let mut opened = Opened::new(&disk.directory(), "a test").unwrap();
    // Another program may use the last space between the measurement and the write.
    opened.set_limits(Limits {
        reserve: 0,
        minimum: 0,
    });
    let directory = EmbeddedDirectory::over(opened).unwrap();
    sign_in(&directory, "first").unwrap();
    let ballast = disk.fill(256 * 1024);
    let (signed_in, ended) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let ended_within = elapsed::start() + Duration::from_mins(1);
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (directory, signed_in, ended) = (&directory, &signed_in, &ended);
            scope.spawn(move || {
                for number in 0..100_000 {
                    if sign_in(directory, &format!("{thread}-{number}")).is_err() {
                        break;
                    }
                    signed_in.fetch_add(1, Ordering::SeqCst);
                }
                ended.fetch_add(1, Ordering::SeqCst);
            });
        }
        while ended.load(Ordering::SeqCst) < THREADS {
            // A gateway does this every few seconds.
            drop(directory.record_counted(Timestamp::MAX).wait());
            assert!(elapsed::start() < ended_within, "somebody waits for ever");
            thread::sleep(Duration::from_millis(20));
        }
    });
    let acknowledged = signed_in.into_inner() + 1;
    assert!(sign_in(&directory, "broken").is_err());
    drop(ballast);
    let until = elapsed::start() + Duration::from_secs(30);
    while let Err(refused) = sign_in(&directory, "again") {
        assert!(elapsed::start() < until, "{}", refused.message);
        thread::sleep(Duration::from_millis(50));
    }
    // Changes that were not acknowledged may be there, too.
    let there = usize::try_from(directory.count().wait().unwrap()).unwrap();
    assert!(there > acknowledged, "{there} of {acknowledged}");
    drop(directory);
    let again = disk.open();
    assert_eq!(
        usize::try_from(again.count().wait().unwrap()).unwrap(),
        there
    );
}
