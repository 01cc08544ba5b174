//! Sessions: a row each. There is no index by user: each sign-in would write a row more. The generation
//! of a user ends all of that user's sessions at once, and pruning deletes them later.

use std::collections::BTreeSet;

use latchkey_core::Result;
use latchkey_core::session::{Session, SessionKey};

use super::errors::{damaged, storage};
use super::journal::{Journal, View};
use super::{facts, keys};

impl Journal {
    /// Looks at all sessions, in no order. A session that begins or changes at the same time may be left
    /// out. The writer waits for one session at most.
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

/// Whether the user of a session is there and was not signed out since it began.
pub(super) fn goes_on(view: &View<'_>, session: &Session) -> Result<bool> {
    let user = facts::user(view, &session.user)?;
    Ok(user.is_some_and(|user| user.generation == session.generation))
}
