//! Number of sign-ins since midnight.

use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use latchkey_core::Result;
use latchkey_core::activity::{ActivityQuery, Kind};
use latchkey_core::directory::Directory;

/// Number of entries that are read at once while sign-ins are counted.
const BATCH: usize = 1000;

/// Counts the sign-ins since midnight in UTC. It reads only the entries since the last count.
#[derive(Debug, Default)]
pub(super) struct SignInsToday(Mutex<Count>);

#[derive(Clone, Copy, Debug, Default)]
struct Count {
    /// Midnight of the day, in Unix seconds.
    since: i64,
    /// Number of the latest entry that was counted.
    latest: u64,
    sign_ins: u64,
}

impl SignInsToday {
    /// Returns the number of sign-ins on the day of `now` so far.
    pub(super) async fn today(&self, directory: &dyn Directory, now: Timestamp) -> Result<u64> {
        let midnight = now.to_zoned(TimeZone::UTC).start_of_day();
        let since = midnight.map_or(now, |midnight| midnight.timestamp());
        let since = since.as_second();
        let last = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut count = if last.since == since {
            last
        } else {
            Count {
                since,
                ..Count::default()
            }
        };
        let sign_ins = ActivityQuery {
            kind: Some(Kind::SignIn),
            ..ActivityQuery::default()
        };
        let (counted, mut before) = (count.latest, None);
        loop {
            let page = directory.activity(&sign_ins, before, BATCH).await?;
            let entries = page.entries.iter();
            let is_new = |number: u64, at: i64| number > counted && at >= since;
            let new = entries
                .take_while(|entry| is_new(entry.number, entry.at))
                .count();
            let latest = page.entries.first().filter(|_| new > 0);
            count.latest = latest.map_or(count.latest, |entry| count.latest.max(entry.number));
            count.sign_ins += u64::try_from(new).unwrap_or_default();
            before = page.before.filter(|_| new == page.entries.len());
            if before.is_none() {
                break;
            }
        }
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = count;
        Ok(count.sign_ins)
    }
}
