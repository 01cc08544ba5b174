//! Return addresses: where a visitor is sent after signing in. Any maker of a link may have written
//! the address, so only pages of allowed origins are accepted. Otherwise the sign-in page would
//! redirect to any page (open redirect, CWE-601).

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use url::Url;

use crate::link::{BaseUrl, with_scheme};
use crate::{Error, ErrorCode, Result};

/// Maximum length of an address, in bytes.
const MAX_BYTES: usize = 4096;

/// Scheme, host and port of a web page (RFC 6454).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebOrigin(Url);

impl WebOrigin {
    /// Parses `https://app.example.com` or `http://localhost:3000`.
    ///
    /// Fails with [`ErrorCode::InvalidSetting`] for any other form.
    pub fn parse(text: &str) -> Result<Self> {
        // In a content security policy, a comma or a quote would begin another origin or a keyword.
        let is_host = |host: &str| {
            let is_part = |c: char| c.is_ascii_alphanumeric() || "-._[]:".contains(c);
            let has_empty_label = host.starts_with('.') || host.contains("..");
            host.chars().all(is_part) && !has_empty_label
        };
        Self::read(text)
            .filter(|origin| origin.0.host_str().is_some_and(is_host))
            .ok_or_else(|| refused(text))
    }

    /// Parses an origin that an earlier version may have stored.
    fn read(text: &str) -> Option<Self> {
        let url = Url::parse(text.trim()).ok()?;
        let is_bare = matches!(url.scheme(), "https" | "http")
            && url.username().is_empty()
            && url.password().is_none()
            && url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none()
            // A pattern is not an origin, although a content security policy would accept it as
            // one.
            && url.host_str().is_some_and(|host| !host.contains('*'));
        is_bare.then_some(Self(url))
    }

    /// Parses an origin as a person types it. A missing scheme is added like in [`BaseUrl::typed`].
    ///
    /// Fails like [`WebOrigin::parse`].
    pub fn typed(text: &str) -> Result<Self> {
        // Browsers send `null` for a page without an origin, and no host has that name.
        if text.trim().eq_ignore_ascii_case("null") {
            return Err(refused(text));
        }
        Self::parse(&with_scheme(text))
    }

    /// Returns the origin of a page.
    #[must_use]
    pub fn of(url: &Url) -> Option<Self> {
        Self::read(&url.origin().ascii_serialization())
    }
}

fn refused(text: &str) -> Error {
    let text = text.trim();
    Error::new(
        ErrorCode::InvalidSetting,
        format!("'{text}' is not an origin. Write it as https://app.example.com, with a port if need be and nothing after it."),
    )
    .about("origin")
}

/// Writes the origin like RFC 6454 §6.2 and like a browser.
impl fmt::Display for WebOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.origin().ascii_serialization())
    }
}

impl Serialize for WebOrigin {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for WebOrigin {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::read(&text).ok_or_else(|| serde::de::Error::custom(refused(&text)))
    }
}

/// An address to which a visitor may be redirected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReturnAddress(String);

impl ReturnAddress {
    /// Parses an address from a request: a path of this host, or a page of an origin in `allowed`.
    /// Returns `None` for any other address, in any spelling.
    #[must_use]
    pub fn parse(text: &str, allowed: &[WebOrigin]) -> Option<Self> {
        let address = Self::read(text, allowed)?;
        // The length is checked again, because escaping makes the address longer.
        (address.0.len() <= MAX_BYTES).then_some(address)
    }

