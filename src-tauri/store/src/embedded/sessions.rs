//! Sessions, with one row each. No row is an index by user, because each sign-in would write one
//! more row. The generation of a user ends all sessions of that user at once, and pruning deletes
//! them later.

use std::collections::BTreeSet;

use latchkey_core::Result;
use latchkey_core::protocol::user_id::UserId;
use latchkey_core::session::{Session, SessionKey};

use super::errors::{damaged, storage};
use super::journal::{Journal, View};
use super::session_index::SessionIndex;
use super::{facts, keys};

impl Journal {
    /// Reads all sessions in any order. Sessions that begin or change at the same time may be
    /// missing. The writer waits for the reading of at most one session.
    pub(super) fn each_session(
        &self,
        mut look: impl FnMut(&View<'_>, SessionKey, Session) -> Result<()>,
    ) -> Result<()> {
        // Pending sessions come first, because a checkpoint may move them at the same time.
        let pending: BTreeSet<SessionKey> = {
            let view = self.view();
            let keys = view.pending_keys(keys::SESSIONS).map(keys::session_key_of);
            keys.collect::<Option<_>>().ok_or_else(damaged)?
        };
        let carried = self.tree().scan_prefix(keys::SESSIONS).keys().map(|key| {
            let key = key.map_err(storage)?;
            keys::session_key_of(&key).ok_or_else(damaged)
        });
        let carried = carried.filter(|key| key.as_ref().map_or(true, |key| !pending.contains(key)));
        for key in pending.iter().copied().map(Ok).chain(carried) {
            let key = key?;
            let view = self.view();
            if let Some(session) = facts::session(&view, &key)? {
                look(&view, key, session)?;
            }
        }
        Ok(())
    }
}

/// Returns the sessions of a user that were not signed out, also expired ones.
pub(super) fn sessions_of(
    journal: &Journal,
    index: &SessionIndex,
    user: &UserId,
    now: i64,
) -> Result<Vec<(SessionKey, Session)>> {
    let mut sessions = Vec::new();
    for key in index.keys_of(journal, user)? {
        let view = journal.view();
        if let Some(session) = facts::session(&view, &key)?
            && session.user == *user
            && goes_on(&view, &session, now)?
        {
            sessions.push((key, session));
        }
    }
    Ok(sessions)
}

/// Returns whether a session goes on at a time, in Unix seconds, unless its own time is over.
pub(super) fn goes_on(view: &View<'_>, session: &Session, now: i64) -> Result<bool> {
    Ok(facts::of_session(view, session, now)?.goes_on(session, now))
}

/// Returns whether a session has ended with the link that began it.
pub(super) fn is_ended_with_link(view: &View<'_>, session: &Session) -> Result<bool> {
    Ok(facts::of_session(view, session, 0)?.is_ended_with_link(session))
}
