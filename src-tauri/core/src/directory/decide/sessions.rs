//! Ending sessions, and recording when they were last used.

use super::super::command::Outcome;
use super::super::effect::Effect;
use super::Draft;
use crate::activity::{Event, EventData};
use crate::session::{SEEN_SECS, Session, SessionKey, SessionRules};

impl Draft {
    pub(super) fn end_session(&mut self, key: &SessionKey) -> Outcome {
        if let Some(session) = self.facts.session(key).flatten() {
            let mut event = Event::from(EventData::SignedOut).of(&session.user);
            event.link.clone_from(&session.link);
            self.push(Effect::DeleteSession(*key));
            self.record(event);
        }
        Outcome::Done
    }

    pub(super) fn note_sessions_seen(&mut self, seen: &[(SessionKey, i64)]) -> Outcome {
        for (key, at) in seen {
            if let Some(session) = self.facts.session(key).flatten()
                && *at >= session.last_seen.saturating_add(SEEN_SECS)
            {
                let session = Session {
                    last_seen: *at,
                    ..session.clone()
                };
                self.push(Effect::PutSession(*key, Box::new(session)));
            }
        }
        Outcome::Done
    }

    pub(super) fn prune_sessions(&mut self, keys: &[SessionKey], rules: SessionRules) -> Outcome {
        let mut pruned = 0;
        for key in keys {
            if let Some(session) = self.facts.session(key).flatten()
                && (session.is_over(rules, self.at) || !self.facts.goes_on(session, self.now))
            {
                self.push(Effect::DeleteSession(*key));
                pruned += 1;
            }
        }
        Outcome::Count(pruned)
    }
}
