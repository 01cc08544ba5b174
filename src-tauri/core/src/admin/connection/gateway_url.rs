//! The address of a gateway's administration.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use url::{Host, Url};

use crate::{Error, ErrorCode, Result};

/// Address of the administration of a gateway: `https`, a host and a port.
#[derive(Clone, PartialEq, Eq)]
pub struct GatewayUrl(Url);

impl GatewayUrl {
    /// Parses an address. A missing scheme becomes `https`.
    ///
    /// Fails with [`ErrorCode::InvalidUrl`] about `url`.
    pub fn parse(text: &str) -> Result<Self> {
        let text = text.trim();
        let refuse = |message: &str| Err(Error::new(ErrorCode::InvalidUrl, message).about("url"));
        if text.to_ascii_lowercase().starts_with("http://") {
            return refuse(
                "The address begins with http://, and a gateway is administered by TLS only. Write it with https://.",
            );
        }
        let with_scheme = if text.contains("://") {
            text.to_owned()
        } else {
            format!("https://{text}")
        };
        let url = match Url::parse(&with_scheme) {
            Ok(url) if url.scheme() == "https" && url.has_host() => url,
            _ => {
                return refuse(
                    "This is not the address of a gateway. Write it as https://gateway.example.com:8789.",
                );
            }
        };
        let is_bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
        let has_user = !url.username().is_empty() || url.password().is_some();
        if !is_bare || has_user {
            return refuse(
                "The address of a gateway has a host and a port, and nothing else. Write it as https://gateway.example.com:8789.",
            );
        }
        Ok(Self(url))
    }

    /// Returns the URL as text. It ends with a slash.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Returns whether only this computer can reach the address.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        match self.0.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(ip)) => ip.is_loopback(),
            Some(Host::Ipv6(ip)) => ip.is_loopback(),
            None => false,
        }
    }

    /// Returns host and port, for display. Port 443 is left out.
    #[must_use]
    pub fn authority(&self) -> &str {
        self.0.authority()
    }

    /// Returns the URL itself.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.0
    }
}

impl fmt::Display for GatewayUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for GatewayUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for GatewayUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for GatewayUrl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_a_gateway_is_https_with_a_host_and_a_port() {
        for (text, url) in [
            ("gateway.example", "https://gateway.example/"),
            (
                " https://Gateway.example:8443/ ",
                "https://gateway.example:8443/",
            ),
            ("192.0.2.7:8443", "https://192.0.2.7:8443/"),
            ("localhost:8443", "https://localhost:8443/"),
        ] {
            assert_eq!(GatewayUrl::parse(text).unwrap().as_str(), url);
        }
        for text in [
            "",
            "http://gateway.example",
            "ftp://gateway.example",
            "https://gateway.example/admin",
            "https://gateway.example/?a",
            "https://ada@gateway.example",
            "gateway example",
        ] {
            let refused = GatewayUrl::parse(text).unwrap_err();
            assert_eq!(refused.field.as_deref(), Some("url"), "{text}");
        }
    }
}
