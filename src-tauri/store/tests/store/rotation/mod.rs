//! Rotation and retirement of signing keys.

mod kills;

use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use latchkey_core::ErrorCode;
use latchkey_core::admin::RetirementRequest;
use latchkey_core::instance::{Hosted, Instance, MAX_RETIRING, Name, Settings};
use latchkey_core::link::BaseUrl;
use latchkey_core::secret::{
    KeyRotation, RetireAfter, Secret, SecretEncoding, SecretSource, SigningKey,
};
use latchkey_store::Wait as _;
use latchkey_store::home::Home;
use latchkey_store::keys::{KeychainUse, KeysState};

use crate::by;
use crate::signed::now;

/// Opens a data folder with a sealed file.
fn home(folder: &Path) -> Home {
    let home = Home::open(folder.to_owned(), KeychainUse::Never).unwrap();
    let passphrase = Secret::new("correct horse battery staple".into());
    match home.keys().state() {
        KeysState::SealedFileLocked => home.keys().unlock(&passphrase).unwrap(),
        _ => home.keys().create(&passphrase).unwrap(),
    }
    home
}

fn add(home: &Home, hosted: Hosted) -> Instance {
    let url = BaseUrl::parse("https://chat.acme.example").unwrap();
    let settings = Settings::new(Name::parse("Acme").unwrap(), url, hosted);
    home.add(settings, SecretSource::Generate, &by(now()))
        .unwrap()
}

fn rotate(home: &Home, instance: &Instance, after: Option<RetireAfter>) -> Instance {
    let rotation = KeyRotation {
        source: SecretSource::Generate,
        retire_after: after,
    };
    home.rotate(&instance.id, rotation, &by(now())).unwrap()
}

fn days(days: i64) -> RetireAfter {
    RetireAfter::Secs(days * 86_400)
}

fn later(days: i64) -> Timestamp {
    now() + SignedDuration::from_hours(24 * days)
}

fn active(instance: &Instance) -> String {
    instance.key.as_ref().unwrap().key_id().to_owned()
}

/// Returns the IDs of the keys that verify at a time.
fn usable(home: &Home, instance: &Instance, at: Timestamp) -> Vec<String> {
    let instance = home.instances().get(&instance.id).unwrap();
    let keys = home.key_set(&instance, at).unwrap();
    let usable = keys.usable(at).into_iter();
    usable
        .filter_map(SigningKey::id)
        .map(str::to_owned)
        .collect()
}

/// Returns the codes of the changes that wait to be recorded.
fn events(home: &Home, instance: &Instance) -> Vec<String> {
    let instance = home.instances().get(&instance.id).unwrap();
    let waiting = instance.outbox.waiting.iter();
    waiting
        .map(|entry| entry.event.data.code().to_owned())
        .collect()
}

/// Returns whether the secret of a key is still in its store.
fn is_kept(home: &Home, instance: &Instance) -> bool {
    home.keys().read(instance.key.as_ref().unwrap()).is_ok()
}

const NOW: RetirementRequest = RetirementRequest {
    leaked: false,
    retire_after: None,
    without_secret: false,
};
const LEAKED: RetirementRequest = RetirementRequest {
    leaked: true,
    retire_after: None,
    without_secret: false,
};

#[test]
fn the_old_key_verifies_for_30_days_and_is_then_deleted() {
    let folder = tempfile::tempdir().unwrap();
    let home = home(folder.path());
    let first = add(&home, Hosted::Here);
    let second = rotate(&home, &first, None);
    let (old, new) = (active(&first), active(&second));
    assert_eq!(usable(&home, &first, later(29)), [new.clone(), old.clone()]);
    assert!(is_kept(&home, &first));
    assert_eq!(usable(&home, &first, later(30)), [new]);
    assert!(!is_kept(&home, &first), "its secret is deleted");
    let left = home.instances().get(&first.id).unwrap();
    assert!(left.retiring.is_empty() && left.dropped.is_empty());
    assert!(is_kept(&home, &left));
    let retires_at = later(30).as_second();
    let ends = [None, Some(retires_at), Some(retires_at + 1)];
    let stops_at = |key: &str, at| ends.map(|end| second.retires_before(key, end, at));
    let stops = |key: &str| stops_at(key, now());
    assert_eq!(stops(&old), [Some(retires_at), None, Some(retires_at)]);
    assert_eq!(stops(left.key.as_ref().unwrap().key_id()), [None; 3]);
    assert_eq!(stops_at(&old, later(30)), [None; 3], "it has retired");
    assert_eq!(events(&home, &first), ["instance_made", "key_rotated"]);
}

#[test]
fn a_key_that_is_replaced_at_once_is_deleted_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let home = home(folder.path());
    let first = add(&home, Hosted::Here);
    let second = rotate(&home, &first, Some(RetireAfter::Now));
    assert_eq!(usable(&home, &first, now()), [active(&second)]);
    assert!(!is_kept(&home, &first));
    assert!(second.dropped.is_empty());
    assert_eq!(
        events(&home, &first),
        ["instance_made", "secret_replaced", "key_retired"]
    );
}

