use std::cell::Cell;

use jiff::Timestamp;

use super::{Home, SecretSource};
use crate::Wait as _;
use crate::keys::{KeychainUse, KeysState};
use latchkey_core::activity::{Actor, AuditContext};
use latchkey_core::instance::{Hosted, Instance, InstanceId, Name, Settings};
use latchkey_core::link::BaseUrl;
use latchkey_core::secret::{KeyRotation, Secret, SecretEncoding};
use latchkey_core::{Error, ErrorCode};

fn by() -> AuditContext {
    AuditContext::new(Actor::Studio, Timestamp::UNIX_EPOCH)
}

fn generated() -> KeyRotation {
    KeyRotation::at_once(SecretSource::Generate)
}

fn home() -> (tempfile::TempDir, Home, Instance) {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::open(folder.path().join("data"), KeychainUse::Never).unwrap();
    let passphrase = Secret::new("correct horse battery staple".into());
    home.keys().create(&passphrase).unwrap();
    let name = Name::parse("Acme").unwrap();
    let url = BaseUrl::parse("https://a.b").unwrap();
    let settings = Settings::new(name, url, Hosted::Here);
    let instance = home.add(settings, SecretSource::Generate, &by()).unwrap();
    (folder, home, instance)
}

#[test]
fn a_concurrent_change_by_another_program_is_kept() {
    let (_folder, home, instance) = home();
    let first = Cell::new(true);
    let change = |settings: &mut Settings| {
        if first.replace(false) {
            // Another program changes the settings between this program's reading and writing.
            home.instances().update(&instance.id, &by(), |other| {
                other.settings.policy.require_expiry = true;
                Ok(())
            })?;
        }
        settings.policy.provisioning = false;
        Ok(())
    };
    let changed = home.change(&instance.id, change, Some(generated()), &by());
    let policy = changed.unwrap().settings.policy;
    assert!(policy.require_expiry && !policy.provisioning);
}

#[test]
fn a_refused_change_leaves_the_key_as_it_was() {
    let (_folder, home, instance) = home();
    let before = home.signing_key(&instance).unwrap();
    let refused = home.change(
        &instance.id,
        |_| Err(Error::new(ErrorCode::InvalidSetting, "no")),
        Some(generated()),
        &by(),
    );
    assert_eq!(refused.unwrap_err().code, ErrorCode::InvalidSetting);
    let after = home.instances().get(&instance.id).unwrap();
    assert_eq!(after.key, instance.key);
    let key = home.signing_key(&after).unwrap();
    assert_eq!(key.secret().expose(), before.secret().expose());
}

#[test]
fn a_forgotten_passphrase_costs_only_the_keys() {
    let (folder, home, instance) = home();
    let directory = home.directory(&instance, "a test").unwrap();
    directory.set_seat_limit(Some(7), &by()).wait().unwrap();
    drop(directory);
    let refused = home.start_with_new_keys(&Secret::new("another one 1".into()), &by());
    assert_eq!(
        refused.unwrap_err().code,
        ErrorCode::KeysInUse,
        "it is open"
    );
    drop(home);

    let data = folder.path().join("data");
    let sealed = std::fs::read(data.join("keys.sealed")).unwrap();
    let home = Home::open(data.clone(), KeychainUse::Never).unwrap();
    assert!(matches!(home.keys().state(), KeysState::SealedFileLocked));
    let lost: Vec<InstanceId> = home
        .sealed()
        .unwrap()
        .into_iter()
        .map(|one| one.id)
        .collect();
    assert_eq!(lost, std::slice::from_ref(&instance.id));
    let refused =
        home.start_with_new_keys(&Secret::new("correct horse battery staple".into()), &by());
    let refused = refused.unwrap_err();
    assert_eq!(refused.code, ErrorCode::KeysInUse);
    assert!(
        refused.message.contains("opens the sealed file"),
        "{refused}"
    );
    let refused = home.start_with_new_keys(&Secret::new("short".into()), &by());
    assert_eq!(refused.unwrap_err().code, ErrorCode::WeakPassphrase);
    assert_eq!(std::fs::read(data.join("keys.sealed")).unwrap(), sealed);

    let passphrase = Secret::new("tulips behind nine windmills".into());
    let started = home.start_with_new_keys(&passphrase, &by()).unwrap();
    let changed = started.without_secret;
    assert_eq!(changed.len(), 1);
    assert_eq!(changed[0].key, None);
    assert_eq!(changed[0].settings, instance.settings);
    // The old file is kept.
    let kept = std::fs::read(started.kept_file.unwrap()).unwrap();
    assert_eq!(kept, sealed);
    home.replace_secret(&instance.id, SecretSource::Generate, &by())
        .unwrap();
    let directory = home.directory(&changed[0], "a test").unwrap();
    assert_eq!(
        directory
            .seats(jiff::Timestamp::UNIX_EPOCH)
            .wait()
            .unwrap()
            .limit,
        Some(7)
    );
    drop((directory, home));

    let home = Home::open(data, KeychainUse::Never).unwrap();
    home.keys().unlock(&passphrase).unwrap();
    let instance = home.instances().get(&instance.id).unwrap();
    home.signing_key(&instance).unwrap();
}

