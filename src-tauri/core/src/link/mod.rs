//! The login link: a code in the instance's URL, and its other forms.

pub mod compose;
pub mod qr;
pub mod widget;

use std::borrow::Cow;
use std::fmt;

use serde::Serialize;
use url::{Host, Position, Url, form_urlencoded};

use crate::protocol::code::ExternalAuthCode;
use crate::{Error, ErrorCode, Result};

/// Query parameter of the protocol.
pub const DEFAULT_PARAMETER: &str = "externalAuthCode";

/// URL of an instance: `http` or `https`, with a host, without credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaseUrl(Url);

impl BaseUrl {
    /// Parses a URL. Fails with [`ErrorCode::InvalidUrl`] about `url`. The message says what to do.
    pub fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        let refuse = |message: String| Err(Error::new(ErrorCode::InvalidUrl, message).about("url"));
        if text.is_empty() {
            return refuse(
                "The URL is empty. Enter the address at which people open the application.".into(),
            );
        }
        if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
            return refuse(
                "The URL has white space or a control character inside. Remove it.".into(),
            );
        }
        let url = match Url::parse(text) {
            Ok(url) => url,
            Err(url::ParseError::RelativeUrlWithoutBase)
                if text.starts_with(['/', '.', '?', '#']) =>
            {
                return refuse("The URL has no host. Write it as https://chat.example.com.".into());
            }
            Err(url::ParseError::RelativeUrlWithoutBase) => {
                return refuse(format!(
                    "The URL has no scheme. Did you mean https://{text} ?"
                ));
            }
            Err(cause) => return refuse(in_words(cause).to_owned()),
        };
        if !matches!(url.scheme(), "http" | "https") {
            // `localhost:3000` and `chat.example.com:8443` are parsed as a scheme with a path.
            let (host, rest) = text.split_once(':').unwrap_or((text, ""));
            if rest.starts_with(|c: char| c.is_ascii_digit()) && !host.is_empty() {
                return refuse(format!(
                    "The URL has no scheme. Did you mean https://{text} ?"
                ));
            }
            return refuse(format!(
                "The URL begins with {}:, and a login link must begin with https: or http:.",
                url.scheme()
            ));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return refuse(
                "The URL holds a user name or a password, which everybody with a link would see. Remove it.".into(),
            );
        }
        Ok(Self(url))
    }

    /// Parses a URL as a person types it. A missing scheme becomes `http` for an address of this
    /// computer, else `https`.
    ///
    /// Fails like [`BaseUrl::parse`], and if the host is a typing error. URLs that earlier versions
    /// stored with such a host are still read.
    pub fn typed(text: &str) -> Result<Self> {
        let url = Self::parse(&with_scheme(text))?;
        match typing_error(&url.0) {
            Some(message) => Err(Error::new(ErrorCode::InvalidUrl, message).about("url")),
            None => Ok(url),
        }
    }

    /// Returns the URL in its normal form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Returns host and port, for display.
    #[must_use]
    pub fn authority(&self) -> &str {
        self.0.authority()
    }

    /// Returns whether a code would cross a network unencrypted: by `http` to another computer.
    #[must_use]
    pub fn is_exposed(&self) -> bool {
        self.0.scheme() == "http" && !self.is_loopback()
    }

    /// Returns whether the URL is on this computer's loopback address, which a phone cannot reach.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        match self.0.host() {
            Some(Host::Domain(name)) => {
                name.eq_ignore_ascii_case("localhost") || name.ends_with(".localhost")
            }
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        }
    }

    /// Returns whether the scheme is `https`.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.0.scheme() == "https"
    }

    /// Returns a path at the host of the URL, without the rest of the URL. An empty path keeps the
    /// URL's own.
    #[must_use]
    pub fn at(&self, path: &str) -> Url {
        let mut url = self.0.clone();
        url.set_query(None);
        url.set_fragment(None);
        if !path.is_empty() {
            url.set_path(path);
        }
        url
    }

    /// Returns the URL without its fragment.
    #[must_use]
    pub fn without_fragment(&self) -> Url {
        let mut url = self.0.clone();
        url.set_fragment(None);
        url
    }

    /// Returns the URL of a file beside the application's page: `widget.js` of `https://host/app`
    /// is `https://host/app/widget.js`. Query and fragment are dropped.
    #[must_use]
    pub fn sibling(&self, file: &str) -> Url {
        let mut url = self.0.clone();
        url.set_query(None);
        url.set_fragment(None);
        let path = url.path();
        let folder = match path.rsplit_once('/') {
            Some((folder, page)) if page.contains('.') => folder,
            _ => path.trim_end_matches('/'),
        };
        let path = format!("{folder}/{file}");
        url.set_path(&path);
        url
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Says why a URL cannot be read, and what to do.
const fn in_words(cause: url::ParseError) -> &'static str {
    use url::ParseError;

    match cause {
        ParseError::EmptyHost => "The URL has no host. Write it as https://chat.example.com.",
        ParseError::InvalidPort => {
            "The port of the URL is not a number from 0 to 65535. Correct it, or leave it out."
        }
        ParseError::IdnaError | ParseError::InvalidDomainCharacter => {
            "The host of the URL has characters that no host has. Write it as https://chat.example.com."
        }
        ParseError::InvalidIpv4Address | ParseError::InvalidIpv6Address => {
            "The host of the URL looks like an IP address, and is none. Correct it."
        }
        _ => "The URL cannot be read. Write it as https://chat.example.com.",
    }
}

