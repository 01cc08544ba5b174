use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{Extensions, HeaderMap, HeaderValue};
use axum::response::Response;
use jiff::Timestamp;
use latchkey_core::activity::{Actor, Occasion, Reference};
use latchkey_core::api_key::ApiKey;
use latchkey_core::directory::{Directory, User};
use latchkey_core::home::Home;
use latchkey_core::instance::{InstanceId, Settings};
use latchkey_core::redeem::{self, Opened, SignIn, Visitor};
use latchkey_core::secret::SigningKey;
use latchkey_core::user_id::UserId;
use latchkey_core::{Error, ErrorCode, Result};
use tokio::task;

use crate::headers::{content_security_policy, frame_security_policy};
use crate::metrics::Metrics;
use crate::refused::Refused;
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
    /// What other systems use its API with.
    pub api_keys: Vec<ApiKey>,
}

impl Hosting {
    /// What an instance of a data folder says now; `key`, if one is given, signs in place of its own.
    /// What was done to its settings meanwhile is recorded in its activity.
    pub fn of(
        home: &Home,
        id: &InstanceId,
        key: Option<&SigningKey>,
        directory: &dyn Directory,
    ) -> Result<Self> {
        let instance = home.instances().get(id)?;
        home.record_acts(&instance, directory)?;
        let key = key.map_or_else(|| home.signing_key(&instance), |key| Ok(key.clone()))?;
        Ok(Self {
            settings: instance.settings,
            key,
            api_keys: instance.api_keys,
        })
    }
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
    pub(crate) metrics: Metrics,
}

/// [`Hosting`], and what follows from it.
pub(crate) struct Hosted {
    pub(crate) settings: Settings,
    pub(crate) key: SigningKey,
    pub(crate) api_keys: Vec<ApiKey>,
    pub(crate) cookie_key: CookieKey,
    pub(crate) content_security_policy: HeaderValue,
    pub(crate) frame_security_policy: HeaderValue,
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
            metrics: Metrics::new(),
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
        let Hosting {
            settings,
            key,
            api_keys,
        } = (self.ask)()?;
        let fresh = Arc::new(Hosted {
            cookie_key: CookieKey::new(&key, &self.instance, &settings),
            content_security_policy: content_security_policy(&settings),
            frame_security_policy: frame_security_policy(&settings),
            settings,
            key,
            api_keys,
        });
        *hosted = Some((Instant::now(), Arc::clone(&fresh)));
        Ok(fresh)
    }

    /// Opens a link by its code.
    pub(crate) async fn open(
        &self,
        hosted: &Arc<Hosted>,
        code: String,
        signed_in: Option<User>,
        looks_ahead: bool,
        by: Occasion,
    ) -> Result<Opened> {
        let opened = self.work(hosted, move |settings, key, directory| {
            let visitor = Visitor {
                signed_in: signed_in.as_ref(),
                looks_ahead,
            };
            redeem::open(&code, settings, &[key], directory, visitor, &by)
        });
        let opened = opened.await?;
        if let Opened::Done(done) = &opened {
            self.count(done);
        }
        Ok(opened)
    }

    /// Redeems a code for somebody who has said that they are the one it is for.
    pub(crate) async fn sign_in(
        &self,
        hosted: &Arc<Hosted>,
        code: String,
        by: Occasion,
    ) -> Result<SignIn> {
        let done = self.work(hosted, move |settings, key, directory| {
            redeem::sign_in(&code, settings, &[key], directory, &by)
        });
        let done = done.await?;
        self.count(&done);
        Ok(done)
    }

    /// Who makes a request, for the activity.
    pub(crate) fn occasion(&self, extensions: &Extensions, headers: &HeaderMap) -> Occasion {
        Occasion {
            address: self.visits.address(extensions, headers),
            reference: Some(Reference::random()),
            ..Occasion::new(Actor::Visitor, Timestamp::now())
        }
    }

    fn count(&self, done: &SignIn) {
        self.metrics.verdict(&done.verdict);
        if done.session.is_some() {
            self.sign_ins.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Does what may wait for the disk.
    async fn work<T: Send + 'static>(
        &self,
        hosted: &Arc<Hosted>,
        work: impl FnOnce(&Settings, &SigningKey, &dyn Directory) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (directory, hosted) = (Arc::clone(&self.directory), Arc::clone(hosted));
        waiting(move || work(&hosted.settings, &hosted.key, &*directory)).await
    }

    /// Does work on the directory that may wait for the disk.
    pub(crate) async fn in_directory<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn Directory) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let directory = Arc::clone(&self.directory);
        waiting(move || work(&*directory)).await
    }

    /// The user of an id, as the directory has it now. It is one look at a row, which is mostly in
    /// memory.
    pub(crate) fn user(&self, id: &UserId) -> Result<Option<User>> {
        self.directory.user(id)
    }
}

async fn waiting<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    task::spawn_blocking(work).await.unwrap_or_else(|cause| {
        let message = "Something went wrong inside Latchkey, and nothing was done.";
        Err(Error::new(ErrorCode::Storage, message).because(cause))
    })
}

/// What the instance says while a request is answered.
pub(crate) struct Current(pub(crate) Arc<Hosted>);

impl FromRequestParts<Arc<Gateway>> for Current {
    type Rejection = Response;

    async fn from_request_parts(
        parts: &mut Parts,
        gateway: &Arc<Gateway>,
    ) -> std::result::Result<Self, Response> {
        let hosted = gateway.hosted().map(Self);
        hosted.map_err(|cause| Refused::failure(&cause).answer(None, &parts.headers))
    }
}
