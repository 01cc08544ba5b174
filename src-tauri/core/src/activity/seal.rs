//! Seals: hashes over the entries of the activity, by which a missing, altered or reordered entry is
//! found.
//!
//! Entries form two chains: the refusals, and all others. The retention removes refusals sooner, so
//! each chain loses only its oldest entries, and the rest can still be verified. The first hash of a
//! chain is 32 zero bytes. Each entry continues its chain:
//!
//! ```text
//! hash = SHA-256(hash before, as 32 bytes + entry as JSON)
//! ```
//!
//! The JSON does not depend on an engine: it has the form of RFC 8785, with the members `actor`,
//! `address`, `at` (Unix seconds), `data`, `link`, `number`, `reference`, `repeats`, `subject` and
//! `user`, which are null if they are absent. A member that a later version adds must be left out if
//! it is absent, and so must a new field of [`EventData`](super::EventData), because the JSON of
//! older entries must never change.
//!
//! A [`Seal`] has both chains at one entry, and its hash covers all entries up to that one. The
//! hash of a seal is that of its own JSON, with the members `at`, `number`, `others` and `refusals`,
//! each of the last two with `count` and `hash`.
//!
//! Entries that were recorded before sealing began are not sealed.

use std::fmt;
use std::str::FromStr;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

use super::row::EntryRow;
use super::sealed_form::write_entry;
use crate::{Error, ErrorCode};

/// A SHA-256. Its text has 64 hexadecimal digits.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct Hash([u8; 32]);

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Hash {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let mut bytes = [0; 32];
        let pairs = text.as_bytes().chunks_exact(2);
        let is_hash = text.len() == 64
            && pairs.zip(&mut bytes).all(|(pair, byte)| {
                let digits = std::str::from_utf8(pair).ok();
                let digits = digits.filter(|digits| !digits.starts_with('+'));
                let read = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
                *byte = read.unwrap_or_default();
                read.is_some()
            });
        is_hash.then_some(Self(bytes)).ok_or_else(|| {
            Error::new(
                ErrorCode::InvalidRequest,
                "A hash has 64 hexadecimal digits.",
            )
        })
    }
}

impl Serialize for Hash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            self.0.serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Hash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let text = String::deserialize(deserializer)?;
            text.parse()
                .map_err(|cause: Error| D::Error::custom(cause.message))
        } else {
            <[u8; 32]>::deserialize(deserializer).map(Self)
        }
    }
}

/// A chain of entries, by its last hash.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chain {
    /// Number of entries.
    pub count: u64,
    /// Hash of the last entry, which covers the entries before.
    pub hash: Hash,
}

impl Chain {
    /// Adds an entry.
    pub fn add(&mut self, entry: &EntryRow) {
        let mut hash = Sha256::new_with_prefix(self.hash.0);
        write_entry(entry, &mut hash);
        self.hash = Hash(hash.finalize().into());
        self.count += 1;
    }
}

/// Both chains at one entry. Covers all entries up to that one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seal {
    /// Number of the last entry.
    pub number: u64,
    /// Time of the last entry, in Unix seconds.
    pub at: i64,
    /// All entries but refusals.
    pub others: Chain,
    /// Refusals.
    pub refusals: Chain,
}

impl Seal {
    /// Adds an entry.
    pub fn add(&mut self, entry: &EntryRow) {
        (self.number, self.at) = (entry.number, entry.at);
        let chain = if entry.is_refusal() {
            &mut self.refusals
        } else {
            &mut self.others
        };
        chain.add(entry);
    }

    /// Returns the hash of the seal.
    #[must_use]
    pub fn hash(&self) -> Hash {
        let Self {
            number,
            at,
            others,
            refusals,
        } = self;
        let chain =
            |Chain { count, hash }: &Chain| format!(r#"{{"count":{count},"hash":"{hash}"}}"#);
        let (others, refusals) = (chain(others), chain(refusals));
        let json =
            format!(r#"{{"at":{at},"number":{number},"others":{others},"refusals":{refusals}}}"#);
        Hash(Sha256::digest(json).into())
    }

    /// Returns the number and the hash.
    #[must_use]
    pub fn mark(&self) -> Mark {
        Mark {
            number: self.number,
            hash: self.hash(),
        }
    }
}

/// A stored seal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SealRow {
    /// The seal.
    pub seal: Seal,
    /// Number of the stored seal before, by which a missing seal is found. 0 for the first.
    pub before: u64,
    /// Hash of the seal, by which an altered seal is told from altered entries.
    pub hash: Hash,
}

impl SealRow {
    /// Returns a seal to store after the one with the number `before`.
    #[must_use]
    pub fn new(seal: Seal, before: u64) -> Self {
        Self {
            seal,
            before,
            hash: seal.hash(),
        }
    }
}

/// Number and hash of a seal. An administrator can keep it elsewhere, and compare it later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Seal)]
pub struct Mark {
    /// Number of the last entry.
    pub number: u64,
    /// Hash of the seal: 64 hexadecimal digits.
    #[schema(value_type = String)]
    pub hash: Hash,
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.number, self.hash)
    }
}

