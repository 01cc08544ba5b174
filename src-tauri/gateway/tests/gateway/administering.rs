//! The administration API on the network: keys, scopes, and refusals.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Request, StatusCode};
use http_body_util::BodyExt as _;
use jiff::{SignedDuration, Timestamp};
use latchkey_core::activity::{ActivityQuery, Actor, AuditContext, Entry, EventData};
use latchkey_core::directory::Directory;
use latchkey_core::instance::api_key::NewApiKey;
use latchkey_core::instance::scope::Scope;
use latchkey_core::instance::{Hosted, InstanceId, Name, Settings};
use latchkey_core::link::BaseUrl;
use latchkey_core::protocol::lifetime::Lifetime;
use latchkey_core::secret::{Secret, SigningKey};
use latchkey_gateway::{
    Administration, ClientLimits, Gateway, Handle, InstanceSnapshot, admin_router, router,
};
use latchkey_store::home::Home;
use latchkey_store::keys::KeychainUse;
use latchkey_store::{EmbeddedDirectory, Wait as _};
use serde_json::{Value, json};
use tower::{Service, ServiceExt as _};

use crate::site::by;

/// An instance in a data folder, and its gateway.
pub(crate) struct Administered {
    pub(crate) home: Arc<Home>,
    pub(crate) id: InstanceId,
    pub(crate) directory: Arc<EmbeddedDirectory>,
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) administration: Arc<Administration>,
    pub(crate) runtime: tokio::runtime::Runtime,
    /// Number of writes of the last use of keys.
    pub(crate) key_writes: Arc<AtomicU32>,
    handle: Handle,
    _folder: tempfile::TempDir,
}

pub(crate) struct Response {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

/// Address of the client, unless a test has another.
const CLIENT: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));

impl Administered {
    pub(crate) fn new() -> Self {
        Self::with(ClientLimits::default())
    }

    pub(crate) fn with(limits: ClientLimits) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::open(folder.path().to_owned(), KeychainUse::Never).unwrap();
        let url = BaseUrl::parse("https://acme.example").unwrap();
        let settings = Settings::new(Name::parse("Acme").unwrap(), url, Hosted::Here);
        let id = home.instances().add(settings, None, &by()).unwrap().id;
        let users = home.instances().directory_folder(&id);
        let directory = Arc::new(EmbeddedDirectory::open(&users, "a test").unwrap());
        let home = Arc::new(home);
        let secret = Secret::new("0123456789abcdef0123456789abcdef".into());
        let key = SigningKey::from_text(&secret).unwrap();
        let gateway = {
            let (home, id, directory) = (Arc::clone(&home), id.clone(), Arc::clone(&directory));
            let served = Arc::clone(&directory);
            Gateway::new(id.clone(), served, limits, move || {
                InstanceSnapshot::of(&home, &id, Some(&key), &*directory)
            })
        };
        let key_writes = Arc::new(AtomicU32::new(0));
        let gateway = {
            let (home, id, writes) = (Arc::clone(&home), id.clone(), Arc::clone(&key_writes));
            gateway.with_key_uses(move |uses| {
                writes.fetch_add(1, Ordering::Relaxed);
                home.note_key_uses(&id, uses)
            })
        };
        let held: Arc<dyn Directory> = Arc::clone(&directory) as _;
        let administration =
            Administration::new(Arc::clone(&home), &id, "latchkey serve", held, None);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        Self {
            home,
            id,
            directory,
            gateway: Arc::new(gateway),
            administration,
            runtime,
            key_writes,
            handle: Handle::default(),
            _folder: folder,
        }
    }

    /// Makes a key. The gateway knows it at once if it has not answered a request yet.
    pub(crate) fn key(&self, name: &str, scopes: &[Scope]) -> String {
        let new = NewApiKey {
            scopes: scopes.to_vec(),
            ..NewApiKey::new(name)
        };
        self.made(&new, &by())
    }

    fn made(&self, new: &NewApiKey, by: &AuditContext) -> String {
        let (_, secret) = self.home.make_api_key(&self.id, new, by).unwrap();
        secret.expose().to_owned()
    }

    /// Returns the router of a listener that does not close.
    fn router(
        &self,
    ) -> impl Service<Request<Body>, Response = axum::response::Response, Error = Infallible> {
        let (gateway, administration) =
            (Arc::clone(&self.gateway), Arc::clone(&self.administration));
        admin_router(gateway, administration, &self.handle)
    }

    pub(crate) fn ask(&self, method: &str, path: &str, key: &str, body: &Value) -> Response {
        let headers = [("x-api-key", key)];
        let headers = if key.is_empty() {
            &headers[..0]
        } else {
            &headers
        };
        self.send(CLIENT, method, path, headers, body)
    }

    pub(crate) fn send(
        &self,
        client: IpAddr,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &Value,
    ) -> Response {
        let router = self.router();
        let mut request = Request::builder()
            .method(method)
            .uri(format!("/admin/v1{path}"))
            .header("host", "acme.example:8789")
            .extension(ConnectInfo(SocketAddr::from((client, 50_000))));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let text = if body.is_null() {
            String::new()
        } else {
            request = request.header("content-type", "application/json");
            body.to_string()
        };
        let request = request.body(Body::from(text)).unwrap();
        self.runtime.block_on(async {
            let response = router.oneshot(request).await.unwrap();
            let (parts, body) = response.into_parts();
            let bytes = body.collect().await.unwrap().to_bytes();
            Response {
                status: parts.status,
                headers: parts.headers,
                body: serde_json::from_slice(&bytes).unwrap_or(Value::Null),
            }
        })
    }

    /// Returns the entries of the activity, newest first.
    pub(crate) fn entries(&self) -> Vec<Entry> {
        let all = ActivityQuery::default();
        let page = self.directory.activity(&all, None, 99);
        page.wait().unwrap().entries
    }

    fn seats(&self) -> u64 {
        self.directory
            .seats(jiff::Timestamp::now())
            .wait()
            .unwrap()
            .used
    }
}

