//! Pages of the changes that wait in the outbox. For an instance that is hosted elsewhere they are the
//! whole activity that is known here.

use super::Outbox;
use crate::activity::{ActivityPage, ActivityQuery, Entry, OutboxEntry};
use crate::protocol::email::Email;

impl Outbox {
    /// Returns the waiting changes that match, newest first.
    #[must_use]
    pub fn page(&self, query: &ActivityQuery, before: Option<u64>, limit: usize) -> ActivityPage {
        let waiting = self.waiting.iter().rev();
        let earlier = waiting.filter(|one| before.is_none_or(|before| one.number < before));
        let entries = earlier.map(entry);
        let mut matching = entries.filter(|entry| is_about(entry, query) && query.matches(entry));
        let entries: Vec<Entry> = matching.by_ref().take(limit).collect();
        let before = match (entries.last(), matching.next()) {
            (Some(last), Some(_)) => Some(last.number),
            _ => None,
        };
        ActivityPage { entries, before }
    }
}

fn entry(waiting: &OutboxEntry) -> Entry {
    Entry {
        number: waiting.number,
        at: waiting.at,
        actor: waiting.actor.clone(),
        address: None,
        reference: None,
        repeats: None,
        event: waiting.event.clone(),
    }
}

/// Returns whether an entry is about the wanted user, by the whole ID or address.
fn is_about(entry: &Entry, query: &ActivityQuery) -> bool {
    let Some(wanted) = &query.subject else {
        return true;
    };
    let key = |text: &str| Email::from_kept(text).key();
    let subject = entry.event.subject.as_ref();
    let id = entry.event.data.parameters();
    let id = id.get("id").and_then(serde_json::Value::as_str);
    subject.is_some_and(|subject| key(subject) == key(wanted)) || id == Some(wanted)
}
