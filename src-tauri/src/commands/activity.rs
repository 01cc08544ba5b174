//! What has happened on an instance.

use latchkey_store::Wait as _;
use std::sync::Arc;

use latchkey_core::activity::{self, Kind};
use latchkey_core::directory::Directory as _;
use serde::{Deserialize, Serialize};
use tauri::State;
use ts_rs::TS;

use crate::commands::users::in_directory;
use crate::{Problem, Studio};

/// How many entries are on a page, at most.
const MOST_ON_A_PAGE: usize = 200;

/// What has happened, newest first.
#[derive(Clone, Debug, Deserialize, TS)]
pub struct ActivityRequest {
    /// The instance's id.
    pub instance: String,
    /// Only this kind.
    pub kind: Option<Kind>,
    /// Only what is about somebody, by the whole id or address.
    pub subject: Option<String>,
    /// Only where this stands: whom it is about, the reference, the address, the code.
    pub text: String,
    /// Only what was before the entry of this number.
    #[ts(type = "number | null")]
    pub before: Option<u64>,
    /// How many.
    pub limit: u32,
}

/// An entry. It differs from core's `Entry`: the time is in Unix seconds, because the window words it, the actor is
/// worded, and a counted entry has the first of its references only.
#[derive(Clone, Debug, Serialize, TS)]
pub struct ActivityEntry {
    /// It goes up with time.
    #[ts(type = "number")]
    pub number: u64,
    /// When, in Unix seconds.
    #[ts(type = "number")]
    pub at: i64,
    /// Who did it: `A visitor`, `Studio`, `API key CRM`.
    pub actor: String,
    /// From where, if it came over a network.
    pub address: Option<String>,
    /// The reference that a refused visitor was shown; of several visitors, the first one's.
    pub reference: Option<String>,
    /// What kind of thing.
    pub kind: Kind,
    /// The stable code.
    pub code: String,
    /// In a few words.
    pub title: String,
    /// Why, or what exactly.
    pub detail: Option<String>,
    /// Whom it is about.
    pub subject: Option<String>,
}

/// A part of the activity.
#[derive(Clone, Debug, Serialize, TS)]
pub struct ActivityPage {
    /// The entries, newest first. There may be fewer than were asked for, and more further on.
    pub entries: Vec<ActivityEntry>,
    /// Where to go on; nowhere, where everything was looked at.
    #[ts(type = "number | null")]
    pub before: Option<u64>,
}

/// A page of what has happened.
#[tauri::command]
pub async fn activity(
    studio: State<'_, Arc<Studio>>,
    request: ActivityRequest,
) -> Result<ActivityPage, Problem> {
    in_directory(studio, request.instance, move |directory| {
        let query = activity::ActivityQuery {
            kind: request.kind,
            subject: request.subject,
            text: request.text,
        };
        let limit = usize::try_from(request.limit).unwrap_or(usize::MAX);
        let limit = limit.clamp(1, MOST_ON_A_PAGE);
        let page = directory.activity(&query, request.before, limit).wait()?;
        Ok(ActivityPage {
            entries: page.entries.into_iter().map(Into::into).collect(),
            before: page.before,
        })
    })
    .await
}

impl From<activity::Entry> for ActivityEntry {
    fn from(entry: activity::Entry) -> Self {
        let event = entry.event;
        let repeats = entry.repeats.into_iter();
        let mut references = repeats.flat_map(|repeats| repeats.references);
        let reference = entry.reference.or_else(|| references.next());
        Self {
            number: entry.number,
            at: entry.at,
            actor: entry.actor.to_string(),
            address: entry.address.map(|address| address.to_string()),
            reference: match event.kind {
                Kind::Refusal => reference.map(|reference| reference.to_string()),
                Kind::SignIn | Kind::Act => None,
            },
            kind: event.kind,
            code: event.code,
            title: event.title,
            detail: event.detail,
            subject: event.subject,
        }
    }
}
