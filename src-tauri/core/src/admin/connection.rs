//! The connection of this computer to a gateway on another: the connection string that a person
//! pastes, and the part of it that stays stored.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest as _, Sha256};
use url::{Host, Url};

use crate::instance::{InstanceId, Name};
use crate::secret::{Secret, StoredSecret};
use crate::{Error, ErrorCode, Result};

/// Beginning of a connection string.
const SCHEME: &str = "latchkey://";
/// Name of the parameter with the fingerprint.
const FINGERPRINT: &str = "fingerprint";
/// Name of the parameter with the pairing code.
const PAIR: &str = "pair";
/// Minimum length of a pairing code: 128 bits in base64url. A shorter one was cut off.
const MIN_PAIR: usize = 22;

/// SHA-256 of the public key of a certificate (its `SubjectPublicKeyInfo`). A renewed certificate
/// with the same key has the same fingerprint.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// Returns the fingerprint of a `SubjectPublicKeyInfo` in DER.
    #[must_use]
    pub fn of(public_key: &[u8]) -> Self {
        Self(Sha256::digest(public_key).into())
    }
}

/// Writes 32 pairs of hexadecimal digits with colons between them.
impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, byte) in self.0.iter().enumerate() {
            let colon = if at == 0 { "" } else { ":" };
            write!(f, "{colon}{byte:02X}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Parses hexadecimal digits in any case. Ignores colons and white space.
///
/// Fails with [`ErrorCode::InvalidSetting`] about `fingerprint`.
impl FromStr for Fingerprint {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let digits = text.chars().filter(|c| *c != ':' && !c.is_whitespace());
        let digits: Option<Vec<u8>> = digits
            .map(|digit| digit.to_digit(16).and_then(|digit| digit.try_into().ok()))
            .collect();
        let bytes = digits.map(|digits| {
            let pairs = digits.chunks(2);
            let byte = |pair: &[u8]| pair.iter().fold(0, |byte, digit| byte << 4 | digit);
            (pairs.map(byte).collect::<Vec<u8>>(), digits.len())
        });
        let bytes = bytes.filter(|(_, digits)| *digits == 64);
        let bytes = bytes.and_then(|(bytes, _)| bytes.try_into().ok());
        bytes.map(Self).ok_or_else(|| {
            let message = "A fingerprint has 32 pairs of hexadecimal digits, and this one is not whole. Copy all of it.";
            Error::new(ErrorCode::InvalidSetting, message).about(FINGERPRINT)
        })
    }
}

impl Serialize for Fingerprint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Fingerprint {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

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

/// Stored connection to a gateway.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    /// Address of the gateway's administration.
    pub url: GatewayUrl,
    /// ID of the instance at the gateway.
    pub instance: InstanceId,
    /// Fingerprint of its certificate. `None` if a public authority vouches for the certificate.
    pub fingerprint: Option<Fingerprint>,
    /// ID of the API key, by which it can be revoked at the gateway.
    pub key_id: String,
    /// Location of the API key. `None` after the sealed file was lost.
    pub key: Option<StoredSecret>,
    /// Name of the instance at the gateway. `None` until it is read there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Name>,
    /// Whether the settings of the instance were read at the gateway. Without that, only its name and
    /// its URL are known, and the other settings on this computer are defaults.
    #[serde(default = "is_read_by_default")]
    pub settings_read: bool,
}

/// Returns the value for records without the member. Nearly all of them have settings that were read.
const fn is_read_by_default() -> bool {
    true
}

/// Connection string:
/// `latchkey://HOST[:PORT]/INSTANCE-ID?fingerprint=FINGERPRINT&pair=CODE`. The port defaults to 443.
///
/// The pairing code is secret until it is used or has expired.
#[derive(Clone, Debug)]
pub struct ConnectionString {
    /// Address of the gateway's administration.
    pub url: GatewayUrl,
    /// ID of the instance at the gateway.
    pub instance: InstanceId,
    /// Fingerprint of its certificate. `None` if a public authority vouches for the certificate.
    pub fingerprint: Option<Fingerprint>,
    /// Pairing code.
    pub pair: Secret,
}

impl ConnectionString {
    /// Writes the string with its pairing code.
    #[must_use]
    pub fn to_text(&self) -> Secret {
        let pinned = self.fingerprint.as_ref();
        let pinned = pinned.map_or_else(String::new, |pin| format!("{FINGERPRINT}={pin}&"));
        Secret::new(format!(
            "{SCHEME}{}/{}?{pinned}{PAIR}={}",
            self.url.authority(),
            self.instance,
            self.pair.expose()
        ))
    }
}

/// Parses a connection string as a person pastes it. Ignores white space and line breaks, because a
/// terminal wraps the string, and quotes around it.
///
/// Fails with [`ErrorCode::InvalidSetting`] about `connection`. The message has no part of the
/// string.
impl FromStr for ConnectionString {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        let text = text.trim_matches(['"', '\'', '`', '<', '>']);
        let Some(rest) = after_scheme(text) else {
            return Err(refused(other_than_string(text)));
        };
        let url = Url::parse(&format!("https://{rest}"));
        let Ok(url) = url else {
            return Err(refused(
                "The connection string names no host. Copy all of it.",
            ));
        };
        // A URL library would drop or resolve these, so that the string looks like another one.
        let path = rest.split(['?', '#']).next().unwrap_or_default();
        let is_plain = !rest.contains(['@', '#', '\\']) && !path.split('/').any(is_relative);
        if !is_plain {
            return Err(refused(
                "The connection string has something that no connection string has, such as a user name. Copy it again from the server.",
            ));
        }
        let instance = url.path().trim_matches('/');
        if instance.is_empty() {
            return Err(refused(
                "The connection string names no instance, so it was cut off. Copy all of it.",
            ));
        }
        let instance = InstanceId::parse(instance).map_err(|_| {
            refused("The connection string names no valid instance. Copy it again.")
        })?;
        let mut parameters = BTreeMap::new();
        for (name, value) in url.query_pairs() {
            if parameters.insert(name, value).is_some() {
                return Err(refused(
                    "The connection string has a parameter twice. Copy it again from the server.",
                ));
            }
        }
        let mut parameter = |wanted: &str| parameters.remove(wanted).map(Cow::into_owned);
        let fingerprint = parameter(FINGERPRINT).map(|text| text.parse());
        let fingerprint = fingerprint.transpose().map_err(|_| {
            refused(
                "The fingerprint in the connection string is not whole. Copy all of the string.",
            )
        })?;
        let pair = parameter(PAIR).unwrap_or_default();
        let is_whole = pair.len() >= MIN_PAIR
            && pair
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        if !is_whole {
            return Err(refused(
                "The pairing code at the end of the connection string is missing or was cut off. Copy all of the string.",
            ));
        }
        let host = url.host_str().unwrap_or_default();
        let port = url
            .port()
            .map_or_else(String::new, |port| format!(":{port}"));
        Ok(Self {
            url: GatewayUrl::parse(&format!("https://{host}{port}"))
                .map_err(|refused| refused.about("connection"))?,
            instance,
            fingerprint,
            pair: Secret::new(pair),
        })
    }
}

