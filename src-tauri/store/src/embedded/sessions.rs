//! Sessions: a row each. There is no index by user: each sign-in would write a row more. The generation
//! of a user ends all of that user's sessions at once, and pruning deletes them later.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::change::{Change, Rows};
use super::journal::Journal;
use super::record::UserRecord;
use super::{damaged, keys, storage};
use latchkey_core::Result;
use latchkey_core::activity::Event;
use latchkey_core::directory::Redemption;
use latchkey_core::protocol::code::VerifiedCode;
use latchkey_core::protocol::user_id::UserId;
use latchkey_core::session::{
    NewSession, SEEN_SECS, Session, SessionKey, SessionRules, kept_browser,
};

/// Maximum number of sessions that are deleted in one change.
pub(super) const PRUNED_AT_ONCE: usize = 100;

impl Journal {
    /// Looks at all sessions, in no order. A session that begins or changes at the same time may be left
    /// out. Writers wait for one session at most.
    pub(super) fn each_session(
        &self,
        mut look: impl FnMut(&Rows<'_>, SessionKey, Session) -> Result<()>,
    ) -> Result<()> {
        // Pending sessions come first, because a writer may carry them over at the same time.
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
            let rows = Rows::new(self.view());
            if let Some(session) = rows.session(&key)? {
                look(&rows, key, session)?;
            }
        }
        Ok(())
    }
}

impl Rows<'_> {
    pub(super) fn session(&self, key: &SessionKey) -> Result<Option<Session>> {
        self.read(&keys::session(key))
    }

    /// Whether nobody can be signed in by a session any more.
    pub(super) fn is_dead(
        &self,
        session: &Session,
        rules: SessionRules,
        now: Timestamp,
    ) -> Result<bool> {
        Ok(session.is_over(rules, now) || !self.may_go_on(session)?)
    }

    /// Whether its user is there and has not been signed out since it began.
    pub(super) fn may_go_on(&self, session: &Session) -> Result<bool> {
        let user = self.user(session.user.as_str())?;
        Ok(user.is_some_and(|user| user.generation == session.generation))
    }
}

impl Change<'_> {
    /// Begins the session of a redemption for `user`, if it asks for one.
    pub(super) fn begin_session(
        &mut self,
        redemption: &Redemption<'_>,
        code: &VerifiedCode,
        id: &UserId,
        user: &UserRecord,
    ) -> Result<()> {
        let Some(NewSession {
            key,
            place,
            browser,
            replaces,
            ..
        }) = redemption.session
        else {
            return Ok(());
        };
        if let Some(replaced) = replaces {
            self.delete_session(replaced)?;
        }
        let now = redemption.by.at.as_second();
        let session = Session {
            user: id.clone(),
            generation: user.generation,
            place: *place,
            link: code.registered.id.clone(),
            browser: browser.as_deref().and_then(kept_browser),
            address: redemption.by.address,
            created_at: now,
            last_seen: now,
            code_expires_at: code.registered.expires_at,
        };
        self.write(keys::session(key), &session)
    }

    /// Deletes a session, if it is there.
    pub(super) fn delete_session(&mut self, key: &SessionKey) -> Result<Option<Session>> {
        let session = self.rows().session(key)?;
        if session.is_some() {
            self.remove_row(keys::session(key));
        }
        Ok(session)
    }

    pub(super) fn end_session(&mut self, key: &SessionKey) -> Result<()> {
        if let Some(session) = self.delete_session(key)? {
            let mut event = Event::act("signed_out", "Signed out").of(&session.user);
            event.link = session.link;
            self.record(event);
        }
        Ok(())
    }

    pub(super) fn note_sessions_seen(&mut self, seen: &[(SessionKey, i64)]) -> Result<()> {
        for (key, at) in seen {
            if let Some(mut session) = self.rows().session(key)?
                && *at >= session.last_seen.saturating_add(SEEN_SECS)
            {
                session.last_seen = *at;
                self.write(keys::session(key), &session)?;
                self.leave_unrecorded();
            }
        }
        Ok(())
    }

    /// Deletes those of `keys` whose sessions are still dead. Returns how many there were.
    pub(super) fn prune_sessions(
        &mut self,
        keys: &[SessionKey],
        rules: SessionRules,
        now: Timestamp,
    ) -> Result<u64> {
        let mut pruned = 0;
        for key in keys {
            if let Some(session) = self.rows().session(key)?
                && self.rows().is_dead(&session, rules, now)?
            {
                self.delete_session(key)?;
                self.leave_unrecorded();
                pruned += 1;
            }
        }
        Ok(pruned)
    }
}
