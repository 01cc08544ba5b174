//! Rows of the activity. A row contains a block of entries, because a row costs sled as much as many
//! entries. A checkpoint writes whole blocks, and a block never grows. Each block has a small index
//! row, so that a search need not read every block.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use sled::IVec;

use super::errors::{damaged, storage};
use super::keys;
use super::record::EntryRecord;
use super::rows::{decoded, encoded, write_rows};
use latchkey_core::Result;

/// Maximum number of entries in a block.
const MAX_ENTRIES: usize = 64;

/// Entries with their numbers, in ascending order.
pub(super) type Entries = Vec<(u64, EntryRecord)>;

/// Index of a block.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Index {
    /// Hashes of the users, addresses and links that the entries are about. Up to format 8 there are
    /// none of links.
    names: Vec<u32>,
    /// Number of refusals.
    pub(super) refusals: u64,
}

impl Index {
    fn of(entries: &[(u64, EntryRecord)]) -> Self {
        let records = || entries.iter().map(|(_, entry)| entry);
        let mut names: Vec<u32> = records().flat_map(EntryRecord::names).map(hash).collect();
        names.sort_unstable();
        names.dedup();
        Self {
            names,
            refusals: refusals(records()),
        }
    }
}

/// Subject of the wanted entries.
pub(super) enum About {
    /// Users, each by ID or address.
    Users(Vec<String>),
    /// A link, by its ID.
    Link(String),
}

impl About {
    /// Returns the names in the index.
    fn names(&self) -> &[String] {
        match self {
            Self::Users(names) => names,
            Self::Link(link) => std::slice::from_ref(link),
        }
    }

    /// Returns whether an entry is wanted.
    pub(super) fn has(&self, entry: &EntryRecord) -> bool {
        match self {
            Self::Users(names) => entry.is_about(names),
            Self::Link(link) => entry.link() == Some(link),
        }
    }
}

/// Returns the number of refusals among entries.
pub(super) fn refusals<'a>(entries: impl Iterator<Item = &'a EntryRecord>) -> u64 {
    entries.filter(|entry| entry.is_refusal()).count() as u64
}

/// Returns the first bytes of the SHA-256 of a name. Two names may have the same hash.
fn hash(name: &str) -> u32 {
    let [a, b, c, d, ..]: [u8; 32] = Sha256::digest(name).into();
    u32::from_be_bytes([a, b, c, d])
}

/// Returns the rows of a block and its index. Without entries, both rows are removed.
pub(super) fn rows_of(
    first: u64,
    entries: &[(u64, EntryRecord)],
) -> Result<[(Vec<u8>, Option<IVec>); 2]> {
    let (mut block, mut index) = (None, None);
    if !entries.is_empty() {
        block = Some(encoded(entries)?.into());
        index = Some(encoded(&Index::of(entries))?.into());
    }
    Ok([(keys::block(first), block), (keys::index(first), index)])
}

/// Appends entries to the activity. Some may be there already, because the program may have ended
/// during an earlier call.
pub(super) fn append(tree: &sled::Db, mut entries: &[(u64, EntryRecord)]) -> Result<()> {
    if let Some(row) = tree.scan_prefix(keys::BLOCKS).next_back() {
        let (first, block) = read_block(row)?;
        let last = block.last().map_or(0, |(number, _)| *number);
        let new = entries.partition_point(|(number, _)| *number <= last);
        if new > 0 {
            entries = entries.get(new..).unwrap_or_default();
            // The earlier call may not have written the index.
            write_rows(tree, rows_of(first, &block)?)?;
        }
    }
    for entries in entries.chunks(MAX_ENTRIES) {
        let first = entries.first().map_or(0, |(number, _)| *number);
        write_rows(tree, rows_of(first, entries)?)?;
    }
    Ok(())
}

/// Returns the entries before a number, newest first.
pub(super) fn before(
    tree: &sled::Db,
    number: u64,
) -> impl Iterator<Item = Result<(u64, EntryRecord)>> {
    let blocks = tree.range(keys::block(0)..keys::block(number)).rev();
    let blocks = blocks.map(|row| Ok(read_block(row)?.1));
    backwards(blocks, number)
}

