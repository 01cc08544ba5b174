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

/// Where somebody is signed in. A session of one place is none of the other.
#[derive(Clone, Copy)]
pub(crate) enum Place {
    /// The pages of this server, and the applications behind it.
    Page,
    /// The widget's frame, in a page of another site.
    Frame,
}

/// What cookies of an instance are signed with. It follows from the signing key, so it survives a
/// restart, is kept nowhere, and a replaced key ends all sessions.
pub(crate) struct CookieKey {
    session: Key,
    widget: Key,
    return_to: Key,
    is_secure: bool,
}

impl CookieKey {
    pub(crate) fn new(key: &SigningKey, instance: &InstanceId, settings: &Settings) -> Self {
        // A cookie of one kind, or of another instance, is no cookie of this one.
        let derived = |kind| Key::from(&*key.derived(&format!("latchkey {kind} of {instance}")));
        Self {
            session: derived("session"),
            widget: derived("widget"),
            return_to: derived("return"),
            is_secure: settings.url.is_https(),
        }
    }

    /// With the prefix, a browser takes it from this host alone, and by https alone.
    fn session_name(&self, place: Place) -> &'static str {
        match (place, self.is_secure) {
            (Place::Page, true) => "__Host-latchkey_session",
            (Place::Page, false) => "latchkey_session",
            (Place::Frame, true) => "__Host-latchkey_widget",
            (Place::Frame, false) => "latchkey_widget",
        }
    }

    fn session_key(&self, place: Place) -> &Key {
        match place {
            Place::Page => &self.session,
            Place::Frame => &self.widget,
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
    pub(crate) fn begin(&self, place: Place, session: &Session, now: Timestamp) -> Option<String> {
        let value = URL_SAFE_NO_PAD.encode(postcard::to_allocvec(session).ok()?);
        let seconds = session.expires_at.saturating_sub(now.as_second());
        let cookie = self.of_session(place, value, seconds);
        Some(signed(cookie, self.session_key(place)))
    }

    /// A cookie that signs whoever holds one out.
    pub(crate) fn end(&self, place: Place) -> String {
        self.of_session(place, String::new(), 0).to_string()
    }

    fn of_session(&self, place: Place, value: String, seconds: i64) -> Cookie<'static> {
        let cookie = self.bare(self.session_name(place), value, seconds);
        match place {
            Place::Page => cookie,
            Place::Frame => framed(cookie),
        }
    }

    /// A cookie that says nothing but that a page of this server was shown. Another site's form comes
    /// without it. It stays for as long as the page may be open.
    pub(crate) fn shown(&self) -> String {
        let mut cookie = self.bare(self.shown_name(), "1".into(), 0);
        cookie.set_max_age(None);
        cookie.set_same_site(SameSite::Strict);
        cookie.to_string()
    }

    /// Whether a page of this server was shown to whoever sends these headers.
    pub(crate) fn was_shown(&self, headers: &HeaderMap) -> bool {
        cookies(headers).any(|cookie| cookie.name() == self.shown_name())
    }

    /// A cookie that says nothing but that the browser keeps cookies in the widget's frame.
    pub(crate) fn kept(&self) -> String {
        let mut cookie = framed(self.bare(self.kept_name(), "1".into(), 0));
        cookie.set_max_age(None);
        cookie.to_string()
    }

    /// Whether the browser that sends these headers keeps cookies in the widget's frame.
    pub(crate) fn is_kept(&self, headers: &HeaderMap) -> bool {
        cookies(headers).any(|cookie| cookie.name() == self.kept_name())
    }

    fn kept_name(&self) -> &'static str {
        if self.is_secure {
            "__Host-latchkey_kept"
        } else {
            "latchkey_kept"
        }
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
        let cookie = self.bare(self.return_name(), value, seconds);
        signed(cookie, &self.return_to)
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

    fn session(&self, place: Place, headers: &HeaderMap) -> Option<Session> {
        let value = verified(headers, self.session_name(place), self.session_key(place))?;
        postcard::from_bytes(&URL_SAFE_NO_PAD.decode(value).ok()?).ok()
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

fn signed(cookie: Cookie<'static>, key: &Key) -> String {
    let name = cookie.name().to_owned();
    let mut jar = CookieJar::new();
    jar.signed_mut(key).add(cookie);
    jar.get(&name).map(ToString::to_string).unwrap_or_default()
}

/// A cookie that a browser also keeps in a frame of another site's page, in a jar for that site alone
/// (CHIPS). It is only kept where the frame came by https, or from this computer.
fn framed(mut cookie: Cookie<'static>) -> Cookie<'static> {
    cookie.set_same_site(SameSite::None);
    cookie.set_secure(true);
    cookie.set_partitioned(true);
    cookie
}

/// The value of a cookie whose signature holds.
fn verified(headers: &HeaderMap, name: &str, key: &Key) -> Option<String> {
    cookies(headers)
        .filter(|cookie| cookie.name() == name)
        .find_map(|cookie| {
            let jar = CookieJar::new();
            jar.signed(key).verify(cookie.into_owned())
        })
        .map(|cookie| cookie.value().to_owned())
}

fn cookies(headers: &HeaderMap) -> impl Iterator<Item = Cookie<'_>> {
    let texts = headers.get_all(COOKIE).iter();
    texts
        .filter_map(|text| text.to_str().ok())
        .flat_map(Cookie::split_parse)
        .filter_map(std::result::Result::ok)
}

impl Gateway {
    /// Who is signed in at a place, as the directory has them now.
    pub(crate) fn signed_in(
        &self,
        hosted: &Hosted,
        place: Place,
        headers: &HeaderMap,
    ) -> Result<Option<User>> {
        let Some(session) = hosted.cookie_key.session(place, headers) else {
            return Ok(None);
        };
        let policy = hosted.settings.policy;
        let user = self.user(&session.user)?;
        Ok(user.filter(|user| session.is_good(user, policy, Timestamp::now())))
    }
}
