//! Times of the last use of API keys. They are written every five minutes at most, and no request
//! waits for it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use latchkey_core::Result;
use latchkey_core::instance::api_key::{ApiKey, USE_SECS};
use tokio::task;

/// Writes uses of API keys: the ID of each key, and the time in Unix seconds. May block the thread.
pub(crate) type WriteKeyUses = Arc<dyn Fn(&[(String, i64)]) -> Result<()> + Send + Sync>;

/// Last uses of API keys that were given to be written.
pub(crate) struct KeyUses {
    write: WriteKeyUses,
    written: Mutex<HashMap<String, i64>>,
}

impl KeyUses {
    pub(crate) fn new(write: WriteKeyUses) -> Self {
        Self {
            write,
            written: Mutex::default(),
        }
    }

    /// Notes a use of a key. Must be called in a runtime of tokio.
    pub(crate) fn note(&self, key: &ApiKey, now: Timestamp) {
        let now = now.as_second();
        if !self.is_due(key, now) {
            return;
        }
        let (write, uses) = (Arc::clone(&self.write), vec![(key.id.clone(), now)]);
        task::spawn_blocking(move || {
            // The next use after five minutes is written again.
            if let Err(cause) = write(&uses) {
                tracing::warn!(error = %cause.logged(), "the last use of an API key was not written");
            }
        });
    }

    /// Returns whether a use is five minutes or more after the written one. If so, it counts as
    /// written.
    fn is_due(&self, key: &ApiKey, now: i64) -> bool {
        let mut written = self.written();
        let last = written.get(&key.id).copied().max(key.last_used_at);
        // A time in the future was written before the clock was put back.
        let is_due = last.is_none_or(|last| !(last..last.saturating_add(USE_SECS)).contains(&now));
        if is_due {
            written.insert(key.id.clone(), now);
        }
        is_due
    }

    fn written(&self) -> MutexGuard<'_, HashMap<String, i64>> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use latchkey_core::instance::api_key::NewApiKey;

    use super::*;

    #[test]
    fn a_use_is_written_at_once_and_then_every_five_minutes() {
        let uses = KeyUses::new(Arc::new(|_| Ok(())));
        let (mut key, _) = ApiKey::generate(&NewApiKey::new("CRM"), Timestamp::UNIX_EPOCH).unwrap();
        let due: Vec<i64> = (0..1000).filter(|now| uses.is_due(&key, *now)).collect();
        assert_eq!(due, [0, 300, 600, 900]);
        // Another process has written a later use.
        key.last_used_at = Some(950);
        assert!(!uses.is_due(&key, 1249) && uses.is_due(&key, 1250));
        let (other, _) = ApiKey::generate(&NewApiKey::new("other"), Timestamp::UNIX_EPOCH).unwrap();
        assert!(uses.is_due(&other, 1250), "each key by itself");
    }
}
