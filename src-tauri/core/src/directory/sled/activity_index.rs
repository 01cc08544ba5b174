//! The indexes of the activity in a directory that was written without them.

use super::journal::{decoded, encoded, index_of, write_rows};
use super::record::EntryRecord;
use super::{damaged, keys, storage};
use crate::Result;
use crate::email::Email;

/// Number of rows that are written together.
const BATCH: usize = 250;

/// Indexes the entries of the activity, a batch at a time: there may be a million.
pub(super) fn index_activity(tree: &sled::Db) -> Result<()> {
    let mut rows = Vec::with_capacity(BATCH);
    for row in tree.range(keys::entry(0)..=keys::entry(u64::MAX)) {
        let (key, bytes) = row.map_err(storage)?;
        let number = keys::number_of(&key).ok_or_else(damaged)?;
        let mut entry = EntryRecord::decoded(&bytes)?;
        if let Some(user) = user_named_in(tree, &entry)? {
            entry = entry.of(Some(user));
            rows.push((key.to_vec(), Some(encoded(&entry)?.into())));
        }
        rows.extend(index_of(&entry, number).map(|key| (key, Some(Vec::new().into()))));
        if rows.len() >= BATCH {
            write_rows(tree, rows.drain(..))?;
        }
    }
    write_rows(tree, rows.into_iter())
}

/// The user whom an entry names by e-mail address.
fn user_named_in(tree: &sled::Db, entry: &EntryRecord) -> Result<Option<String>> {
    let Some(name) = entry.names().next().filter(|name| name.contains('@')) else {
        return Ok(None);
    };
    // The address may be an id as well.
    if tree.contains_key(keys::user(name)).map_err(storage)? {
        return Ok(None);
    }
    let Ok(email) = Email::parse(name, "email") else {
        return Ok(None);
    };
    let owner = tree.get(keys::email(&email)).map_err(storage)?;
    owner.map(|owner| decoded(&owner)).transpose()
}
