//! The rules of a directory. They decide from the [`Facts`] what each [`Command`] does, without
//! doing it.
//!
//! | commands | module |
//! |---|---|
//! | redeeming a code, and the dry run | [`redeem`] |
//! | adding, editing, suspending and removing users | [`users`] |
//! | sessions | [`sessions`] |
//! | links, and their order after edits and removals | [`links`] |
//! | recorded times that lie in the future | [`times`] |

mod links;
mod needs;
mod redeem;
mod sessions;
mod times;
mod users;

use jiff::Timestamp;

pub use redeem::verdict;

use super::command::{Command, Outcome};
use super::effect::{Decision, Effect, NewEntry};
use super::facts::Facts;
use crate::activity::{self, AuditContext, Event, OutboxEntry};
use crate::protocol::user_id::UserId;
use crate::{Error, Result};

/// Minimum difference, in seconds, at which a later time replaces the stored latest time.
const NOTED_EVERY: i64 = 60;

/// Decides what a command does. `facts` must have everything that [`Command::needs`] asks for.
///
/// Fails with the errors that the functions of [`Directory`](super::Directory) name. The command
/// then changes nothing.
/// Fails with the errors that the functions of [`Directory`](super::Directory) name. Nothing is done then.
pub fn decide(command: &Command, facts: Facts, by: &AuditContext) -> Result<Decision> {
    let mut draft = Draft::new(facts, by.at);
    let outcome = match command {
        Command::Redeem(redemption) => Outcome::Verdict(draft.redeem(redemption, by)?),
        Command::Add(user) => draft.add_one(user)?,
        Command::Import(users) => draft.import(users)?,
        Command::Edit(id, profile) => draft.edit(id, profile)?,
        Command::Suspend(id) => draft.suspend(id)?,
        Command::Reactivate(id) => draft.reactivate(id)?,
        Command::SignOut(id) => draft.sign_out(id)?,
        Command::Remove(id) => draft.remove(id)?,
        Command::SetSeatLimit(limit) => draft.set_seat_limit(*limit),
        Command::EndSession(key) => draft.end_session(key),
        Command::NoteSessionsSeen(seen) => draft.note_sessions_seen(seen),
        Command::PruneSessions(keys, rules) => draft.prune_sessions(keys, *rules),
        Command::LinkMade(claims) => draft.link_made(claims),
        Command::LinkShown(claims) => draft.link_shown(claims),
        Command::RevokeLink(link) => draft.revoke_link(link),
        Command::CorrectTimes(times) => draft.correct_times(times),
        Command::Record(event) => draft.recorded(event.clone()),
        Command::RecordOutbox(entry) => draft.record_outbox(entry)?,
    };
    Ok(Decision {
        outcome,
        effects: draft.effects,
        entry: draft.entry,
    })
}

/// A decision in progress. Each effect is applied to the facts, so later steps see it.
struct Draft {
    facts: Facts,
    /// Time of the command, in Unix seconds.
    now: i64,
    at: Timestamp,
    effects: Vec<Effect>,
    entry: Option<NewEntry>,
}

impl Draft {
    fn new(facts: Facts, at: Timestamp) -> Self {
        Self {
            facts,
            now: at.as_second(),
            at,
            effects: Vec::new(),
            entry: None,
        }
    }

    fn push(&mut self, effect: Effect) {
        self.facts.apply(&effect);
        self.effects.push(effect);
    }

    fn record(&mut self, event: Event) {
        self.entry = Some(NewEntry { event, user: None });
    }

    fn recorded(&mut self, event: Event) -> Outcome {
        self.record(event);
        Outcome::Done
    }

    /// Updates the stored latest time, by which an engine knows cheaply whether a recorded time
    /// lies in the future.
    fn note_time(&mut self, at: i64) {
        let latest = self.facts.latest_time.unwrap_or_default();
        if at > latest.saturating_add(NOTED_EVERY) {
            self.push(Effect::SetLatestTime(at));
        }
    }

    fn set_seat_limit(&mut self, limit: Option<u64>) -> Outcome {
        let mut counts = self.facts.counts;
        if counts.seat_limit != limit {
            let words = |limit: Option<u64>| limit.map_or("none".to_owned(), |n| n.to_string());
            let (was, is) = (words(counts.seat_limit), words(limit));
            counts.seat_limit = limit;
            self.push(Effect::SetCounts(counts));
            let event = Event::act("seat_limit_set", format!("Seat limit: {is}"));
            self.record(event.with(format!("seat limit: {was} → {is}")));
        }
        Outcome::Seats(counts.seats())
    }

    /// Records a change of the settings, unless it was recorded before.
    fn record_outbox(&mut self, entry: &OutboxEntry) -> Result<Outcome> {
        if entry.number <= self.facts.last_outbox_entry {
            return Ok(Outcome::Done);
        }
        self.push(Effect::SetLastOutboxEntry(entry.number));
        self.record(entry.event.clone());
        // The link was made for a user while another process held this directory.
        if entry.event.code == activity::LINK_MADE
            && let (Some(user), Some(link)) = (&entry.event.subject, &entry.event.link)
        {
            self.note_link_of(&UserId::parse(user, "id")?, link, entry.at);
            self.note_recent(user, link, entry.at);
        }
        Ok(Outcome::Done)
    }
}

/// Returns the error for facts that were not loaded.
fn not_loaded() -> Error {
    Error::internal("a change was decided without all that it depends on")
}
