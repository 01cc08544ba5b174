//! Values of the rows, encoded with postcard, because a catalogue of a million users decodes a
//! million rows. The order of fields and variants is part of the format.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::catalogue::{Row, Totals, UserValues, Users};
use super::errors::damaged;
use super::event_record;
use latchkey_core::Result;
use latchkey_core::activity::{
    Actor, AuditContext, Counted, Entry, EntryRow, Event, EventData, Kind, Reference, Repeats,
};
use latchkey_core::directory::{Counts, Origin, User};
use latchkey_core::last_field::last_field;
use latchkey_core::protocol::email::{Email, searchable};
use latchkey_core::protocol::metadata::Metadata;
use latchkey_core::protocol::user_id::UserId;
use latchkey_core::verdict::Status;

/// A user in a row. The ID is in the key. The first fields are those of [`Summary`].
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct UserRecord {
    pub(super) status: Status,
    pub(super) origin: Origin,
    pub(super) created_at: i64,
    last_sign_in: Option<i64>,
    pub(super) email: Option<String>,
    /// Texts of the metadata that hold names, joined.
    names: String,
    sign_ins: u64,
    pub(super) profile_as_of: i64,
    /// Up to format 4 this was a time in seconds. No session has such a generation.
    pub(super) generation: u64,
    /// Metadata as JSON.
    metadata: String,
    /// Time when the account ends. Rows of older formats end before it.
    #[serde(default, deserialize_with = "last_field")]
    ends_at: Option<i64>,
}

/// First fields of a [`UserRecord`], which the catalogue needs, borrowed from the row.
#[derive(Deserialize)]
pub(super) struct Summary<'a> {
    pub(super) status: Status,
    origin: Origin,
    pub(super) created_at: i64,
    last_sign_in: Option<i64>,
    #[serde(borrow)]
    pub(super) email: Option<&'a str>,
    names: &'a str,
}

impl<'a> Summary<'a> {
    pub(super) fn into_row(self, id: &'a str) -> Row<'a, Users> {
        Row {
            id: id.into(),
            text: self.email.map(searchable),
            others: [Some(self.names.into()), None, None],
            values: UserValues {
                status: self.status,
                origin: self.origin,
                created_at: self.created_at,
                last_sign_in: self.last_sign_in,
            },
        }
    }
}

/// An entry of the activity. Its number is in the key.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct EntryRecord {
    at: i64,
    actor: Actor,
    address: Option<IpAddr>,
    reference: Option<Reference>,
    #[serde(with = "event_record")]
    event: Event,
    /// ID of the user whom the event is about, if its subject is an e-mail address.
    user: Option<String>,
    /// Number, time and references of the refusals, if the entry stands for several.
    repeats: Option<Repeats>,
}

/// An entry of format 4 or older. The migration leaves such entries unchanged.
#[derive(Serialize, Deserialize)]
pub(super) struct EntryRecord4 {
    at: i64,
    actor: Actor,
    address: Option<IpAddr>,
    reference: Option<Reference>,
    #[serde(with = "event_record")]
    event: Event,
}

impl From<EntryRecord4> for Option<EntryRecord> {
    fn from(entry: EntryRecord4) -> Self {
        Some(entry.into())
    }
}

impl From<EntryRecord4> for EntryRecord {
    fn from(entry: EntryRecord4) -> Self {
        Self {
            at: entry.at,
            actor: entry.actor,
            address: entry.address,
            reference: entry.reference,
            event: entry.event,
            user: None,
            repeats: None,
        }
    }
}

impl EntryRecord {
    /// Decodes an entry with its own row, as in formats up to 5. An entry of format 4 is too short
    /// for format 5.
    pub(super) fn from_row(bytes: &[u8]) -> Result<Self> {
        postcard::from_bytes(bytes)
            .or_else(|_| postcard::from_bytes(bytes).map(|entry: EntryRecord4| entry.into()))
            .map_err(|cause| damaged().because(cause))
    }

    pub(super) const fn at(&self) -> i64 {
        self.at
    }

