//! Entries of the activity, and the filter for searching them.

use std::net::IpAddr;

use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use super::context::Actor;
use super::event::{Event, EventData, SEVERAL_REFUSALS};
use super::kind::Kind;
use super::reference::Reference;
use super::repeats::Repeats;
use crate::time;

/// An entry of the activity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Number of the entry. Later entries have higher numbers.
    pub number: u64,
    /// Time in Unix seconds. That of an entry that stands for several refusals is the time of the
    /// last one, which may be earlier than that of the entry before.
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

    /// Returns the reason and what to do about it, or the details. It does not repeat the title. For
    /// an entry that stands for several refusals, it begins with the time of the first.
    #[must_use]
    pub fn detail(&self) -> Option<String> {
        let detail = self.event.data.detail();
        let since = self
            .repeats
            .as_ref()
            .map_or(self.at, |repeats| repeats.since);
        // Words that an earlier format stored are not changed.
        if since == self.at || matches!(self.event.data, EventData::Worded(_)) {
            return detail;
        }
        let first = format!("The first was at {}.", time::exact(since));
        Some(detail.map_or_else(|| first.clone(), |detail| format!("{first} {detail}")))
    }
}

/// An entry in JSON, with its words and its parameters.
#[derive(Serialize)]
struct WordedEntry<'a> {
    number: u64,
    #[serde(serialize_with = "time::rfc3339::serialize")]
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
    /// Only entries about the link with this ID. Entries that an engine stored up to format 8 are
    /// not found by it.
    pub link: Option<String>,
    /// Only entries from this time on, in Unix seconds.
    pub from: Option<i64>,
    /// Only entries before this time, in Unix seconds.
    pub to: Option<i64>,
    /// Only entries that contain this text, in any case: in the subject, the link, the reference, the
    /// stable code, the address, the name of an API key, the title or the parameters. The detail of
    /// an act also counts, but not the advice of a refusal.
    pub text: String,
}

impl ActivityQuery {
    /// Returns whether an entry matches. The caller has already compared the subject.
    #[must_use]
    pub fn matches(&self, entry: &Entry) -> bool {
        let of_link = |link: &str| entry.event.link.as_deref() == Some(link);
        self.kind.is_none_or(|kind| kind == entry.event.data.kind())
            && self.from.is_none_or(|from| entry.at >= from)
            && self.to.is_none_or(|to| entry.at < to)
            && self.link.as_deref().is_none_or(of_link)
            && self.has_text(entry)
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
        let has_detail = || {
            let is_searched =
                event.data.kind() != Kind::Refusal || event.data.code() == SEVERAL_REFUSALS;
            let detail = entry.detail().filter(|_| is_searched);
            detail.is_some_and(|detail| has(&detail))
        };
        let has_parameter = || {
            event
                .data
                .parameters()
                .values()
                .any(|value| has_value(value, &has))
        };
        named.into_iter().flatten().any(has)
            || references.any(|reference| has(reference.as_str()))
            || has(event.data.code())
            || entry
                .address
                .is_some_and(|address| has(&address.to_string()))
            || matches!(&entry.actor, Actor::ApiKey(name) if has(name))
            || has(&entry.title())
            || has_detail()
            || has_parameter()
    }
}

/// Returns whether a text in a parameter has the text that is searched for.
fn has_value(value: &Value, has: &impl Fn(&str) -> bool) -> bool {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
        Value::String(text) => has(text),
        Value::Array(all) => all.iter().any(|value| has_value(value, has)),
        Value::Object(members) => members.values().any(|value| has_value(value, has)),
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::code::CodeFault;
    use crate::verdict::Refusal;

    fn entry(data: EventData, repeats: Option<Repeats>) -> Entry {
        Entry {
            number: 1,
            at: 1_700_000_030,
            actor: Actor::Visitor,
            address: None,
            reference: None,
            repeats,
            event: data.into(),
        }
    }

    fn repeats(since: i64) -> Repeats {
        Repeats {
            count: 3,
            since,
            references: Vec::new(),
        }
    }

    fn finds(text: &str, entry: &Entry) -> bool {
        let query = ActivityQuery {
            text: text.to_owned(),
            ..ActivityQuery::default()
        };
        query.matches(entry)
    }

    #[test]
    fn a_counted_entry_has_the_time_of_the_first_refusal_in_its_detail() {
        let expired = || EventData::Refused(Refusal::Code(CodeFault::Expired));
        let counted = entry(expired(), Some(repeats(1_700_000_000)));
        assert_eq!(counted.title(), "Refused 3 more times: expired");
        let detail = "The first was at 2023-11-14T22:13:20Z. Make a new link.";
        assert_eq!(counted.detail().as_deref(), Some(detail));
        let at_once = entry(expired(), Some(repeats(1_700_000_030)));
        assert_eq!(at_once.detail().as_deref(), Some("Make a new link."));
    }

    #[test]
    fn a_search_reads_the_parameters_and_not_the_advice() {
        let made = EventData::ApiKeyMade {
            name: "CRM of Acme".to_owned(),
            scopes: Vec::new(),
            expires_at: None,
        };
        assert!(finds("crm OF", &entry(made, None)));
        let refused = |at| {
            EventData::Refused(Refusal::UserRemoved {
                subject: "ada".to_owned(),
                at,
                is_ahead: false,
            })
        };
        let refused = entry(refused(1_700_000_000), None);
        assert!(finds("ada", &refused) && finds("user_removed", &refused));
        for text in ["bring the user back", "17000", "false"] {
            assert!(!finds(text, &refused), "{text}");
        }
    }

    #[test]
    fn the_user_of_a_refusal_is_the_subject_in_its_parameters() {
        use crate::protocol::user_id::UserId;

        let user = || UserId::parse("ada", "id").unwrap();
        for refusal in [
            Refusal::UserSuspended { user: user() },
            Refusal::ProvisioningOff { user: user() },
            Refusal::UnknownUser {
                subject: "ada".to_owned(),
            },
        ] {
            let parameters = EventData::Refused(refusal).parameters();
            assert_eq!(parameters.get("subject"), Some(&Value::from("ada")));
            assert!(!parameters.contains_key("user"), "{parameters:?}");
        }
    }
}
