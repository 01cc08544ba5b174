//! The form of an entry that is hashed. [`seal`](super::seal) describes it.

use std::io::{self, Write as _};
use std::net::IpAddr;

use serde::{Serialize, Serializer};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::context::Actor;
use super::reference::Reference;
use super::row::EntryRow;

/// An entry in the form that is hashed. The fields are in the order of their names.
#[derive(Serialize)]
struct SealedEntry<'a> {
    actor: &'a Actor,
    address: Option<IpAddr>,
    at: i64,
    data: Sorted<'a>,
    link: Option<&'a str>,
    number: u64,
    reference: Option<&'a Reference>,
    repeats: Option<SealedRepeats<'a>>,
    subject: Option<&'a str>,
    user: Option<&'a str>,
}

/// [`Repeats`](super::Repeats), with the fields in the order of their names.
#[derive(Serialize)]
struct SealedRepeats<'a> {
    count: u64,
    references: &'a [Reference],
    since: i64,
}

/// A value whose members are written in the order of their names.
struct Sorted<'a>(&'a Value);

impl Serialize for Sorted<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Object(members) => {
                let mut members: Vec<_> = members.iter().collect();
                members.sort_unstable_by_key(|(name, _)| *name);
                let members = members.into_iter();
                serializer.collect_map(members.map(|(name, value)| (name, Sorted(value))))
            }
            Value::Array(values) => serializer.collect_seq(values.iter().map(Sorted)),
            value => value.serialize(serializer),
        }
    }
}

/// A hash as a writer.
struct Hashed<'a>(&'a mut Sha256);

impl io::Write for Hashed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Adds the JSON of an entry to a hash.
pub(super) fn write_entry(entry: &EntryRow, hash: &mut Sha256) {
    // Neither a derived implementation nor the hash fails.
    let data = serde_json::to_value(&entry.event.data).unwrap_or_default();
    let sealed = SealedEntry {
        actor: &entry.actor,
        address: entry.address,
        at: entry.at,
        data: Sorted(&data),
        link: entry.event.link.as_deref(),
        number: entry.number,
        reference: entry.reference.as_ref(),
        repeats: entry.repeats.as_ref().map(|repeats| SealedRepeats {
            count: repeats.count,
            references: &repeats.references,
            since: repeats.since,
        }),
        subject: entry.event.subject.as_deref(),
        user: entry.user.as_deref(),
    };
    let mut bytes = io::BufWriter::with_capacity(512, Hashed(hash));
    let _ = serde_json::to_writer(&mut bytes, &sealed);
    let _ = bytes.flush();
}