const ADA: &str = "/users/ada";

fn ada() -> Value {
    json!({ "id": "ada" })
}

#[test]
fn a_key_may_do_what_its_scopes_say_and_no_more() {
    let site = Administered::new();
    let reader = site.key("reader", &[Scope::UsersRead]);
    let users = site.key("users", &[Scope::Users]);
    let links = site.key("links", &[Scope::Links]);
    let activity = site.key("activity", &[Scope::Activity]);
    let admin = site.key("admin", &[Scope::Admin]);
    let added = site.ask("POST", "/users", &users, &ada());
    assert_eq!(added.status, StatusCode::CREATED, "{}", added.body);
    for (method, path, allowed) in [
        ("GET", "", [true, true, true, true, true]),
        ("GET", "/users", [true, true, false, false, true]),
        ("GET", ADA, [true, true, false, false, true]),
        (
            "POST",
            "/users/ada/suspend",
            [false, true, false, false, true],
        ),
        ("GET", "/activity", [false, false, false, true, true]),
        ("GET", "/counts", [true, true, false, false, true]),
    ] {
        let keys = [&reader, &users, &links, &activity, &admin];
        for (key, allowed) in keys.into_iter().zip(allowed) {
            let answer = site.ask(method, path, key, &Value::Null);
            let expected = if allowed {
                StatusCode::OK
            } else {
                StatusCode::FORBIDDEN
            };
            assert_eq!(answer.status, expected, "{method} {path}: {}", answer.body);
        }
    }
    let entries = site.entries();
    let added = entries
        .iter()
        .find(|entry| entry.event.data.code() == "added");
    let added = added.unwrap();
    assert_eq!(added.actor, Actor::ApiKey("users".to_owned()));
    assert_eq!(added.address, Some(CLIENT));
    let missing = entries.iter().any(|entry| {
        entry.actor == Actor::ApiKey("reader".to_owned())
            && entry.event.data
                == EventData::ApiKeyScopeMissing {
                    scope: Scope::Users,
                }
    });
    assert!(missing, "the activity has the refusal");
}

#[test]
fn without_a_valid_key_nothing_is_answered() {
    let site = Administered::new();
    let new = NewApiKey {
        scopes: vec![Scope::Admin],
        lifetime: Lifetime::Secs(60),
        ..NewApiKey::new("expired")
    };
    let an_hour_ago = Timestamp::now() - SignedDuration::from_hours(1);
    let expired = site.made(&new, &AuditContext::new(Actor::Studio, an_hour_ago));
    let revoked = site.key("revoked", &[Scope::Admin]);
    site.home
        .revoke_api_key(&site.id, "revoked", &by())
        .unwrap();
    for key in ["", "lk_wrong", &revoked, &expired] {
        for (method, path) in [
            ("GET", ""),
            ("GET", "/users"),
            ("POST", "/users"),
            ("DELETE", ADA),
        ] {
            let answer = site.ask(method, path, key, &ada());
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{key} {path}");
            assert_eq!(answer.headers["content-type"], "application/problem+json");
            assert_eq!(answer.headers["cache-control"], "no-store");
            assert!(answer.body["reference"].is_string());
        }
    }
    assert_eq!(site.seats(), 0);
}

#[test]
fn the_header_with_the_context_of_a_local_request_is_ignored() {
    let site = Administered::new();
    let key = site.key("users", &[Scope::Users]);
    let context = json!({ "at": 7, "actor": "studio", "address": null, "reference": null });
    let headers = [
        ("x-api-key", &*key),
        ("latchkey-context", &*context.to_string()),
    ];
    let added = site.send(CLIENT, "POST", "/users", &headers, &ada());
    assert_eq!(added.status, StatusCode::CREATED, "{}", added.body);
    let entries = site.entries();
    let added = entries
        .iter()
        .find(|entry| entry.event.data.code() == "added");
    let added = added.unwrap();
    assert_eq!(added.actor, Actor::ApiKey("users".to_owned()));
    assert!(added.at > 1_000_000);
}

