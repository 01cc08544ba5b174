//! Proof: a process that rotates and retires signing keys is killed at random moments. Afterwards
//! each key that the file names is in its store, and no dropped key is.

use std::env;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use latchkey_core::instance::{Hosted, InstanceId};
use latchkey_core::secret::RetireAfter;

use super::{LEAKED, NOW, active, add, days, home, rotate};
use crate::by;
use crate::directory::random::Random;
use crate::signed::now;
use crate::soak::{figure, share};

/// Environment variable with the folder for the process that is killed.
const FOLDER: &str = "LATCHKEY_TEST_ROTATE";

#[test]
#[ignore = "it is the process that another test kills"]
fn rotates_keys() {
    let Some(folder) = env::var_os(FOLDER) else {
        return;
    };
    let folder = Path::new(&folder);
    let home = home(&folder.join("data"));
    let id = InstanceId::parse("acme").unwrap();
    fs::write(folder.join("begun"), "").unwrap();
    loop {
        let instance = home.instances().get(&id).unwrap();
        let second = rotate(&home, &instance, Some(days(7)));
        // Acknowledged: this key is active until the next step.
        fs::write(folder.join("active"), active(&second)).unwrap();
        let at = by(now());
        home.retire_key(&id, &active(&instance), NOW, &at).unwrap();
        let third = home.retire_key(&id, &active(&second), LEAKED, &at).unwrap();
        rotate(&home, &third, Some(RetireAfter::Now));
    }
}

fn start(folder: &Path) -> Child {
    let _ = fs::remove_file(folder.join("begun"));
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "rotation::kills::rotates_keys"])
        .args(["--ignored", "--nocapture"])
        .env(FOLDER, folder)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    while !folder.join("begun").exists() {
        assert!(child.try_wait().unwrap().is_none(), "it has ended");
        thread::yield_now();
    }
    child
}

#[test]
fn a_rotation_that_is_killed_leaves_each_named_key_in_its_store_and_no_dropped_one() {
    // Twenty moments are few enough for every run.
    let kills = share(300).max(20);
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let id = add(&home(&folder.join("data")), Hosted::Here).id;
    let mut random = Random::new();
    let (mut retiring, mut dropped) = (0, 0);
    for kill in 0..kills {
        let mut child = start(folder);
        // On a busy machine a rotation takes longer.
        let longest = if retiring + dropped == 0 {
            60_000 << (kill / 4).min(5)
        } else {
            60_000
        };
        thread::sleep(Duration::from_micros(random.below(longest) as u64));
        let _ = child.kill();
        child.wait().unwrap();
        let home = home(&folder.join("data"));
        let left = home.instances().get(&id).unwrap();
        let read = |key| home.keys().read(key);
        assert!(read(left.key.as_ref().unwrap()).is_ok(), "kill {kill}");
        for key in &left.retiring {
            assert!(read(&key.key).is_ok(), "kill {kill}: a retiring key");
        }
        retiring += left.retiring.len();
        dropped += left.dropped.len();
        home.key_set(&left, now()).unwrap();
        for key in &left.dropped {
            assert!(read(&key.key).is_err(), "kill {kill}: a dropped key");
        }
        let tidied = home.instances().get(&id).unwrap();
        assert!(tidied.dropped.is_empty(), "kill {kill}");
        assert_eq!(tidied.key, left.key);
        // The retiring keys of the killed process would fill the maximum.
        for key in &tidied.retiring {
            let id = key.key.key_id();
            home.retire_key(&left.id, id, NOW, &by(now())).unwrap();
        }
    }
    figure("rotations killed", kills);
    figure("retiring keys found", retiring);
    figure("dropped keys found", dropped);
    assert!(retiring + dropped > 0, "no kill was between two writes");
}
