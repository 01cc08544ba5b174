//! Index of the sessions by user. It is in memory only, because each sign-in would otherwise write one
//! more row. The first list of sessions builds it, and changes then keep it current.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Mutex, MutexGuard, PoisonError};

use latchkey_core::Result;
use latchkey_core::protocol::user_id::UserId;
use latchkey_core::session::SessionKey;

use super::journal::Journal;

/// Keys of sessions by the hash of their user.
type Keys = BTreeMap<u64, Vec<SessionKey>>;

/// Index of the sessions of an open directory. It may also contain sessions that were deleted while
/// it was built.
#[derive(Default)]
pub(super) struct SessionIndex {
    /// `None` before the first list. Changes are applied while the index is built.
    keys: Mutex<Option<Keys>>,
    /// Whether the index has all sessions. Locked while it is built.
    is_complete: Mutex<bool>,
}

/// Change of the index.
#[derive(Clone, Copy)]
pub(super) enum SessionUpdate {
    /// A session began or changed.
    Put(u64, SessionKey),
    /// A session was deleted.
    Delete(u64, SessionKey),
}

impl SessionUpdate {
    pub(super) fn put(user: &UserId, key: SessionKey) -> Self {
        Self::Put(hash_of(user), key)
    }

    pub(super) fn delete(user: &UserId, key: SessionKey) -> Self {
        Self::Delete(hash_of(user), key)
    }
}

impl SessionIndex {
    /// Returns the keys of the sessions of a user, and of users whose IDs have the same hash. Builds
    /// the index first if there is none.
    pub(super) fn keys_of(&self, journal: &Journal, user: &UserId) -> Result<Vec<SessionKey>> {
        self.build(journal)?;
        let keys = self.keys();
        let keys = keys.as_ref().and_then(|keys| keys.get(&hash_of(user)));
        Ok(keys.cloned().unwrap_or_default())
    }

    fn build(&self, journal: &Journal) -> Result<()> {
        let mut is_complete = self
            .is_complete
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if !*is_complete {
            self.keys().get_or_insert_default();
            journal.each_session(|_, key, session| {
                let keys = &mut *self.keys();
                put(keys.get_or_insert_default(), hash_of(&session.user), key);
                Ok(())
            })?;
            *is_complete = true;
        }
        Ok(())
    }

    /// Applies changes that are on the disk. Does nothing before the first list.
    pub(super) fn apply(&self, updates: &[SessionUpdate]) {
        if updates.is_empty() {
            return;
        }
        let Some(keys) = &mut *self.keys() else {
            return;
        };
        for update in updates {
            match update {
                SessionUpdate::Put(hash, key) => put(keys, *hash, *key),
                SessionUpdate::Delete(hash, key) => delete(keys, *hash, key),
            }
        }
    }

    fn keys(&self) -> MutexGuard<'_, Option<Keys>> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn put(keys: &mut Keys, hash: u64, key: SessionKey) {
    let of_user = keys.entry(hash).or_default();
    // Keys sort by time, so a new one is usually the last.
    if let Err(place) = of_user.binary_search(&key) {
        of_user.insert(place, key);
    }
}

fn delete(keys: &mut Keys, hash: u64, key: &SessionKey) {
    if let Some(of_user) = keys.get_mut(&hash) {
        if let Ok(place) = of_user.binary_search(key) {
            of_user.remove(place);
        }
        if of_user.is_empty() {
            keys.remove(&hash);
        }
    }
}

fn hash_of(user: &UserId) -> u64 {
    let mut hasher = DefaultHasher::new();
    user.as_str().hash(&mut hasher);
    hasher.finish()
}