/// Returns whether a segment of a path means another segment.
fn is_relative(segment: &str) -> bool {
    let segment = segment.to_ascii_lowercase().replace("%2e", ".");
    segment == "." || segment == ".."
}

/// Returns the text after the scheme of a connection string.
fn after_scheme(text: &str) -> Option<&str> {
    let (scheme, rest) = text.split_at_checked(SCHEME.len())?;
    scheme.eq_ignore_ascii_case(SCHEME).then_some(rest)
}

/// Says what a text without the scheme of a connection string is.
fn other_than_string(text: &str) -> &'static str {
    let lower = text.to_ascii_lowercase();
    if text.is_empty() {
        "The connection string is empty. Paste the line that begins with latchkey://. It is printed on the server when a key with the scope 'admin' is made there."
    } else if lower.starts_with("http://") || lower.starts_with("https://") {
        "This is a URL, and a connection string begins with latchkey://. With a URL, the key is needed, too."
    } else if text.starts_with("lk_") {
        "This is an API key, and a connection string begins with latchkey://. With a key, the URL of the gateway is needed, too."
    } else {
        "A connection string begins with latchkey://. Copy all of the line that was printed on the server."
    }
}

fn refused(message: &str) -> Error {
    Error::new(ErrorCode::InvalidSetting, message).about("connection")
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: &str = "AAAAA-BBBBB-CCCCC-DDDDD-EEEEE";

    fn fingerprint() -> Fingerprint {
        Fingerprint::of(b"a public key")
    }

    #[test]
    fn a_connection_string_is_read_as_it_was_written_and_as_a_terminal_wraps_it() {
        for (address, pin) in [
            ("https://gateway.example:8443", Some(fingerprint())),
            ("https://gateway.example", None),
            ("https://[::1]:8443", Some(fingerprint())),
            ("https://192.0.2.7", None),
        ] {
            let string = ConnectionString {
                url: GatewayUrl::parse(address).unwrap(),
                instance: InstanceId::parse("acme-2").unwrap(),
                fingerprint: pin,
                pair: Secret::new(CODE.to_owned()),
            };
            let text = string.to_text();
            let text = text.expose();
            let (begin, end) = text.split_at(text.len() / 2);
            for pasted in [
                text.to_owned(),
                format!(" '{text}'\n"),
                format!("{begin}\n  {end}"),
                text.replacen("latchkey", "Latchkey", 1),
            ] {
                let read: ConnectionString = pasted.parse().unwrap();
                assert_eq!(read.url, string.url, "{pasted}");
                assert_eq!(read.instance, string.instance);
                assert_eq!(read.fingerprint, string.fingerprint);
                assert_eq!(read.pair.expose(), CODE);
            }
            assert!(!format!("{string:?}").contains(CODE));
        }
    }

    #[test]
    fn a_connection_string_without_a_port_means_443() {
        let text = format!("latchkey://gateway.example/acme?pair={CODE}");
        let read: ConnectionString = text.parse().unwrap();
        assert_eq!(read.url.as_str(), "https://gateway.example/");
        assert_eq!(read.url.url().port_or_known_default(), Some(443));
    }

    #[test]
    fn a_refused_connection_string_says_what_is_wrong_and_shows_no_part_of_it() {
        let whole = format!(
            "latchkey://g.example/acme?fingerprint={}&pair={CODE}",
            fingerprint()
        );
        let cut = |length: usize| whole.chars().take(length).collect::<String>();
        for (text, says) in [
            (String::new(), "empty"),
            ("https://g.example/acme".into(), "This is a URL"),
            ("http://g.example".into(), "This is a URL"),
            ("lk_0123456789".into(), "This is an API key"),
            ("gateway.example".into(), "begins with latchkey://"),
            ("latchkey:///acme".into(), "cut off"),
            (cut(20), "names no instance"),
            (
                format!("latchkey://g.example/a/b?pair={CODE}"),
                "no valid instance",
            ),
            (
                format!("latchkey://trusted.example@g.example/acme?pair={CODE}"),
                "user name",
            ),
            (
                format!("latchkey://g.example/acme?pair={CODE}#x"),
                "no connection string has",
            ),
            (
                format!("latchkey://g.example/acme/../b?pair={CODE}"),
                "no connection string has",
            ),
            (
                format!("latchkey://g.example/acme?pair={CODE}&pair={CODE}"),
                "twice",
            ),
            (cut(26), "pairing code"),
            (cut(100), "fingerprint"),
            (cut(whole.len() - CODE.len()), "pairing code"),
            (cut(whole.len() - 9), "pairing code"),
        ] {
            let refused = text.parse::<ConnectionString>().unwrap_err();
            assert_eq!(refused.field.as_deref(), Some("connection"), "{text}");
            assert!(refused.message.contains(says), "{text}: {refused}");
            assert!(!refused.message.contains("AAAAA"), "{refused}");
        }
    }

    #[test]
    fn a_fingerprint_is_read_with_and_without_colons_in_any_case() {
        let written = fingerprint().to_string();
        assert_eq!(written.len(), 95);
        for text in [
            written.clone(),
            written.to_lowercase(),
            written.replace(':', ""),
            written.replace(':', " "),
        ] {
            assert_eq!(
                text.parse::<Fingerprint>().unwrap(),
                fingerprint(),
                "{text}"
            );
        }
        for text in [
            "",
            "AB:CD",
            written.trim_start_matches(|c: char| c.is_ascii_hexdigit()),
            &written.replace('A', "x"),
            &format!("{written}:AB"),
        ] {
            let refused = text.parse::<Fingerprint>().unwrap_err();
            assert_eq!(refused.field.as_deref(), Some("fingerprint"), "{text}");
        }
    }

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

    #[test]
    fn a_stored_connection_is_read_as_it_was_written() {
        let connection = Connection {
            url: GatewayUrl::parse("https://gateway.example:8443").unwrap(),
            instance: InstanceId::parse("acme").unwrap(),
            fingerprint: Some(fingerprint()),
            key_id: "BvoFLKnf".into(),
            key: None,
            name: Some(Name::parse("Acme").unwrap()),
            settings_read: false,
        };
        let stored = serde_json::to_string(&connection).unwrap();
        let read: Connection = serde_json::from_str(&stored).unwrap();
        assert_eq!(read, connection);
        let older = stored.replace(r#","name":"Acme","settings_read":false"#, "");
        let read: Connection = serde_json::from_str(&older).unwrap();
        assert_eq!((read.name, read.settings_read), (None, true));
        let plain = stored.replace("https:", "http:");
        assert!(serde_json::from_str::<Connection>(&plain).is_err());
    }
}
