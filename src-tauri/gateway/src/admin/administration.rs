use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::Instant;

use jiff::Timestamp;
use latchkey_core::admin::{API_REVISION, About, AdminListener, Change};
use latchkey_core::directory::Directory;
use latchkey_core::instance::{Instance, InstanceId, Settings};
use latchkey_core::secret::KeySet;
use latchkey_core::{Error, Result};
use latchkey_store::home::{Home, require_here};
use tokio::sync::{broadcast, watch};
use tokio::task;

use super::kept_changes::Changes;
use super::open_snapshots::OpenSnapshots;
use super::sign_ins_today::SignInsToday;
use crate::gateway::Gateway;

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
    /// Changes with an idempotency key, of all listeners.
    pub(super) idempotency: Arc<Changes>,
    pub(super) snapshots: OpenSnapshots,
    /// Listener on the network, if there is one.
    listener: OnceLock<AdminListener>,
    /// The gateway over this directory, if one runs.
    gateway: Mutex<Weak<Gateway>>,
    pub(super) sign_ins: SignInsToday,
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
                name: None,
                url: None,
            },
            directory,
            home,
            instance: instance.clone(),
            changes,
            give_way,
            idempotency: Arc::new(Changes::since(Instant::now())),
            listener: OnceLock::new(),
            snapshots: OpenSnapshots::default(),
            gateway: Mutex::default(),
            sign_ins: SignInsToday::default(),
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
        Ok(self.instance().await?.settings)
    }

    /// Returns the instance, after its waiting changes were recorded.
    pub(super) async fn instance(&self) -> Result<Instance> {
        let directory = Arc::clone(&self.directory);
        self.with_home(move |home, id| home.current(id, &*directory))
            .await
    }

    /// Returns the instance, which may be hosted elsewhere, after its waiting changes were recorded.
    pub(super) async fn recorded(&self) -> Result<Instance> {
        let directory = Arc::clone(&self.directory);
        self.with_home(move |home, id| home.recorded(id, &*directory))
            .await
    }

    /// Returns the instance. Its waiting changes may not be recorded, such as when the disk is full.
    pub(super) async fn stored(&self) -> Result<Instance> {
        self.with_home(|home, id| home.instances().get(id)).await
    }

    /// Fails with [`HostedElsewhere`](latchkey_core::ErrorCode::HostedElsewhere) if the instance is
    /// hosted elsewhere. The handlers report an instance that cannot be read.
    pub(super) async fn require_here(&self) -> Result<()> {
        let instance = self.stored().await;
        instance.map_or(Ok(()), |instance| require_here(&instance))
    }

    /// Changes the instance by `change`, and records the change. The gateway knows it at once.
    pub(super) async fn change<T: Send + 'static>(
        &self,
        change: impl FnOnce(&Home, &InstanceId) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let changed = self.with_home(change).await?;
        // The change is stored. If it is not recorded now, the gateway records it later.
        let recorded = match self.gateway() {
            Some(gateway) => gateway.reload().await.map(drop),
            None => self.instance().await.map(drop),
        };
        if let Err(cause) = recorded {
            tracing::warn!(error = %cause.logged(), "a change of the settings is not recorded yet");
        }
        Ok(changed)
    }

    /// Returns the settings of links and the keys that sign and verify them.
    pub(super) async fn signing(&self) -> Result<(Settings, KeySet)> {
        if let Some(gateway) = self.gateway() {
            let config = gateway.reload().await?;
            return Ok((config.settings.clone(), config.keys.clone()));
        }
        let directory = Arc::clone(&self.directory);
        self.with_home(move |home, id| {
            let instance = home.current(id, &*directory)?;
            let keys = home.key_set(&instance, Timestamp::now())?;
            Ok((instance.settings, keys))
        })
        .await
    }

    /// Sets the gateway over this directory.
    pub fn set_gateway(&self, gateway: &Arc<Gateway>) {
        *self.gateway.lock().unwrap_or_else(PoisonError::into_inner) = Arc::downgrade(gateway);
    }

    /// Returns the gateway over this directory, if there is one.
    pub(super) fn gateway(&self) -> Option<Arc<Gateway>> {
        let gateway = self.gateway.lock();
        gateway.unwrap_or_else(PoisonError::into_inner).upgrade()
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
