//! Waiting for a directory that is held for a moment.

use std::thread;
use std::time::Duration;

use latchkey_core::{ErrorCode, Result};

use crate::elapsed;

/// Timeout and interval for a directory that another process holds. Another command holds it for
/// some milliseconds, and several may wait for it on a busy machine.
const HELD: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(10);

/// Does work with a directory. Waits up to ten seconds while it is held.
///
/// Fails with [`ErrorCode::DirectoryHeld`] after that, and like `work`.
pub fn once_free<T>(mut work: impl FnMut() -> Result<T>) -> Result<T> {
    let since = elapsed::start();
    loop {
        match work() {
            Err(held) if held.code == ErrorCode::DirectoryHeld && since.elapsed() < HELD => {
                thread::sleep(PAUSE);
            }
            done => return done,
        }
    }
}
