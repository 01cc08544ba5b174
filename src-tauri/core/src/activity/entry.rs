//! Entries of the activity, and the filter for searching them.

use std::net::IpAddr;

use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use super::context::Actor;
use super::event::Event;
use super::kind::Kind;
use super::reference::Reference;
use super::repeats::Repeats;
use crate::time;

/// An entry of the activity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Number of the entry. Later entries have higher numbers.
    pub number: u64,
    /// Time in Unix seconds.
    pub at: i64,
    /// Actor.
    pub actor: Actor,
    /// Network address of the actor.
    pub address: Option<IpAddr>,
    /// Reference that the visitor was shown.
    pub reference: Option<Reference>,
    /// Number, time and references of the refusals, if the entry stands for several.
    pub repeats: Option<Repeats>,
    /// The event.
    pub event: Event,
}

impl Entry {
    /// Returns a title of a few words. For an entry that stands for several refusals, it has their
    /// number.
    #[must_use]
    pub fn title(&self) -> String {
        self.event.data.title_of(self.repeats.as_ref())
    }

    /// Returns the reason and what to do about it, or the details.
    #[must_use]
    pub fn detail(&self) -> Option<String> {
        self.event.data.detail()
    }
}

/// An entry in JSON, with its words and its parameters.
#[derive(Serialize)]
struct WordedEntry<'a> {
    number: u64,
    #[serde(serialize_with = "time::rfc3339")]
    at: i64,
    actor: &'a Actor,
    address: Option<IpAddr>,
    reference: Option<&'a Reference>,
    repeats: Option<&'a Repeats>,
    kind: Kind,
    code: &'a str,
    title: String,
    detail: Option<String>,
    parameters: Map<String, Value>,
    subject: Option<&'a str>,
    link: Option<&'a str>,
}

impl Serialize for Entry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Event {
            data,
            subject,
            link,
        } = &self.event;
        let worded = WordedEntry {
            number: self.number,
            at: self.at,
            actor: &self.actor,
            address: self.address,
            reference: self.reference.as_ref(),
            repeats: self.repeats.as_ref(),
            kind: data.kind(),
            code: data.code(),
            title: self.title(),
            detail: self.detail(),
            parameters: data.parameters(),
            subject: subject.as_deref(),
            link: link.as_deref(),
        };
        worded.serialize(serializer)
    }
}

/// Filter of entries. By default it matches all entries.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ActivityQuery {
    /// Only entries of this kind.
    pub kind: Option<Kind>,
    /// Only entries about this user, given by the whole ID or e-mail address. An ID also matches
    /// entries that named the user by address.
    pub subject: Option<String>,
    /// Only entries that contain this text, in any case: in the subject, the reference, the stable
    /// code, the title, the address or the name of an API key.
    pub text: String,
}

impl ActivityQuery {
    /// Returns whether an entry matches. The caller has already compared the subject.
    #[must_use]
    pub fn matches(&self, entry: &Entry) -> bool {
        self.kind.is_none_or(|kind| kind == entry.event.data.kind()) && self.has_text(entry)
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
        // A counted entry also contains the codes of its reasons.
        let has_reason = || {
            let detail = entry.repeats.as_ref().and_then(|_| entry.detail());
            detail.is_some_and(|detail| has(&detail))
        };
        named.into_iter().flatten().any(has)
            || references.any(|reference| has(reference.as_str()))
            || has(event.data.code())
            || entry
                .address
                .is_some_and(|address| has(&address.to_string()))
            || matches!(&entry.actor, Actor::ApiKey(name) if has(name))
            || has(&entry.title())
            || has_reason()
    }
}

/// A page of the activity, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ActivityPage {
    /// Entries of the page. There may be fewer than the maximum although more follow.
    pub entries: Vec<Entry>,
    /// Number before which the next page begins. `None` if all entries were read.
    pub before: Option<u64>,
}
