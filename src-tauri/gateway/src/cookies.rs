//! The cookies of an instance (RFC 6265bis). The value of a session's cookie is the random id of
//! the session.

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

/// Time that a visitor has to open a link after a proxy has sent them to the sign-in page, in
/// minutes.
const RETURN_MINUTES: i64 = 15;
/// Maximum length of the value of a return-address cookie, in bytes. Browsers accept 4,096 bytes
/// for name and value together (RFC 6265bis §5.6), so an address of 4 KiB needs two cookies.
const RETURN_PART: usize = 3_800;

/// Maximum number of cookies with one name that are read from one request.
const MAX_VALUES: usize = 5;

/// Names and keys of the cookies of an instance.
pub(crate) struct CookieKey {
    /// Key that signs the return address, derived from the signing key. A separate key would not
    /// protect more, because the holder of the signing key can make a link for any user.
    return_to: Key,
    /// Key that signs the values that identify browsers, so that nobody can invent one.
    browser: Key,
    is_secure: bool,
    names: Names,
}

/// Names of the cookies. Each instance has its own, because a browser shares cookies between all
/// ports and paths of a host.
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
        // With this prefix, a browser accepts the cookie only from this host and only over HTTPS.
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
            browser: Key::from(&*key.derived(&format!("latchkey browser of {instance}"))),
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

    /// Returns the cookie of a new session.
    pub(crate) fn begin(&self, begun: &Begun) -> String {
        let value = begun.id.expose().to_string();
        self.of_session(begun.place, value, begun.longest_secs)
            .to_string()
    }

    /// Returns a cookie that signs the browser out.
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

    /// Returns a cookie that proves that this server has shown a page to the browser, and that
    /// identifies the browser. Forms of other sites are sent without it. It lasts until the browser
    /// is closed.
    pub(crate) fn shown(&self, headers: &HeaderMap) -> String {
        let value = self.browser_value(headers, &self.names.shown);
        let mut cookie = self.bare(&self.names.shown, value, 0);
        cookie.set_max_age(None);
        cookie.set_same_site(SameSite::Strict);
        cookie.to_string()
    }

    /// Returns whether this server has shown a page to the browser that sent these headers.
    pub(crate) fn was_shown(&self, headers: &HeaderMap) -> bool {
        values(headers, &self.names.shown).next().is_some()
    }

    /// Returns a cookie that proves that the browser keeps cookies in the widget's frame, and that
    /// identifies the browser.
    pub(crate) fn kept(&self, headers: &HeaderMap) -> String {
        let value = self.browser_value(headers, &self.names.kept);
        let mut cookie = framed(self.bare(&self.names.kept, value, 0));
        cookie.set_max_age(None);
        cookie.to_string()
    }

    /// Returns whether the browser that sent these headers keeps cookies in the widget's frame.
    pub(crate) fn is_kept(&self, headers: &HeaderMap) -> bool {
        values(headers, &self.names.kept).next().is_some()
    }

    /// Returns cookies that store the return address.
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

    /// Returns cookies that delete the return address, if the browser has one.
    pub(crate) fn forget(&self, headers: &HeaderMap) -> Vec<String> {
        let is_kept = |name: &&String| values(headers, name).next().is_some();
        let names = self.names.return_to.iter().filter(is_kept);
        names
            .map(|name| self.bare(name, String::new(), 0).to_string())
            .collect()
    }

    /// Returns the stored return address, if the settings still allow it.
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
        // A shorter address has only one part. A second cookie is left over from an earlier
        // address.
        if value.len() == RETURN_PART {
            value.push_str(&value_of(second).unwrap_or_default());
        }
        let cookie = Cookie::new(name.clone(), value);
        let cookie = CookieJar::new().signed(&self.return_to).verify(cookie)?;
        let value = cookie.value();
        let address = String::from_utf8(URL_SAFE_NO_PAD.decode(value).ok()?).ok()?;
        ReturnAddress::parse(&address, &settings.return_origins())
    }

    /// Returns the session IDs that a browser sent for a scope, valid or not. There may be several,
    /// because over plain HTTP another host of the same domain can set cookies of the same name,
    /// which come first.
    pub(crate) fn session_ids<'a>(
        &'a self,
        place: SessionScope,
        headers: &'a HeaderMap,
    ) -> impl Iterator<Item = SessionId> + 'a {
        let all = values(headers, self.session_name(place));
        all.filter_map(SessionId::parse).take(MAX_VALUES)
    }

    /// Returns the browser that sent these headers, with its session if it has one.
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
            key: self
                .known_browser(headers, shown)
                .and_then(|value| BrowserKey::of(value.as_bytes())),
            session,
        }
    }

    /// Returns the value of a cookie that identifies the browser: the one that it has, or a new random
    /// one.
    fn browser_value(&self, headers: &HeaderMap, name: &str) -> String {
        if let Some(known) = self.known_browser(headers, name) {
            return known.to_owned();
        }
        // Without random bytes no session can begin, so a fixed text is harmless.
        session::random_text().map_or_else(
            |_| "1".to_owned(),
            |text| {
                signed(
                    Cookie::new(name.to_owned(), text.to_string()),
                    &self.browser,
                )
            },
        )
    }

    /// Returns the value of a cookie that identifies the browser, if this gateway made it.
    fn known_browser<'a>(&self, headers: &'a HeaderMap, name: &'a str) -> Option<&'a str> {
        let jar = CookieJar::new();
        let is_own = |value: &&str| {
            let cookie = Cookie::new(name.to_owned(), (*value).to_owned());
            jar.signed(&self.browser).verify(cookie).is_some()
        };
        let all = values(headers, name).filter_map(|value| std::str::from_utf8(value).ok());
        all.take(MAX_VALUES).find(is_own)
    }

    fn bare<'a>(&self, name: &'a str, value: String, seconds: i64) -> Cookie<'a> {
        Cookie::build((name, value))
            .path("/")
            .http_only(true)
            .secure(self.is_secure)
            // With `Strict`, the cookie would be missing after a QR code is scanned, because
            // another application opens the link.
            .same_site(SameSite::Lax)
            .max_age(Duration::seconds(seconds))
            .build()
    }
}

/// Returns the value of a cookie with its signature.
fn signed(cookie: Cookie<'static>, key: &Key) -> String {
    let name = cookie.name().to_owned();
    let mut jar = CookieJar::new();
    jar.signed_mut(key).add(cookie);
    let value = jar.get(&name).map(|cookie| cookie.value().to_owned());
    value.unwrap_or_default()
}

/// Makes a browser keep the cookie also in a frame of another site's page, separately for each such
/// site (CHIPS). Browsers do so only if the frame was loaded over HTTPS or from this computer.
fn framed(mut cookie: Cookie<'_>) -> Cookie<'_> {
    cookie.set_same_site(SameSite::None);
    cookie.set_secure(true);
    cookie.set_partitioned(true);
    cookie
}

/// Returns the values of all cookies with a name. They are bytes, because another application on
/// the host may have set a cookie in any encoding, and it is in the same header.
fn values<'a>(headers: &'a HeaderMap, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
    let fields = headers.get_all(COOKIE).iter();
    let pairs = fields.flat_map(|field| field.as_bytes().split(|byte| *byte == b';'));
    pairs.filter_map(move |pair| {
        let value = pair.trim_ascii().strip_prefix(name.as_bytes())?;
        value.strip_prefix(b"=")
    })
}
