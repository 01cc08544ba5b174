//! The connection string that a person pastes.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::str::FromStr;

use url::Url;

use super::fingerprint::{FINGERPRINT, Fingerprint};
use super::gateway_url::GatewayUrl;
use crate::instance::InstanceId;
use crate::secret::Secret;
use crate::{Error, ErrorCode, Result};

/// Beginning of a connection string.
const SCHEME: &str = "latchkey://";
/// Name of the parameter with the pairing code.
const PAIR: &str = "pair";
/// Minimum length of a pairing code: 128 bits in base64url. A shorter one was cut off.
const MIN_PAIR: usize = 22;

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
}
