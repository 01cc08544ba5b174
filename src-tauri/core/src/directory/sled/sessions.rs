//! Sessions: a row each, and an index entry by which those of a user are found.

use std::collections::HashSet;

use jiff::Timestamp;

use super::change::{Change, Rows};
use super::record::UserRecord;
use super::{damaged, keys};
use crate::Result;
use crate::activity::Event;
use crate::code::VerifiedCode;
use crate::directory::Redemption;
use crate::session::{NewSession, SEEN_SECS, Session, SessionKey, SessionRules, kept_browser};
use crate::user_id::UserId;

/// Maximum number of sessions that are deleted in one change.
pub(super) const PRUNED_AT_ONCE: usize = 100;

impl Rows<'_> {
    pub(super) fn session(&self, key: &SessionKey) -> Result<Option<Session>> {
        self.read(&keys::session(key))
    }

    pub(super) fn session_keys_of(&self, user: &str) -> Result<Vec<SessionKey>> {
        let prefix = keys::sessions_of(user);
        let found = self.keys_with(&prefix)?;
        let keys = found
            .iter()
            .map(|key| SessionKey::from_bytes(key.get(prefix.len()..).unwrap_or_default()));
        keys.collect::<Option<_>>().ok_or_else(damaged)
    }

    pub(super) fn sessions_of(&self, user: &UserId) -> Result<Vec<(SessionKey, Session)>> {
        let mut sessions = Vec::new();
        for key in self.session_keys_of(user.as_str())? {
            sessions.extend(self.session(&key)?.map(|session| (key, session)));
        }
        sessions.sort_by_key(|(key, session)| (std::cmp::Reverse(session.created_at), *key));
        Ok(sessions)
    }

    pub(super) fn count_signed_in(&self, rules: SessionRules, now: Timestamp) -> Result<u64> {
        let mut users = HashSet::new();
        for key in self.keys_with(keys::SESSIONS)? {
            let key = keys::session_key_of(&key).ok_or_else(damaged)?;
            if let Some(session) = self.session(&key)?
                && !self.is_dead(&session, rules, now)?
            {
                users.insert(session.user);
            }
        }
        Ok(users.len() as u64)
    }

    /// Whether nobody can be signed in by a session any more.
    pub(super) fn is_dead(
        &self,
        session: &Session,
        rules: SessionRules,
        now: Timestamp,
    ) -> Result<bool> {
        if session.is_over(rules, now) {
            return Ok(true);
        }
        let user = self.user(session.user.as_str())?;
        Ok(user.is_none_or(|user| user.generation != session.generation))
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
        self.write(keys::session(key), &session)?;
        self.write(keys::session_of(id.as_str(), key), &())
    }

    /// Deletes a session, if it is there.
    pub(super) fn delete_session(&mut self, key: &SessionKey) -> Result<Option<Session>> {
        let session = self.rows().session(key)?;
        if let Some(session) = &session {
            self.remove_row(keys::session(key));
            self.remove_row(keys::session_of(session.user.as_str(), key));
        }
        Ok(session)
    }

    /// Deletes the sessions of a user.
    pub(super) fn delete_sessions_of(&mut self, user: &UserId) -> Result<()> {
        for key in self.rows().session_keys_of(user.as_str())? {
            self.remove_row(keys::session(&key));
            self.remove_row(keys::session_of(user.as_str(), &key));
        }
        Ok(())
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