    fn read(text: &str, allowed: &[WebOrigin]) -> Option<Self> {
        let page = text.find(['?', '#']).unwrap_or(text.len());
        let (page, rest) = text.split_at_checked(page)?;
        // Browsers treat `\` before the query like `/`, and in the query as itself.
        let is_plain = text.len() <= MAX_BYTES
            && text.bytes().all(|byte| byte.is_ascii_graphic())
            && !page.contains('\\');
        if !is_plain {
            return None;
        }
        let text = &format!("{page}{}", rest.replace('\\', "%5C"));
        if text.starts_with('/') {
            return Self::path(text);
        }
        // Browsers accept `https:evil.com` and `https:/evil.com` as a host, and so does this
        // parser.
        let is_written_out = ["https://", "http://"].iter().any(|begin| {
            let head = text.get(..begin.len());
            head.is_some_and(|head| head.eq_ignore_ascii_case(begin))
        });
        let url = Url::parse(text).ok().filter(|_| is_written_out)?;
        let has_user = !url.username().is_empty() || url.password().is_some();
        let origin = WebOrigin::of(&url)?;
        (!has_user && allowed.contains(&origin)).then(|| Self(url.into()))
    }

    /// Parses a path with its query. Browsers do not treat `//host` as a path.
    fn path(text: &str) -> Option<Self> {
        /// Any host does, because the check is whether the address still has the same host.
        const HERE: &str = "https://here.invalid";
        let base = Url::parse(HERE).ok()?;
        let url = base.join(text).ok()?;
        let stays = url.origin() == base.origin() && !text.starts_with("//");
        stays.then(|| {
            let fragment = url.fragment().map(|fragment| format!("#{fragment}"));
            let query = url.query().map(|query| format!("?{query}"));
            let path = url.path().trim_start_matches('/');
            Self(format!(
                "/{path}{}{}",
                query.unwrap_or_default(),
                fragment.unwrap_or_default()
            ))
        })
    }

    /// Returns the host of the address if it differs from that of the instance. A visitor who is
    /// signed in at the instance is not signed in there, because a cookie belongs to one host, on
    /// all its ports (RFC 6265 §8.5).
    #[must_use]
    pub fn other_host(&self, instance: &BaseUrl) -> Option<String> {
        let url = Url::parse(&self.0).ok()?;
        let host = url.host_str()?;
        (Some(host) != instance.at("").host_str()).then(|| host.to_owned())
    }

