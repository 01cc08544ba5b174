use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::http::{Extensions, HeaderMap};
use jiff::Timestamp;
use latchkey_core::activity::{Actor, AuditContext, Event};
use latchkey_core::directory::{Directory, User};
use latchkey_core::inspect::diagnosis::OtherInstance;
use latchkey_core::instance::{InstanceId, Settings};
use latchkey_core::protocol::user_id::UserId;
use latchkey_core::sign_in::{Browser, PreCheck, SignIn, SignInAttempt, Visitor};
use latchkey_core::verdict::Verdict;
use latchkey_core::{Error, Result};
use tokio::task;

use crate::client_address::TrustedProxies;
use crate::config::{GatewayConfig, InstanceSnapshot};
pub(crate) use crate::internal_error::went_wrong;
use crate::last_seen::LastSeen;
use crate::metrics::Metrics;
use crate::rate_limit::{ClientLimits, RateLimits};
use crate::redemptions::Redemptions;
use crate::refusal_log::RefusalLog;
use crate::request_scope::reference;

/// For so long the settings are taken to be what they were.
const SETTINGS_AGE: Duration = Duration::from_secs(1);

/// How old a link is at most, in seconds, that the settings may not name yet.
const NEW_LINK_SECS: i64 = 3;

/// How long it takes until sessions that are over are deleted again.
const PRUNE_INTERVAL: Duration = Duration::from_hours(1);

/// Asks for the settings and the key of the instance. It is called about once a second where there is
/// something to do.
type LoadSnapshot = Box<dyn Fn() -> Result<InstanceSnapshot> + Send + Sync>;

/// Reads the administrator's other instances, with their keys as far as they can be read without asking.
type LoadOtherInstances = Arc<dyn Fn() -> Result<Vec<OtherInstance>> + Send + Sync>;

/// An instance that is open to visitors.
pub struct Gateway {
    instance: InstanceId,
    pub(crate) directory: Arc<dyn Directory>,
    pub(crate) last_seen: Arc<LastSeen>,
    redemptions: Arc<Redemptions>,
    load_snapshot: LoadSnapshot,
    others: LoadOtherInstances,
    config: Mutex<Option<(Instant, Arc<GatewayConfig>)>>,
    /// When sessions were pruned last.
    pruned: Mutex<Option<Instant>>,
    sign_ins: AtomicU32,
    /// Whether the last code could not be redeemed for a reason that lies with this computer.
    is_failing: AtomicBool,
    pub(crate) trusted_proxies: TrustedProxies,
    pub(crate) rate_limits: RateLimits,
    pub(crate) metrics: Metrics,
    pub(crate) refusal_log: RefusalLog,
}

/// What has become of a link that was opened.
pub(crate) enum LinkOutcome {
    /// Nothing yet: whoever opened it has to say first that they are the one it is for.
    NeedsConfirmation {
        /// What to call whom it is for.
        whom: String,
        /// Whether somebody else is signed in there.
        replaces: bool,
    },
    /// Nothing: the visitor is signed in as the user of the code, and is led on.
    Continues,
    /// Nothing: the request does not have the cookie of the page that asks.
    NoCookies,
    /// It was redeemed, or refused.
    Done(SignIn),
}

impl fmt::Debug for Gateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gateway")
            .field("instance", &self.instance)
            .finish_non_exhaustive()
    }
}

impl Gateway {
    /// The gateway of an instance, over its directory. `load_snapshot` says what its settings and its key are
    /// now: they may be changed while it runs.
    pub fn new(
        instance: InstanceId,
        directory: Arc<dyn Directory>,
        limits: ClientLimits,
        load_snapshot: impl Fn() -> Result<InstanceSnapshot> + Send + Sync + 'static,
    ) -> Self {
        Self {
            instance,
            redemptions: Arc::new(Redemptions::new(Arc::clone(&directory))),
            last_seen: Arc::new(LastSeen::new(Arc::clone(&directory))),
            directory,
            load_snapshot: Box::new(load_snapshot),
            others: Arc::new(|| Ok(Vec::new())),
            config: Mutex::default(),
            pruned: Mutex::default(),
            sign_ins: AtomicU32::new(0),
            is_failing: AtomicBool::new(false),
            rate_limits: RateLimits::new(&limits),
            trusted_proxies: TrustedProxies::new(limits.trusted_proxies),
            metrics: Metrics::new(),
            refusal_log: RefusalLog::default(),
        }
    }

    /// Names the administrator's other instances, for which a code may have been made.
    #[must_use]
    pub fn with_others(
        mut self,
        others: impl Fn() -> Result<Vec<OtherInstance>> + Send + Sync + 'static,
    ) -> Self {
        self.others = Arc::new(others);
        self
    }

    pub(crate) fn others(&self) -> LoadOtherInstances {
        Arc::clone(&self.others)
    }

    /// How often somebody has signed in since it was started. It wraps around.
    #[must_use]
    pub fn sign_ins(&self) -> u32 {
        self.sign_ins.load(Ordering::Relaxed)
    }

