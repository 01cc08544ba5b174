//! Activity of formats up to 5, in which each entry has its own row.

use super::blocks;
use super::errors::{damaged, storage};
use super::keys;
use super::record::EntryRecord;
use super::rows::{decoded, encoded, write_rows};
use latchkey_core::Result;
use latchkey_core::protocol::email::Email;

/// Number of entries that are moved at once.
const BATCH: usize = 64;

/// Writes entries like format 5.
pub(super) fn write(tree: &sled::Db, entries: &[(u64, EntryRecord)]) -> Result<()> {
    let rows = entries.iter().map(|(number, entry)| {
        let bytes = encoded(entry)?;
        Ok((keys::single_entry(*number), Some(bytes.into())))
    });
    write_rows(tree, rows.collect::<Result<Vec<_>>>()?)
}

/// Moves all entries into blocks, in batches, because there may be a million. `complete` adds data
/// that entries of an older format lack.
pub(super) fn move_into_blocks(
    tree: &sled::Db,
    complete: impl Fn(EntryRecord) -> Result<EntryRecord>,
) -> Result<()> {
    loop {
        let rows = tree.range(keys::single_entry(0)..=keys::single_entry(u64::MAX));
        let entries = rows.take(BATCH).map(|row| {
            let (key, bytes) = row.map_err(storage)?;
            let number = keys::number_of(&key).ok_or_else(damaged)?;
            Ok((number, complete(EntryRecord::from_row(&bytes)?)?))
        });
        let entries: Vec<_> = entries.collect::<Result<_>>()?;
        if entries.is_empty() {
            return Ok(());
        }
        blocks::append(tree, &entries)?;
        let moved = entries.iter();
        let moved = moved.map(|(number, _)| (keys::single_entry(*number), None));
        write_rows(tree, moved)?;
    }
}

/// Adds the user whom an entry names by e-mail address, which formats up to 4 do not store.
pub(super) fn with_user(tree: &sled::Db, entry: EntryRecord) -> Result<EntryRecord> {
    let user = user_named_in(tree, &entry)?;
    Ok(match user {
        Some(user) => entry.of(Some(user)),
        None => entry,
    })
}

/// Returns the user whom an entry names by e-mail address.
fn user_named_in(tree: &sled::Db, entry: &EntryRecord) -> Result<Option<String>> {
    let Some(name) = entry.names().next().filter(|name| name.contains('@')) else {
        return Ok(None);
    };
    // The text may be an ID as well.
    if tree.contains_key(keys::user(name)).map_err(storage)? {
        return Ok(None);
    }
    let Ok(email) = Email::parse(name, "email") else {
        return Ok(None);
    };
    let owner = tree.get(keys::email(&email)).map_err(storage)?;
    owner.map(|owner| decoded(&owner)).transpose()
}
