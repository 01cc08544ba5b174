//! Cache of the configuration. While requests arrive, the configuration is loaded again about once
//! a second, on a thread that may block, and replaced as a whole.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use latchkey_core::instance::InstanceId;
use latchkey_core::{Error, Result};
use latchkey_store::instances::FileStamp;
use tokio::task;

use crate::config::{GatewayConfig, InstanceSnapshot};

/// Maximum age of a configuration that answers a request.
const MAX_AGE: Duration = Duration::from_secs(1);
/// Age at which a new configuration is loaded in the background, so that no request waits under
/// load.
const REFRESH_AGE: Duration = Duration::from_millis(500);

/// Loads the settings and the key of the instance. May block the thread.
pub(crate) type LoadSnapshot = Box<dyn Fn() -> Result<InstanceSnapshot> + Send + Sync>;

/// Returns the state of the file that the configuration is from. A configuration of another state is
/// not used again.
pub(crate) type ReadStamp = Box<dyn Fn() -> Option<FileStamp> + Send + Sync>;

/// Cached configuration and the function that loads it.
pub(crate) struct ConfigCache {
    instance: InstanceId,
    load: LoadSnapshot,
    /// Without it, a change by another process takes effect within a second.
    stamp: OnceLock<ReadStamp>,
    current: Mutex<Current>,
    /// Held by the one request that loads while the others wait.
    loading: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct Current {
    loaded: Option<Loaded>,
    is_refreshing: bool,
}

/// A loaded configuration.
struct Loaded {
    /// State of the file before the load.
    stamp: Option<FileStamp>,
    /// Start of the load.
    begun: Instant,
    /// End of the load.
    at: Instant,
    config: Arc<GatewayConfig>,
}

impl ConfigCache {
    pub(crate) fn new(instance: InstanceId, load: LoadSnapshot) -> Self {
        Self {
            instance,
            load,
            stamp: OnceLock::new(),
            current: Mutex::default(),
            loading: tokio::sync::Mutex::default(),
        }
    }

    /// Sets the function that finds a change by another process.
    pub(crate) fn set_stamp(&self, stamp: ReadStamp) {
        // It is set once, when the gateway is made.
        let _ = self.stamp.set(stamp);
    }

    fn stamp(&self) -> Option<FileStamp> {
        self.stamp.get().and_then(|read| read())
    }

    /// Returns the configuration, at most a second old.
    pub(crate) async fn get(self: &Arc<Self>) -> Result<Arc<GatewayConfig>> {
        if let Some(config) = self.recent() {
            return Ok(config);
        }
        let _loading = self.loading.lock().await;
        // Another request may have loaded it while this one waited for the lock.
        match self.recent() {
            Some(config) => Ok(config),
            None => self.load().await,
        }
    }

    /// Returns the configuration that was loaded last, of any age.
    pub(crate) fn last(&self) -> Option<Arc<GatewayConfig>> {
        let current = self.current();
        current.loaded.as_ref().map(|last| Arc::clone(&last.config))
    }

    /// Loads the configuration, even if the last one is fresh.
    pub(crate) async fn load(self: &Arc<Self>) -> Result<Arc<GatewayConfig>> {
        let (cache, begun) = (Arc::clone(self), Instant::now());
        let stamp = self.stamp();
        let loaded = task::spawn_blocking(move || {
            let snapshot = (cache.load)()?;
            Ok(Arc::new(GatewayConfig::new(&cache.instance, snapshot)))
        });
        let config = loaded.await.map_err(Error::internal)??;
        let mut current = self.current();
        // A slow load must not replace the result of a load that began later.
        let last = current.loaded.as_ref();
        if last.is_none_or(|last| last.begun <= begun) {
            current.loaded = Some(Loaded {
                stamp,
                begun,
                at: Instant::now(),
                config: Arc::clone(&config),
            });
        }
        drop(current);
        Ok(config)
    }

    /// Returns the configuration if it is less than a second old and its file was not changed since.
    /// Starts a background load when one is due.
    fn recent(self: &Arc<Self>) -> Option<Arc<GatewayConfig>> {
        let stamp = self.stamp();
        let mut current = self.current();
        let loaded = current.loaded.as_ref()?;
        if loaded.stamp != stamp {
            return None;
        }
        let (age, config) = (loaded.at.elapsed(), Arc::clone(&loaded.config));
        if age >= MAX_AGE {
            return None;
        }
        if age >= REFRESH_AGE && !std::mem::replace(&mut current.is_refreshing, true) {
            let refresh = Refresh(Arc::clone(self));
            task::spawn(async move {
                // An error is dropped here. The request that finds the configuration too old loads
                // again and reports it.
                let _ = refresh.0.load().await;
            });
        }
        Some(config)
    }

    fn current(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A background load. The old configuration is used until it ends.
struct Refresh(Arc<ConfigCache>);

impl Drop for Refresh {
    /// Allows the next background load, also after the runtime has cancelled this one.
    fn drop(&mut self) {
        self.0.current().is_refreshing = false;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::sync::mpsc;

    use latchkey_core::instance::{Hosted, Name, Settings};
    use latchkey_core::link::BaseUrl;
    use latchkey_core::protocol::code::Algorithm;
    use latchkey_core::secret::SigningKey;

    use super::*;

    fn snapshot(name: &str) -> InstanceSnapshot {
        let url = BaseUrl::parse("https://a.b").unwrap();
        InstanceSnapshot {
            has_stored_key: true,
            settings: Settings::new(Name::parse(name).unwrap(), url, Hosted::Here),
            keys: SigningKey::generate(Algorithm::default()).unwrap().into(),
            unrecorded: None,
            api_keys: Vec::new(),
        }
    }

    #[tokio::test]
    async fn a_slow_load_does_not_replace_the_result_of_a_load_that_began_later() {
        let (begun, has_begun) = mpsc::channel();
        let (release, released) = mpsc::channel();
        let (loads, released) = (AtomicU32::new(0), Mutex::new(released));
        let load = move || {
            if loads.fetch_add(1, Ordering::Relaxed) > 0 {
                return Ok(snapshot("newer"));
            }
            begun.send(()).unwrap();
            released.lock().unwrap().recv().unwrap();
            Ok(snapshot("older"))
        };
        let id = InstanceId::parse("a").unwrap();
        let cache = Arc::new(ConfigCache::new(id, Box::new(load)));
        let slow = Arc::clone(&cache);
        let slow = task::spawn(async move { slow.load().await.unwrap() });
        task::spawn_blocking(move || has_begun.recv().unwrap())
            .await
            .unwrap();
        cache.load().await.unwrap();
        release.send(()).unwrap();
        let slow = slow.await.unwrap();
        assert_eq!(slow.settings.name.as_str(), "older");
        let last = cache.last().unwrap();
        assert_eq!(last.settings.name.as_str(), "newer");
    }
}
