//! Test of the calls that a request makes to the directory.

use std::mem;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use axum::body::Body;
use axum::http::Request;
use axum::http::header::COOKIE;
use jiff::Timestamp;
use latchkey_core::Result;
use latchkey_core::activity::{ActivityPage, ActivityQuery, AuditContext};
use latchkey_core::directory::{
    Command, Counts, Directory, OnChange, Outcome, PageStart, Redemption, SharedEmail, Sort,
    TimeAhead, User, UserPage, UserQuery,
};
use latchkey_core::instance::{InstanceId, Retention};
use latchkey_core::protocol::email::Email;
use latchkey_core::protocol::user_id::UserId;
use latchkey_core::session::{Session, SessionKey, SessionRules};
use latchkey_core::verdict::Verdict;
use latchkey_gateway::{Gateway, InstanceSnapshot, router};
use latchkey_store::EmbeddedDirectory;
use tokio::runtime::Builder;
use tower::ServiceExt as _;

use crate::site::Site;

/// A directory that records the name of each function that is called.
struct Noting {
    directory: Arc<EmbeddedDirectory>,
    calls: Arc<Mutex<Vec<&'static str>>>,
}

#[async_trait]
impl Directory for Noting {
    async fn execute(&self, command: Command, by: &AuditContext) -> Result<Outcome> {
        self.note("execute").execute(command, by).await
    }

    async fn dry_run_of(&self, redemption: &Redemption, now: Timestamp) -> Result<Verdict> {
        self.note("dry_run_of").dry_run_of(redemption, now).await
    }

    async fn user(&self, id: &UserId) -> Result<Option<User>> {
        self.note("user").user(id).await
    }

    async fn user_by_email(&self, email: &Email) -> Result<Option<User>> {
        self.note("user_by_email").user_by_email(email).await
    }

    async fn shared_emails(&self) -> Result<Vec<SharedEmail>> {
        self.note("shared_emails").shared_emails().await
    }

    async fn users(
        &self,
        query: &UserQuery,
        sort: Sort,
        place: &PageStart,
        limit: usize,
    ) -> Result<UserPage> {
        self.note("users").users(query, sort, place, limit).await
    }

    async fn counts(&self) -> Result<Counts> {
        self.note("counts").counts().await
    }

    async fn session(&self, key: &SessionKey) -> Result<Option<Session>> {
        self.note("session").session(key).await
    }

    async fn sessions_of(&self, user: &UserId) -> Result<Vec<(SessionKey, Session)>> {
        self.note("sessions_of").sessions_of(user).await
    }

    async fn ended_sessions(&self, rules: SessionRules, now: Timestamp) -> Result<Vec<SessionKey>> {
        self.note("ended_sessions").ended_sessions(rules, now).await
    }

    async fn count_signed_in(&self, rules: SessionRules, now: Timestamp) -> Result<u64> {
        self.note("count_signed_in")
            .count_signed_in(rules, now)
            .await
    }

    async fn times_ahead(&self, now: Timestamp) -> Result<Vec<TimeAhead>> {
        self.note("times_ahead").times_ahead(now).await
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
        self.note("activity").activity(query, before, limit).await
    }

    async fn record_counted(&self, now: Timestamp) -> Result<()> {
        self.note("record_counted").record_counted(now).await
    }

    async fn prune(&self, retention: Retention, now: Timestamp) -> Result<bool> {
        self.note("prune").prune(retention, now).await
    }
}

impl Noting {
    fn note(&self, call: &'static str) -> &EmbeddedDirectory {
        self.calls.lock().unwrap().push(call);
        &self.directory
    }
}

#[test]
fn forward_authentication_reads_one_session_and_one_user() {
    let site = Site::new();
    let cookie = site.sign_in("ada");
    let calls: Arc<Mutex<Vec<&str>>> = Arc::default();
    let directory = Arc::new(Noting {
        directory: Arc::clone(&site.directory),
        calls: Arc::clone(&calls),
    });
    let (settings, key) = (site.settings.clone(), site.key.clone());
    let instance = InstanceId::parse(site.instance).unwrap();
    let gateway = Gateway::new(instance, directory, site.limits.clone(), move || {
        Ok(InstanceSnapshot {
            settings: settings.clone(),
            key: key.clone(),
            api_keys: Vec::new(),
        })
    });
    let router = router(Arc::new(gateway));
    let runtime = Builder::new_current_thread().enable_time().build().unwrap();
    let verify = |cookie: &str| {
        let request = Request::get("/auth/verify")
            .header("host", "chat.acme.example")
            .header(COOKIE, cookie)
            .body(Body::empty());
        let answer = runtime.block_on(router.clone().oneshot(request.unwrap()));
        let asked = mem::take(&mut *calls.lock().unwrap());
        (answer.unwrap().status().as_u16(), asked)
    };
    for _ in 0..3 {
        assert_eq!(verify(&cookie), (200, vec!["session", "user"]));
    }
    let unknown = cookie.replace('=', "=0");
    assert_eq!(verify(&unknown).0, 401);
    assert_eq!(verify("theme=dark"), (401, vec![]));
}
