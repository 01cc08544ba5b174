use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use latchkey_core::admin::{API_REVISION, About, AdminListener, Change};
use latchkey_core::directory::Directory;
use latchkey_core::instance::{Instance, InstanceId, Settings};
use latchkey_core::{Error, Result};
use latchkey_store::home::Home;
use tokio::sync::{broadcast, watch};
use tokio::task;

use super::open_snapshots::OpenSnapshots;

/// Number of changes that a slow reader of the stream may be behind. It then learns that there were
/// some, and not which.
const WAITING_CHANGES: usize = 64;

/// Begins to close the directory, so that another program can open it. Returns whether it does. Must
/// not wait, because the request of the other program is still open.
pub type GiveWay = Box<dyn Fn() -> bool + Send + Sync>;

/// The directory of an instance, as the administration API serves it.
pub struct Administration {
    pub(super) about: About,
    pub(super) directory: Arc<dyn Directory>,
    home: Arc<Home>,
    instance: InstanceId,
    pub(super) changes: broadcast::Sender<Change>,
    /// Closes the directory for another program that asks for it. Returns whether it will.
    give_way: Option<GiveWay>,
    pub(super) snapshots: OpenSnapshots,
    /// Listener on the network, if there is one.
    listener: OnceLock<AdminListener>,
    /// Whether the streams of changes on the local socket must end.
    pub(super) is_closing: watch::Sender<bool>,
}

impl fmt::Debug for Administration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Administration").field(&self.about).finish()
    }
}

impl Administration {
    /// Serves the directory of an instance. `home` has the settings of the instance, and `holder` is
    /// the name of this program. A gateway gives way to nobody.
    #[must_use]
    pub fn new(
        home: Arc<Home>,
        instance: &InstanceId,
        holder: &str,
        directory: Arc<dyn Directory>,
        give_way: Option<GiveWay>,
    ) -> Arc<Self> {
        let (changes, _) = broadcast::channel(WAITING_CHANGES);
        let sender = changes.clone();
        directory.on_change(Box::new(move |changed| {
            // It fails while nobody listens.
            let _ = sender.send(changed.into());
        }));
        Arc::new(Self {
            about: About {
                instance: instance.as_str().to_owned(),
                holder: holder.to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
                api: API_REVISION,
            },
            directory,
            home,
            instance: instance.clone(),
            changes,
            give_way,
            listener: OnceLock::new(),
            snapshots: OpenSnapshots::default(),
            is_closing: watch::Sender::new(false),
        })
    }

    /// Notes the listener on the network, which clients ask for.
    pub fn set_listener(&self, listener: AdminListener) {
        // A process has one such listener at most.
        let _ = self.listener.set(listener);
    }

    /// Returns the listener on the network.
    #[must_use]
    pub fn listener(&self) -> Option<&AdminListener> {
        self.listener.get()
    }

    /// Returns the folder of the instance.
    pub(super) fn folder(&self) -> PathBuf {
        self.home.instances().folder(&self.instance)
    }

    /// Returns the current settings, after their waiting changes were recorded. Links that the
    /// command line has made are among them, and must be recorded before a change of their user.
    pub(super) async fn settings(&self) -> Result<Settings> {
        let directory = Arc::clone(&self.directory);
        let current = self.with_home(move |home, id| home.current(id, &*directory));
        current.await.map(|current: Instance| current.settings)
    }

    /// Calls `work` with the data folder and the ID of the instance, on a thread that may block.
    pub(super) async fn with_home<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Home, &InstanceId) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (home, id) = (Arc::clone(&self.home), self.instance.clone());
        let done = task::spawn_blocking(move || work(&home, &id)).await;
        done.map_err(Error::internal)?
    }

    /// Closes the directory for another program that asks for it. Returns whether it will.
    pub(super) fn give_way(&self) -> bool {
        self.give_way.as_ref().is_some_and(|give_way| give_way())
    }
}