/// Returns the entries about something before a number, newest first.
pub(super) fn about(
    tree: &sled::Db,
    about: About,
    number: u64,
) -> impl Iterator<Item = Result<(u64, EntryRecord)>> {
    let hashes: Vec<u32> = about.names().iter().map(|name| hash(name)).collect();
    let indexes = tree.range(keys::index(0)..keys::index(number)).rev();
    let blocks = indexes.filter_map(move |row| {
        let found = read_index(row).and_then(|(first, index)| {
            let is_about = hashes
                .iter()
                .any(|hash| index.names.binary_search(hash).is_ok());
            let block = is_about.then(|| tree.get(keys::block(first)));
            let block = block.transpose().map_err(storage)?.flatten();
            block.map(|block| decoded::<Entries>(&block)).transpose()
        });
        found.transpose()
    });
    backwards(blocks, number)
        .filter(move |entry| entry.as_ref().map_or(true, |(_, entry)| about.has(entry)))
}

/// Returns the entries of blocks before a number. Blocks and entries are newest first.
fn backwards(
    blocks: impl Iterator<Item = Result<Entries>>,
    number: u64,
) -> impl Iterator<Item = Result<(u64, EntryRecord)>> {
    blocks
        .flat_map(|block| match block {
            Ok(entries) => entries.into_iter().rev().map(Ok).collect(),
            Err(cause) => vec![Err(cause)],
        })
        .filter(move |entry| entry.as_ref().map_or(true, |(found, _)| *found < number))
}

/// A row of sled.
type Row = sled::Result<(IVec, IVec)>;

/// Decodes a block and the number in its key.
pub(super) fn read_block(row: Row) -> Result<(u64, Entries)> {
    let (key, bytes) = row.map_err(storage)?;
    Ok((keys::number_of(&key).ok_or_else(damaged)?, decoded(&bytes)?))
}

/// Decodes an index and the number in its key.
pub(super) fn read_index(row: Row) -> Result<(u64, Index)> {
    let (key, bytes) = row.map_err(storage)?;
    Ok((keys::number_of(&key).ok_or_else(damaged)?, decoded(&bytes)?))
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use latchkey_core::activity::{Actor, AuditContext, Event, EventData};
    use latchkey_core::protocol::user_id::UserId;

    fn entry(number: u64) -> (u64, EntryRecord) {
        let by = AuditContext::new(Actor::Studio, Timestamp::UNIX_EPOCH);
        let user = UserId::parse(&format!("user-{}", number % 3), "id").unwrap();
        let event = Event {
            link: Some(format!("link-{number}")),
            ..Event::from(EventData::Imported { users: number }).of(&user)
        };
        (number, EntryRecord::new(event, &by))
    }

    fn numbers(entries: impl Iterator<Item = Result<(u64, EntryRecord)>>) -> Vec<u64> {
        entries.map(|entry| entry.unwrap().0).collect()
    }

    fn tree(folder: &tempfile::TempDir) -> sled::Db {
        sled::open(folder.path()).unwrap()
    }

    #[test]
    fn entries_that_were_partly_added_twice_are_there_once() {
        let folder = tempfile::tempdir().unwrap();
        let tree = tree(&folder);
        let added = |range: std::ops::Range<u64>| {
            append(&tree, &range.map(entry).collect::<Vec<_>>()).unwrap();
        };
        added(1..101);
        for again in [1..101, 50..101, 70..150, 100..151] {
            // Removes the index, as if it had not been written.
            for row in tree.scan_prefix(keys::index(65)) {
                tree.remove(row.unwrap().0).unwrap();
            }
            added(again);
            let last = numbers(before(&tree, u64::MAX)).first().copied().unwrap();
            let all: Vec<u64> = (1..=last).rev().collect();
            assert_eq!(numbers(before(&tree, u64::MAX)), all);
        }
        assert_eq!(numbers(before(&tree, 66)).first(), Some(&65));
    }

    #[test]
    fn entries_are_found_by_the_names_they_are_about() {
        let folder = tempfile::tempdir().unwrap();
        let tree = tree(&folder);
        append(&tree, &(1..200).map(entry).collect::<Vec<_>>()).unwrap();
        let named = |names: &[&str], number| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            numbers(about(&tree, About::Users(names), number))
        };
        let expected = |rests: &[u64], number: u64| -> Vec<u64> {
            let all = (1..number).rev();
            all.filter(|number| rests.contains(&(number % 3))).collect()
        };
        assert_eq!(named(&["user-1"], u64::MAX), expected(&[1], 200));
        assert_eq!(named(&["user-1", "user-2"], 66), expected(&[1, 2], 66));
        assert_eq!(named(&["user-3"], u64::MAX), [0; 0]);
        assert_eq!(named(&["link-7"], u64::MAX), [0; 0], "a link is no user");
        let of_link = |link: &str| numbers(about(&tree, About::Link(link.to_owned()), u64::MAX));
        assert_eq!(of_link("link-7"), [7]);
        assert_eq!(of_link("user-1"), [0; 0]);
    }
}
