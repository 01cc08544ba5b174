//! Delivers Studio's events to its page. Changes made by this process are sent at once. Changes that another
//! process makes to an instance are found here, by the time and the size of the instance's file.

use std::path::PathBuf;
use std::sync::{Arc, Weak};
use std::time::{Duration, SystemTime};

use tauri::async_runtime::spawn_blocking;
use tauri::ipc::Channel;
use tokio::time::{MissedTickBehavior, interval, sleep};

use crate::Studio;
use crate::events::{Events, StudioEvent};

/// Pause between two deliveries. Equal events that are published during the pause are delivered once.
const PAUSE: Duration = Duration::from_millis(250);
/// Interval at which the files of instances are compared with those before.
const INTERVAL: Duration = Duration::from_secs(2);

/// Delivers events by `channel` from now on, in place of the channel of an earlier page.
pub(crate) fn begin_delivery(studio: &Arc<Studio>, channel: Channel<StudioEvent>) {
    let events = studio.events();
    let delivery = deliver(Arc::clone(events), Arc::downgrade(studio), channel);
    events.deliver_by(delivery);
}

/// Delivers events until the page or Studio is gone.
async fn deliver(events: Arc<Events>, studio: Weak<Studio>, channel: Channel<StudioEvent>) {
    let mut looks = interval(INTERVAL);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut known = None;
    loop {
        tokio::select! {
            () = events.published() => {
                for event in events.take() {
                    if let Err(cause) = channel.send(event) {
                        tracing::debug!(%cause, "the page gets no more events");
                        return;
                    }
                }
                sleep(PAUSE).await;
            }
            _ = looks.tick() => {
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

/// Path, time and size of each instance's file.
type Files = Vec<(PathBuf, SystemTime, u64)>;

/// Compares the files of the instances with those `before`. Where they differ, records what another
/// process did to the settings, and publishes that instances have changed. Looks, too, whether another
/// process still holds a directory that was asked for. Returns the files, or
/// nothing before the data folder is open.
///
/// The first look publishes, too, because the page may have read the instances before it.
fn look(studio: &Studio, before: Option<&Files>) -> Option<Files> {
    let home = studio.opened_home()?;
    studio.look_at_taken(&home);
    let files = home.instances().files();
    if before != Some(&files) {
        studio.record_outboxes(&home);
        studio.events().publish(StudioEvent::Instances);
    }
    Some(files)
}
