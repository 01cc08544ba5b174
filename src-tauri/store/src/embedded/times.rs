//! Recorded times that lie in the future because the clock was wrong.

use latchkey_core::directory::{MAX_TIMES, TimeAhead};
use latchkey_core::ledger::PersonCutoffs;
use latchkey_core::protocol::user_id::UserId;
use latchkey_core::{Result, time};

use super::errors::{damaged, storage};
use super::keys;
use super::record::UserRecord;
use super::rows::decoded;

/// Returns the recorded times that are later than `now`, at most [`MAX_TIMES`].
pub(super) fn times_ahead(tree: &sled::Db, now: i64) -> Result<Vec<TimeAhead>> {
    let removals = tree.scan_prefix(keys::REMOVALS).map(|row| {
        let (key, bytes) = row.map_err(storage)?;
        let id = keys::removed_id_of(&key).ok_or_else(damaged)?;
        time_of(id, Recorded::Removal, decoded(&bytes)?)
    });
    let profiles = tree.scan_prefix(keys::USERS).map(|row| {
        let (key, bytes) = row.map_err(storage)?;
        let id = keys::id_of(&key).ok_or_else(damaged)?;
        let user: UserRecord = decoded(&bytes)?;
        time_of(id, Recorded::Profile, user.profile_as_of)
    });
    let cutoffs = [keys::PERSON_CUTOFFS, keys::EMAIL_CUTOFFS].map(|prefix| {
        let rows = tree.scan_prefix(prefix);
        rows.map(|row| {
            let (key, bytes) = row.map_err(storage)?;
            let person = key.strip_prefix(prefix);
            let person = person.and_then(|person| std::str::from_utf8(person).ok());
            let cutoffs: PersonCutoffs = decoded(&bytes)?;
            let at = cutoffs.latest().unwrap_or(i64::MIN);
            time_of(person.ok_or_else(damaged)?, Recorded::Cutoff, at)
        })
    });
    let is_ahead = |time: &Result<TimeAhead>| {
        time.as_ref()
            .map_or(true, |time| time::is_ahead(time.at, now))
    };
    removals
        .chain(profiles)
        .chain(cutoffs.into_iter().flatten())
        .filter(is_ahead)
        .take(MAX_TIMES)
        .collect()
}

#[derive(Clone, Copy, PartialEq)]
enum Recorded {
    Removal,
    Profile,
    Cutoff,
}

fn time_of(id: &str, recorded: Recorded, at: i64) -> Result<TimeAhead> {
    Ok(TimeAhead {
        user: UserId::parse(id, "id")?,
        is_removal: recorded == Recorded::Removal,
        is_cutoff: recorded == Recorded::Cutoff,
        at,
    })
}
