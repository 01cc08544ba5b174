//! Delivery of Studio's events to its page. Changes by this process are sent at once. Changes of an
//! instance by another process are found by the time and the size of the instance's file.

use std::path::PathBuf;
use std::sync::{Arc, Weak};
use std::time::{Duration, SystemTime};

use tauri::async_runtime::spawn_blocking;
use tauri::ipc::Channel;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use crate::Studio;
use crate::events::{Events, StudioEvent};

/// Pause between two deliveries. Equal events during the pause are delivered once.
const PAUSE: Duration = Duration::from_millis(250);
/// Interval at which the files of instances are checked.
const INTERVAL: Duration = Duration::from_secs(2);
/// Interval at which the users of TypingMind are copied again.
const COPYING_INTERVAL: Duration = Duration::from_mins(15);

/// Starts delivering events by `channel`, in place of the channel of an earlier page.
pub(crate) fn begin_delivery(studio: &Arc<Studio>, channel: Channel<StudioEvent>) {
    let events = studio.events();
    let delivery = deliver(Arc::clone(events), Arc::downgrade(studio), channel);
    events.deliver_by(delivery);
}

/// Delivers events until the page or Studio is gone.
async fn deliver(events: Arc<Events>, studio: Weak<Studio>, channel: Channel<StudioEvent>) {
    let mut looks = interval(INTERVAL);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut copying = Timer::new(COPYING_INTERVAL, Instant::now());
    let mut known = None;
    loop {
        tokio::select! {
            () = events.published() => {
                for event in events.take() {
                    if let Err(cause) = channel.send(event) {
                        tracing::debug!(%cause, "the page cannot receive events");
                        return;
                    }
                }
                sleep(PAUSE).await;
            }
            now = looks.tick() => {
                if copying.is_due(now) {
                    events.publish(StudioEvent::CopiesDue);
                }
                let Some(studio) = studio.upgrade() else {
                    return;
                };
                let before = known.take();
                let looked = spawn_blocking(move || look(&studio, before.as_ref()));
                known = looked.await.unwrap_or_default();
            }
        }
    }
}

/// Timer that is due once per interval.
struct Timer {
    interval: Duration,
    next: Instant,
}

impl Timer {
    fn new(interval: Duration, now: Instant) -> Self {
        Self {
            interval,
            next: now + interval,
        }
    }

    /// Returns whether an interval has passed since the timer began or was due last.
    fn is_due(&mut self, now: Instant) -> bool {
        let is_due = now >= self.next;
        if is_due {
            self.next = now + self.interval;
        }
        is_due
    }
}

/// Path, modification time and size of each instance's file.
type Files = Vec<(PathBuf, SystemTime, u64)>;

/// Compares the files of the instances with those `before`. If they differ, records the changes by
/// another process in the activity, and publishes that instances have changed. Also checks whether
/// other processes still hold directories that were requested. Returns the files, or `None` before
/// the data folder is open.
///
/// The first check always publishes, because the page may have read the instances before it.
fn look(studio: &Studio, before: Option<&Files>) -> Option<Files> {
    let home = studio.opened_home()?;
    studio.check_held_elsewhere(&home);
    let files = home.instances().files();
    if before != Some(&files) {
        studio.record_outboxes(&home);
        studio.events().publish(StudioEvent::Instances);
    }
    Some(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_are_due_every_15_minutes_and_once_after_a_longer_pause() {
        let begun = Instant::now();
        let mut copying = Timer::new(COPYING_INTERVAL, begun);
        let mut due_at = Vec::new();
        let pause = 3600..7200;
        for secs in (0..9000).step_by(2).filter(|secs| !pause.contains(secs)) {
            if copying.is_due(begun + Duration::from_secs(secs)) {
                due_at.push(secs);
            }
        }
        assert_eq!(due_at, [900, 1800, 2700, 7200, 8100]);
    }
}
