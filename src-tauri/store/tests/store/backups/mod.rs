//! Tests of backups and of restoring them.

mod automatic;
mod damaged;
mod kept;
mod kills;
mod proof;
mod replacing;
mod restored;

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use latchkey_core::Result;
use latchkey_core::directory::Directory;
use latchkey_core::instance::{Hosted, Instance, Name, Settings};
use latchkey_core::link::BaseUrl;
use latchkey_core::protocol::metadata::Metadata;
use latchkey_core::protocol::payload::NewUser;
use latchkey_core::protocol::user_id::UserId;
use latchkey_core::secret::{Secret, SecretSource};
use latchkey_store::Wait as _;
use latchkey_store::backup::BackupReader;
use latchkey_store::home::{Home, RestoreOptions, Restored};
use latchkey_store::keys::{KeychainUse, KeysState};

use crate::by;
use crate::signed::now;

const PASSPHRASE: &str = "correct horse battery staple";

fn secret(text: &str) -> Secret {
    Secret::new(text.to_owned())
}

/// Opens a data folder with a sealed file.
fn home(folder: &Path) -> Home {
    let home = Home::open(folder.to_owned(), KeychainUse::Never).unwrap();
    match home.keys().state() {
        KeysState::SealedFileLocked => home.keys().unlock(&secret(PASSPHRASE)).unwrap(),
        _ => home.keys().create(&secret(PASSPHRASE)).unwrap(),
    }
    home
}

fn add(home: &Home, name: &str) -> Instance {
    let url = BaseUrl::parse("https://chat.acme.example").unwrap();
    let settings = Settings::new(Name::parse(name).unwrap(), url, Hosted::Here);
    home.add(settings, SecretSource::Generate, &by(now()))
        .unwrap()
}

fn open(home: &Home, instance: &Instance) -> Arc<dyn Directory> {
    home.directory(instance, "a test").unwrap()
}

fn user(id: &str) -> UserId {
    UserId::parse(id, "id").unwrap()
}

/// Adds users with consecutive numbers.
fn import(directory: &dyn Directory, name: &str, count: usize) {
    for begin in (0..count).step_by(250) {
        let users: Vec<NewUser> = (begin..count.min(begin + 250))
            .map(|number| {
                let id = format!("{name}-{number}");
                let email = format!("{id}@acme.example");
                NewUser::parse(&id, Some(&email), Metadata::default()).unwrap()
            })
            .collect();
        directory.import(&users, &by(now())).wait().unwrap();
    }
}

/// Returns a backup of an instance.
fn back_up(home: &Home, instance: &Instance, directory: &dyn Directory, keys: bool) -> Vec<u8> {
    let (mut bytes, passphrase) = (Vec::new(), secret("another horse battery staple"));
    let passphrase = keys.then_some(&passphrase);
    let id = &instance.id;
    home.back_up(
        id,
        directory,
        passphrase,
        now(),
        &mut bytes,
        &mut |_| Ok(()),
    )
    .unwrap();
    bytes
}

/// Restores a backup with its keys.
fn restore(home: &Home, backup: &[u8], replace: bool, name: Option<&str>) -> Result<Restored> {
    let passphrase = secret("another horse battery staple");
    let options = RestoreOptions {
        name: name.map(|name| Name::parse(name).unwrap()),
        replace,
        passphrase: Some(&passphrase),
    };
    home.restore(
        BackupReader::open(backup)?,
        &options,
        &by(now()),
        &mut |_| Ok(()),
    )
}

/// Returns the contents of all files in a folder, but for locks and for the sealed file's own lock.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if !path.to_str().unwrap().ends_with("lock") && !path.ends_with("holder") {
                let name = path.to_str().unwrap().to_owned();
                files.push((name, std::fs::read(&path).unwrap()));
            }
        }
    }
    files.sort();
    files
}

fn later(days: i64) -> Timestamp {
    Timestamp::from_second(now().as_second() + days * 86_400).unwrap()
}
