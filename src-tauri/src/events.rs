//! Events that Studio sends to its page, so that no screen asks by a timer.
//!
//! An event names what has changed, and the page then asks for the part that it shows. Changes made by
//! this process are sent at once. Changes that another process makes to an instance are found here, by
//! the time and the size of the instance's file.

use std::collections::BTreeSet;
use std::mem::take;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, SystemTime};

use latchkey_core::instance::InstanceId;
use latchkey_store::SledDirectory;
use serde::Serialize;
use tauri::async_runtime::{JoinHandle, spawn, spawn_blocking};
use tauri::ipc::Channel;
use tokio::sync::Notify;
use tokio::time::{MissedTickBehavior, interval, sleep};
use ts_rs::TS;

use crate::Studio;
use crate::studio::locked;

/// Pause between two deliveries. Equal events that are published during the pause are delivered once.
const PAUSE: Duration = Duration::from_millis(250);
/// Interval at which the files of instances are compared with those before.
const INTERVAL: Duration = Duration::from_secs(2);

/// A change of something that the window shows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum StudioEvent {
    /// The activity of an instance has new entries.
    Activity {
        /// The instance's id.
        instance: String,
    },
    /// Users of an instance were added, changed or removed, or have signed in.
    Users {
        /// The instance's id.
        instance: String,
    },
    /// The gateway has ended, or another program's has started or ended.
    Gateway,
    /// An instance was added, changed or removed, here or by another process.
    Instances,
    /// Somebody wants to close the window while a gateway is open.
    CloseAsked,
}

/// Events that wait to be delivered, and the task that delivers them to the page.
#[derive(Default)]
pub(crate) struct Events {
    waiting: Mutex<BTreeSet<StudioEvent>>,
    published: Notify,
    delivery: Mutex<Option<JoinHandle<()>>>,
}

impl Events {
    /// Sends an event with the next delivery.
    pub(crate) fn publish(&self, event: StudioEvent) {
        locked(&self.waiting).insert(event);
        self.published.notify_one();
    }

    /// Publishes the changes of a directory.
    pub(crate) fn follow(self: &Arc<Self>, directory: &SledDirectory, instance: &InstanceId) {
        let events = Arc::clone(self);
        let id = instance.as_str().to_owned();
        directory.on_change(move |changed| {
            let instance = id.clone();
            if changed.users {
                events.publish(StudioEvent::Users {
                    instance: instance.clone(),
                });
            }
            if changed.activity {
                events.publish(StudioEvent::Activity { instance });
            }
        });
    }

    /// Asks the page whether the window may close. Returns false where no page listens: the window must
    /// close without an answer then.
    pub(crate) fn ask_to_close(&self) -> bool {
        let listens = locked(&self.delivery).is_some();
        self.publish(StudioEvent::CloseAsked);
        listens
    }

    /// Delivers events by `channel` from now on, in place of the channel of an earlier page.
    pub(crate) fn deliver(self: &Arc<Self>, studio: &Arc<Studio>, channel: Channel<StudioEvent>) {
        let delivery = deliver(Arc::clone(self), Arc::downgrade(studio), channel);
        if let Some(earlier) = locked(&self.delivery).replace(spawn(delivery)) {
            earlier.abort();
        }
    }
}

/// Delivers events until the page or Studio is gone.
async fn deliver(events: Arc<Events>, studio: Weak<Studio>, channel: Channel<StudioEvent>) {
    let mut looks = interval(INTERVAL);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut known = None;
    loop {
        tokio::select! {
            () = events.published.notified() => {
                let waiting = take(&mut *locked(&events.waiting));
                for event in waiting {
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
