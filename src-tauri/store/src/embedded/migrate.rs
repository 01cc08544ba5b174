//! Migration of the rows of an older format. Each step can be interrupted and repeated, because the
//! format is written last.

use std::collections::BTreeMap;

use super::errors::{damaged, storage};
use super::facts::Shared;
use super::journal::checkpoint_all;
use super::record::{EntryRecord, EntryRecord4, Summary, USED_BY, UserRecord};
use super::rows::{decoded, encoded, write_rows};
use super::{keys, single_entries};
use latchkey_core::Result;
use latchkey_core::ledger::LinkRecord;
use latchkey_core::protocol::email::Email;
use latchkey_core::session::SessionKey;

/// Number of index rows that are removed at once.
const BATCH: usize = 1000;

/// Migrates a tree. First a checkpoint writes its journal into the rows.
pub(super) fn migrate(tree: &sled::Db, found: u32) -> Result<()> {
    if found >= 6 {
        // Reading an entry of format 6 or later needs no change of its row.
        return Ok(());
    }
    if found < 5 {
        checkpoint_all::<EntryRecord4>(tree, single_entries::write)?;
        rebuild_email_index(tree)?;
        note_latest_time(tree)?;
        single_entries::move_into_blocks(tree, |entry| single_entries::with_user(tree, entry))?;
    } else {
        checkpoint_all::<Option<EntryRecord>>(tree, single_entries::write)?;
        single_entries::move_into_blocks(tree, Ok)?;
    }
    move_sessions(tree)?;
    forget_who_used_links(tree)?;
    keys::INDEXES_5
        .iter()
        .try_for_each(|prefix| remove_all(tree, prefix))?;
    tree.flush().map(drop).map_err(storage)
}

/// Moves sessions to their new keys. Up to format 5, the key of a session was only a hash.
fn move_sessions(tree: &sled::Db) -> Result<()> {
    for row in tree.scan_prefix(keys::SESSIONS) {
        let (key, session) = row.map_err(storage)?;
        let hash = key.get(keys::SESSIONS.len()..).unwrap_or_default();
        if let Some(moved) = SessionKey::from_hash(hash) {
            let rows = [(keys::session(&moved), Some(session)), (key.to_vec(), None)];
            write_rows(tree, rows)?;
        }
    }
    Ok(())
}

/// Drops the uses of links, which name a session by its key of format 5. A use counts for only 30
/// seconds.
fn forget_who_used_links(tree: &sled::Db) -> Result<()> {
    for row in tree.scan_prefix(keys::LINKS) {
        let (key, link) = row.map_err(storage)?;
        if link.first() == Some(&USED_BY) {
            let used = encoded(&LinkRecord::Used)?;
            write_rows(tree, [(key.to_vec(), Some(used.into()))])?;
        }
    }
    Ok(())
}

fn remove_all(tree: &sled::Db, prefix: &[u8]) -> Result<()> {
    loop {
        let rows = tree.scan_prefix(prefix).keys().take(BATCH);
        let rows = rows.map(|key| Ok((key.map_err(storage)?.to_vec(), None)));
        let rows: Vec<_> = rows.collect::<Result<_>>()?;
        if rows.is_empty() {
            return Ok(());
        }
        write_rows(tree, rows)?;
    }
}

/// Users of an address, with the times at which they were created.
type Users = Vec<(i64, String)>;

