//! The gateway of an instance: its configuration and its directory, and the operations of its handlers.

use std::fmt;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::Request;
use axum::http::{Extensions, HeaderMap};
use jiff::Timestamp;
use latchkey_core::Result;
use latchkey_core::activity::{Actor, AuditContext, EventData};
use latchkey_core::directory::{Directory, Outcome};
use latchkey_core::inspect::diagnosis::OtherInstance;
use latchkey_core::instance::InstanceId;
use latchkey_core::ledger::Asking;
use latchkey_core::protocol::code::{AskableCode, CodeRefusal, VerifiedCode};
use latchkey_core::sign_in::{
    Browser, PreCheck, SignIn, SignInAttempt, Visitor, find_short_link, refuse_unknown_link,
    refuse_unverified, verify_link,
};
use latchkey_core::verdict::{Refusal, Verdict};
use latchkey_store::instances::FileStamp;

use crate::client_address::TrustedProxies;
use crate::config::{GatewayConfig, InstanceSnapshot};
use crate::config_cache::ConfigCache;
use crate::guesses::Guesses;
use crate::key_uses::KeyUses;
use crate::last_seen::LastSeen;
use crate::listening::Listening;
use crate::lockout::Lockout;
use crate::metrics::Metrics;
use crate::rate_limit::{ClientLimits, RateLimits};
use crate::refusal_log::RefusalLog;
use crate::request_scope::reference;

/// Maximum age, in seconds, of a link that the loaded settings may not know yet.
const NEW_LINK_SECS: i64 = 3;

/// Interval at which expired sessions are deleted.
const PRUNE_INTERVAL: Duration = Duration::from_hours(1);

/// Reads the administrator's other instances, and those of their keys that can be read without a
/// prompt.
type LoadOtherInstances = Arc<dyn Fn() -> Result<Vec<OtherInstance>> + Send + Sync>;

/// An instance that is open to visitors.
pub struct Gateway {
    instance: InstanceId,
    pub(crate) directory: Arc<dyn Directory>,
    pub(crate) last_seen: Arc<LastSeen>,
    config: Arc<ConfigCache>,
    /// Socket of visitors, while the gateway runs.
    listening: Mutex<Option<Listening>>,
    others: LoadOtherInstances,
    /// Time of the last deletion of expired sessions.
    pruned: Mutex<Option<Instant>>,
    sign_ins: AtomicU32,
    /// Whether recording the start or redeeming the last code failed for a reason on this computer,
    /// such as a full disk.
    is_failing: AtomicBool,
    pub(crate) trusted_proxies: TrustedProxies,
    pub(crate) rate_limits: RateLimits,
    /// Lockout of addresses that send wrong API keys.
    pub(crate) lockout: Lockout,
    /// Lockout of addresses that open short links that do not exist.
    pub(crate) guesses: Guesses,
    pub(crate) key_uses: KeyUses,
    pub(crate) metrics: Metrics,
    pub(crate) refusal_log: RefusalLog,
}

/// Outcome of opening a link.
pub(crate) enum LinkOutcome {
    /// Nothing was changed: the visitor must first confirm that the link is for them.
    NeedsConfirmation {
        /// Display name of the user whom the link is for.
        whom: String,
        /// Whether another user is signed in in this browser.
        replaces: bool,
    },
    /// Nothing was changed: the visitor is already signed in as the user of the code.
    Continues,
    /// Nothing was changed: the request lacks the cookie of the confirm page.
    NoCookies,
    /// The code was redeemed or refused.
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
    /// Creates the gateway of an instance over its directory. `load_snapshot` reads the current
    /// settings and keys, because they may change while the gateway runs.
    pub fn new(
        instance: InstanceId,
        directory: Arc<dyn Directory>,
        limits: ClientLimits,
        load_snapshot: impl Fn() -> Result<InstanceSnapshot> + Send + Sync + 'static,
    ) -> Self {
        Self {
            config: Arc::new(ConfigCache::new(instance.clone(), Box::new(load_snapshot))),
            instance,
            listening: Mutex::default(),
            last_seen: Arc::new(LastSeen::new(Arc::clone(&directory))),
            directory,
            others: Arc::new(|| Ok(Vec::new())),
            pruned: Mutex::default(),
            sign_ins: AtomicU32::new(0),
            is_failing: AtomicBool::new(false),
            rate_limits: RateLimits::new(&limits),
            lockout: Lockout::default(),
            guesses: Guesses::default(),
            key_uses: KeyUses::new(Arc::new(|_| Ok(()))),
            trusted_proxies: TrustedProxies::new(limits.trusted_proxies),
            metrics: Metrics::new(),
            refusal_log: RefusalLog::default(),
        }
    }

