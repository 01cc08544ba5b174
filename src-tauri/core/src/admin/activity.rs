//! Entries of the activity.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::activity::{
    ActivityPage, Actor, Entry, Event, EventData, Kind, Mark, OutboxEntry, Reference, Repeats,
    Verification,
};
use crate::time;

/// A page of the activity, newest first.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = ActivityPage)]
pub struct Page {
    /// Entries of the page. There may be fewer than the maximum although more follow.
    pub entries: Vec<EntryRecord>,
    /// Value of `before` for the next page. Null if all entries were read.
    #[schema(required)]
    pub before: Option<u64>,
}

/// An entry in words and in data.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = ActivityEntry)]
pub struct EntryRecord {
    /// Number of the entry. Later entries have larger numbers.
    number: u64,
    /// Time of the event.
    #[serde(with = "time::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    at: i64,
    /// Person or system that caused the event.
    actor: Actor,
    /// Address of the client. Null if it is not known.
    #[schema(required, value_type = Option<String>)]
    address: Option<IpAddr>,
    /// Reference of the request, which its log lines have.
    #[schema(required, value_type = Option<String>)]
    reference: Option<Reference>,
    /// Number of the refusals that the entry stands for. Null for a single event.
    #[schema(required)]
    repeats: Option<Repeats>,
    /// Kind of the event.
    kind: Kind,
    /// Stable code of the event.
    code: String,
    /// Title in a few words.
    title: String,
    /// Sentence with details.
    #[schema(required)]
    detail: Option<String>,
    /// Parameters of the event.
    #[schema(value_type = Object)]
    parameters: Map<String, Value>,
    /// User whom the event is about, by ID or address.
    #[schema(required)]
    subject: Option<String>,
    /// ID of the link.
    #[schema(required)]
    link: Option<String>,
    /// Type and parameters in the form that is stored.
    #[schema(value_type = Value)]
    data: EventData,
}

impl From<Entry> for EntryRecord {
    fn from(entry: Entry) -> Self {
        let (title, detail) = (entry.title(), entry.detail());
        let Event {
            data,
            subject,
            link,
        } = entry.event;
        Self {
            number: entry.number,
            at: entry.at,
            actor: entry.actor,
            address: entry.address,
            reference: entry.reference,
            repeats: entry.repeats,
            kind: data.kind(),
            code: data.code().to_owned(),
            title,
            detail,
            parameters: data.parameters(),
            subject,
            link,
            data,
        }
    }
}

impl From<EntryRecord> for Entry {
    fn from(record: EntryRecord) -> Self {
        Self {
            number: record.number,
            at: record.at,
            actor: record.actor,
            address: record.address,
            reference: record.reference,
            repeats: record.repeats,
            event: Event {
                data: record.data,
                subject: record.subject,
                link: record.link,
            },
        }
    }
}

impl From<ActivityPage> for Page {
    fn from(page: ActivityPage) -> Self {
        Self {
            entries: page.entries.into_iter().map(Into::into).collect(),
            before: page.before,
        }
    }
}

impl From<Page> for ActivityPage {
    fn from(page: Page) -> Self {
        Self {
            entries: page.entries.into_iter().map(Into::into).collect(),
            before: page.before,
        }
    }
}

/// Result of a verification, in data and in words.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = ActivityVerification)]
pub struct VerificationRecord {
    /// Whether there is no fault, and the expected seal is there if one was given.
    pub sound: bool,
    /// The result in one sentence.
    pub title: String,
    /// The faults, the comparison, and what was not verified, each in one sentence.
    pub details: Vec<String>,
    /// The result.
    #[serde(flatten)]
    pub verification: Verification,
}

impl VerificationRecord {
    /// Words a result. `expected` is the seal that it was compared with.
    #[must_use]
    pub fn new(verification: Verification, expected: Option<&Mark>) -> Self {
        Self {
            sound: verification.is_sound(),
            title: verification.title(),
            details: verification.details(expected),
            verification,
        }
    }
}

/// An event to record, which changes nothing else.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct EventRecord {
    /// The event.
    #[schema(value_type = Object)]
    pub event: Event,
}

/// A change of the instance's settings to record, once.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Waiting {
    /// The change.
    #[schema(value_type = Object)]
    pub change: OutboxEntry,
}
