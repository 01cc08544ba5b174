//! Recorded times that lie in the future because the clock was wrong.

use latchkey_core::directory::{MAX_TIMES, TimeAhead};
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
        time_of(id, true, decoded(&bytes)?)
    });
    let profiles = tree.scan_prefix(keys::USERS).map(|row| {
        let (key, bytes) = row.map_err(storage)?;
        let id = keys::id_of(&key).ok_or_else(damaged)?;
        let user: UserRecord = decoded(&bytes)?;
        time_of(id, false, user.profile_as_of)
    });
    let is_ahead = |time: &Result<TimeAhead>| {
        time.as_ref()
            .map_or(true, |time| time::is_ahead(time.at, now))
    };
    removals
        .chain(profiles)
        .filter(is_ahead)
        .take(MAX_TIMES)
        .collect()
}

fn time_of(id: &str, is_removal: bool, at: i64) -> Result<TimeAhead> {
    Ok(TimeAhead {
        user: UserId::parse(id, "id")?,
        is_removal,
        at,
    })
}