    /// Returns the address as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed() -> Vec<WebOrigin> {
        ["https://app.example.com", "http://localhost:3000"]
            .map(|origin| WebOrigin::parse(origin).unwrap())
            .to_vec()
    }

    #[test]
    fn an_origin_that_a_content_security_policy_would_read_differently_is_refused() {
        for text in [
            "null",
            " NULL",
            "'self'",
            "'none'",
            "https://a.example,",
            "a.example,b.example",
            "https://a.example;",
            "https://*.a.example",
            "data:",
            "ftp://a.example",
            "https://a.example/x",
            "https://'self'",
            "https://a$b",
            "app..example",
            "https://.example",
            "https://app.example..",
        ] {
            let refused = WebOrigin::typed(text).expect_err(text);
            assert_eq!(refused.code, ErrorCode::InvalidSetting, "{text}");
        }
        for (text, origin) in [
            ("app.example.com", "https://app.example.com"),
            ("localhost:3000", "http://localhost:3000"),
            ("http://[::1]:8787", "http://[::1]:8787"),
            (
                "https://b\u{fc}cher.example",
                "https://xn--bcher-kva.example",
            ),
            ("https://my_app.example", "https://my_app.example"),
        ] {
            assert_eq!(WebOrigin::typed(text).expect(text).to_string(), origin);
        }
        // Origins that an earlier version stored are still accepted.
        let kept: WebOrigin = serde_json::from_str("\"https://a.example,\"").unwrap();
        assert_eq!(kept.to_string(), "https://a.example,");
    }

    #[test]
    fn an_address_of_another_site_is_refused_in_every_spelling() {
        for address in [
            "https://evil.com",
            "https://evil.com/https://app.example.com",
            "http://app.example.com/",
            "https://app.example.com:8443/",
            "https://app.example.com.evil.com/",
            "https://evilapp.example.com/",
            "https://example.com/",
            "https://app.example.com@evil.com/",
            "https://app.example.com:443@evil.com/",
            "https://user@app.example.com/",
            "https://user:pw@app.example.com/",
            "https://:pw@app.example.com/",
            "https:evil.com",
            "https:/evil.com",
            "https:///evil.com",
            "https:app.example.com",
            "https:\\\\evil.com",
            "https://evil.com\\@app.example.com",
            "https://app.example.com\\@evil.com",
            "https://app.example.com\\?@evil.com",
            "https://app.example.com\\.evil.com/?",
            "/\\evil.com?",
            "//evil.com",
            "///evil.com",
            "////evil.com",
            "/\\evil.com",
            "\\\\evil.com",
            "\\/evil.com",
            "/\t/evil.com",
            "/\n/evil.com",
            "\t//evil.com",
            " //evil.com",
            " https://evil.com",
            "/%0d%0a\r\nLocation: https://evil.com",
            "//evil.com%2f@app.example.com",
            "//app.example.com",
            "//here.invalid/",
            "javascript:alert(1)",
            "JavaScript:alert(1)",
            "data:text/html,<script>alert(1)</script>",
            "vbscript:x",
            "file:///etc/passwd",
            "ftp://app.example.com/",
            "blob:https://app.example.com/x",
            "evil.com",
            "evil.com/path",
            "?next=//evil.com",
            "",
            ".",
            "https://[::1]/",
            "https://app.example.com\u{2024}evil.com/",
            "https://\u{ff41}pp.example.com/",
            "https://0x7f000001/",
            "/..//evil.com\u{7}",
        ] {
            assert_eq!(
                ReturnAddress::parse(address, &allowed()),
                None,
                "{address:?}"
            );
        }
        let long = format!("/{}", "a".repeat(MAX_BYTES));
        assert_eq!(ReturnAddress::parse(&long, &allowed()), None);
    }

    #[test]
    fn a_path_of_this_host_and_a_page_of_an_allowed_origin_are_accepted() {
        for (address, to) in [
            ("/", "/"),
            ("/a/b?c=d&e=//evil.com#f", "/a/b?c=d&e=//evil.com#f"),
            ("/%2f%2fevil.com", "/%2f%2fevil.com"),
            ("/a?path=C:\\b\\c#\\d", "/a?path=C:%5Cb%5Cc#%5Cd"),
            ("/?\\evil.com", "/?%5Cevil.com"),
            (
                "https://app.example.com/a?b=c\\d",
                "https://app.example.com/a?b=c%5Cd",
            ),
            ("/a/..//evil.com", "/evil.com"),
            ("/.//evil.com", "/evil.com"),
            ("https://app.example.com", "https://app.example.com/"),
            (
                "https://app.example.com:443/a?b",
                "https://app.example.com/a?b",
            ),
            ("HTTPS://APP.example.com/A", "https://app.example.com/A"),
            ("http://localhost:3000/x", "http://localhost:3000/x"),
        ] {
            let parsed = ReturnAddress::parse(address, &allowed());
            assert_eq!(
                parsed.as_ref().map(ReturnAddress::as_str),
                Some(to),
                "{address}"
            );
        }
    }

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        for (text, origin) in [
            ("https://app.example.com", "https://app.example.com"),
            (" https://App.Example.com:443/ ", "https://app.example.com"),
            ("http://localhost:3000", "http://localhost:3000"),
        ] {
            assert_eq!(WebOrigin::parse(text).unwrap().to_string(), origin);
        }
        for text in [
            "app.example.com",
            "https://a.b/c",
            "https://a.b?c",
            "https://u@a.b",
            "null",
            "*",
            "https://*.a.b",
            "ftp://a.b",
            "data:,",
        ] {
            let refused = WebOrigin::parse(text).unwrap_err();
            assert_eq!(refused.code, ErrorCode::InvalidSetting, "{text}");
        }
    }
}
