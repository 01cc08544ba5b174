//! URLs of instances.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};
use url::{Host, Position, Url};

use crate::{Error, ErrorCode, Result};

/// URL of an instance: `http` or `https`, with a host, without credentials.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BaseUrl(pub(super) Url);

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

    /// Returns the folder of the application's page without its final slash, such as `/chat`. Empty
    /// at the root.
    #[must_use]
    pub fn folder(&self) -> String {
        let root = self.sibling("");
        root.path().trim_end_matches('/').to_owned()
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

impl From<BaseUrl> for String {
    fn from(url: BaseUrl) -> Self {
        url.0.into()
    }
}

impl TryFrom<String> for BaseUrl {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        Self::parse(&text)
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