/// Name of the query parameter that carries the code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter(String);

impl Parameter {
    /// Parses a name: 1 to 64 letters, digits, `-`, `_`, `.` or `~`, which need no encoding in a
    /// URL (RFC 3986 §2.3).
    pub fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
        if text.is_empty() || text.len() > 64 || !text.bytes().all(unreserved) {
            return Err(Error::new(
                ErrorCode::InvalidSetting,
                "The parameter's name has 1 to 64 letters, digits or the signs - _ . ~ and nothing else.",
            )
            .about("parameter"));
        }
        Ok(Self(text.to_owned()))
    }

    /// Returns the name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for Parameter {
    fn default() -> Self {
        Self(DEFAULT_PARAMETER.to_owned())
    }
}

/// A login URL in parts. Joined in the order of the members, they are the URL. It contains a code,
/// so `Debug` does not print it.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub struct LoginLink {
    /// Scheme, as `https://`.
    pub scheme: String,
    /// Host and port, as `chat.yourcompany.com:8443`.
    pub authority: String,
    /// Path and query up to the code, as `/path?a=b&externalAuthCode=`.
    pub before: String,
    /// Header of the code.
    pub header: String,
    /// Claims of the code.
    pub claims: String,
    /// Signature of the code.
    pub signature: String,
    /// Rest of the query and `#fragment`, or an empty text.
    pub after: String,
}

impl LoginLink {
    /// Puts a code into the URL of an instance. Path, fragment and other parameters stay unchanged,
    /// byte for byte. An older `parameter` is replaced.
    #[must_use]
    pub fn new(base: &BaseUrl, parameter: &Parameter, code: &ExternalAuthCode) -> Self {
        let url = &base.0;
        let mut before = url.path().to_owned();
        let kept = url
            .query()
            .unwrap_or_default()
            .split('&')
            .filter(|pair| !pair.is_empty() && !is_parameter(pair, parameter));
        let mut separator = '?';
        for pair in kept {
            before.push(separator);
            before.push_str(pair);
            separator = '&';
        }
        before.push(separator);
        before.push_str(parameter.as_str());
        before.push('=');
        let mut parts = code.expose().splitn(3, '.').map(str::to_owned);
        let mut next = || parts.next().unwrap_or_default();
        Self {
            scheme: format!("{}://", url.scheme()),
            authority: url.authority().to_owned(),
            before,
            header: next(),
            claims: next(),
            signature: next(),
            after: url
                .fragment()
                .map(|fragment| format!("#{fragment}"))
                .unwrap_or_default(),
        }
    }

    /// Returns the whole URL.
    #[must_use]
    pub fn url(&self) -> String {
        let Self {
            scheme,
            authority,
            before,
            header,
            claims,
            signature,
            after,
        } = self;
        format!("{scheme}{authority}{before}{header}.{claims}.{signature}{after}")
    }
}

impl fmt::Debug for LoginLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginLink")
            .field("authority", &self.authority)
            .finish_non_exhaustive()
    }
}

