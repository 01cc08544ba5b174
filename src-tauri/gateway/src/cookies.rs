//! The cookies of an instance (RFC 6265bis). The value of a session's cookie is the random id of the session.

use axum::http::HeaderMap;
use axum::http::header::{COOKIE, USER_AGENT};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cookie::time::Duration;
use cookie::{Cookie, CookieJar, Key, SameSite};
use latchkey_core::instance::{InstanceId, Settings};
use latchkey_core::secret::SigningKey;
use latchkey_core::session::BrowserKey;
use latchkey_core::session::return_address::ReturnAddress;
use latchkey_core::session::{self, SessionId, SessionScope};
use latchkey_core::sign_in::SignedIn;
use latchkey_core::sign_in::{Begun, Browser};
use sha2::{Digest as _, Sha256};

/// How long somebody has to open a link after a proxy has sent them here.
const RETURN_MINUTES: i64 = 15;
/// The longest value of a cookie that keeps a return address, in bytes. A browser takes 4,096 for name
/// and value (RFC 6265bis §5.6), and an address of 4 KiB goes into two.
const RETURN_PART: usize = 3_800;

/// Maximum number of session cookies that are looked at in one request.
const MAX_SESSIONS: usize = 5;

/// The cookies of an instance.
pub(crate) struct CookieKey {
    /// Signs the return address. It is derived from the signing key: the holder of that can make a link for
    /// anybody, so another key would protect nothing more.
    return_to: Key,
    is_secure: bool,
    names: Names,
}

/// The names of the cookies. A browser shares cookies between the ports of a host, and between its
/// paths, so each instance has names of its own.
struct Names {
    session: String,
    widget: String,
    return_to: [String; 2],
    shown: String,
    kept: String,
}

impl Names {
    fn new(instance: &InstanceId, settings: &Settings) -> Self {
        let hash = Sha256::digest(format!("{instance} {}", settings.url.at("")));
        let mark = hash
            .first_chunk()
            .map_or(0, |bytes| u32::from_be_bytes(*bytes));
        // With the prefix, a browser takes a cookie from this host alone, and by https alone.
        let prefix = if settings.url.is_https() {
            "__Host-"
        } else {
            ""
        };
        let name = |kind: &str| format!("{prefix}latchkey_{kind}_{mark:08x}");
        Self {
            session: name("session"),
            widget: name("widget"),
            return_to: [name("return"), name("return_2")],
            shown: name("shown"),
            kept: name("kept"),
        }
    }
}

impl CookieKey {
    pub(crate) fn new(key: &SigningKey, instance: &InstanceId, settings: &Settings) -> Self {
        Self {
            return_to: Key::from(&*key.derived(&format!("latchkey return of {instance}"))),
            is_secure: settings.url.is_https(),
            names: Names::new(instance, settings),
        }
    }

    fn session_name(&self, place: SessionScope) -> &str {
        match place {
            SessionScope::Page => &self.names.session,
            SessionScope::Frame => &self.names.widget,
        }
    }

    /// The cookie of a session that has begun.
    pub(crate) fn begin(&self, begun: &Begun) -> String {
        let value = begun.id.expose().to_string();
        self.of_session(begun.place, value, begun.longest_secs)
            .to_string()
    }

    /// A cookie that signs its browser out.
    pub(crate) fn end(&self, place: SessionScope) -> String {
        self.of_session(place, String::new(), 0).to_string()
    }