/// Builds the index of addresses again. Up to format 4, addresses were compared by `to_lowercase`,
/// which treats some different letters as equal, and some spellings of a domain as different.
/// Addresses in ASCII keep their key.
fn rebuild_email_index(tree: &sled::Db) -> Result<()> {
    let mut by_key: BTreeMap<String, Users> = BTreeMap::new();
    let mut old = Vec::new();
    for row in tree.scan_prefix(keys::USERS) {
        let (key, bytes) = row.map_err(storage)?;
        let Some((id, user)) = summary(&key, &bytes) else {
            return Err(damaged());
        };
        let Some(email) = user.email.filter(|email| !email.is_ascii()) else {
            continue;
        };
        let (email, old_key) = (Email::from_kept(email), lowercase_key(email));
        if owner_in(tree, &old_key)?.as_deref() == Some(id) && old_key != keys::email(&email) {
            old.push((old_key, None));
        }
        let users = by_key.entry(email.key()).or_default();
        users.push((user.created_at, id.to_owned()));
    }
    write_rows(tree, old)?;
    let (mut index, mut shared) = (Vec::new(), Shared::new());
    for (key, mut users) in by_key {
        let row = keys::email_key(&key);
        if let Some(owner) = owner_in(tree, &row)?
            && let Some(created_at) = created_at(tree, &owner)?
        {
            users.push((created_at, owner));
        }
        users.sort_unstable();
        users.dedup();
        let ids: Vec<String> = users.into_iter().map(|(_, id)| id).collect();
        let Some(first) = ids.first() else { continue };
        index.push((row, Some(encoded(first)?.into())));
        if ids.len() > 1 {
            shared.insert(key, ids);
        }
    }
    if !shared.is_empty() {
        index.push((keys::SHARED_EMAILS.to_vec(), Some(encoded(&shared)?.into())));
    }
    write_rows(tree, index)
}

/// Notes the latest time of a removal or a profile, which format 4 does not store.
fn note_latest_time(tree: &sled::Db) -> Result<()> {
    let removals = tree.scan_prefix(keys::REMOVALS).values();
    let removals = removals.map(|bytes| decoded::<i64>(&bytes.map_err(storage)?));
    let profiles = tree.scan_prefix(keys::USERS).values().map(|bytes| {
        let user: UserRecord = decoded(&bytes.map_err(storage)?)?;
        Ok(user.profile_as_of)
    });
    let mut latest = None;
    for time in removals.chain(profiles) {
        latest = latest.max(Some(time?));
    }
    if let Some(latest) = latest {
        tree.insert(keys::LATEST_TIME, encoded(&latest)?)
            .map_err(storage)?;
    }
    Ok(())
}

fn summary<'a>(key: &'a [u8], bytes: &'a [u8]) -> Option<(&'a str, Summary<'a>)> {
    let (user, _) = postcard::take_from_bytes(bytes).ok()?;
    Some((keys::id_of(key)?, user))
}

/// Returns the key of an address in formats up to 4.
fn lowercase_key(email: &str) -> Vec<u8> {
    keys::email_key(&email.to_lowercase())
}

fn owner_in(tree: &sled::Db, key: &[u8]) -> Result<Option<String>> {
    let owner = tree.get(key).map_err(storage)?;
    owner.map(|owner| decoded(&owner)).transpose()
}

fn created_at(tree: &sled::Db, id: &str) -> Result<Option<i64>> {
    let key = keys::user(id);
    let Some(bytes) = tree.get(&key).map_err(storage)? else {
        return Ok(None);
    };
    let (_, user) = summary(&key, &bytes).ok_or_else(damaged)?;
    Ok(Some(user.created_at))
}

#[cfg(test)]
mod tests {
    use std::fs::{self, OpenOptions};
    use std::path::Path;

    use super::super::open::{FORMAT, OLDEST, open};
    use super::*;

    /// Length of the log of the stored directories. The zeros at its end are not stored.
    const LOG_BYTES: u64 = 524_287;

    #[test]
    fn each_older_format_has_a_directory_beside_the_tests() {
        let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/store/directory");
        for format in OLDEST..FORMAT {
            let stored = tests.join(format!("format-{format}/sled"));
            let copy = tempfile::tempdir().unwrap();
            fs::create_dir(copy.path().join("blobs")).unwrap();
            for file in fs::read_dir(&stored).unwrap() {
                let file = file.unwrap();
                fs::copy(file.path(), copy.path().join(file.file_name())).unwrap();
            }
            let log = OpenOptions::new().write(true).open(copy.path().join("db"));
            log.unwrap().set_len(LOG_BYTES).unwrap();
            let found = open(copy.path()).unwrap().get(keys::FORMAT).unwrap();
            assert_eq!(found.unwrap(), format.to_string(), "{}", stored.display());
        }
    }
}