/// Adds the scheme that a typed address lacks: `http` for an address of this computer, else
/// `https`. Returns any other text unchanged.
pub(crate) fn with_scheme(text: &str) -> Cow<'_, str> {
    let text = text.trim();
    let bare = text.strip_prefix("//").unwrap_or(text);
    let host_end = bare.find(['/', '?', '#', '\\']).unwrap_or(bare.len());
    let (authority, _) = bare.split_at_checked(host_end).unwrap_or((bare, ""));
    // `localhost:3000` has a port. `mailto:ada` and `https://chat.example.com` have a scheme.
    let has_scheme = !authority.starts_with('[')
        && authority.split_once(':').is_some_and(|(_, port)| {
            port.is_empty() || !port.bytes().all(|byte| byte.is_ascii_digit())
        });
    if authority.is_empty() || has_scheme {
        return Cow::Borrowed(text);
    }
    let http = format!("http://{bare}");
    match BaseUrl::parse(&http) {
        Ok(url) if url.is_loopback() => Cow::Owned(http),
        _ => Cow::Owned(format!("https://{bare}")),
    }
}

/// Returns what is wrong with a host that can only be a typing error, and the URL that was probably
/// meant: `https//acme.example` without its colon, and `acme..example` with a dot too many.
fn typing_error(url: &Url) -> Option<String> {
    let host = url.host_str()?;
    if matches!(host, "http" | "https") {
        return Some(match url[Position::BeforePath..].trim_start_matches('/') {
            "" => format!("The URL has the host '{host}'. Write it as https://chat.example.com."),
            meant => {
                format!("The URL has the host '{host}'. Did you mean {host}://{meant} ?")
            }
        });
    }
    // One dot at the end is permitted. It marks a whole domain name.
    let labels = host.strip_suffix('.').unwrap_or(host).split('.');
    if labels.clone().all(|label| !label.is_empty()) {
        return None;
    }
    let labels: Vec<&str> = labels.filter(|label| !label.is_empty()).collect();
    let meant = labels.join(".");
    let what = format!("The host '{host}' of the URL has a dot too many.");
    Some(if meant.is_empty() {
        format!("{what} Write the URL as https://chat.example.com.")
    } else {
        let after = url[Position::AfterHost..].trim_end_matches('/');
        format!("{what} Did you mean {}://{meant}{after} ?", url.scheme())
    })
}

