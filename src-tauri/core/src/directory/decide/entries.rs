//! Commands that only add entries to the activity, such as a changed setting.

use super::super::command::Outcome;
use super::super::effect::Effect;
use super::Draft;
use crate::Result;
use crate::activity::{Event, EventData, OutboxEntry};
use crate::protocol::user_id::UserId;

impl Draft {
    /// Records an event by itself.
    pub(super) fn record_event(&mut self, event: Event) -> Outcome {
        self.record(event);
        Outcome::Done
    }

    /// Records a change of the settings, unless it was recorded before.
    pub(super) fn record_outbox(&mut self, entry: &OutboxEntry) -> Result<Outcome> {
        if entry.number <= self.facts.last_outbox_entry {
            return Ok(Outcome::Done);
        }
        self.push(Effect::SetLastOutboxEntry(entry.number));
        self.record(entry.event.clone());
        match &entry.event.data {
            EventData::KeyLeaked { key, .. } => self.revoke_key(key, false),
            EventData::KeyRetired { key } => self.set_retirement(key, Some(entry.at)),
            EventData::KeyRetirementSet { key, retires_at } => {
                self.set_retirement(key, Some(*retires_at));
            }
            EventData::KeyRotated {
                key,
                old,
                retires_at,
            } => {
                self.set_retirement(old, Some(*retires_at));
                self.set_retirement(key, None);
            }
            _ => {}
        }
        let named = entry.event.data.named_user();
        if let (Some(recorded), Some(named)) = (self.entries.last_mut(), named) {
            recorded.user = UserId::parse(named, "id").ok();
        }
        // An older program made the link while another process held this directory.
        if entry.event.data == EventData::LinkMade
            && let (Some(user), Some(link)) = (&entry.event.subject, &entry.event.link)
        {
            self.note_link_of(&UserId::parse(user, "id")?, link, entry.at);
            self.note_recent(user, link, entry.at);
        }
        Ok(Outcome::Done)
    }
}
