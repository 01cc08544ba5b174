//! Proof: a process that restores an instance is killed at random moments. Afterwards the data
//! folder has the old instance or the new one.

#![expect(clippy::disallowed_methods, reason = "a proof measures its time")]

use std::env;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use latchkey_store::Wait as _;

use super::{add, back_up, home, import, open, restore};
use crate::directory::random::Random;
use crate::soak::{figure, share};

/// Environment variable with the folder for the process that is killed.
const FOLDER: &str = "LATCHKEY_TEST_RESTORE";
const OLD: usize = 700;
const NEW: usize = 1_500;

#[test]
#[ignore = "it is the process that another test kills"]
fn restores_an_instance() {
    let Some(folder) = env::var_os(FOLDER) else {
        return;
    };
    let folder = Path::new(&folder);
    let home = home(&folder.join("data"));
    let backup = fs::read(folder.join("backup")).unwrap();
    fs::write(folder.join("begun"), "").unwrap();
    restore(&home, &backup, true, None).unwrap();
    fs::write(folder.join("done"), "").unwrap();
}

/// Starts a process that restores the backup in a folder, and waits until it begins.
fn start(folder: &Path) -> Child {
    let _ = fs::remove_file(folder.join("begun"));
    let _ = fs::remove_file(folder.join("done"));
    let mut child = Command::new(env::current_exe().unwrap())
        .args(["--exact", "backups::kills::restores_an_instance"])
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
fn a_restoring_that_is_killed_leaves_the_old_instance_or_the_new_one() {
    // Twenty moments are few enough for every run.
    let kills = share(400).max(20);
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    // The backup and the old instance have users of other names.
    let there = home(&folder.join("there"));
    let instance = add(&there, "Acme");
    let directory = open(&there, &instance);
    import(&*directory, "new", NEW);
    let backup = back_up(&there, &instance, &*directory, true);
    fs::write(folder.join("backup"), &backup).unwrap();
    let data = folder.join("data");
    let instance = {
        let home = home(&data);
        let instance = add(&home, "Acme");
        import(&*open(&home, &instance), "old", OLD);
        instance
    };
    let old = folder.join("old");
    copy(&data, &old);
    let begun = Instant::now();
    assert!(start(folder).wait().unwrap().success());
    let longest = usize::try_from(begun.elapsed().as_micros()).unwrap();
    let mut random = Random::new();
    let (mut olds, mut news) = (0, 0);
    for kill in 0..kills {
        fs::remove_dir_all(&data).unwrap();
        copy(&old, &data);
        let mut child = start(folder);
        // Most kills are near the end, where the folders are renamed. The first one is at once,
        // because on a busy machine all others may come late.
        let moment = match kill {
            0 => 0,
            _ if kill % 2 == 0 => random.below(longest),
            _ => longest * 3 / 4 + random.below(longest / 3),
        };
        thread::sleep(Duration::from_micros(moment as u64));
        let _ = child.kill();
        child.wait().unwrap();
        let home = home(&data);
        let left = fs::read_dir(data.join("instances")).unwrap();
        let left: Vec<_> = left
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|name| !name.ends_with("lock"))
            .collect();
        assert_eq!(left, ["acme"], "kill {kill}");
        let instance = home.instances().get(&instance.id).unwrap();
        home.signing_key(&instance).unwrap();
        let directory = open(&home, &instance);
        let count = usize::try_from(directory.count().wait().unwrap()).unwrap();
        let name = match count {
            OLD => "old",
            NEW => "new",
            other => panic!("kill {kill}: {other} users"),
        };
        for number in 0..count {
            let user = super::user(&format!("{name}-{number}"));
            assert!(
                directory.user(&user).wait().unwrap().is_some(),
                "kill {kill}: {user}"
            );
        }
        if name == "old" {
            assert!(
                !folder.join("done").exists(),
                "kill {kill}: it was acknowledged"
            );
            olds += 1;
        } else {
            news += 1;
        }
    }
    figure("restores killed", kills);
    figure("of them with the old instance", olds);
    figure("of them with the new instance", news);
    assert!(olds > 0, "no kill was early");
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}