#[test]
fn the_routes_of_the_local_socket_and_pages_of_browsers_are_refused() {
    let site = Administered::new();
    let key = site.key("admin", &[Scope::Admin]);
    for path in [
        "/give-way",
        "/activity/outbox",
        "/taken-links",
        "/shown-links",
    ] {
        let answer = site.ask("POST", path, &key, &json!({}));
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
    }
    let answer = site.ask("POST", "/activity", &key, &json!({}));
    assert_eq!(answer.status, StatusCode::METHOD_NOT_ALLOWED);
    let headers = [
        ("x-api-key", &*key),
        ("origin", "https://acme.example:8789"),
    ];
    let answer = site.send(CLIENT, "GET", "/users", &headers, &Value::Null);
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert!(!answer.headers.contains_key("access-control-allow-origin"));
    let preflight = [
        ("origin", "https://evil.example"),
        ("access-control-request-method", "GET"),
    ];
    let answer = site.send(CLIENT, "OPTIONS", "/users", &preflight, &Value::Null);
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
}

#[test]
fn ten_wrong_keys_lock_an_address_out_of_both_apis_and_no_other_address() {
    let site = Administered::new();
    let key = site.key("admin", &[Scope::Admin]);
    for _ in 0..10 {
        let answer = site.ask("GET", "/users", "lk_wrong", &Value::Null);
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    }
    let answer = site.ask("GET", "/users", &key, &Value::Null);
    assert_eq!(answer.status, StatusCode::TOO_MANY_REQUESTS);
    let wait: u64 = answer.headers["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((1..=60).contains(&wait));
    let headers = [("x-api-key", &*key)];
    let other = IpAddr::from([192, 0, 2, 8]);
    let answer = site.send(other, "GET", "/users", &headers, &Value::Null);
    assert_eq!(answer.status, StatusCode::OK);
}

#[test]
fn the_listener_of_visitors_has_no_path_for_administrators() {
    let site = Administered::new();
    let key = site.key("admin", &[Scope::Admin]);
    let status = |method: &str, path: &str| {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "acme.example")
            .header("user-agent", "Mozilla/5.0")
            .header("x-api-key", &key);
        let request = request.body(Body::empty()).unwrap();
        let router = router(Arc::clone(&site.gateway));
        let answer = site.runtime.block_on(router.oneshot(request));
        answer.unwrap().status()
    };
    for path in ["/admin/v1", "/admin/v1/users", "/admin/v1/pairings"] {
        assert_eq!(status("GET", path), StatusCode::NOT_FOUND, "{path}");
        for method in ["POST", "PUT", "PATCH", "DELETE"] {
            let other = status(method, "/nowhere");
            assert!(other.is_client_error(), "{other}");
            assert_eq!(status(method, path), other, "{method} {path}");
        }
    }
}

#[test]
fn a_stream_of_changes_ends_when_its_key_is_revoked() {
    let site = Administered::new();
    let key = site.key("reader", &[Scope::UsersRead]);
    let router = site.router();
    let request = Request::get("/admin/v1/changes")
        .header("host", "acme.example")
        .header("x-api-key", &key);
    let request = request.body(Body::empty()).unwrap();
    site.runtime.block_on(async {
        let response = router.oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        let mut body = response.into_body();
        let first = body.frame().await.unwrap().unwrap();
        assert!(first.data_ref().unwrap().starts_with(b"data: "));
        site.home.revoke_api_key(&site.id, "reader", &by()).unwrap();
        let rest = tokio::time::timeout(std::time::Duration::from_secs(20), body.collect());
        rest.await.expect("the stream ends").unwrap();
    });
}

#[test]
fn a_request_without_a_key_does_not_learn_whether_a_user_exists() {
    let site = Administered::new();
    let key = site.key("users", &[Scope::Users]);
    let links = site.key("links", &[Scope::Links]);
    site.ask("POST", "/users", &key, &ada());
    for key in ["", "lk_wrong", &links] {
        let answer = |path: &str| {
            let mut answer = site.ask("GET", path, key, &Value::Null);
            answer.body["reference"] = Value::Null;
            (answer.status, answer.body)
        };
        assert_eq!(answer(ADA), answer("/users/nobody"));
    }
}

#[test]
fn the_time_of_a_change_is_the_time_of_the_server() {
    let site = Administered::new();
    let key = site.key("users", &[Scope::Users]);
    let before = Timestamp::now().as_second();
    site.ask("POST", "/users", &key, &ada());
    let entry = &site.entries()[0];
    assert!((before..=Timestamp::now().as_second()).contains(&entry.at));
}