#[test]
fn a_missing_sealed_file_is_reported_and_can_be_replaced() {
    let (folder, home, instance) = home();
    drop(home);
    let data = folder.path().join("data");
    let (file, elsewhere) = (data.join("keys.sealed"), folder.path().join("elsewhere"));
    std::fs::rename(&file, &elsewhere).unwrap();
    let home = Home::open(data, KeychainUse::Never).unwrap();
    let KeysState::SealedFileMissing(said) = home.keys().state() else {
        panic!("{:?}", home.keys().state());
    };
    assert_eq!(said.code, ErrorCode::KeysMissing);
    assert!(said.message.contains("keys.sealed"), "{}", said.message);
    let refused = home.signing_key(&instance).unwrap_err();
    assert_eq!(refused.code, ErrorCode::KeysMissing);
    // The file comes back.
    std::fs::rename(&elsewhere, &file).unwrap();
    home.retry_keys().unwrap();
    assert!(matches!(home.keys().state(), KeysState::SealedFileLocked));
    // The file is lost for good.
    std::fs::remove_file(&file).unwrap();
    home.retry_keys().unwrap();
    let passphrase = Secret::new("tulips behind nine windmills".into());
    let lost = home.start_with_new_keys(&passphrase, &by()).unwrap();
    assert_eq!(lost.without_secret[0].id, instance.id);
    assert_eq!(lost.kept_file, None);
    assert!(matches!(home.keys().state(), KeysState::SealedFileReady));
}

#[test]
fn a_weak_secret_is_refused_when_it_is_set_and_when_the_url_leaves_this_computer() {
    let (_folder, home, instance) = home();
    let weak = || {
        Some(KeyRotation::at_once(SecretSource::Paste {
            secret: Secret::new("short".into()),
            encoding: SecretEncoding::Text,
        }))
    };
    let to = |url: &'static str| {
        move |settings: &mut Settings| {
            settings.url = BaseUrl::parse(url)?;
            Ok(())
        }
    };
    let (away, here) = (to("https://a.b"), to("http://localhost:8787"));
    let refused = home.change(&instance.id, away, weak(), &by()).unwrap_err();
    assert_eq!(refused.code, ErrorCode::WeakSecret);
    let local = home.change(&instance.id, here, weak(), &by()).unwrap();
    assert!(home.signing_key(&local).is_ok());
    let refused = home.change(&instance.id, away, None, &by()).unwrap_err();
    assert_eq!(refused.code, ErrorCode::WeakSecret);
    // An earlier version may have left such a secret.
    let mut left = local;
    left.settings.url = BaseUrl::parse("https://a.b").unwrap();
    let refused = home.signing_key(&left).unwrap_err();
    assert_eq!(refused.code, ErrorCode::WeakSecret);
    assert!(refused.message.contains("Replace"), "{}", refused.message);
}

#[test]
fn a_passphrase_that_is_easy_to_guess_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::open(folder.path().join("data"), KeychainUse::Never).unwrap();
    for weak in [
        "",
        "short",
        "12345678",
        "password1",
        "qwertyuiop",
        "aaaaaaaaaaaaaaaa",
    ] {
        let refused = home.keys().create(&Secret::new(weak.into())).unwrap_err();
        assert_eq!(refused.code, ErrorCode::WeakPassphrase, "{weak}");
        assert_eq!(refused.field.as_deref(), Some("passphrase"));
    }
    let long = Secret::new("correct horse battery staple".repeat(1_000));
    home.keys().create(&long).unwrap();
}

#[test]
fn a_secret_is_revealed_once_and_again_after_it_was_replaced() {
    let (_folder, home, instance) = home();
    let secret = home.reveal(&instance.id, &by()).unwrap();
    let refused = home.reveal(&instance.id, &by()).unwrap_err();
    assert_eq!(refused.code, ErrorCode::SecretConcealed);
    home.replace_secret(&instance.id, SecretSource::Generate, &by())
        .unwrap();
    let replaced = home.reveal(&instance.id, &by()).unwrap();
    assert_ne!(replaced.expose(), secret.expose());
}

#[cfg(unix)]
#[test]
fn a_directory_behind_a_link_is_used_and_not_removed_with_its_instance() {
    use std::{fs, os::unix::fs::symlink};

    let (folder, home, instance) = home();
    drop(home.directory(&instance, "a test").unwrap());
    for path in [
        home.instances().directory_folder(&instance.id),
        home.instances().folder(&instance.id),
    ] {
        let elsewhere = folder.path().join("another disk");
        fs::rename(&path, &elsewhere).unwrap();
        symlink(&elsewhere, &path).unwrap();
        let directory = home.directory(&instance, "a test").unwrap();
        assert_eq!(directory.count().wait().unwrap(), 0);
        drop(directory);
        let refused = home.remove(&instance.id).unwrap_err();
        for part in [&path, &elsewhere] {
            assert!(
                refused.message.contains(part.to_str().unwrap()),
                "{refused}"
            );
        }
        assert!(home.instances().get(&instance.id).is_ok());
        fs::remove_file(&path).unwrap();
        fs::rename(&elsewhere, &path).unwrap();
    }
    home.remove(&instance.id).unwrap();
}