    /// The settings and the key, not older than a second.
    pub(crate) fn config(&self) -> Result<Arc<GatewayConfig>> {
        let mut config = self.config.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, config)) = &*config
            && at.elapsed() < SETTINGS_AGE
        {
            return Ok(Arc::clone(config));
        }
        let fresh = Arc::new(GatewayConfig::new(&self.instance, (self.load_snapshot)()?));
        *config = Some((Instant::now(), Arc::clone(&fresh)));
        self.prune_sessions(&fresh.settings);
        Ok(fresh)
    }

    /// Deletes sessions that are over, in the background, where it has not been done for a while.
    fn prune_sessions(&self, settings: &Settings) {
        let mut pruned = self.pruned.lock().unwrap_or_else(PoisonError::into_inner);
        if pruned.is_some_and(|at| at.elapsed() < PRUNE_INTERVAL) {
            return;
        }
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        *pruned = Some(Instant::now());
        let (directory, rules) = (Arc::clone(&self.directory), settings.session_rules());
        let now = Timestamp::now();
        self.last_seen.forget_old(now.as_second());
        runtime.spawn_blocking(move || match directory.prune_sessions(rules, now) {
            Ok(0) => {}
            Ok(count) => tracing::info!(count, "sessions that were over were deleted"),
            Err(cause) => tracing::warn!(error = %cause.logged(), "sessions that are over stay"),
        });
    }

    /// Records the acts on the instance that wait, among them links that the command line made: they
    /// come before the change of a user that follows.
    pub(crate) fn record_outbox(&self) -> Result<()> {
        (self.load_snapshot)().map(drop)
    }

    /// Whether links can be opened here, as far as is known.
    pub(crate) fn is_healthy(&self) -> bool {
        !self.is_failing.load(Ordering::Relaxed) && self.config().is_ok()
    }

    /// Tries to write again where the last link could not be redeemed. What it writes is recorded.
    pub(crate) async fn retry(&self, actor: &Actor) {
        if !self.is_failing.load(Ordering::Relaxed) {
            return;
        }
        let event = Event::act("gateway_recovered", "Sign-ins work again");
        let by = AuditContext::new(actor.clone(), Timestamp::now());
        let recorded = self.in_directory(move |directory| directory.record(event, &by));
        if recorded.await.is_ok() {
            self.is_failing.store(false, Ordering::Relaxed);
        }
    }

    /// Opens a link by its code.
    pub(crate) async fn open(
        &self,
        config: &GatewayConfig,
        code: &str,
        visitor: Visitor<'_>,
        browser: Browser,
        by: AuditContext,
    ) -> Result<LinkOutcome> {
        let attempt = SignInAttempt::new(code, &config.settings, &[&config.key], browser, by)?;
        self.learn_of_new_link(&attempt)?;
        let done = match attempt.opening(&*self.directory, visitor)? {
            PreCheck::NeedsConfirmation { whom, replaces } => {
                return Ok(LinkOutcome::NeedsConfirmation { whom, replaces });
            }
            PreCheck::Continues => return Ok(LinkOutcome::Continues),
            PreCheck::Refused(verdict) => {
                let recorded = move |directory: &dyn Directory| attempt.refuse(verdict, directory);
                self.in_directory(recorded).await?
            }
            PreCheck::Redeems => self.redeem(attempt).await?,
        };
        self.count(&done);
        Ok(LinkOutcome::Done(done))
    }

    /// Redeems a code after the click on *Continue*. Without the cookie of the page that asks, only a visitor
    /// who is signed in as the code's user goes on.
    pub(crate) async fn sign_in(
        &self,
        config: &GatewayConfig,
        code: &str,
        visitor: Visitor<'_>,
        browser: Browser,
        has_cookie: bool,
        by: AuditContext,
    ) -> Result<LinkOutcome> {
        let attempt = SignInAttempt::new(code, &config.settings, &[&config.key], browser, by)?;
        self.learn_of_new_link(&attempt)?;
        if let PreCheck::Continues = attempt.confirmed(&*self.directory, visitor)? {
            return Ok(LinkOutcome::Continues);
        }
        if !has_cookie {
            return Ok(LinkOutcome::NoCookies);
        }
        let done = self.redeem(attempt).await?;
        self.count(&done);
        Ok(LinkOutcome::Done(done))
    }

    /// Records a link that the command line made a moment ago, after a removal. It stands beside the settings,
    /// which are read once a second.
    fn learn_of_new_link(&self, attempt: &SignInAttempt) -> Result<()> {
        if attempt.is_issued_within(NEW_LINK_SECS)
            && self.directory.dry_run_of(&attempt.redemption())?.code() == "user_removed"
        {
            self.record_outbox()?;
        }
        Ok(())
    }

    async fn redeem(&self, attempt: SignInAttempt) -> Result<SignIn> {
        let redeemed = self.redemptions.redeem(attempt).await;
        // A refusal is counted in memory while the disk is full.
        let is_written = |verdict: &Verdict| !matches!(verdict, Verdict::Refused(_));
        match &redeemed {
            Err(_) => self.is_failing.store(true, Ordering::Relaxed),
            Ok((_, verdict)) if is_written(verdict) => {
                self.is_failing.store(false, Ordering::Relaxed);
            }
            Ok(_) => {}
        }
        let (attempt, verdict) = redeemed?;
        Ok(attempt.redeemed(verdict))
    }

    /// Who makes a request, for the activity.
    pub(crate) fn audit_context(
        &self,
        extensions: &Extensions,
        headers: &HeaderMap,
    ) -> AuditContext {
        AuditContext {
            address: self.trusted_proxies.client_address(extensions, headers),
            reference: Some(reference()),
            ..AuditContext::new(Actor::Visitor, Timestamp::now())
        }
    }

    fn count(&self, done: &SignIn) {
        self.metrics.verdict(&done.verdict);
        if done.session.is_some() {
            self.sign_ins.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Does work on the directory that may wait for the disk.
    pub(crate) async fn in_directory<T: Send + 'static>(
        &self,
        work: impl FnOnce(&dyn Directory) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let directory = Arc::clone(&self.directory);
        let done = task::spawn_blocking(move || work(&*directory)).await;
        done.unwrap_or_else(|cause| Err(Error::internal(cause)))
    }

    /// The user of an id, as the directory has it now. It is one look at a row, which is mostly in
    /// memory.
    pub(crate) fn user(&self, id: &UserId) -> Result<Option<User>> {
        self.directory.user(id)
    }
}
