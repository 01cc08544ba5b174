//! Times of the last use of sessions. One task writes them to the directory, so that no request
//! waits for the disk.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use latchkey_core::directory::Directory;
use latchkey_core::session::{SEEN_SECS, Session, SessionKey};
use tokio::task;

/// Age at which an unwritten use is dropped, because the session has expired or was deleted.
const MAX_PENDING_SECS: i64 = 86_400;

/// Last uses that are not in the directory yet.
pub(crate) struct LastSeen {
    directory: Arc<dyn Directory>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    uses: HashMap<SessionKey, Use>,
    /// Whether a [`Writer`] is running.
    is_writing: bool,
}

/// Last use of a session, in Unix seconds.
struct Use {
    /// Time that the directory has.
    recorded: i64,
    last: i64,
}

impl Use {
    fn is_due(&self) -> bool {
        self.last >= self.recorded.saturating_add(SEEN_SECS)
    }
}

impl LastSeen {
    pub(crate) fn new(directory: Arc<dyn Directory>) -> Self {
        Self {
            directory,
            state: Mutex::default(),
        }
    }

    /// Returns the last use of a session if it is not in the directory yet.
    pub(crate) fn last_use(&self, key: &SessionKey) -> Option<i64> {
        self.state().uses.get(key).map(|known| known.last)
    }

    /// Notes a use of a session. With `idle`, the instance has an idle time-out, so every use is
    /// kept in memory. Otherwise a use is kept only when it is due to be written.
    pub(crate) fn note(self: &Arc<Self>, key: SessionKey, session: &Session, now: i64, idle: bool) {
        let recorded = session.last_seen;
        let this = Use {
            recorded,
            last: now,
        };
        if !idle && !this.is_due() {
            return;
        }
        let mut state = self.state();
        let known = state.uses.entry(key).or_insert(this);
        known.last = known.last.max(now);
        let begins = known.is_due() && !std::mem::replace(&mut state.is_writing, true);
        drop(state);
        if begins {
            let writer = Writer(Arc::clone(self));
            task::spawn(async move { writer.until_nothing_is_due().await });
        }
    }

    /// Drops uses that will never be written.
    pub(crate) fn forget_old(&self, now: i64) {
        self.state()
            .uses
            .retain(|_, known| now.saturating_sub(known.last) < MAX_PENDING_SECS);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Task that writes the uses that are due. At most one runs at a time.
struct Writer(Arc<LastSeen>);

impl Writer {
    async fn until_nothing_is_due(&self) {
        loop {
            let due = self.due();
            if due.is_empty() {
                break;
            }
            if let Err(cause) = self.0.directory.note_sessions_seen(&due).await {
                tracing::warn!(error = %cause.logged(), "the last uses of sessions were not written");
            }
            self.settle(&due);
        }
    }

    fn due(&self) -> Vec<(SessionKey, i64)> {
        let state = self.0.state();
        let due = state.uses.iter().filter(|(_, known)| known.is_due());
        due.map(|(key, known)| (*key, known.last)).collect()
    }

    /// Drops the uses that were written, and those that could not be.
    fn settle(&self, written: &[(SessionKey, i64)]) {
        let uses = &mut self.0.state().uses;
        for (key, at) in written {
            if let Some(known) = uses.get_mut(key) {
                known.recorded = *at;
                if known.last == *at {
                    uses.remove(key);
                }
            }
        }
    }
}

impl Drop for Writer {
    /// Lets the next due use start a new writer, also after a panic.
    fn drop(&mut self) {
        self.0.state().is_writing = false;
    }
}
