//! Tests of the calls that a request makes to the directory, and of a directory that fails.

use std::convert::Infallible;
use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::body::Body;
use axum::http::header::COOKIE;
use axum::http::{Method, Request};
use axum::response::Response;
use jiff::Timestamp;
use latchkey_core::activity::{ActivityPage, ActivityQuery, AuditContext, Mark, Verification};
use latchkey_core::directory::{
    Command, Counts, Directory, Facts, Lookup, OnChange, Outcome, PageStart, Redemption,
    SharedEmail, Snapshot, Sort, TimeAhead, User, UserPage, UserQuery,
};
use latchkey_core::instance::{InstanceId, Retention};
use latchkey_core::ledger::{
    Asking, LinkCounts, LinkPage, LinkPageStart, LinkQuery, LinkSort, ListedLink, NewLinkRequest,
    ShortLink,
};
use latchkey_core::link::short_code::ShortCodeHash;
use latchkey_core::protocol::claims::Claims;
use latchkey_core::protocol::email::Email;
use latchkey_core::protocol::user_id::UserId;
use latchkey_core::session::{
    Session, SessionHandle, SessionKey, SessionPage, SessionQuery, SessionRules,
};
use latchkey_core::verdict::Verdict;
use latchkey_core::{Error, ErrorCode, Result};
use latchkey_gateway::{Gateway, InstanceSnapshot, router};
use latchkey_store::EmbeddedDirectory;
use tokio::runtime::Builder;
use tower::{Service, ServiceExt as _};

use crate::site::Site;

/// A directory that records the name of each function that is called, and fails on demand.
struct Noting {
    directory: Arc<EmbeddedDirectory>,
    calls: Mutex<Vec<&'static str>>,
    is_failing: AtomicBool,
}

#[async_trait]
impl Directory for Noting {
    async fn execute(&self, command: Command, by: &AuditContext) -> Result<Outcome> {
        self.note("execute")?.execute(command, by).await
    }

    async fn dry_run_of(&self, redemption: &Redemption, now: Timestamp) -> Result<Verdict> {
        self.note("dry_run_of")?.dry_run_of(redemption, now).await
    }

    async fn user(&self, id: &UserId) -> Result<Option<User>> {
        self.note("user")?.user(id).await
    }

    async fn user_by_email(&self, email: &Email) -> Result<Option<User>> {
        self.note("user_by_email")?.user_by_email(email).await
    }

    async fn look_up(&self, lookup: &Lookup, now: Timestamp) -> Result<Facts> {
        self.note("look_up")?.look_up(lookup, now).await
    }

    async fn shared_emails(&self) -> Result<Vec<SharedEmail>> {
        self.note("shared_emails")?.shared_emails().await
    }

    async fn users(
        &self,
        query: &UserQuery,
        sort: Sort,
        place: &PageStart,
        limit: usize,
    ) -> Result<UserPage> {
        self.note("users")?.users(query, sort, place, limit).await
    }

    async fn snapshot(&self) -> Result<Box<dyn Snapshot>> {
        self.note("snapshot")?.snapshot().await
    }

    async fn counts(&self, now: Timestamp) -> Result<Counts> {
        self.note("counts")?.counts(now).await
    }

    async fn session(&self, key: &SessionKey) -> Result<Option<Session>> {
        self.note("session")?.session(key).await
    }

    async fn sessions_of(&self, query: &SessionQuery, now: Timestamp) -> Result<SessionPage> {
        self.note("sessions_of")?.sessions_of(query, now).await
    }

    async fn end_session_of(
        &self,
        user: &UserId,
        session: SessionHandle,
        by: &AuditContext,
    ) -> Result<()> {
        self.note("end_session_of")?
            .end_session_of(user, session, by)
            .await
    }

    async fn ended_sessions(&self, rules: SessionRules, now: Timestamp) -> Result<Vec<SessionKey>> {
        self.note("ended_sessions")?
            .ended_sessions(rules, now)
            .await
    }

    async fn count_signed_in(&self, rules: SessionRules, now: Timestamp) -> Result<u64> {
        self.note("count_signed_in")?
            .count_signed_in(rules, now)
            .await
    }

    async fn is_ended_with_link(&self, session: &Session) -> Result<bool> {
        let directory = self.note("is_ended_with_link")?;
        directory.is_ended_with_link(session).await
    }

    async fn links(
        &self,
        query: &LinkQuery,
        sort: LinkSort,
        place: &LinkPageStart,
        limit: usize,
    ) -> Result<LinkPage> {
        self.note("links")?.links(query, sort, place, limit).await
    }

    async fn link_counts(&self, now: Timestamp) -> Result<LinkCounts> {
        self.note("link_counts")?.link_counts(now).await
    }

    async fn link(&self, id: &str, now: Timestamp) -> Result<Option<(ListedLink, Option<Claims>)>> {
        self.note("link")?.link(id, now).await
    }

    async fn short_link(&self, code: &ShortCodeHash) -> Result<Option<ShortLink>> {
        self.note("short_link")?.short_link(code).await
    }