    /// Adds the administrator's other instances, for which a refused code may have been made.
    #[must_use]
    pub fn with_others(
        mut self,
        others: impl Fn() -> Result<Vec<OtherInstance>> + Send + Sync + 'static,
    ) -> Self {
        self.others = Arc::new(others);
        self
    }

    /// Sets the function that returns the state of the instance's file, by which a change of another
    /// process takes effect at the next request. It must be quick, because each request calls it.
    #[must_use]
    pub fn with_stamp(self, stamp: impl Fn() -> Option<FileStamp> + Send + Sync + 'static) -> Self {
        self.config.set_stamp(Box::new(stamp));
        self
    }

    /// Sets how uses of API keys are written: the ID of each key, and the time in Unix seconds. The
    /// function may block the thread.
    #[must_use]
    pub fn with_key_uses(
        mut self,
        write: impl Fn(&[(String, i64)]) -> Result<()> + Send + Sync + 'static,
    ) -> Self {
        self.key_uses = KeyUses::new(Arc::new(write));
        self
    }

    pub(crate) fn others(&self) -> LoadOtherInstances {
        Arc::clone(&self.others)
    }

    /// Returns the number of sign-ins since the gateway was started. It wraps around.
    #[must_use]
    pub fn sign_ins(&self) -> u32 {
        self.sign_ins.load(Ordering::Relaxed)
    }

    /// Sets the socket on which the gateway accepts visitors, or `None` when it has ended.
    pub(crate) fn set_listening(&self, listening: Option<Listening>) {
        *self
            .listening
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = listening;
    }