impl FromStr for Mark {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let parts = text.trim().split_once(':');
        let number = parts.and_then(|(number, _)| number.parse().ok());
        let hash = parts.and_then(|(_, hash)| hash.parse().ok());
        let mark = number.zip(hash).map(|(number, hash)| Self { number, hash });
        mark.ok_or_else(|| {
            Error::new(
                ErrorCode::InvalidRequest,
                "It is not NUMBER:HASH, as a verification shows it: the number of an entry, a colon and 64 hexadecimal digits.",
            )
        })
    }
}

/// State of the sealing of a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealing {
    /// Number after which entries are sealed. Earlier ones were recorded before sealing began.
    pub after: u64,
    /// Seal of the last entry.
    pub last: Seal,
    /// Number of the last stored seal. 0 if there is none.
    pub stored: u64,
}

impl Sealing {
    /// Begins the sealing after the entry with a number.
    #[must_use]
    pub fn begin(after: u64) -> Self {
        Self {
            after,
            last: Seal {
                number: after,
                ..Seal::default()
            },
            stored: 0,
        }
    }

    /// Returns the seal to store, if entries were sealed since the last stored one, and notes it.
    #[must_use]
    pub fn store(&mut self) -> Option<SealRow> {
        let is_new = self.last.number > self.after.max(self.stored);
        is_new.then(|| {
            let row = SealRow::new(self.last, self.stored);
            self.stored = row.seal.number;
            row
        })
    }
}

/// The entries that the retention has removed: the oldest of each chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removed {
    /// Removed entries that are not refusals.
    pub others: RemovedEntries,
    /// Removed refusals.
    pub refusals: RemovedEntries,
    /// Number of the last removed seal. 0 if there is none.
    pub stored: u64,
}

/// The removed entries of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RemovedEntries {
    /// Number up to which all entries of the chain are removed.
    pub through: u64,
    /// The chain of the removed entries.
    pub chain: Chain,
}

/// Entries that the retention removes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    /// The oldest entries.
    Oldest,
    /// The oldest refusals.
    OldestRefusals,
}

impl Removed {
    /// Returns the state before the first removal.
    #[must_use]
    pub fn none(sealing: &Sealing) -> Self {
        let none = RemovedEntries {
            through: sealing.after,
            chain: Chain::default(),
        };
        Self {
            others: none,
            refusals: none,
            stored: 0,
        }
    }

    /// Adds the next removed entries. `seal` is the last stored seal whose number is not above that
    /// of the last removed entry. The chains continue from that seal, so that the removal of damaged
    /// entries also removes the fault.
    pub fn add(&mut self, removal: Removal, entries: &[EntryRow], seal: Option<&Seal>) {
        let Some(last) = entries.last().map(|entry| entry.number) else {
            return;
        };
        for (removed, is_refusal) in [(&mut self.others, false), (&mut self.refusals, true)] {
            if removal == Removal::OldestRefusals && !is_refusal {
                continue;
            }
            if let Some(seal) = seal.filter(|seal| seal.number > removed.through) {
                removed.through = seal.number;
                removed.chain = if is_refusal {
                    seal.refusals
                } else {
                    seal.others
                };
            }
            let of_chain = entries
                .iter()
                .filter(|entry| entry.is_refusal() == is_refusal && entry.number > removed.through);
            of_chain.for_each(|entry| removed.chain.add(entry));
            removed.through = removed.through.max(last);
        }
    }

    /// Returns the number up to which no entry is left.
    #[must_use]
    pub fn through(&self) -> u64 {
        self.others.through.min(self.refusals.through)
    }

    /// Returns whether an entry is one of the removed.
    #[must_use]
    pub fn has(&self, entry: &EntryRow) -> bool {
        let removed = if entry.is_refusal() {
            &self.refusals
        } else {
            &self.others
        };
        entry.number <= removed.through
    }
}