    fn of_session(&self, place: SessionScope, value: String, seconds: i64) -> Cookie<'_> {
        let cookie = self.bare(self.session_name(place), value, seconds);
        match place {
            SessionScope::Page => cookie,
            SessionScope::Frame => framed(cookie),
        }
    }

    /// A cookie that says that a page of this server was shown, and tells the browser from others. Another
    /// site's form comes without it. It stays for as long as the page may be open.
    pub(crate) fn shown(&self, headers: &HeaderMap) -> String {
        let value = browser_text(headers, &self.names.shown);
        let mut cookie = self.bare(&self.names.shown, value, 0);
        cookie.set_max_age(None);
        cookie.set_same_site(SameSite::Strict);
        cookie.to_string()
    }

    /// Whether a page of this server was shown to the browser that sends these headers.
    pub(crate) fn was_shown(&self, headers: &HeaderMap) -> bool {
        values(headers, &self.names.shown).next().is_some()
    }

    /// A cookie that says that the browser keeps cookies in the widget's frame, and tells it from others.
    pub(crate) fn kept(&self, headers: &HeaderMap) -> String {
        let value = browser_text(headers, &self.names.kept);
        let mut cookie = framed(self.bare(&self.names.kept, value, 0));
        cookie.set_max_age(None);
        cookie.to_string()
    }

    /// Whether the browser that sends these headers keeps cookies in the widget's frame.
    pub(crate) fn is_kept(&self, headers: &HeaderMap) -> bool {
        values(headers, &self.names.kept).next().is_some()
    }

    /// Cookies that remember where to go after signing in.
    pub(crate) fn remember(&self, address: &ReturnAddress) -> Vec<String> {
        let [name, _] = &self.names.return_to;
        let value = URL_SAFE_NO_PAD.encode(address.as_str());
        let value = signed(Cookie::new(name.clone(), value), &self.return_to);
        let (first, second) = value.split_at_checked(RETURN_PART).unwrap_or((&value, ""));
        let parts = self.names.return_to.iter().zip([first, second]);
        parts
            .filter(|(_, part)| !part.is_empty())
            .map(|(name, part)| self.bare(name, part.to_owned(), RETURN_MINUTES * 60))
            .map(|cookie| cookie.to_string())
            .collect()
    }

    /// Cookies that forget it, where it is remembered.
    pub(crate) fn forget(&self, headers: &HeaderMap) -> Vec<String> {
        let is_kept = |name: &&String| values(headers, name).next().is_some();
        let names = self.names.return_to.iter().filter(is_kept);
        names
            .map(|name| self.bare(name, String::new(), 0).to_string())
            .collect()
    }

    /// Where to go after signing in, where that is still allowed.
    pub(crate) fn remembered(
        &self,
        headers: &HeaderMap,
        settings: &Settings,
    ) -> Option<ReturnAddress> {
        let [name, second] = &self.names.return_to;
        let value_of = |name| {
            Some(
                std::str::from_utf8(values(headers, name).next()?)
                    .ok()?
                    .to_owned(),
            )
        };
        let mut value: String = value_of(name)?;
        // A shorter address has one part; a second one is left of an earlier address.
        if value.len() == RETURN_PART {
            value.push_str(&value_of(second).unwrap_or_default());
        }
        let cookie = Cookie::new(name.clone(), value);
        let cookie = CookieJar::new().signed(&self.return_to).verify(cookie)?;
        let value = cookie.value();
        let address = String::from_utf8(URL_SAFE_NO_PAD.decode(value).ok()?).ok()?;
        ReturnAddress::parse(&address, &settings.return_origins())
    }

    /// The ids of sessions that a browser sends for a place, valid or not. Over plain http another host of
    /// the same domain can add cookies of the same name, in front of the gateway's own.
    pub(crate) fn session_ids<'a>(
        &'a self,
        place: SessionScope,
        headers: &'a HeaderMap,
    ) -> impl Iterator<Item = SessionId> + 'a {
        let all = values(headers, self.session_name(place));
        all.filter_map(SessionId::parse).take(MAX_SESSIONS)
    }

    /// The browser that sends these headers, and that has this session.
    pub(crate) fn browser(
        &self,
        place: SessionScope,
        headers: &HeaderMap,
        signed_in: Option<&SignedIn>,
    ) -> Browser {
        let name = headers.get(USER_AGENT);
        let name = name.map(|name| String::from_utf8_lossy(name.as_bytes()).into_owned());
        let sent = || Some(self.session_ids(place, headers).next()?.key());
        let session = signed_in.map(|found| found.key).or_else(sent);
        let shown = match place {
            SessionScope::Page => &self.names.shown,
            SessionScope::Frame => &self.names.kept,
        };
        Browser {
            place,
            name,
            key: values(headers, shown).find_map(BrowserKey::of),
            session,
        }
    }

    fn bare<'a>(&self, name: &'a str, value: String, seconds: i64) -> Cookie<'a> {
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

/// The value of a cookie with its signature.
fn signed(cookie: Cookie<'static>, key: &Key) -> String {
    let name = cookie.name().to_owned();
    let mut jar = CookieJar::new();
    jar.signed_mut(key).add(cookie);
    let value = jar.get(&name).map(|cookie| cookie.value().to_owned());
    value.unwrap_or_default()
}

/// A cookie that a browser also keeps in a frame of another site's page, in a jar for that site alone
/// (CHIPS). It is only kept where the frame came by https, or from this computer.
fn framed(mut cookie: Cookie<'_>) -> Cookie<'_> {
    cookie.set_same_site(SameSite::None);
    cookie.set_secure(true);
    cookie.set_partitioned(true);
    cookie
}

/// The text that tells a browser from others: the one that it has, or a new one.
fn browser_text(headers: &HeaderMap, name: &str) -> String {
    let known = values(headers, name).find(|value| BrowserKey::of(value).is_some());
    let known = known.and_then(|value| std::str::from_utf8(value).ok());
    known.map_or_else(
        // Without randomness nobody is signed in anyhow.
        || session::random_text().map_or_else(|_| "1".to_owned(), |text| text.to_string()),
        str::to_owned,
    )
}

/// The values of the cookies of a name. They are bytes: another application of the host may set a cookie
/// in any encoding, and it stands in the same header.
fn values<'a>(headers: &'a HeaderMap, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
    let fields = headers.get_all(COOKIE).iter();
    let pairs = fields.flat_map(|field| field.as_bytes().split(|byte| *byte == b';'));
    pairs.filter_map(move |pair| {
        let value = pair.trim_ascii().strip_prefix(name.as_bytes())?;
        value.strip_prefix(b"=")
    })
}
