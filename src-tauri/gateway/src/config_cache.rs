//! The configuration that requests are answered by. It is loaded anew about once a second while there are
//! requests, on a thread that may block, and swapped whole.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use latchkey_core::instance::InstanceId;
use latchkey_core::{Error, Result};
use tokio::task;

use crate::config::{GatewayConfig, InstanceSnapshot};

/// Age up to which a configuration is used.
const MAX_AGE: Duration = Duration::from_secs(1);
/// Age from which a new one is loaded while the old one is used, so that no request waits under load.
const REFRESH_AGE: Duration = Duration::from_millis(500);

/// Loads the settings and the key of the instance. It may block the thread.
pub(crate) type LoadSnapshot = Box<dyn Fn() -> Result<InstanceSnapshot> + Send + Sync>;

/// The configuration, and how it is loaded.
pub(crate) struct ConfigCache {
    instance: InstanceId,
    load: LoadSnapshot,
    current: Mutex<Current>,
    /// Held while one request loads for all.
    loading: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Current {
    loaded: Option<Loaded>,
    is_refreshing: bool,
}

/// A configuration that was loaded.
struct Loaded {
    /// When loading it began.
    begun: Instant,
    /// When it was there.
    at: Instant,
    config: Arc<GatewayConfig>,
}

impl ConfigCache {
    pub(crate) fn new(instance: InstanceId, load: LoadSnapshot) -> Self {
        Self {
            instance,
            load,
            current: Mutex::default(),
            loading: tokio::sync::Mutex::default(),
        }
    }

    /// The configuration, not older than a second.
    pub(crate) async fn get(self: &Arc<Self>) -> Result<Arc<GatewayConfig>> {
        if let Some(config) = self.recent() {
            return Ok(config);
        }
        let _loading = self.loading.lock().await;
        // Another request may have loaded it in the meantime.
        match self.recent() {
            Some(config) => Ok(config),
            None => self.load().await,
        }
    }

    /// The configuration that was loaded last, however old.
    pub(crate) fn last(&self) -> Option<Arc<GatewayConfig>> {
        let current = self.current();
        current.loaded.as_ref().map(|last| Arc::clone(&last.config))
    }

    /// Loads the configuration, however old the last one is.
    pub(crate) async fn load(self: &Arc<Self>) -> Result<Arc<GatewayConfig>> {
        let (cache, begun) = (Arc::clone(self), Instant::now());
        let loaded = task::spawn_blocking(move || {
            let snapshot = (cache.load)()?;
            Ok(Arc::new(GatewayConfig::new(&cache.instance, snapshot)))
        });
        let config = loaded.await.map_err(Error::internal)??;
        let mut current = self.current();
        // A slow load must not replace what was read after it began.
        let last = current.loaded.as_ref();
        if last.is_none_or(|last| last.begun <= begun) {
            current.loaded = Some(Loaded {
                begun,
                at: Instant::now(),
                config: Arc::clone(&config),
            });
        }
        drop(current);
        Ok(config)
    }

    /// The configuration, if it is not older than a second. It begins to load a new one where that is due.
    fn recent(self: &Arc<Self>) -> Option<Arc<GatewayConfig>> {
        let mut current = self.current();
        let loaded = current.loaded.as_ref()?;
        let (age, config) = (loaded.at.elapsed(), Arc::clone(&loaded.config));
        if age >= MAX_AGE {
            return None;
        }
        if age >= REFRESH_AGE && !std::mem::replace(&mut current.is_refreshing, true) {
            let refresh = Refresh(Arc::clone(self));
            task::spawn(async move {
                // A request that finds it too old says why it cannot be loaded.
                let _ = refresh.0.load().await;
            });
        }
        Some(config)
    }

    fn current(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A configuration that is loaded while the old one is used.
struct Refresh(Arc<ConfigCache>);

impl Drop for Refresh {
    /// The next one may begin, also where this one was ended by its runtime.
    fn drop(&mut self) {
        self.0.current().is_refreshing = false;
    }
}
