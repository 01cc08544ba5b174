//! Events that Studio sends to its page, so that no screen polls.
//!
//! An event names what has changed. The page then requests the part that it shows. For example, after
//! a sign-in the directory calls back ([`Events::follow`]), and the page gets `Users` and `Activity`.

use std::collections::BTreeSet;
use std::mem::take;
use std::sync::{Arc, Mutex};

use latchkey_core::directory::Directory;
use latchkey_core::instance::InstanceId;
use serde::Serialize;
use tauri::async_runtime::{JoinHandle, spawn};
use tokio::sync::Notify;
use ts_rs::TS;

use crate::lock::locked;

/// A change of something that the window shows.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum StudioEvent {
    /// The activity of an instance has new entries.
    Activity {
        /// ID of the instance.
        instance: String,
    },
    /// Users of an instance were added, changed or removed, or have signed in, or its seat limit was
    /// set.
    Users {
        /// ID of the instance.
        instance: String,
    },
    /// The copy of TypingMind's users of an instance has changed.
    Copy {
        /// ID of the instance.
        instance: String,
    },
    /// The interval has passed after which TypingMind's users must be copied again.
    CopiesDue,
    /// The gateway has ended, or that of another program has started or ended.
    Gateway,
    /// An instance was added, changed or removed, here or by another process.
    Instances,
    /// The user wants to close the window while a gateway is open.
    CloseAsked,
}

/// Queued events, and the task that delivers them to the page.
#[derive(Default)]
pub(crate) struct Events {
    waiting: Mutex<BTreeSet<StudioEvent>>,
    published: Notify,
    delivery: Mutex<Option<JoinHandle<()>>>,
}

impl Events {
    /// Queues an event for the next delivery.
    pub(crate) fn publish(&self, event: StudioEvent) {
        locked(&self.waiting).insert(event);
        self.published.notify_one();
    }

    /// Publishes events for the changes of a directory.
    pub(crate) fn follow(self: &Arc<Self>, directory: &dyn Directory, instance: &InstanceId) {
        let events = Arc::clone(self);
        let id = instance.as_str().to_owned();
        directory.on_change(Box::new(move |changed| {
            let instance = id.clone();
            if changed.users {
                events.publish(StudioEvent::Users {
                    instance: instance.clone(),
                });
            }
            if changed.activity {
                events.publish(StudioEvent::Activity { instance });
            }
        }));
    }

    /// Asks the page whether the window may close. Returns `false` if no page listens. The window
    /// must then close without an answer.
    pub(crate) fn ask_to_close(&self) -> bool {
        let listens = locked(&self.delivery).is_some();
        self.publish(StudioEvent::CloseAsked);
        listens
    }

    /// Waits until an event is published.
    pub(crate) async fn published(&self) {
        self.published.notified().await;
    }

    /// Takes the queued events.
    pub(crate) fn take(&self) -> BTreeSet<StudioEvent> {
        take(&mut *locked(&self.waiting))
    }

    /// Runs a delivery to the page, in place of that to an earlier page.
    pub(crate) fn deliver_by(&self, delivery: impl Future<Output = ()> + Send + 'static) {
        if let Some(earlier) = locked(&self.delivery).replace(spawn(delivery)) {
            earlier.abort();
        }
    }
}
