//! Measuring of durations.

use std::time::Instant;

/// Returns the current instant, for measuring a duration. No rule depends on it.
#[expect(
    clippy::disallowed_methods,
    reason = "it measures disks and threads, and no rule depends on the time"
)]
pub(crate) fn start() -> Instant {
    Instant::now()
}