#[test]
fn a_retirement_date_is_changed_and_a_key_is_retired_before_it() {
    let folder = tempfile::tempdir().unwrap();
    let home = home(folder.path());
    let first = add(&home, Hosted::Here);
    let second = rotate(&home, &first, None);
    let old = active(&first);
    let week = RetirementRequest {
        leaked: false,
        retire_after: Some(days(7)),
        without_secret: false,
    };
    let at = by(now());
    let set = home.retire_key(&first.id, &old, week, &at).unwrap();
    assert_eq!(set.retiring[0].retires_at, later(7).as_second());
    assert_eq!(usable(&home, &first, later(6)).len(), 2);
    let retired = home.retire_key(&first.id, &old, NOW, &at).unwrap();
    assert!(retired.retiring.is_empty() && retired.dropped.is_empty());
    assert!(!is_kept(&home, &first));
    assert_eq!(usable(&home, &first, now()), [active(&second)]);
    assert_eq!(
        events(&home, &first)[2..],
        ["key_retirement_set", "key_retired"]
    );
    let gone = home.retire_key(&first.id, &old, NOW, &at).unwrap_err();
    assert_eq!(gone.code, ErrorCode::UnknownSigningKey);
    let refused = home.retire_key(&first.id, &active(&second), NOW, &at);
    let refused = refused.unwrap_err();
    assert_eq!(refused.code, ErrorCode::InvalidSetting);
    assert_eq!(refused.field.as_deref(), Some("key"));
}

#[test]
fn a_leaked_active_key_is_replaced_in_the_same_step() {
    let folder = tempfile::tempdir().unwrap();
    let home = home(folder.path());
    let first = add(&home, Hosted::Here);
    let second = rotate(&home, &first, None);
    let leaked = active(&second);
    let third = home
        .retire_key(&first.id, &leaked, LEAKED, &by(now()))
        .unwrap();
    assert_ne!(active(&third), leaked);
    // The key that retires has not leaked, so its links still work.
    assert_eq!(
        usable(&home, &first, now()),
        [active(&third), active(&first)]
    );
    assert!(!is_kept(&home, &second) && is_kept(&home, &third));
    let third_again = home
        .retire_key(&first.id, &active(&first), LEAKED, &by(now()))
        .unwrap();
    assert_eq!(active(&third_again), active(&third));
    assert_eq!(usable(&home, &first, now()), [active(&third)]);
    assert_eq!(events(&home, &first)[2..], ["key_leaked", "key_leaked"]);
}

#[test]
fn at_most_eight_keys_retire() {
    let folder = tempfile::tempdir().unwrap();
    let home = home(folder.path());
    let instance = add(&home, Hosted::Here);
    for number in 1..=MAX_RETIRING {
        let number = i64::try_from(number).unwrap();
        rotate(&home, &instance, Some(days(number)));
    }
    let one_more = || {
        let rotation = KeyRotation {
            source: SecretSource::Generate,
            retire_after: None,
        };
        home.rotate(&instance.id, rotation, &by(now()))
    };
    let before = home.instances().get(&instance.id).unwrap();
    let refused = one_more().unwrap_err();
    assert_eq!(refused.code, ErrorCode::TooMany);
    let after = home.instances().get(&instance.id).unwrap();
    assert_eq!((after.key, after.retiring), (before.key, before.retiring));
    rotate(&home, &instance, Some(RetireAfter::Now));
    // One of them has retired in the meantime.
    let rotation = KeyRotation {
        source: SecretSource::Generate,
        retire_after: None,
    };
    home.rotate(&instance.id, rotation, &by(later(1))).unwrap();
}

#[test]
fn the_secret_of_the_active_key_is_not_set_again_as_a_new_key() {
    let folder = tempfile::tempdir().unwrap();
    let home = home(folder.path());
    for hosted in [Hosted::Here, Hosted::Elsewhere] {
        let url = BaseUrl::parse("https://chat.acme.example").unwrap();
        let name = Name::parse(&format!("{hosted:?}")).unwrap();
        let settings = Settings::new(name, url, hosted);
        let paste = |text: &str| SecretSource::Paste {
            secret: Secret::new(text.into()),
            encoding: SecretEncoding::Text,
        };
        let secret = "a secret of the application, long enough";
        let before = home.add(settings, paste(secret), &by(now())).unwrap();
        let set = |text: &str| {
            let rotation = KeyRotation {
                source: paste(text),
                retire_after: None,
            };
            home.rotate(&before.id, rotation, &by(now()))
        };
        let refused = set(&format!(" {secret}\n")).unwrap_err();
        assert_eq!(refused.code, ErrorCode::InvalidSetting);
        assert_eq!(refused.field.as_deref(), Some("secret"));
        let after = home.instances().get(&before.id).unwrap();
        assert_eq!(
            (&after.key, &after.retiring),
            (&before.key, &before.retiring)
        );
        let other = set("another secret of the application").unwrap();
        assert_ne!(active(&other), active(&before));
        let back = set(secret);
        if hosted == Hosted::Here {
            let refused = back.unwrap_err();
            assert_eq!(refused.field.as_deref(), Some("secret"));
            assert!(refused.message.contains("still verifies"), "{refused}");
            let retired = home.retire_key(&before.id, &active(&before), NOW, &by(now()));
            assert!(retired.unwrap().retiring.is_empty());
            set(secret).unwrap();
        } else {
            back.unwrap();
        }
    }
}

