//! Automatic backups.

use std::fs;

use latchkey_core::{Error, ErrorCode};
use latchkey_store::Wait as _;
use latchkey_store::backup::verify;
use latchkey_store::home::KEPT_BACKUPS;

use super::{add, home, import, later, open, restore};

#[test]
fn one_backup_is_made_a_day_and_fourteen_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let home = home(folder.path());
    let instance = add(&home, "Acme");
    let directory = open(&home, &instance);
    import(&*directory, "user", 3);
    let backups = home.instances().folder(&instance.id).join("backups");
    let make = |day| {
        home.back_up_if_due(&instance.id, &*directory, later(day), || Ok(()))
            .unwrap()
    };
    assert!(make(0).is_some());
    assert!(make(0).is_none(), "one is made already");
    for name in [
        "before-moving.latchkey",
        "automatic-x.latchkey",
        "notes.txt",
    ] {
        fs::write(backups.join(name), "mine").unwrap();
    }
    fs::write(backups.join(".automatic-killed"), "half").unwrap();
    for day in 1..20 {
        assert!(make(day).is_some(), "{day}");
    }
    let kept = home.automatic_backups(&instance.id).unwrap();
    assert_eq!(kept.len(), KEPT_BACKUPS);
    let days: Vec<_> = kept.iter().map(|backup| backup.made_at).collect();
    let expected: Vec<_> = (6..20).rev().map(later).collect();
    assert_eq!(days, expected);
    assert_eq!(fs::read_dir(&backups).unwrap().count(), KEPT_BACKUPS + 3);
    for backup in &kept {
        let summary = verify(fs::File::open(&backup.path).unwrap()).unwrap();
        assert_eq!(summary.count("user"), 3);
    }
    fs::write(backups.join("off"), "").unwrap();
    assert!(make(30).is_none(), "they are off");
    drop(directory);
    let backup = fs::read(&kept[0].path).unwrap();
    let restored = restore(&home, &backup, true, None).unwrap().instance;
    assert_eq!(open(&home, &restored).count().wait().unwrap(), 3);
}

#[test]
fn a_backup_that_fails_removes_nothing_and_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let home = home(folder.path());
    let instance = add(&home, "Acme");
    let directory = open(&home, &instance);
    import(&*directory, "user", 3);
    home.back_up_if_due(&instance.id, &*directory, later(0), || Ok(()))
        .unwrap();
    let mut calls = 0;
    let refused = home.back_up_if_due(&instance.id, &*directory, later(1), || {
        calls += 1;
        if calls < 3 {
            return Ok(());
        }
        Err(Error::new(ErrorCode::Storage, "The disk is full."))
    });
    assert_eq!(refused.unwrap_err().code, ErrorCode::Storage);
    let backups = home.instances().folder(&instance.id).join("backups");
    assert_eq!(fs::read_dir(backups).unwrap().count(), 1);
}
