use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks a mutex. Its value stays usable after another holder has panicked.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
