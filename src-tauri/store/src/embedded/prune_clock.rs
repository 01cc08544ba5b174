//! The time as of which the retention removes rows. A removal cannot be undone, and with a link goes
//! the knowledge that it was revoked or used up. So a clock that is ahead must not decide it.

use serde::{Deserialize, Serialize};

/// Maximum step of the clock that is believed at once, and the time for which a later clock must go
/// on before it is believed, in seconds.
const DAY: i64 = 86_400;
/// Interval at which the time is written, in seconds.
const WRITTEN_EVERY: i64 = 3_600;

/// Time that is believed, and a later one that is not yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct PruneClock {
    /// Time that is believed, in Unix seconds.
    believed: i64,
    /// First time more than a day later that the clock has shown since, in Unix seconds.
    later: Option<i64>,
}

impl PruneClock {
    /// Believes a time, in Unix seconds.
    pub(super) const fn new(at: i64) -> Self {
        Self {
            believed: at,
            later: None,
        }
    }

    /// Notes what the clock shows. Returns the time as of which rows may be removed, in Unix seconds.
    pub(super) fn advance(&mut self, now: i64) -> i64 {
        let is_near = now.saturating_sub(self.believed) <= DAY;
        let went_on = self
            .later
            .is_some_and(|later| now.saturating_sub(later) >= DAY);
        if is_near || went_on {
            *self = Self::new(now);
        } else {
            // A clock that was set back begins the day anew.
            self.later = Some(self.later.map_or(now, |later| later.min(now)));
        }
        self.believed
    }

    /// Returns whether the time must be written, after `written` was.
    pub(super) fn is_due(self, written: Option<Self>) -> bool {
        written.is_none_or(|written| {
            written.later != self.later
                || self.believed.abs_diff(written.believed) >= WRITTEN_EVERY.unsigned_abs()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_ahead_for_less_than_a_day_decides_nothing() {
        let mut clock = PruneClock::new(0);
        assert_eq!(clock.advance(60), 60);
        for ahead in [400 * DAY, 400 * DAY + 60, 401 * DAY - 1] {
            assert_eq!(clock.advance(ahead), 60, "{ahead}");
        }
        // It is right again.
        assert_eq!(clock.advance(120), 120);
        assert_eq!(clock, PruneClock::new(120));
        // Another jump begins the day anew.
        assert_eq!(clock.advance(500 * DAY), 120);
        assert_eq!(clock.advance(450 * DAY), 120);
        assert_eq!(clock.advance(451 * DAY - 1), 120);
    }

    #[test]
    fn after_a_pause_the_time_is_believed_when_the_clock_has_gone_on_for_a_day() {
        let mut clock = PruneClock::new(0);
        assert_eq!(clock.advance(10 * DAY), 0);
        assert_eq!(clock.advance(11 * DAY - 1), 0);
        assert_eq!(clock.advance(11 * DAY), 11 * DAY);
        assert_eq!(clock.advance(12 * DAY), 12 * DAY);
        // A Studio that opens once a week is a week late.
        assert_eq!(clock.advance(19 * DAY), 12 * DAY);
        assert_eq!(clock.advance(26 * DAY), 26 * DAY);
        assert_eq!(
            clock.advance(25 * DAY),
            25 * DAY,
            "a clock that was set back"
        );
    }

    #[test]
    fn it_is_written_once_an_hour_and_when_the_clock_jumps() {
        let mut clock = PruneClock::new(0);
        assert!(clock.is_due(None));
        let written = Some(clock);
        clock.advance(WRITTEN_EVERY - 1);
        assert!(!clock.is_due(written));
        let mut hour = clock;
        hour.advance(WRITTEN_EVERY);
        assert!(hour.is_due(written));
        clock.advance(3 * DAY);
        assert!(clock.is_due(written));
        assert!(!clock.is_due(Some(clock)));
    }
}
