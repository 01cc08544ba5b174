use std::fmt;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::FromRequestParts;
use axum::http::HeaderValue;
use axum::http::request::Parts;
use axum::response::Response;
use jiff::Timestamp;
use latchkey_core::directory::{Directory, User};
use latchkey_core::instance::{InstanceId, Settings};
use latchkey_core::redeem::{self, Opened, SignIn, Visitor};
use latchkey_core::secret::SigningKey;
use latchkey_core::user_id::UserId;
use latchkey_core::{Error, ErrorCode, Result};
use tokio::task;

use crate::headers::{content_security_policy, frame_security_policy};
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
            frame_security_policy: frame_security_policy(&settings),
            settings,
            key,
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
    ) -> Result<Opened> {
        let opened = self.work(hosted, move |settings, key, directory| {
            let visitor = Visitor {
                signed_in: signed_in.as_ref(),
                looks_ahead,
            };
            redeem::open(
                &code,
                settings,
                &[key],
                directory,
                visitor,
                Timestamp::now(),
            )
        });
        let opened = opened.await?;
        if let Opened::Done(done) = &opened {
            self.count(done);
        }
        Ok(opened)
    }

    /// Redeems a code for somebody who has said that they are the one it is for.
    pub(crate) async fn sign_in(&self, hosted: &Arc<Hosted>, code: String) -> Result<SignIn> {
        let done = self.work(hosted, move |settings, key, directory| {
            redeem::sign_in(&code, settings, &[key], directory, Timestamp::now())
        });
        let done = done.await?;
        self.count(&done);
        Ok(done)
    }

    fn count(&self, done: &SignIn) {
        if done.session.is_some() {
            self.sign_ins.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Does what may wait for the disk on a thread on which waiting hurts nobody.
    async fn work<T: Send + 'static>(
        &self,
        hosted: &Arc<Hosted>,
        work: impl FnOnce(&Settings, &SigningKey, &dyn Directory) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (directory, hosted) = (Arc::clone(&self.directory), Arc::clone(hosted));
        let done = task::spawn_blocking(move || work(&hosted.settings, &hosted.key, &*directory));
        done.await.unwrap_or_else(|cause| {
            let message = "Something went wrong inside Latchkey, and nothing was done.";
            Err(Error::new(ErrorCode::Storage, message).because(cause))
        })
    }

    /// The user of an id, as the directory has it now. It is one look at a row, which is mostly in
    /// memory.
    pub(crate) fn user(&self, id: &UserId) -> Result<Option<User>> {
        self.directory.user(id)
    }
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
