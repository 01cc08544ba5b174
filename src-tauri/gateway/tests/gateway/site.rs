//! An instance with a gateway, and its visitors.

use latchkey_store::Wait as _;
use std::convert::Infallible;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use axum::http::header::{COOKIE, LOCATION, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, Request, StatusCode};
use axum::response::Response;
use http_body_util::BodyExt as _;
use jiff::Timestamp;
use latchkey_core::activity::{Actor, AuditContext};
use latchkey_core::directory::Directory;
use latchkey_core::inspect::diagnosis::OtherInstance;
use latchkey_core::instance::api_key::ApiKey;
use latchkey_core::instance::{Hosted, InstanceId, Name, Settings};
use latchkey_core::ledger::{Revocation, RevocationScope};
use latchkey_core::link::BaseUrl;
use latchkey_core::protocol::claims::{Claims, Registered};
use latchkey_core::protocol::code::{Algorithm, sign};
use latchkey_core::protocol::payload::Payload;
use latchkey_core::protocol::user_id::UserId;
use latchkey_core::protocol::uses::Uses;
use latchkey_core::secret::{Secret, SigningKey};
use latchkey_gateway::{ClientLimits, Gateway, InstanceSnapshot, router};
use latchkey_store::EmbeddedDirectory;
use tokio::runtime::Handle;
use tokio::time::sleep;
use tower::{Service, ServiceExt as _};

/// Returns the context of an administrator who acts now.
pub(crate) fn by() -> AuditContext {
    AuditContext::new(Actor::Studio, Timestamp::now())
}

/// Revokes a link, which need not be in the ledger. Its sessions go on.
pub(crate) fn revoke_link(directory: &dyn Directory, id: &str) {
    let revocation = Revocation {
        scope: RevocationScope::Link(id.to_owned()),
        ends_sessions: false,
        allows_unknown: true,
    };
    let revoked = directory.revoke_links(revocation, &by()).wait();
    revoked.unwrap();
}

/// Headers of a person's browser, sent with each request unless a test sets others.
const PERSON: [(&str, &str); 2] = [
    ("host", "chat.acme.example"),
    ("user-agent", "Mozilla/5.0 (a browser)"),
];

/// Header by which a browser says that it shows the response as a page.
pub(crate) const NAVIGATES: (&str, &str) = ("sec-fetch-mode", "navigate");

pub(crate) struct Site {
    pub(crate) directory: Arc<EmbeddedDirectory>,
    pub(crate) settings: Settings,
    pub(crate) key: SigningKey,
    pub(crate) api_keys: Vec<ApiKey>,
    /// Secret of `Other`, another instance of the same administrator.
    pub(crate) other_key: Option<SigningKey>,
    pub(crate) instance: &'static str,
    pub(crate) limits: ClientLimits,
    _folder: tempfile::TempDir,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    pub(crate) fn location(&self) -> &str {
        self.header(LOCATION.as_str()).unwrap_or_default()
    }

    /// Returns the cookies that a browser would send back, as `name=value`.
    pub(crate) fn cookies(&self) -> Vec<String> {
        let set = self.headers.get_all(SET_COOKIE).iter();
        let pairs = set.map(|cookie| cookie.to_str().unwrap().split(';').next().unwrap());
        pairs
            .filter(|pair| !pair.ends_with('='))
            .map(str::to_owned)
            .collect()
    }

    /// Returns the cookie among others that holds the session.
    pub(crate) fn session_in(cookies: &str) -> String {
        let mut all = cookies.split("; ");
        all.find(|cookie| cookie.contains("latchkey_session"))
            .unwrap()
            .to_owned()
    }

    /// Returns the cookie of the session, if the response sets it.
    pub(crate) fn session(&self) -> Option<String> {
        self.cookies()
            .into_iter()
            .find(|cookie| cookie.contains("latchkey_session"))
    }
}

impl Site {
    pub(crate) fn new() -> Self {
        Self::with("acme", |_| {})
    }