    /// Returns the socket on which the gateway accepts visitors. `None` unless it runs.
    pub(crate) fn listening(&self) -> Option<Listening> {
        let listening = self.listening.lock();
        listening.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Loads the configuration again, so that a change that was just made takes effect.
    pub(crate) async fn reload(&self) -> Result<Arc<GatewayConfig>> {
        self.config.load().await
    }

    /// Returns the configuration, at most a second old.
    pub(crate) async fn config(&self) -> Result<Arc<GatewayConfig>> {
        self.config.get().await
    }

    /// Returns the configuration that was loaded last, for the look of an error page.
    pub(crate) fn last_config(&self) -> Option<Arc<GatewayConfig>> {
        self.config.last()
    }

    /// Records waiting changes of the instance in the activity. Links that the command line has
    /// made are among them, and must be recorded before a later change of their user.
    pub(crate) async fn record_outbox(&self) -> Result<()> {
        let config = self.config.load().await?;
        config.unrecorded.clone().map_or(Ok(()), Err)
    }

    /// Returns whether links can be opened here, as far as the gateway knows.
    pub(crate) async fn is_healthy(&self) -> bool {
        let is_recorded = |config: Arc<GatewayConfig>| config.unrecorded.is_none();
        !self.is_failing.load(Ordering::Relaxed) && self.config().await.is_ok_and(is_recorded)
    }

    /// Notes that the directory could not be written.
    pub(crate) fn note_failure(&self) {
        self.is_failing.store(true, Ordering::Relaxed);
    }

    /// Tests whether the directory can be written again after a failure, by recording the recovery.
    pub(crate) async fn retry(&self, actor: &Actor) {
        if !self.is_failing.load(Ordering::Relaxed) {
            return;
        }
        let event = EventData::GatewayRecovered.into();
        let by = AuditContext::new(actor.clone(), Timestamp::now());
        if self.directory.record(event, &by).await.is_ok() {
            self.is_failing.store(false, Ordering::Relaxed);
        }
    }

    /// Judges the code of a link by itself. A code that does not verify is refused and recorded.
    pub(crate) async fn verify(
        &self,
        config: &GatewayConfig,
        code: &str,
        by: &AuditContext,
    ) -> std::result::Result<VerifiedCode, SignIn> {
        let settings = &config.settings;
        match verify_link(code, settings, &config.keys.usable(by.at), by.at) {
            Ok(code) => Ok(code),
            Err(refusal) => {
                let mut done = refuse_unverified(&refusal, settings, &*self.directory, by).await;
                if matches!(refusal, CodeRefusal::Expired { .. }) {
                    done.askable = config.read_askable(code, by.at).map(Box::new);
                }
                self.count(&done);
                Err(done)
            }
        }
    }

    /// Judges a short link by itself, like [`verify`](Self::verify). An unknown one is counted, because
    /// somebody may be guessing.
    pub(crate) async fn verify_short(
        &self,
        config: &GatewayConfig,
        code: &str,
        by: &AuditContext,
        headers: &HeaderMap,
    ) -> Result<std::result::Result<VerifiedCode, SignIn>> {
        let (settings, directory) = (&config.settings, &*self.directory);
        let found = find_short_link(code, directory).await?;
        let rules = settings.code_rules();
        let judged = found.as_ref().map(|link| link.verify(rules, by.at));
        let done = match judged {
            Some(Ok(code)) => return Ok(Ok(code)),
            Some(Err(refusal)) => {
                let mut done = refuse_unverified(&refusal, settings, directory, by).await;
                if matches!(refusal, CodeRefusal::Expired { .. }) {
                    let askable = found.and_then(|link| link.askable(rules, by.at).ok());
                    done.askable = askable.map(Box::new);
                }
                done
            }
            None => {
                self.guesses.of(headers).count(by.address, Instant::now());
                refuse_unknown_link(settings, directory, by).await
            }
        };
        self.count(&done);
        Ok(Err(done))
    }

    /// Reads a short link like [`GatewayConfig::read_askable`]. An unknown one is counted, because
    /// somebody may be guessing.
    pub(crate) async fn read_askable_short(
        &self,
        config: &GatewayConfig,
        code: &str,
        by: &AuditContext,
        headers: &HeaderMap,
    ) -> Result<Option<AskableCode>> {
        let Some(link) = find_short_link(code, &*self.directory).await? else {
            self.guesses.of(headers).count(by.address, Instant::now());
            return Ok(None);
        };
        Ok(link.askable(config.settings.code_rules(), by.at).ok())
    }

    /// Returns whether a visitor can ask for a new link with a code. An error is only logged,
    /// because the visitor is refused anyway.
    pub(crate) async fn can_ask(
        &self,
        config: &GatewayConfig,
        code: AskableCode,
        now: Timestamp,
    ) -> bool {
        let asking = Asking {
            code,
            policy: config.settings.policy,
            browser: None,
        };
        let asked = self.directory.can_ask(&asking, now).await;
        asked.unwrap_or_else(|cause| {
            tracing::warn!(error = %cause.logged(), "it is not known whether a new link can be asked for");
            false
        })
    }

    /// Opens a request for a new link, unless the person of the code has one.
    ///
    /// Fails like [`Directory::ask_for_link`].
    pub(crate) async fn ask_for_link(
        &self,
        config: &GatewayConfig,
        code: AskableCode,
        browser: Option<String>,
        by: &AuditContext,
    ) -> Result<()> {
        let asking = Asking {
            code,
            policy: config.settings.policy,
            browser,
        };
        self.directory.ask_for_link(asking, by).await
    }

    /// Opens a link by its code.
    pub(crate) async fn open(
        &self,
        config: &GatewayConfig,
        code: VerifiedCode,
        visitor: Visitor<'_>,
        browser: Browser,
        by: AuditContext,
    ) -> Result<LinkOutcome> {
        let attempt = SignInAttempt::new(code, &config.settings, browser, by)?;
        self.learn_of_new_link(&attempt).await?;
        let done = match attempt.opening(&*self.directory, visitor).await? {
            PreCheck::NeedsConfirmation { whom, replaces } => {
                return Ok(LinkOutcome::NeedsConfirmation { whom, replaces });
            }
            PreCheck::Continues => return Ok(LinkOutcome::Continues),
            PreCheck::Refused(verdict) => attempt.refuse(verdict, &*self.directory).await,
            PreCheck::Redeems => self.redeem(attempt).await?,
        };
        self.count(&done);
        Ok(LinkOutcome::Done(done))
    }

    /// Redeems a code after the click on *Continue*. Without the cookie of the confirm page, only a
    /// visitor who is already signed in as the user of the code continues.
    pub(crate) async fn sign_in(
        &self,
        config: &GatewayConfig,
        code: VerifiedCode,
        visitor: Visitor<'_>,
        browser: Browser,
        has_cookie: bool,
        by: AuditContext,
    ) -> Result<LinkOutcome> {
        let attempt = SignInAttempt::new(code, &config.settings, browser, by)?;
        self.learn_of_new_link(&attempt).await?;
        if let PreCheck::Continues = attempt.confirmed(&*self.directory, visitor).await? {
            return Ok(LinkOutcome::Continues);
        }
        if !has_cookie {
            return Ok(LinkOutcome::NoCookies);
        }
        let done = self.redeem(attempt).await?;
        self.count(&done);
        Ok(LinkOutcome::Done(done))
    }

    /// Records a link that the command line has just made for a user who was removed or whose
    /// address has moved. The record waits beside the settings, which are read only once a second.
    async fn learn_of_new_link(&self, attempt: &SignInAttempt) -> Result<()> {
        if !attempt.is_issued_within(NEW_LINK_SECS) {
            return Ok(());
        }
        let verdict = attempt.dry_run(&*self.directory).await?;
        if matches!(
            verdict,
            Verdict::Refused(Refusal::UserRemoved { .. } | Refusal::EmailMoved { .. })
        ) {
            self.record_outbox().await?;
        }
        Ok(())
    }

    async fn redeem(&self, attempt: SignInAttempt) -> Result<SignIn> {
        let (command, by) = attempt.command();
        let outcome = self.directory.execute(command, &by).await;
        let redeemed = outcome.and_then(Outcome::verdict);
        // A refusal proves nothing about the disk, because it is counted in memory while the disk
        // is full.
        match &redeemed {
            Err(_) => self.note_failure(),
            Ok(Verdict::Refused(_)) => {}
            Ok(_) => self.is_failing.store(false, Ordering::Relaxed),
        }
        Ok(attempt.redeemed(redeemed?))
    }

    /// Returns the address of the client that makes a request, if it is known.
    pub(crate) fn client_address(&self, request: &Request) -> Option<IpAddr> {
        let proxies = &self.trusted_proxies;
        proxies.client_address(request.extensions(), request.headers())
    }

    /// Returns who makes a request, for the activity.
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

    /// Deletes expired sessions, at most once an hour.
    pub(crate) async fn prune_sessions(&self) -> Result<()> {
        if self
            .pruned
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_some_and(|at| at.elapsed() < PRUNE_INTERVAL)
        {
            return Ok(());
        }
        let rules = self.config().await?.settings.session_rules();
        let now = Timestamp::now();
        *self.pruned.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        self.last_seen.forget_old(now.as_second());
        let count = self.directory.prune_sessions(rules, now).await?;
        if count > 0 {
            tracing::info!(count, "expired sessions were deleted");
        }
        Ok(())
    }
}
