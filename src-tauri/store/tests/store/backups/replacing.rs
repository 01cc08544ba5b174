//! Which instance a restored one replaces, and what stays of it.

use std::fs;

use latchkey_core::ErrorCode;
use latchkey_core::instance::Name;
use latchkey_store::Wait as _;

use super::{add, back_up, files, home, import, open, restore};
use crate::by;
use crate::signed::now;

#[test]
fn an_instance_is_replaced_only_on_demand_and_another_name_makes_another_instance() {
    let folder = tempfile::tempdir().unwrap();
    let home = home(folder.path());
    let instance = add(&home, "Acme");
    let directory = open(&home, &instance);
    import(&*directory, "old", 3);
    let backup = back_up(&home, &instance, &*directory, true);
    import(&*directory, "new", 4);
    drop(directory);
    let refused = restore(&home, &backup, false, None).unwrap_err();
    assert_eq!(refused.code, ErrorCode::InstanceExists);
    assert_eq!(refused.field.as_deref(), Some("replace"));
    let count = |instance| open(&home, instance).count().wait().unwrap();
    assert_eq!(count(&instance), 7);

    let copy = restore(&home, &backup, false, Some("Copy of Acme")).unwrap();
    assert_eq!(copy.instance.id.as_str(), "copy-of-acme");
    assert_eq!((count(&copy.instance), count(&instance)), (3, 7));
    let refused = restore(&home, &backup, false, Some("copy of ACME")).unwrap_err();
    assert_eq!(refused.code, ErrorCode::InstanceExists);

    let restored = restore(&home, &backup, true, None).unwrap();
    assert!(restored.has_replaced);
    assert_eq!(restored.instance.id, instance.id);
    assert_eq!(count(&instance), 3);
    let all = home.instances().list().unwrap();
    assert_eq!((all.instances.len(), all.problems.len()), (2, 0));
}

#[test]
fn an_instance_that_was_renamed_keeps_its_id() {
    let folder = tempfile::tempdir().unwrap();
    let home = home(folder.path());
    let instance = add(&home, "Acme");
    let backup = back_up(&home, &instance, &*open(&home, &instance), false);
    let renamed = home
        .instances()
        .update(&instance.id, &by(now()), |instance| {
            instance.settings.name = Name::parse("Renamed")?;
            Ok(())
        });
    renamed.unwrap();
    // Its ID is still found by the old name.
    let refused = restore(&home, &backup, false, None).unwrap_err();
    assert_eq!(refused.code, ErrorCode::InstanceExists);
    let restored = restore(&home, &backup, true, Some("Renamed"))
        .unwrap()
        .instance;
    assert_eq!(
        (restored.id.as_str(), restored.settings.name.as_str()),
        ("acme", "Renamed")
    );
}

#[test]
fn another_instance_than_that_of_the_backup_is_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let home = home(folder.path());
    let acme = add(&home, "Acme");
    let backup = back_up(&home, &acme, &*open(&home, &acme), true);
    let other = add(&home, "Other");
    import(&*open(&home, &other), "other", 2);
    let refused = restore(&home, &backup, true, Some("Other")).unwrap_err();
    assert_eq!(refused.code, ErrorCode::InstanceExists);
    assert_eq!(refused.field.as_deref(), Some("name"));
    for words in ["'acme'", "another name", "remove 'Other' first"] {
        assert!(refused.message.contains(words), "{}", refused.message);
    }
    let kept = home.instances().get(&other.id).unwrap();
    assert_eq!(kept.settings, other.settings);
    assert_eq!(open(&home, &other).count().wait().unwrap(), 2);
    // The way that the message names.
    home.remove(&other.id).unwrap();
    let restored = restore(&home, &backup, false, Some("Other")).unwrap();
    assert_eq!(restored.instance.id, other.id);
}

#[test]
fn an_instance_whose_directory_a_process_holds_is_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let home = home(folder.path());
    let instance = add(&home, "Acme");
    let directory = open(&home, &instance);
    let backup = back_up(&home, &instance, &*directory, true);
    let refused = restore(&home, &backup, true, None).unwrap_err();
    assert_eq!(refused.code, ErrorCode::DirectoryHeld);
    drop(directory);
    restore(&home, &backup, true, None).unwrap();
}

#[test]
fn automatic_backups_and_the_certificate_of_a_replaced_instance_stay() {
    let folder = tempfile::tempdir().unwrap();
    let home = home(folder.path());
    let instance = add(&home, "Acme");
    let directory = open(&home, &instance);
    let own = home.instances().folder(&instance.id);
    fs::write(own.join("self-signed.pem"), "certificate").unwrap();
    let made = home.back_up_if_due(&instance.id, &*directory, now(), || Ok(()));
    let made = made.unwrap().unwrap();
    drop(directory);
    let backup = fs::read(&made.path).unwrap();
    restore(&home, &backup, true, None).unwrap();
    assert_eq!(home.automatic_backups(&instance.id).unwrap(), [made]);
    assert_eq!(
        fs::read(own.join("self-signed.pem")).unwrap(),
        b"certificate"
    );
    let names: Vec<_> = fs::read_dir(own.parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !name.ends_with("lock"))
        .collect();
    assert_eq!(names, ["acme"], "nothing is left behind");
    assert!(!files(folder.path()).is_empty());
}

#[test]
fn the_certificate_is_restored_with_the_keys() {
    let folder = tempfile::tempdir().unwrap();
    let here = home(&folder.path().join("here"));
    let instance = add(&here, "Acme");
    let path = |home: &latchkey_store::home::Home| {
        home.instances()
            .folder(&instance.id)
            .join("self-signed.pem")
    };
    fs::write(path(&here), "certificate").unwrap();
    let backup = back_up(&here, &instance, &*open(&here, &instance), true);
    let there = home(&folder.path().join("there"));
    restore(&there, &backup, false, None).unwrap();
    assert_eq!(fs::read(path(&there)).unwrap(), b"certificate");
}
