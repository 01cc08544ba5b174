use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::http::HeaderValue;
use jiff::Timestamp;
use latchkey_core::Result;
use latchkey_core::directory::{Directory, User};
use latchkey_core::instance::{InstanceId, Settings};
use latchkey_core::redeem::{self, Arrival, SignIn};
use latchkey_core::secret::SigningKey;
use tokio::task;

use crate::headers::content_security_policy;
use crate::session::CookieKey;
use crate::visitors::{Counter, Visitors};

/// For so long the settings are taken to be what they were.
const SETTINGS_AGE: Duration = Duration::from_secs(1);

/// What an instance says at the moment.
pub struct Hosting {
    /// Its settings.
    pub settings: Settings,
    /// The key that signs its codes.
    pub key: SigningKey,
}

/// Asks for the settings and the key of the instance. It is called about once a second where there is
/// something to do.
type Ask = Box<dyn Fn() -> Result<Hosting> + Send + Sync>;

/// An instance that is open to visitors.
pub struct Gateway {
    instance: InstanceId,
    directory: Arc<dyn Directory>,
    ask: Ask,
    hosted: Mutex<Option<(Instant, Arc<Hosted>)>>,
    sign_ins: AtomicU32,
    pub(crate) visits: Counter,
}

/// [`Hosting`], and what follows from it.
pub(crate) struct Hosted {
    pub(crate) settings: Settings,
    pub(crate) key: SigningKey,
    pub(crate) cookie_key: CookieKey,
    pub(crate) content_security_policy: HeaderValue,
}

impl fmt::Debug for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gateway")
            .field("instance", &self.instance)
            .finish_non_exhaustive()
    }
}

impl Gateway {
    /// The gateway of an instance, over its directory. `ask` says what its settings and its key are
    /// now: they may be changed while it runs.
    pub fn new(
        instance: InstanceId,
        directory: Arc<dyn Directory>,
        visitors: Visitors,
        ask: impl Fn() -> Result<Hosting> + Send + Sync + 'static,
    ) -> Self {
        Self {
            instance,
            directory,
            ask: Box::new(ask),
            hosted: Mutex::default(),
            sign_ins: AtomicU32::new(0),
            visits: Counter::new(visitors),
        }
    }

    /// How often somebody has signed in since it was started. It wraps around.
    #[must_use]
    pub fn sign_ins(&self) -> u32 {
        self.sign_ins.load(Ordering::Relaxed)
    }

    /// The settings and the key, not older than a second.
    pub(crate) fn hosted(&self) -> Result<Arc<Hosted>> {
        let mut hosted = self.hosted.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, hosted)) = &*hosted
            && at.elapsed() < SETTINGS_AGE
        {
            return Ok(Arc::clone(hosted));
        }
        let Hosting { settings, key } = (self.ask)()?;
        let fresh = Arc::new(Hosted {
            cookie_key: CookieKey::new(&key, &self.instance, &settings),
            content_security_policy: content_security_policy(&settings),
            settings,
            key,
        });
        *hosted = Some((Instant::now(), Arc::clone(&fresh)));
        Ok(fresh)
    }

    /// Looks at a code that came in a link.
    pub(crate) async fn arrive(&self, hosted: &Arc<Hosted>, code: String) -> Result<Arrival> {
        let (directory, hosted) = (Arc::clone(&self.directory), Arc::clone(hosted));
        waiting(move || {
            let (settings, key) = (&hosted.settings, &hosted.key);
            redeem::arrive(&code, settings, &[key], &*directory, Timestamp::now())
        })
        .await
    }

    /// Redeems a code that came in a link.
    pub(crate) async fn sign_in(&self, hosted: &Arc<Hosted>, code: String) -> Result<SignIn> {
        let (directory, hosted) = (Arc::clone(&self.directory), Arc::clone(hosted));
        let done = waiting(move || {
            let (settings, key) = (&hosted.settings, &hosted.key);
            redeem::sign_in(&code, settings, &[key], &*directory, Timestamp::now())
        })
        .await?;
        if done.session.is_some() {
            self.sign_ins.fetch_add(1, Ordering::Relaxed);
        }
        Ok(done)
    }

    /// The user of an id, as the directory has it now. It is one look at a row, which is mostly in
    /// memory.
    pub(crate) fn user(&self, id: &latchkey_core::user_id::UserId) -> Result<Option<User>> {
        self.directory.user(id)
    }
}

/// Does what may wait for the disk on a thread on which waiting hurts nobody.
async fn waiting<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    task::spawn_blocking(work).await.unwrap_or_else(|cause| {
        let message = "Something went wrong inside Latchkey, and nothing was done.";
        Err(latchkey_core::Error::new(latchkey_core::ErrorCode::Storage, message).because(cause))
    })
}