#[test]
fn no_key_retires_at_an_instance_that_is_hosted_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let home = home(folder.path());
    let first = add(&home, Hosted::Elsewhere);
    let rotation = KeyRotation {
        source: SecretSource::Generate,
        retire_after: Some(days(7)),
    };
    let refused = home.rotate(&first.id, rotation, &by(now())).unwrap_err();
    assert_eq!(refused.code, ErrorCode::HostedElsewhere);
    assert_eq!(refused.field.as_deref(), Some("retire_after"));
    let second = rotate(&home, &first, None);
    assert_eq!(usable(&home, &first, now()), [active(&second)]);
    assert!(!is_kept(&home, &first));
    let refused = home.retire_key(&first.id, &active(&second), LEAKED, &by(now()));
    assert_eq!(refused.unwrap_err().code, ErrorCode::HostedElsewhere);
}

#[test]
fn a_removed_instance_leaves_no_key() {
    let folder = tempfile::tempdir().unwrap();
    let home = home(folder.path());
    let first = add(&home, Hosted::Here);
    let second = rotate(&home, &first, None);
    home.remove(&first.id).unwrap();
    assert!(!is_kept(&home, &first) && !is_kept(&home, &second));
}

#[test]
fn a_start_with_new_keys_gives_up_the_retiring_ones() {
    let folder = tempfile::tempdir().unwrap();
    let instance = {
        let home = home(folder.path());
        let instance = add(&home, Hosted::Here);
        rotate(&home, &instance, None)
    };
    let home = Home::open(folder.path().to_owned(), KeychainUse::Never).unwrap();
    let passphrase = Secret::new("tulips behind nine windmills".into());
    let started = home.start_with_new_keys(&passphrase, &by(now())).unwrap();
    let left = &started.without_secret[0];
    assert_eq!(left.key, None);
    assert!(left.retiring.is_empty() && left.dropped.is_empty());
    let set = rotate(&home, &instance, None);
    assert_eq!(usable(&home, &instance, now()), [active(&set)]);
}

#[test]
fn a_key_that_could_not_be_deleted_is_deleted_later() {
    let folder = tempfile::tempdir().unwrap();
    let first = {
        let home = home(folder.path());
        let first = add(&home, Hosted::Here);
        rotate(&home, &first, None);
        first
    };
    let locked = Home::open(folder.path().to_owned(), KeychainUse::Never).unwrap();
    let left = locked
        .retire_key(&first.id, &active(&first), LEAKED, &by(now()))
        .unwrap();
    assert!(left.retiring.is_empty());
    assert_eq!(left.dropped.len(), 1, "its secret is still to be deleted");
    drop(locked);
    let home = home(folder.path());
    assert!(is_kept(&home, &first));
    assert_eq!(usable(&home, &first, now()).len(), 1);
    assert!(!is_kept(&home, &first));
    let left = home.instances().get(&first.id).unwrap();
    assert!(left.dropped.is_empty());
}

#[test]
fn a_backup_has_the_retiring_keys_and_they_keep_their_ids() {
    let folder = tempfile::tempdir().unwrap();
    let here = home(&folder.path().join("here"));
    let first = add(&here, Hosted::Here);
    let second = rotate(&here, &first, Some(days(7)));
    let directory = here.directory(&second, "a test").unwrap();
    let passphrase = Secret::new("another horse battery staple".into());
    let mut backup = Vec::new();
    here.back_up(
        &first.id,
        &*directory,
        Some(&passphrase),
        now(),
        &mut backup,
        &mut |_| Ok(()),
    )
    .unwrap();
    drop(directory);
    let restore = |home: &Home, replace: bool, at: Timestamp| {
        let options = latchkey_store::home::RestoreOptions {
            name: None,
            replace,
            passphrase: Some(&passphrase),
        };
        let reader = latchkey_store::backup::BackupReader::open(&backup[..]).unwrap();
        home.restore(reader, &options, &by(at), &mut |_| Ok(()))
            .unwrap()
            .instance
    };
    let both = [active(&second), active(&first)];
    let there = home(&folder.path().join("there"));
    let restored = restore(&there, false, now());
    assert_eq!(usable(&there, &restored, later(6)), both);
    assert_eq!(usable(&there, &restored, later(7)), both[..1]);
    // A key whose date has passed is not restored.
    let late = home(&folder.path().join("late"));
    let restored = restore(&late, false, later(8));
    assert!(restored.retiring.is_empty());
    // Restoring in place of the instance deletes the keys that it had.
    let third = rotate(&here, &first, None);
    let restored = restore(&here, true, now());
    assert_eq!(usable(&here, &restored, now()), both);
    assert!(restored.dropped.is_empty());
    for old in [&first, &second, &third] {
        assert!(!is_kept(&here, old));
    }
    let again = here.directory(&restored, "a test").unwrap();
    here.record_outbox(&restored, &*again).wait().unwrap();
}