    /// Returns the names by which the entry is found.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.users().chain(self.link())
    }

    /// Returns the user and the address that the entry is about.
    fn users(&self) -> impl Iterator<Item = &str> {
        let subject = self.event.subject.as_deref();
        subject.into_iter().chain(self.user.as_deref())
    }

    /// Returns the ID of the link that the entry is about.
    pub(super) fn link(&self) -> Option<&str> {
        self.event.link.as_deref()
    }

    /// Returns whether any of `names` is the user or the address that the entry is about.
    pub(super) fn is_about(&self, names: &[String]) -> bool {
        let mut about = self.users();
        about.any(|name| names.iter().any(|wanted| wanted == name))
    }

    pub(super) fn is_refusal(&self) -> bool {
        self.event.data.kind() == Kind::Refusal
    }

    /// Returns whether the seat limit was set.
    pub(super) fn sets_seat_limit(&self) -> bool {
        matches!(self.event.data, EventData::SeatLimitSet(_))
    }

    /// Sets the user who has the e-mail address in the event.
    pub(super) fn of(mut self, user: Option<String>) -> Self {
        self.user = user;
        self
    }

    pub(super) fn counted(counted: &Counted) -> Self {
        Self {
            at: counted.at,
            actor: counted.actor.clone(),
            address: counted.address,
            reference: None,
            event: counted.event(),
            user: None,
            repeats: Some(counted.repeats.clone()),
        }
    }

    pub(super) fn new(event: Event, by: &AuditContext) -> Self {
        Self {
            at: by.at.as_second(),
            actor: by.actor.clone(),
            address: by.address,
            reference: by.reference.clone(),
            event,
            user: None,
            repeats: None,
        }
    }

    pub(super) fn into_snapshot(self, number: u64) -> EntryRow {
        EntryRow {
            number,
            at: self.at,
            actor: self.actor,
            address: self.address,
            reference: self.reference,
            repeats: self.repeats,
            user: self.user,
            event: self.event,
        }
    }

    pub(super) fn from_snapshot(entry: EntryRow) -> Self {
        Self {
            at: entry.at,
            actor: entry.actor,
            address: entry.address,
            reference: entry.reference,
            event: entry.event,
            user: entry.user,
            repeats: entry.repeats,
        }
    }

    pub(super) fn into_entry(self, number: u64) -> Entry {
        Entry {
            number,
            at: self.at,
            actor: self.actor,
            address: self.address,
            reference: self.reference,
            repeats: self.repeats,
            event: self.event,
        }
    }
}

/// First byte of an encoded [`LinkRecord::UsedBy`](latchkey_core::ledger::LinkRecord), which is
/// the fourth variant.
pub(super) const USED_BY: u8 = 3;

/// Counters that change with each change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Counters {
    pub(super) users: u64,
    pub(super) active: u64,
    pub(super) seat_limit: Option<u64>,
    /// Number of all changes, by which a tree that has lost some is recognised.
    pub(super) changes: u64,
}

impl UserRecord {
    /// Returns the row of a user.
    pub(super) fn of(user: &User) -> Self {
        Self {
            status: user.status,
            origin: user.origin,
            created_at: user.created_at,
            last_sign_in: user.last_sign_in,
            email: user.email.as_ref().map(|email| email.as_str().to_owned()),
            names: user.metadata.names().collect::<Vec<_>>().join(" "),
            sign_ins: user.sign_ins,
            profile_as_of: user.profile_as_of,
            generation: user.generation,
            metadata: user.metadata.json(),
            ends_at: user.ends_at,
        }
    }

    /// Returns the fields of the user for the catalogue.
    pub(super) fn row(&self, id: &str) -> Row<'static, Users> {
        let summary = Summary {
            status: self.status,
            origin: self.origin,
            created_at: self.created_at,
            last_sign_in: self.last_sign_in,
            email: self.email.as_deref(),
            names: &self.names,
        };
        summary.into_row(id).into_owned()
    }

    pub(super) fn into_user(self, id: &UserId) -> Result<User> {
        Ok(User {
            id: id.clone(),
            email: self.email.as_deref().map(Email::from_kept),
            metadata: Metadata::from_kept(&self.metadata)
                .map_err(|cause| damaged().because(cause))?,
            status: self.status,
            origin: self.origin,
            created_at: self.created_at,
            last_sign_in: self.last_sign_in,
            sign_ins: self.sign_ins,
            profile_as_of: self.profile_as_of,
            generation: self.generation,
            ends_at: self.ends_at,
        })
    }
}

impl Counters {
    pub(super) const fn counts(self) -> Counts {
        Counts {
            users: self.users,
            active: self.active,
            seat_limit: self.seat_limit,
        }
    }

    pub(super) fn totals(&self) -> Totals {
        Totals {
            changes: self.changes,
            users: self.users,
            active: self.active,
        }
    }

    pub(super) const fn set(&mut self, counts: Counts) {
        self.users = counts.users;
        self.active = counts.active;
        self.seat_limit = counts.seat_limit;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_of_a_format_without_ends_has_none() {
        let id = UserId::parse("ada", "id").unwrap();
        let user = User {
            id: id.clone(),
            email: None,
            metadata: Metadata::default(),
            status: Status::Active,
            origin: Origin::Link,
            created_at: 1,
            last_sign_in: None,
            sign_ins: 0,
            profile_as_of: 1,
            generation: 1,
            ends_at: Some(1_795_300_000),
        };
        let row = postcard::to_allocvec(&UserRecord::of(&user)).unwrap();
        let read = |row: &[u8]| {
            let record: UserRecord = postcard::from_bytes(row).unwrap();
            record.into_user(&id).unwrap()
        };
        assert_eq!(read(&row), user);
        let last = postcard::to_allocvec(&user.ends_at).unwrap().len();
        let older = read(&row[..row.len() - last]);
        assert_eq!(older.ends_at, None);
        assert_eq!(older.metadata, user.metadata);
    }
}
