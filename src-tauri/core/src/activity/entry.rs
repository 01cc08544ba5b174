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
    /// It goes up with time.
    pub number: u64,
    /// When, in Unix seconds.
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
    pub event: Event,
}

impl Entry {
    /// Returns a title of a few words. If the entry stands for several refusals, it says how many.
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

/// JSON of an entry, which has the words and the parameters.
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

/// Which entries are looked for; all, by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ActivityQuery {
    /// Those of a kind.
    pub kind: Option<Kind>,
    /// Those about somebody, by the whole id or e-mail address. Entries that named a user by e-mail are
    /// found by the user's id, too.
    pub subject: Option<String>,
    /// Entries that contain a text, in any case: in the subject, the reference, the stable
    /// code, the title, the address, the name of an API key.
    pub text: String,
}

impl ActivityQuery {
    /// Whether an entry that is about the subject, if there is one, is looked for.
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
        // The detail of a counted entry names the reasons.
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

/// A part of the activity, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ActivityPage {
    /// The entries. There may be fewer than were asked for, and more further on.
    pub entries: Vec<Entry>,
    /// Entries before this number have not been looked at; all have, if `None`.
    pub before: Option<u64>,
}
