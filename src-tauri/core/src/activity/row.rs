use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::context::Actor;
use super::event::Event;
use super::kind::Kind;
use super::reference::Reference;
use super::repeats::Repeats;
use crate::time;

/// A stored entry of the activity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryRow {
    /// Number of the entry.
    pub number: u64,
    /// Time of the entry.
    #[serde(with = "time::rfc3339")]
    pub at: i64,
    /// Actor.
    pub actor: Actor,
    /// Network address of the actor.
    pub address: Option<IpAddr>,
    /// Reference that the visitor was shown.
    pub reference: Option<Reference>,
    /// Number, time and references of the refusals, if the entry stands for several.
    pub repeats: Option<Repeats>,
    /// ID of the user whom the event names by an e-mail address.
    pub user: Option<String>,
    /// The event.
    pub event: Event,
}

impl EntryRow {
    /// Returns whether the entry is a refusal.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        self.event.data.kind() == Kind::Refusal
    }
}
