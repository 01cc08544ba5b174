//! The questions that a request asks the directory.

use std::mem;
use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::http::Request;
use axum::http::header::COOKIE;
use jiff::Timestamp;
use latchkey_core::Result;
use latchkey_core::activity::{ActivityPage, ActivityQuery, AuditContext, Event, OutboxEntry};
use latchkey_core::directory::{
    Directory, JudgedCode, PageStart, Profile, Redemption, SharedEmail, Sort, TimeAhead, User,
    UserPage, UserQuery,
};
use latchkey_core::instance::{InstanceId, Policy, Retention};
use latchkey_core::protocol::claims::Claims;
use latchkey_core::protocol::email::Email;
use latchkey_core::protocol::payload::NewUser;
use latchkey_core::protocol::user_id::UserId;
use latchkey_core::session::{Session, SessionKey, SessionRules};
use latchkey_core::verdict::{Seats, Verdict};
use latchkey_gateway::{Gateway, InstanceSnapshot, router};
use latchkey_store::SledDirectory;
use tokio::runtime::Builder;
use tower::ServiceExt as _;

use crate::site::Site;

/// A directory that notes the name of each function that is called.
struct Noting {
    directory: Arc<SledDirectory>,
    calls: Arc<Mutex<Vec<&'static str>>>,
}

/// Passes functions of `Directory` on.
macro_rules! noted {
    ($($name:ident($($argument:ident: $type:ty),*) -> $answer:ty;)*) => {
        $(fn $name(&self, $($argument: $type),*) -> Result<$answer> {
            self.calls.lock().unwrap().push(stringify!($name));
            self.directory.$name($($argument),*)
        })*
    };
}

impl Directory for Noting {
    noted! {
        dry_run(code: JudgedCode<'_>, policy: Policy) -> Verdict;
        dry_run_of(redemption: &Redemption<'_>) -> Verdict;
        redeem(code: JudgedCode<'_>, policy: Policy, by: &AuditContext) -> Verdict;
        redeem_all(codes: &[Redemption<'_>]) -> Vec<Result<Verdict>>;
        user(id: &UserId) -> Option<User>;
        known_user(id: &UserId) -> User;
        user_by_email(email: &Email) -> Option<User>;
        shared_emails() -> Vec<SharedEmail>;
        users(query: &UserQuery, sort: Sort, place: &PageStart, limit: usize) -> UserPage;
        add(user: &NewUser, by: &AuditContext) -> User;
        import(users: &[NewUser], by: &AuditContext) -> ();
        edit(id: &UserId, profile: &Profile, by: &AuditContext) -> User;
        session(key: &SessionKey) -> Option<Session>;
        sessions_of(user: &UserId) -> Vec<(SessionKey, Session)>;
        count_signed_in(rules: SessionRules, now: Timestamp) -> u64;
        end_session(key: &SessionKey, by: &AuditContext) -> ();
        note_sessions_seen(seen: &[(SessionKey, i64)]) -> ();
        prune_sessions(rules: SessionRules, now: Timestamp) -> u64;
        suspend(id: &UserId, by: &AuditContext) -> User;
        reactivate(id: &UserId, by: &AuditContext) -> User;
        sign_out(id: &UserId, by: &AuditContext) -> User;
        remove(id: &UserId, by: &AuditContext) -> ();
        link_made(claims: &Claims, by: &AuditContext) -> ();
        link_shown(claims: &Claims, by: &AuditContext) -> ();
        times_ahead(now: Timestamp) -> Vec<TimeAhead>;
        correct_times(by: &AuditContext) -> u64;
        revoke_link(link: &str, by: &AuditContext) -> ();
        seats() -> Seats;
        set_seat_limit(limit: Option<u64>, by: &AuditContext) -> Seats;
        count() -> u64;
        record(event: Event, by: &AuditContext) -> ();
        record_counted(now: Timestamp) -> ();
        prune(retention: Retention, now: Timestamp) -> bool;
        record_outbox(acts: &[OutboxEntry]) -> ();
        activity(query: &ActivityQuery, before: Option<u64>, limit: usize) -> ActivityPage;
    }
}

#[test]
fn forward_authentication_is_one_look_at_the_session_and_one_at_the_user() {
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
        let mut asked = mem::take(&mut *calls.lock().unwrap());
        // Sessions that are over are pruned in the background.
        asked.retain(|call| *call != "prune_sessions");
        (answer.unwrap().status().as_u16(), asked)
    };
    for _ in 0..3 {
        assert_eq!(verify(&cookie), (200, vec!["session", "user"]));
    }
    let unknown = cookie.replace('=', "=0");
    assert_eq!(verify(&unknown).0, 401);
    assert_eq!(verify("theme=dark"), (401, vec![]));
}
