//! Who is signed in, by a signed cookie (RFC 6265bis). There is no table of sessions: what the cookie
//! says is judged at each request by what the directory says.

use axum::http::HeaderMap;
use axum::http::header::COOKIE;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cookie::time::Duration;
use cookie::{Cookie, CookieJar, Key, SameSite};
use jiff::Timestamp;
use latchkey_core::Result;
use latchkey_core::directory::User;
use latchkey_core::instance::{InstanceId, Settings};
use latchkey_core::return_address::ReturnAddress;
use latchkey_core::secret::SigningKey;
use latchkey_core::session::Session;

use crate::gateway::{Gateway, Hosted};

/// How long somebody has to open a link after a proxy has sent them here.
const RETURN_MINUTES: i64 = 15;

/// What cookies of an instance are signed with. It follows from the signing key, so it survives a
/// restart, is kept nowhere, and a replaced key ends all sessions.
pub(crate) struct CookieKey {
    session: Key,
    return_to: Key,
    is_secure: bool,
}

impl CookieKey {
    pub(crate) fn new(key: &SigningKey, instance: &InstanceId, settings: &Settings) -> Self {
        // A cookie of one kind, or of another instance, is no cookie of this one.
        let derived = |kind| Key::from(&*key.derived(&format!("latchkey {kind} of {instance}")));
        Self {
            session: derived("session"),
            return_to: derived("return"),
            is_secure: settings.url.is_https(),
        }
    }

    /// With the prefix, a browser takes it from this host alone, and by https alone.
    fn session_name(&self) -> &'static str {
        if self.is_secure {
            "__Host-latchkey_session"
        } else {
            "latchkey_session"
        }
    }

    fn return_name(&self) -> &'static str {
        if self.is_secure {
            "__Host-latchkey_return"
        } else {
            "latchkey_return"
        }
    }

    /// A cookie that signs somebody in.
    pub(crate) fn begin(&self, session: &Session, now: Timestamp) -> Option<String> {
        let json = serde_json::to_vec(session).ok()?;
        let value = URL_SAFE_NO_PAD.encode(json);
        let seconds = session.expires_at.saturating_sub(now.as_second());
        Some(self.signed(self.session_name(), value, &self.session, seconds))
    }

    /// A cookie that signs whoever holds one out.
    pub(crate) fn end(&self) -> String {
        self.bare(self.session_name(), String::new(), 0).to_string()
    }

    /// A cookie that says nothing but that a page of this server was shown. Another site's form comes
    /// without it.
    pub(crate) fn shown(&self) -> String {
        let mut cookie = self.bare(self.shown_name(), "1".into(), RETURN_MINUTES * 60);
        cookie.set_same_site(SameSite::Strict);
        cookie.to_string()
    }

    /// Whether a page of this server was shown to whoever sends these headers.
    pub(crate) fn was_shown(&self, headers: &HeaderMap) -> bool {
        cookies(headers).any(|cookie| cookie.name() == self.shown_name())
    }

    fn shown_name(&self) -> &'static str {
        if self.is_secure {
            "__Host-latchkey_shown"
        } else {
            "latchkey_shown"
        }
    }

    /// A cookie that remembers where to go after signing in.
    pub(crate) fn remember(&self, address: &ReturnAddress) -> String {
        let value = URL_SAFE_NO_PAD.encode(address.as_str());
        let seconds = RETURN_MINUTES * 60;
        self.signed(self.return_name(), value, &self.return_to, seconds)
    }

    /// A cookie that forgets it.
    pub(crate) fn forget(&self) -> String {
        self.bare(self.return_name(), String::new(), 0).to_string()
    }

    /// Where to go after signing in, where that is still allowed.
    pub(crate) fn remembered(
        &self,
        headers: &HeaderMap,
        settings: &Settings,
    ) -> Option<ReturnAddress> {
        let value = verified(headers, self.return_name(), &self.return_to)?;
        let address = String::from_utf8(URL_SAFE_NO_PAD.decode(value).ok()?).ok()?;
        ReturnAddress::parse(&address, &settings.return_origins())
    }

    fn session(&self, headers: &HeaderMap) -> Option<Session> {
        let value = verified(headers, self.session_name(), &self.session)?;
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(value).ok()?).ok()
    }

    fn signed(&self, name: &'static str, value: String, key: &Key, seconds: i64) -> String {
        let mut jar = CookieJar::new();
        jar.signed_mut(key).add(self.bare(name, value, seconds));
        jar.get(name).map(ToString::to_string).unwrap_or_default()
    }

    fn bare(&self, name: &'static str, value: String, seconds: i64) -> Cookie<'static> {
        Cookie::build((name, value))
            .path("/")
            .http_only(true)
            .secure(self.is_secure)
            // `Strict` would lose it after a scan, which comes from another application.
            .same_site(SameSite::Lax)
            .max_age(Duration::seconds(seconds))
            .build()
    }
}

/// The value of a cookie whose signature holds.
fn verified(headers: &HeaderMap, name: &str, key: &Key) -> Option<String> {
    cookies(headers)
        .filter(|cookie| cookie.name() == name)
        .find_map(|cookie| {
            let jar = CookieJar::new();
            jar.signed(key).verify(cookie)
        })
        .map(|cookie| cookie.value().to_owned())
}

fn cookies(headers: &HeaderMap) -> impl Iterator<Item = Cookie<'static>> {
    let texts = headers.get_all(COOKIE).iter();
    texts
        .filter_map(|text| text.to_str().ok())
        .flat_map(Cookie::split_parse)
        .filter_map(std::result::Result::ok)
        .map(Cookie::into_owned)
}

impl Gateway {
    /// Who is signed in, as the directory has them now.
    pub(crate) fn signed_in(&self, hosted: &Hosted, headers: &HeaderMap) -> Result<Option<User>> {
        let Some(session) = hosted.cookie_key.session(headers) else {
            return Ok(None);
        };
        let policy = hosted.settings.policy;
        let user = self.user(&session.user)?;
        Ok(user.filter(|user| session.is_good(user, policy, Timestamp::now())))
    }
}