    async fn link_requests(&self, now: Timestamp) -> Result<Vec<NewLinkRequest>> {
        self.note("link_requests")?.link_requests(now).await
    }

    async fn can_ask(&self, asking: &Asking, now: Timestamp) -> Result<bool> {
        self.note("can_ask")?.can_ask(asking, now).await
    }

    async fn times_ahead(&self, now: Timestamp) -> Result<Vec<TimeAhead>> {
        self.note("times_ahead")?.times_ahead(now).await
    }

    async fn cutoff_ahead(&self, now: Timestamp) -> Result<Option<i64>> {
        self.note("cutoff_ahead")?.cutoff_ahead(now).await
    }

    fn on_change(&self, call: OnChange) {
        self.directory.on_change(call);
    }

    async fn activity(
        &self,
        query: &ActivityQuery,
        before: Option<u64>,
        limit: usize,
    ) -> Result<ActivityPage> {
        self.note("activity")?.activity(query, before, limit).await
    }

    async fn verify_activity(&self, expected: Option<Mark>) -> Result<Verification> {
        self.note("verify_activity")?
            .verify_activity(expected)
            .await
    }

    async fn record_counted(&self, now: Timestamp) -> Result<()> {
        self.note("record_counted")?.record_counted(now).await
    }

    async fn prune(&self, retention: Retention, now: Timestamp) -> Result<bool> {
        self.note("prune")?.prune(retention, now).await
    }
}

impl Noting {
    fn new(site: &Site) -> Arc<Self> {
        Arc::new(Self {
            directory: Arc::clone(&site.directory),
            calls: Mutex::default(),
            is_failing: AtomicBool::new(false),
        })
    }

    fn note(&self, call: &'static str) -> Result<&EmbeddedDirectory> {
        self.calls.lock().unwrap().push(call);
        if self.is_failing.load(Ordering::Relaxed) {
            return Err(Error::new(ErrorCode::Storage, "The disk is full."));
        }
        Ok(&self.directory)
    }
}

/// Returns the router of a site's gateway over a directory.
fn router_over(
    site: &Site,
    directory: Arc<Noting>,
) -> impl Service<Request<Body>, Response = Response, Error = Infallible, Future: Send> + Clone + use<>
{
    let (settings, key) = (site.settings.clone(), site.key.clone());
    let instance = InstanceId::parse(site.instance).unwrap();
    let gateway = Gateway::new(instance, directory, site.limits.clone(), move || {
        Ok(InstanceSnapshot {
            has_stored_key: true,
            settings: settings.clone(),
            keys: key.clone().into(),
            unrecorded: None,
            api_keys: Vec::new(),
        })
    });
    router(Arc::new(gateway))
}

#[test]
fn forward_authentication_reads_one_session_with_its_user_and_its_link() {
    let site = Site::new();
    let cookie = site.sign_in("ada");
    let directory = Noting::new(&site);
    let router = router_over(&site, Arc::clone(&directory));
    let runtime = Builder::new_current_thread().enable_time().build().unwrap();
    let verify = |cookie: &str| {
        let request = Request::get("/auth/verify")
            .header("host", "chat.acme.example")
            .header(COOKIE, cookie)
            .body(Body::empty());
        let answer = runtime.block_on(router.clone().oneshot(request.unwrap()));
        let asked = mem::take(&mut *directory.calls.lock().unwrap());
        (answer.unwrap().status().as_u16(), asked)
    };
    for _ in 0..3 {
        let read = vec!["session", "user", "is_ended_with_link"];
        assert_eq!(verify(&cookie), (200, read));
    }
    let unknown = cookie.replace('=', "=0");
    assert_eq!(verify(&unknown).0, 401);
    assert_eq!(verify("theme=dark"), (401, vec![]));
}

#[test]
fn a_code_that_does_not_verify_is_refused_although_the_directory_fails() {
    let site = Site::new();
    let cookie = site.sign_in("ada");
    let good = site.new_user("bob");
    let (signed, _) = good.rsplit_once('.').unwrap();
    let forged = format!("{signed}.{}", "A".repeat(43));
    let directory = Noting::new(&site);
    let router = router_over(&site, Arc::clone(&directory));
    let runtime = Builder::new_current_thread().enable_time().build().unwrap();
    let status = |method: Method, code: &str, cookie: &str| {
        let request = Request::builder()
            .method(method)
            .uri(format!("/?externalAuthCode={code}"))
            .header("host", "chat.acme.example")
            .header(COOKIE, cookie)
            .body(Body::empty());
        let answer = runtime.block_on(router.clone().oneshot(request.unwrap()));
        answer.unwrap().status().as_u16()
    };
    directory.is_failing.store(true, Ordering::Relaxed);
    for cookie in [&cookie, "theme=dark"] {
        for code in [&forged, "ey"] {
            for method in [Method::GET, Method::POST] {
                let refused = status(method.clone(), code, cookie);
                assert_eq!(refused, 403, "{method} {code} {cookie}");
            }
        }
        assert_eq!(status(Method::GET, &good, cookie), 503, "{cookie}");
    }
}
