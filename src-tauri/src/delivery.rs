//! Delivery of Studio's events to its page. Changes by this process are sent at once. Changes of an
//! instance by another process are found by the time and the size of the instance's file.

use std::path::PathBuf;
use std::sync::{Arc, Weak};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use latchkey_store::home::Home;
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
/// other processes still hold directories that were requested, and prunes the open one once a day. Returns the files, or `None` before
/// the data folder is open.
///
/// The first check always publishes, because the page may have read the instances before it.
fn look(studio: &Studio, before: Option<&Files>) -> Option<Files> {
    let home = studio.opened_home()?;
    studio.check_held_elsewhere(&home);
    prune_daily(studio, &home, Timestamp::now());
    let files = home.instances().files();
    if before != Some(&files) {
        studio.record_outboxes(&home);
        studio.events().publish(StudioEvent::Instances);
    }
    Some(files)
}

/// Prunes the open directory of an instance elsewhere once a day.
fn prune_daily(studio: &Studio, home: &Home, now: Timestamp) {
    if let Some(open) = studio.held()
        && let Ok(instance) = home.instances().get(&open.instance)
    {
        open.prune_daily(&instance, now);
    }
}

#[cfg(test)]
mod tests {
    use jiff::ToSpan as _;
    use latchkey_core::directory::Directory;
    use latchkey_core::instance::{Hosted, Name, Settings};
    use latchkey_core::ledger::TakenLink;
    use latchkey_core::link::BaseUrl;
    use latchkey_core::link::compose::{LinkSpec, claims};
    use latchkey_core::protocol::payload::{ExistingId, Payload};
    use latchkey_store::Wait as _;
    use latchkey_store::keys::KeychainUse;

    use super::*;
    use crate::studio::now;

    #[test]
    fn an_open_ledger_of_an_instance_elsewhere_is_pruned_once_a_day() {
        for (hosted, is_pruned) in [(Hosted::Elsewhere, true), (Hosted::Here, false)] {
            let folder = tempfile::tempdir().unwrap();
            let studio = Studio::new(Some(folder.path().to_owned()), KeychainUse::Never);
            let home = studio.home().unwrap();
            let url = BaseUrl::parse("https://chat.example").unwrap();
            let settings = Settings::new(Name::parse("Chat").unwrap(), url, hosted);
            let instance = home.instances().add(settings, None, &now()).unwrap();
            let entered_at = now();
            let enter = |ledger: &dyn Directory, lifetime: &str| {
                let payload = Payload::Id(ExistingId::parse("1234", false).unwrap());
                let spec = LinkSpec::new(payload, lifetime.parse().unwrap());
                let taken = TakenLink::new(claims(spec, entered_at.at).unwrap(), None);
                let id = taken.claims.registered.id.clone().unwrap();
                ledger.take_link(taken, &entered_at).wait().unwrap();
                id
            };
            let ledger = studio.ledger(&home, &instance).unwrap();
            let ids = ["168 hours", "180 hours"].map(|lifetime| enter(&*ledger, lifetime));
            drop((ledger, home));
            // Only links that have left the journal are pruned. Closing takes them out of it.
            studio.close();
            let home = studio.home().unwrap();
            let ledger = studio.ledger(&home, &instance).unwrap();
            let listed = || {
                let found = |id: &String| ledger.link(id, now().at).wait().unwrap().is_some();
                [found(&ids[0]), found(&ids[1])]
            };
            // An hour after the first link has been kept for the year of the retention.
            let due = entered_at.at + (168 + 365 * 24 + 1).hours();
            prune_daily(&studio, &home, due - 24.hours());
            assert_eq!(listed(), [true, true], "the clock is a year ahead");
            prune_daily(&studio, &home, due);
            assert_eq!(listed(), [!is_pruned, true]);
            prune_daily(&studio, &home, due + 23.hours());
            assert_eq!(listed(), [!is_pruned, true], "a day has not passed");
            prune_daily(&studio, &home, due + 24.hours());
            assert_eq!(listed(), [!is_pruned, !is_pruned]);
        }
    }

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
