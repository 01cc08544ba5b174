//! How long something takes.

use std::time::Instant;

/// The beginning of something that takes time. No rule depends on it.
#[expect(
    clippy::disallowed_methods,
    reason = "it measures disks and threads; what the time is decides nothing here"
)]
pub(super) fn start() -> Instant {
    Instant::now()
}