fn is_parameter(pair: &str, parameter: &Parameter) -> bool {
    form_urlencoded::parse(pair.as_bytes())
        .next()
        .is_some_and(|(name, _)| name == parameter.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn link(base: &str) -> String {
        let code = ExternalAuthCode::from_text("h.c.s".into());
        LoginLink::new(
            &BaseUrl::parse(base).expect(base),
            &Parameter::default(),
            &code,
        )
        .url()
    }

    #[test]
    fn path_query_and_fragment_stay_unchanged_and_an_older_code_is_replaced() {
        for (base, expected) in [
            (
                "https://chat.yourcompany.com",
                "https://chat.yourcompany.com/?externalAuthCode=h.c.s",
            ),
            (
                "https://a.b:8443/x/y?flag&q=a%20b+c#/top",
                "https://a.b:8443/x/y?flag&q=a%20b+c&externalAuthCode=h.c.s#/top",
            ),
            (
                "https://a.b/?externalAuthCode=old&z=1",
                "https://a.b/?z=1&externalAuthCode=h.c.s",
            ),
            (
                "https://a.b/?external%41uthCode=old",
                "https://a.b/?externalAuthCode=h.c.s",
            ),
            ("https://a.b/?", "https://a.b/?externalAuthCode=h.c.s"),
            ("https://a.b/#", "https://a.b/?externalAuthCode=h.c.s#"),
            (
                " HTTPS://EXAMPLE.com ",
                "https://example.com/?externalAuthCode=h.c.s",
            ),
            (
                "http://[::1]:8787/",
                "http://[::1]:8787/?externalAuthCode=h.c.s",
            ),
        ] {
            assert_eq!(link(base), expected);
        }
    }

    #[test]
    fn an_unusable_url_is_refused_with_what_to_do() {
        for (text, said) in [
            ("", "empty"),
            ("chat.yourcompany.com", "https://chat.yourcompany.com"),
            ("localhost:8787", "https://localhost:8787"),
            ("javascript:alert(1)", "javascript:"),
            ("file:///etc/passwd", "file:"),
            ("https://", "no host"),
            ("https://a.b:99999", "port"),
            ("https://a<b", "characters"),
            ("https://1.2.3.4.5", "IP address"),
            ("https://[::1", "IP address"),
            ("https://ada:pw@a.b/", "password"),
            ("https://a b/", "white space"),
        ] {
            let refused = BaseUrl::parse(text).expect_err(text);
            assert_eq!(refused.field.as_deref(), Some("url"));
            assert!(
                refused.message.contains(said),
                "{text}: {}",
                refused.message
            );
        }
    }

    #[test]
    fn a_typing_error_in_the_host_is_refused_with_what_was_meant() {
        for (typed, said) in [
            ("https//acme.example", "Did you mean https://acme.example ?"),
            (
                "http//chat/app?x=1#top",
                "Did you mean http://chat/app?x=1#top ?",
            ),
            (
                "https://https://acme.example",
                "Did you mean https://acme.example ?",
            ),
            ("HTTPS", "Write it as https://"),
            ("https://http:8080/", "Write it as https://"),
            (
                "https://acme..example",
                "Did you mean https://acme.example ?",
            ),
            (
                "http://.acme.example:8080/app",
                "Did you mean http://acme.example:8080/app ?",
            ),
            ("acme.example../", "Did you mean https://acme.example ?"),
        ] {
            let refused = BaseUrl::typed(typed).expect_err(typed);
            assert_eq!(refused.code, ErrorCode::InvalidUrl);
            assert_eq!(refused.field.as_deref(), Some("url"));
            let message = refused.message;
            assert!(message.contains(said), "{typed}: {message}");
        }
        for typed in [
            "https.example",
            "http.internal",
            "acme.example.",
            "chat",
            "[::1]",
        ] {
            assert!(BaseUrl::typed(typed).is_ok(), "{typed}");
        }
        // A stored URL of an earlier version is read.
        assert!(BaseUrl::parse("https://https//acme.example").is_ok());
    }

    #[test]
    fn a_typed_address_without_a_scheme_is_completed() {
        for (typed, expected) in [
            ("chat.yourcompany.com", "https://chat.yourcompany.com/"),
            (
                " chat.yourcompany.com/app?x=1#top ",
                "https://chat.yourcompany.com/app?x=1#top",
            ),
            ("//chat.yourcompany.com", "https://chat.yourcompany.com/"),
            (
                "chat.yourcompany.com:8443/a:b",
                "https://chat.yourcompany.com:8443/a:b",
            ),
            ("bücher.example", "https://xn--bcher-kva.example/"),
            ("192.168.1.20:8787", "https://192.168.1.20:8787/"),
            ("localhost:8787", "http://localhost:8787/"),
            ("LOCALHOST", "http://localhost/"),
            ("app.localhost:3000/x", "http://app.localhost:3000/x"),
            ("127.0.0.1:8787", "http://127.0.0.1:8787/"),
            ("[::1]:8787", "http://[::1]:8787/"),
            // A typed scheme stays.
            (
                "http://chat.yourcompany.com",
                "http://chat.yourcompany.com/",
            ),
            ("https://localhost:8787", "https://localhost:8787/"),
        ] {
            let url = BaseUrl::typed(typed).expect(typed);
            assert_eq!(url.as_str(), expected, "{typed}");
        }
    }

    #[test]
    fn a_text_that_is_not_an_address_is_not_completed() {
        for text in [
            "",
            "/",
            "//",
            "/app",
            "mailto:ada@b.co",
            "javascript:alert(1)",
            "ada:pw@b.co",
            "your company",
            "https://",
            "ftp://b.co",
            "?x",
        ] {
            assert!(BaseUrl::typed(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_file_beside_the_page_is_found_from_any_page() {
        for (base, expected) in [
            ("https://a.b", "https://a.b/widget.js"),
            ("https://a.b/app", "https://a.b/app/widget.js"),
            ("https://a.b/app/?x=1#y", "https://a.b/app/widget.js"),
            ("https://a.b/app/index.html", "https://a.b/app/widget.js"),
        ] {
            assert_eq!(
                BaseUrl::parse(base).unwrap().sibling("widget.js").as_str(),
                expected
            );
        }
    }

    #[test]
    fn http_is_exposed_except_on_this_computer() {
        let exposed = |text| BaseUrl::parse(text).unwrap().is_exposed();
        assert!(exposed("http://chat.yourcompany.com"));
        assert!(!exposed("https://chat.yourcompany.com"));
        assert!(!exposed("http://localhost:8787"));
        assert!(!exposed("http://127.0.0.1:8787"));
        assert!(!exposed("http://[::1]:8787"));
    }
}
