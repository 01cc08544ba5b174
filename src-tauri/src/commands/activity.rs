//! The activity of an instance.

use std::sync::Arc;

use latchkey_core::activity::{self, Kind, Mark};
use latchkey_core::instance::InstanceId;
use latchkey_store::Wait as _;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use tauri::State;
use ts_rs::TS;

use crate::studio::at_home;
use crate::{Problem, Studio};

/// Maximum number of entries on a page.
const MOST_ON_A_PAGE: usize = 200;

/// Request for a page of the activity, newest first.
#[derive(Clone, Debug, Deserialize, TS)]
pub struct ActivityRequest {
    /// ID of the instance.
    pub instance: String,
    /// Only entries of this kind.
    pub kind: Option<Kind>,
    /// Only entries about this user, given by the whole ID or address.
    pub subject: Option<String>,
    /// Only entries about the link with this ID.
    pub link: Option<String>,
    /// Only entries that contain this text: a user, a reference, an address or a code.
    pub text: String,
    /// Only entries before the entry with this number.
    #[ts(type = "number | null")]
    pub before: Option<u64>,
    /// Maximum number of entries.
    pub limit: u32,
}

/// An entry. It differs from core's `Entry`: the time is in Unix seconds, because the window words
/// it; the actor is worded; and a counted entry has only the first of its references.
#[derive(Clone, Debug, Serialize, TS)]
pub struct ActivityEntry {
    /// Number of the entry. Later entries have higher numbers.
    #[ts(type = "number")]
    pub number: u64,
    /// Time in Unix seconds.
    #[ts(type = "number")]
    pub at: i64,
    /// Actor, such as `A visitor`, `Studio` or `API key CRM`.
    pub actor: String,
    /// Network address from which the actor acted, if there is one.
    pub address: Option<String>,
    /// Reference that the refused visitor was shown. An entry for several visitors has that of the
    /// first.
    pub reference: Option<String>,
    /// Kind of the entry.
    pub kind: Kind,
    /// Stable code of the event.
    pub code: String,
    /// Title in a few words.
    pub title: String,
    /// Reason or details.
    pub detail: Option<String>,
    /// Values of which title and detail are made.
    #[ts(type = "Record<string, unknown>")]
    pub parameters: Map<String, Value>,
    /// User whom the entry is about.
    pub subject: Option<String>,
}

/// A page of the activity.
#[derive(Clone, Debug, Serialize, TS)]
pub struct ActivityPage {
    /// Entries, newest first. There may be fewer than the maximum although more follow.
    pub entries: Vec<ActivityEntry>,
    /// Value of `before` for the next page. Null if all entries were searched.
    #[ts(type = "number | null")]
    pub before: Option<u64>,
}

/// Returns a page of the activity.
#[tauri::command]
pub async fn activity(
    studio: State<'_, Arc<Studio>>,
    request: ActivityRequest,
) -> Result<ActivityPage, Problem> {
    at_home(studio, move |studio, home| {
        let instance = home
            .instances()
            .get(&InstanceId::parse(&request.instance)?)?;
        let query = activity::ActivityQuery {
            kind: request.kind,
            subject: request.subject,
            link: request.link,
            text: request.text,
            ..activity::ActivityQuery::default()
        };
        let limit = usize::try_from(request.limit).unwrap_or(usize::MAX);
        let limit = limit.clamp(1, MOST_ON_A_PAGE);
        // The application of an instance that is hosted elsewhere records the sign-ins. Here is
        // what was done with this Latchkey.
        let page = studio
            .ledger(home, &instance)?
            .activity(&query, request.before, limit)
            .wait()?;
        Ok(ActivityPage {
            entries: page.entries.into_iter().map(Into::into).collect(),
            before: page.before,
        })
    })
    .await
}

/// Request to verify the activity.
#[derive(Clone, Debug, Deserialize, TS)]
pub struct VerifyRequest {
    /// ID of the instance.
    pub instance: String,
    /// Seal to compare: number and hash, with a colon between them. Null for none.
    pub expect: Option<String>,
}

/// Result of a verification, in words.
#[derive(Clone, Debug, Serialize, TS)]
pub struct Verified {
    /// Whether there is no fault, and the expected seal is there if one was given.
    pub sound: bool,
    /// The result in one sentence.
    pub title: String,
    /// The faults, the comparison, and what was not verified, each in one sentence.
    pub details: Vec<String>,
    /// Last seal. Null if no entry is sealed.
    pub last: Option<String>,
}

/// Verifies the activity of an instance that is hosted here or at a connected gateway.
#[tauri::command]
pub async fn activity_verify(
    studio: State<'_, Arc<Studio>>,
    request: VerifyRequest,
) -> Result<Verified, Problem> {
    at_home(studio, move |studio, home| {
        let instance = home
            .instances()
            .get(&InstanceId::parse(&request.instance)?)?;
        let expected = request.expect.map(|mark| mark.parse::<Mark>()).transpose();
        let expected = expected.map_err(|refused| refused.about("expect"))?;
        let directory = studio.ledger(home, &instance)?;
        let verified = directory.verify_activity(expected).wait()?;
        Ok(Verified {
            sound: verified.is_sound(),
            title: verified.title(),
            details: verified.details(expected.as_ref()),
            last: verified.last.map(|last| last.to_string()),
        })
    })
    .await
}

impl From<activity::Entry> for ActivityEntry {
    fn from(entry: activity::Entry) -> Self {
        let (title, detail) = (entry.title(), entry.detail());
        let activity::Event { data, subject, .. } = entry.event;
        let repeats = entry.repeats.into_iter();
        let mut references = repeats.flat_map(|repeats| repeats.references);
        let reference = entry.reference.or_else(|| references.next());
        Self {
            number: entry.number,
            at: entry.at,
            actor: entry.actor.to_string(),
            address: entry.address.map(|address| address.to_string()),
            reference: match data.kind() {
                Kind::Refusal => reference.map(|reference| reference.to_string()),
                Kind::SignIn | Kind::Act => None,
            },
            kind: data.kind(),
            code: data.code().to_owned(),
            title,
            detail,
            parameters: data.parameters(),
            subject,
        }
    }
}