    pub(crate) fn with(instance: &'static str, change: impl FnOnce(&mut Settings)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut settings = Settings::new(
            Name::parse("Acme <Chat>").unwrap(),
            BaseUrl::parse("https://chat.acme.example/").unwrap(),
            Hosted::Here,
        );
        change(&mut settings);
        let secret = Secret::new("0123456789abcdef0123456789abcdef".into());
        Self {
            directory: Arc::new(EmbeddedDirectory::open(folder.path(), "a test").unwrap()),
            settings,
            key: SigningKey::from_text(&secret).unwrap(),
            api_keys: Vec::new(),
            other_key: None,
            instance,
            limits: ClientLimits {
                links_per_second: NonZeroU32::new(50),
                ..ClientLimits::default()
            },
            _folder: folder,
        }
    }

    /// Returns the router of a gateway that has just been started.
    pub(crate) fn router(
        &self,
    ) -> impl Service<Request<Body>, Response = Response, Error = Infallible, Future: Send>
    + Clone
    + Send
    + use<> {
        let hosting = Mutex::new((self.settings.clone(), self.key.clone()));
        let instance = InstanceId::parse(self.instance).unwrap();
        let directory = Arc::clone(&self.directory);
        let api_keys = self.api_keys.clone();
        let other_key = self.other_key.clone();
        let others = move || {
            let other = other_key.clone().map(|key| OtherInstance {
                id: InstanceId::parse("other").unwrap(),
                name: "Other".to_owned(),
                url: BaseUrl::parse("https://other.example/").unwrap(),
                algorithm: Algorithm::HS256,
                keys: vec![key],
            });
            Ok(other.into_iter().collect())
        };
        let gateway = Gateway::new(instance, directory, self.limits.clone(), move || {
            let (settings, key) = hosting.lock().unwrap().clone();
            Ok(InstanceSnapshot {
                has_stored_key: true,
                settings,
                keys: key.into(),
                unrecorded: None,
                api_keys: api_keys.clone(),
            })
        });
        router(Arc::new(gateway.with_others(others)))
    }

    pub(crate) fn code(&self, payload: &str) -> String {
        self.code_with(payload, Registered::default())
    }

    pub(crate) fn code_with(&self, payload: &str, registered: Registered) -> String {
        let members = serde_json::from_str(payload).unwrap();
        let claims = Claims {
            payload: Payload::from_claims(&members).unwrap(),
            registered: Registered {
                issued_at: Some(Timestamp::now().as_second()),
                ..registered
            },
        };
        sign(&claims, &self.key, Algorithm::HS256)
            .unwrap()
            .expose()
            .to_owned()
    }

    pub(crate) fn new_user(&self, id: &str) -> String {
        self.code(&format!(
            r#"{{"user":{{"id":"{id}","name":"{id} Person"}}}}"#
        ))
    }

    /// Clicks the button of a link's confirm page. Without a cookie of such a page in the headers,
    /// it loads the page first and takes its cookie.
    pub(crate) fn confirm(&self, link: &str, headers: &[(&str, &str)]) -> Answer {
        let given = headers.iter().find(|(name, _)| *name == COOKIE.as_str());
        let given = given.map_or("", |(_, cookies)| cookies);
        let cookies = if given.contains("latchkey_shown") {
            given.to_owned()
        } else {
            format!("{given}; {}", self.shown())
        };
        let others = headers.iter().filter(|(name, _)| *name != COOKIE.as_str());
        let mut headers: Vec<(&str, &str)> = others.copied().collect();
        headers.push((COOKIE.as_str(), &cookies));
        self.post(link, &[], &headers)
    }

    /// Returns the cookie that the confirm page sets.
    pub(crate) fn shown(&self) -> String {
        let registered = Registered {
            id: Some("only shown".into()),
            uses: Uses::ONCE,
            ..Registered::default()
        };
        let code = self.code_with(r#"{"user":{"id":"only shown"}}"#, registered);
        let page = self.get(&format!("/?externalAuthCode={code}"), &[]);
        page.cookies().join("; ")
    }

    /// Signs a user in. Returns the cookie of the session.
    pub(crate) fn sign_in(&self, id: &str) -> String {
        let code = self.new_user(id);
        let answer = self.get(&format!("/?externalAuthCode={code}"), &[]);
        answer
            .session()
            .unwrap_or_else(|| panic!("{}", answer.body))
    }

    pub(crate) fn has_user(&self, id: &str) -> bool {
        self.directory
            .user(&UserId::parse(id, "id").unwrap())
            .wait()
            .unwrap()
            .is_some()
    }

    pub(crate) fn seats(&self) -> u64 {
        self.directory
            .seats(jiff::Timestamp::now())
            .wait()
            .unwrap()
            .used
    }

    pub(crate) fn get(&self, path: &str, headers: &[(&str, &str)]) -> Answer {
        self.ask("GET", path, headers, "")
    }

    pub(crate) fn get_as(&self, path: &str, cookie: &str) -> Answer {
        self.get(path, &[(COOKIE.as_str(), cookie)])
    }

    pub(crate) fn post(
        &self,
        path: &str,
        form: &[(&str, &str)],
        headers: &[(&str, &str)],
    ) -> Answer {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form)
            .finish();
        let mut all = vec![("content-type", "application/x-www-form-urlencoded")];
        all.extend_from_slice(headers);
        self.ask("POST", path, &all, &body)
    }

    pub(crate) fn ask(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(request.body(Body::from(body.to_owned())).unwrap())
    }

    pub(crate) fn send(&self, mut request: Request<Body>) -> Answer {
        for (name, value) in PERSON {
            let given = request.headers_mut().entry(name);
            given.or_insert_with(|| HeaderValue::from_static(value));
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .build()
            .unwrap();
        runtime.block_on(async {
            let answer = self.router().oneshot(request).await.unwrap();
            let (parts, body) = answer.into_parts();
            let bytes = body.collect().await.unwrap().to_bytes();
            // Waits for background tasks, which would end with the runtime of the request.
            while Handle::current().metrics().num_alive_tasks() > 0 {
                sleep(Duration::from_millis(1)).await;
            }
            Answer {
                status: parts.status,
                headers: parts.headers,
                body: String::from_utf8(bytes.to_vec()).unwrap(),
            }
        })
    }
}
