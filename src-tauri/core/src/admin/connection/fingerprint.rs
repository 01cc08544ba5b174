//! The fingerprint of a certificate.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest as _, Sha256};

use crate::{Error, ErrorCode, Result};

/// Name of the parameter of a connection string with the fingerprint, and of the field.
pub(super) const FINGERPRINT: &str = "fingerprint";

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_is_read_with_and_without_colons_in_any_case() {
        let fingerprint = Fingerprint::of(b"a public key");
        let written = fingerprint.to_string();
        assert_eq!(written.len(), 95);
        for text in [
            written.clone(),
            written.to_lowercase(),
            written.replace(':', ""),
            written.replace(':', " "),
        ] {
            assert_eq!(text.parse::<Fingerprint>().unwrap(), fingerprint, "{text}");
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
}
