//! The rules of a directory. They decide from the [`Facts`] what each [`Command`] does, without
//! doing it.
//!
//! | commands | module |
//! |---|---|
//! | redeeming a code, and the dry run | [`redeem`] |
//! | adding, editing, suspending and removing users | [`users`] |
//! | accounts that end | [`guests`] |
//! | sessions | [`sessions`] |
//! | giving links out, and revoking them | [`ledger`] |
//! | asking for a new link | [`requests`] |
//! | order of links after edits, removals and revocations | [`links`] |
//! | recorded times that lie in the future | [`times`] |
//! | the seat limit | [`seats`] |
//! | entries of the activity without a change of users | [`entries`] |

mod entries;
mod guests;
mod ledger;
mod links;
mod needs;
mod redeem;
mod requests;
mod seats;
mod sessions;
mod times;
mod users;
mod wanted;

use jiff::Timestamp;

pub use redeem::verdict;
pub use requests::{askable, is_grantable};

use super::command::{Command, Outcome};
use super::effect::{Decision, Effect, NewEntry};
use super::facts::Facts;
use crate::activity::{AuditContext, Event};
use crate::{Error, Result};

/// Minimum difference, in seconds, at which a later time replaces the stored latest time.
const NOTED_EVERY: i64 = 60;

/// Decides what a command does. `facts` must have everything that [`Command::needs`] asks for.
///
/// Fails with the errors that the functions of [`Directory`](super::Directory) name. The command
/// then changes nothing.
pub fn decide(command: &Command, facts: Facts, by: &AuditContext) -> Result<Decision> {
    let mut draft = Draft::new(facts, by.at);
    let outcome = match command {
        Command::Redeem(redemption) => Outcome::Verdict(draft.redeem(redemption, by)?),
        Command::Add(user) => draft.add_one(user)?,
        Command::Import(users) => draft.import(users)?,
        Command::Edit(id, profile) => draft.edit(id, profile)?,
        Command::EditSeen(id, profile, seen) => draft.edit_seen(id, profile, seen)?,
        Command::Suspend(id) => draft.suspend(id)?,
        Command::Reactivate(id) => draft.reactivate(id)?,
        Command::SetAccountEnd(id, end) => draft.set_account_end(id, *end)?,
        Command::EndDueAccounts => draft.end_due_accounts(),
        Command::SignOut(id) => draft.sign_out(id)?,
        Command::Remove(id) => draft.remove(id)?,
        Command::SetSeatLimit(limit) => draft.set_seat_limit(*limit),
        Command::EndSession(key) => draft.end_session(key),
        Command::NoteSessionsSeen(seen) => draft.note_sessions_seen(seen),
        Command::PruneSessions(keys, rules) => draft.prune_sessions(keys, *rules),
        Command::TakeLink(link) => draft.give_out(link, by)?,
        Command::LinkShown(claims) => draft.link_shown(claims),
        Command::RevokeLinks(revocation) => draft.revoke_links(revocation)?,
        Command::AskForLink(asking) => draft.ask_for_link(asking, by)?,
        Command::DismissRequest(request) => draft.dismiss_request(request)?,
        Command::CorrectTimes(times) => draft.correct_times(times),
        Command::Record(event) => draft.record_event(event.clone()),
        Command::RecordOutbox(entry) => draft.record_outbox(entry)?,
    };
    Ok(Decision {
        outcome,
        effects: draft.effects,
        entries: draft.entries,
    })
}

/// A decision in progress. Each effect is applied to the facts, so later steps see it.
struct Draft {
    facts: Facts,
    /// Time of the command, in Unix seconds.
    now: i64,
    at: Timestamp,
    effects: Vec<Effect>,
    entries: Vec<NewEntry>,
}

impl Draft {
    fn new(facts: Facts, at: Timestamp) -> Self {
        Self {
            facts,
            now: at.as_second(),
            at,
            effects: Vec::new(),
            entries: Vec::new(),
        }
    }

    fn push(&mut self, effect: Effect) {
        self.facts.apply(&effect);
        self.effects.push(effect);
    }

    fn record(&mut self, event: Event) {
        self.entries.push(NewEntry {
            event,
            user: None,
            is_due: false,
        });
    }

    /// Updates the stored latest time, by which an engine knows cheaply whether a recorded time
    /// lies in the future.
    fn note_time(&mut self, at: i64) {
        let latest = self.facts.latest_time.unwrap_or_default();
        if at > latest.saturating_add(NOTED_EVERY) {
            self.push(Effect::SetLatestTime(at));
        }
    }
}

/// Returns the error for facts that were not loaded.
fn not_loaded() -> Error {
    Error::internal("a change was decided without all that it depends on")
}
