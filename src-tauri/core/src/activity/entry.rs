use std::net::IpAddr;

use serde::Serialize;

use super::event::{Actor, Event, Kind};
use super::reference::Reference;
use super::repeats::Repeats;
use crate::time;

/// An entry of the activity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// It goes up with time.
    pub number: u64,
    /// When, in Unix seconds.
    #[serde(serialize_with = "time::rfc3339")]
    pub at: i64,
    /// Who.
    pub actor: Actor,
    /// From where.
    pub address: Option<IpAddr>,
    /// Reference that the visitor was shown.
    pub reference: Option<Reference>,
    /// Number, time and references of the refusals, if the entry stands for several.
    pub repeats: Option<Repeats>,
    /// The event.
    #[serde(flatten)]
    pub event: Event,
}

/// Which entries are looked for; all, by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ActivityQuery {
    /// Those of a kind.
    pub kind: Option<Kind>,
    /// Those about somebody, by the whole id or e-mail address. Entries that named a user by e-mail are
    /// found by the user's id, too.
    pub subject: Option<String>,
    /// Entries that contain a text, in any case: in the subject, the reference, the stable
    /// code, the address, the name of an API key.
    pub text: String,
}

impl ActivityQuery {
    /// Whether an entry that is about the subject, if there is one, is looked for.
    #[must_use]
    pub fn matches(&self, entry: &Entry) -> bool {
        self.kind.is_none_or(|kind| kind == entry.event.kind) && self.has_text(entry)
    }

    fn has_text(&self, entry: &Entry) -> bool {
        let text = self.text.trim().to_lowercase();
        if text.is_empty() {
            return true;
        }
        let has = |part: &str| part.to_lowercase().contains(&text);
        let event = &entry.event;
        let named = [
            event.subject.as_deref(),
            event.link.as_deref(),
            entry.reference.as_ref().map(Reference::as_str),
        ];
        let repeats = entry.repeats.iter();
        let mut references = repeats.flat_map(|repeats| &repeats.references);
        // The detail of a counted entry names the reasons.
        let reasons = event.detail.as_deref().filter(|_| entry.repeats.is_some());
        named.into_iter().chain([reasons]).flatten().any(has)
            || references.any(|reference| has(reference.as_str()))
            || has(&event.code)
            || has(&event.title)
            || entry
                .address
                .is_some_and(|address| has(&address.to_string()))
            || matches!(&entry.actor, Actor::ApiKey(name) if has(name))
    }
}

/// A part of the activity, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ActivityPage {
    /// The entries. There may be fewer than were asked for, and more further on.
    pub entries: Vec<Entry>,
    /// Entries before this number have not been looked at; all have, if `None`.
    pub before: Option<u64>,
}
