//! Signing keys, passphrases and other values that must never be printed by accident.

mod encoding;
mod key_record;
mod key_set;
mod retire_after;

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

pub use encoding::SecretEncoding;
pub use key_record::{
    DroppedKey, KeyLocation, KeyOrigin, KeyRecord, RetiringKey, StoredSecret, outlives,
};
pub use key_set::{KeySet, SignedBy};
pub use retire_after::RetireAfter;

use crate::error::Warning;
use crate::link::BaseUrl;
use crate::protocol::code::Algorithm;
use crate::protocol::code::invisible::is_invisible;
use crate::{Error, ErrorCode, Result};

/// A secret text. It prints as `[redacted]`, does not serialize, and is overwritten when dropped.
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Wraps a text.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// Returns the text itself. Review every use of this function.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Returns random bytes from the operating system.
///
/// Fails with [`ErrorCode::NoRandomness`].
pub(crate) fn random_bytes<const N: usize>() -> Result<Zeroizing<[u8; N]>> {
    let mut random = Zeroizing::new([0_u8; N]);
    getrandom::fill(&mut *random).map_err(|cause| {
        let message = "The operating system gave no random bytes, so there is no key.";
        Error::new(ErrorCode::NoRandomness, message).because(cause)
    })?;
    Ok(random)
}

/// Serializes a secret as its text, for the few wire types that carry one.
pub(crate) mod exposed {
    use serde::Serializer;

    use super::Secret;

    pub(crate) fn serialize<S: Serializer>(
        secret: &Secret,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(secret.expose())
    }
}

/// Serializes an optional secret as its text.
pub(crate) mod exposed_if_any {
    use serde::{Serialize as _, Serializer};

    use super::Secret;

    #[expect(clippy::ref_option, reason = "serde passes references")]
    pub(crate) fn serialize<S: Serializer>(
        secret: &Option<Secret>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        secret.as_ref().map(Secret::expose).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

/// Source of a new signing key.
#[derive(Clone, Debug)]
pub enum SecretSource {
    /// A new generated key.
    Generate,
    /// The existing secret of the application.
    Paste {
        /// The pasted secret.
        secret: Secret,
        /// Encoding of the secret.
        encoding: SecretEncoding,
    },
}

/// A new signing key for an instance, and the time for which the old one still verifies.
#[derive(Clone, Debug)]
pub struct KeyRotation {
    /// Source of the new key.
    pub source: SecretSource,
    /// Time after which the old key retires. By default that is [`RetireAfter::default`] for an
    /// instance that is hosted here. For one that is hosted elsewhere, the application decides.
    pub retire_after: Option<RetireAfter>,
}

impl KeyRotation {
    /// Replaces the key at once: links that were signed with the old one stop working.
    #[must_use]
    pub fn at_once(source: SecretSource) -> Self {
        Self {
            source,
            retire_after: Some(RetireAfter::Now),
        }
    }
}

/// JWT secret of an instance. The bytes of its text are the HMAC key, as in every library of the
/// protocol, unless it has another encoding.
#[derive(Clone)]
pub struct SigningKey {
    secret: Secret,
    encoding: SecretEncoding,
    bytes: Zeroizing<Vec<u8>>,
    signing: jsonwebtoken::EncodingKey,
    verifying: jsonwebtoken::DecodingKey,
    /// ID of the stored key. `None` for a key that was given for one call.
    id: Option<Arc<str>>,
}

impl SigningKey {
    /// Parses a secret in the encoding of the protocol, like [`from_encoded`](Self::from_encoded).
    pub fn from_text(text: &Secret) -> Result<Self> {
        Self::from_encoded(text, SecretEncoding::Text)
    }

    /// Parses a secret that a person pasted or that was in a file. Removes white space around it
    /// and invisible characters, such as a byte order mark, because they come from copying and are
    /// never part of a secret.
    ///
    /// Fails with [`ErrorCode::EmptySecret`], or with [`ErrorCode::InvalidSecret`] for a control
    /// character inside or a wrong encoding.
    pub fn from_encoded(text: &Secret, encoding: SecretEncoding) -> Result<Self> {
        let visible = text.expose().chars().filter(|c| !is_invisible(*c));
        let visible: Zeroizing<String> = Zeroizing::new(visible.collect());
        let trimmed = visible.trim();
        let invalid =
            |message: &str| Err(Error::new(ErrorCode::InvalidSecret, message).about("secret"));
        if trimmed.is_empty() {
            return Err(Error::new(
                ErrorCode::EmptySecret,
                "The secret is empty. Paste the JWT secret of the instance, or generate one.",
            )
            .about("secret"));
        }
        if encoding.is_text() && trimmed.chars().any(char::is_control) {
            return invalid(
                "The secret has a line break or another control character inside. Paste it as one line.",
            );
        }
        if trimmed.len() > 4096 {
            return invalid("The secret is longer than 4,096 bytes; that is hardly a JWT secret.");
        }
        Self::kept(Secret::new(trimmed.to_owned()), encoding)
    }

    /// Wraps a stored secret unchanged, because codes were signed with it.
    pub fn kept(secret: Secret, encoding: SecretEncoding) -> Result<Self> {
        let bytes = encoding.decode(secret.expose())?;
        crate::protocol::code::hmac::install();
        Ok(Self {
            signing: jsonwebtoken::EncodingKey::from_secret(&bytes),
            verifying: jsonwebtoken::DecodingKey::from_secret(&bytes),
            bytes,
            secret,
            encoding,
            id: None,
        })
    }

    /// Sets the ID by which links name the key, which is [`KeyRecord::key_id`].
    #[must_use]
    pub fn with_id(mut self, id: &str) -> Self {
        self.id = Some(id.into());
        self
    }

    /// Returns the ID by which links name the key. `None` for a key that was given for one call.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// Generates a random key as long as the hash of the algorithm (256, 384 or 512 bits: RFC 7518
    /// §3.2). It is written in hexadecimal, so that a double click selects all of it.
    pub fn generate(algorithm: Algorithm) -> Result<Self> {
        let mut bytes = Zeroizing::new([0_u8; 64]);
        let bytes = bytes
            .get_mut(..algorithm.hash_bytes())
            .ok_or_else(no_randomness)?;
        getrandom::fill(bytes).map_err(|cause| no_randomness().because(cause))?;
        let mut text = Zeroizing::new(String::with_capacity(2 * bytes.len()));
        for byte in bytes.iter() {
            for nibble in [byte >> 4, byte & 15] {
                text.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
            }
        }
        Self::kept(Secret::new(text.as_str().to_owned()), SecretEncoding::Text)
    }

    /// Derives a key for another purpose by HMAC-SHA-512. The signing key cannot be computed from
    /// it.
    #[must_use]
    pub fn derived(&self, purpose: &str) -> Zeroizing<[u8; 64]> {
        crate::protocol::code::hmac::sha512(&self.bytes, purpose.as_bytes())
    }

    /// Returns the secret as text.
    #[must_use]
    pub fn secret(&self) -> &Secret {
        &self.secret
    }

    /// Fails for a weak key, like [`require_strength`].
    pub fn require_strength(&self, url: &BaseUrl) -> Result<()> {
        require_strength(self.bytes.len(), url)
    }

    /// Fails with [`ErrorCode::InvalidSetting`] if a key of the same instance is the same secret. Codes
    /// that it has signed would go on verifying, and their links would be marked as revoked.
    /// `is_active` says whether that key is the active one, or one that retires.
    pub fn require_other_than(&self, known: &Self, is_active: bool) -> Result<()> {
        if *self.bytes != *known.bytes {
            return Ok(());
        }
        let message = if is_active {
            "This secret is already the active signing key, so nothing was changed. To replace the key, give another secret."
        } else {
            "This secret is a signing key that was replaced and still verifies, so nothing was changed. Retire that key first, or give another secret."
        };
        Err(Error::new(ErrorCode::InvalidSetting, message).about("secret"))
    }

    /// Returns the encoding of the secret.
    #[must_use]
    pub fn encoding(&self) -> SecretEncoding {
        self.encoding
    }

    /// Returns the length of the HMAC key, in bytes.
    #[must_use]
    pub fn byte_len(&self) -> usize {
        self.bytes.len()
    }

    /// Returns the bytes of the HMAC key.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns a warning if the key is shorter than RFC 7518 §3.2 requires for `algorithm`.
    #[must_use]
    pub fn short_for(&self, algorithm: Algorithm) -> Option<Warning> {
        short_key(self.bytes.len(), algorithm)
    }

    pub(crate) fn signing(&self) -> &jsonwebtoken::EncodingKey {
        &self.signing
    }

    pub(crate) fn verifying(&self) -> &jsonwebtoken::DecodingKey {
        &self.verifying
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey([redacted])")
    }
}

/// Minimum length of a key for links to other computers, in bytes.
pub const MIN_KEY_BYTES: usize = 16;

/// Checks the strength of a key of `bytes` bytes for links to `url`. A shorter key can be found by
/// trying all keys, given a single link.
///
/// Fails with [`ErrorCode::WeakSecret`] under [`MIN_KEY_BYTES`], except for a loopback address.
pub fn require_strength(bytes: usize, url: &BaseUrl) -> Result<()> {
    if bytes >= MIN_KEY_BYTES || url.is_loopback() {
        return Ok(());
    }
    let message = format!(
        "The secret has {bytes} bytes, so it can be guessed from a single link. Links to {} need at least {MIN_KEY_BYTES}. \
         Replace it, here and at the application.",
        url.authority()
    );
    Err(Error::new(ErrorCode::WeakSecret, message).about("secret"))
}

/// Returns a warning if a key of `bytes` bytes is shorter than the hash, as RFC 7518 §3.2 requires:
/// 32 bytes for HS256.
#[must_use]
pub fn short_key(bytes: usize, algorithm: Algorithm) -> Option<Warning> {
    let wanted = algorithm.hash_bytes();
    (bytes < wanted).then(|| {
        Warning::new(
            "short_key",
            format!(
                "The secret has {bytes} bytes, and {algorithm} asks for at least {wanted}. \
                 It works, but a short secret can be guessed from a single link."
            ),
        )
    })
}

fn no_randomness() -> Error {
    Error::new(
        ErrorCode::NoRandomness,
        "The operating system gave no random bytes, so nothing was generated. Try again.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_prints_as_redacted() {
        let secret = Secret::new("hunter2".into());
        assert_eq!(format!("{secret:?} {secret}"), "[redacted] [redacted]");
        let key = SigningKey::from_text(&secret).unwrap();
        assert!(!format!("{key:?}").contains("hunter2"));
    }

    #[test]
    fn a_generated_key_is_as_long_as_the_hash() {
        for (algorithm, digits) in [
            (Algorithm::HS256, 64),
            (Algorithm::HS384, 96),
            (Algorithm::HS512, 128),
        ] {
            let key = SigningKey::generate(algorithm).unwrap();
            assert_eq!(key.secret().expose().len(), digits);
            assert!(key.short_for(algorithm).is_none());
            let other = SigningKey::generate(algorithm).unwrap();
            assert_ne!(key.secret().expose(), other.secret().expose());
        }
    }

    #[test]
    fn a_short_pasted_key_works_and_warns() {
        let key = SigningKey::from_text(&Secret::new("x".repeat(31))).unwrap();
        let warning = key.short_for(Algorithm::HS256).unwrap();
        assert!(
            warning.message.contains("HS256 asks for at least 32"),
            "{}",
            warning.message
        );
        assert!(short_key(32, Algorithm::HS256).is_none());
        assert!(short_key(32, Algorithm::HS384).is_some());
    }

    #[test]
    fn a_key_under_16_bytes_is_refused_unless_links_stay_on_this_computer() {
        let refusal = |bytes: usize, url: &str| {
            let key = SigningKey::from_text(&Secret::new("x".repeat(bytes))).unwrap();
            let refused = key.require_strength(&BaseUrl::parse(url).unwrap());
            refused.err().map(|refused| refused.code)
        };
        for url in ["https://chat.acme.example", "http://192.168.1.5:8787"] {
            assert_eq!(refusal(15, url), Some(ErrorCode::WeakSecret), "{url}");
            assert_eq!(refusal(16, url), None, "{url}");
        }
        for url in [
            "http://localhost:8787",
            "http://127.0.0.1",
            "http://[::1]:1",
        ] {
            assert_eq!(refusal(1, url), None, "{url}");
        }
    }

    #[test]
    fn byte_order_marks_line_ends_and_invisible_characters_are_cut_from_a_secret() {
        for text in [
            " s3cret\n",
            "\u{FEFF}s3cret\r\n",
            "s3\u{200B}cret\u{2060}",
            "\u{FEFF} s3cr\u{AD}et \u{200B}\n\n",
        ] {
            let key = SigningKey::from_text(&Secret::new(text.into())).unwrap();
            assert_eq!(key.secret().expose(), "s3cret", "{text:?}");
        }
        for empty in [" \n", "\u{FEFF}\n"] {
            let refused = SigningKey::from_text(&Secret::new(empty.into())).unwrap_err();
            assert_eq!(refused.code, ErrorCode::EmptySecret);
            assert_eq!(refused.field.as_deref(), Some("secret"));
        }
    }

    #[test]
    fn a_secret_in_base64_or_hex_is_decoded_to_the_key() {
        let read = |text: &str, encoding| {
            let key = SigningKey::from_encoded(&Secret::new(text.into()), encoding)?;
            Ok::<_, Error>(key.bytes().to_vec())
        };
        for (text, encoding) in [
            ("_-79", SecretEncoding::Base64),
            ("/+79\n", SecretEncoding::Base64),
            ("FFEEFD", SecretEncoding::Hex),
            ("\u{FEFF}ff ee\nfd", SecretEncoding::Hex),
        ] {
            assert_eq!(read(text, encoding).unwrap(), [0xFF, 0xEE, 0xFD], "{text}");
        }
        assert_eq!(read("YQ", SecretEncoding::Base64).unwrap(), b"a");
        assert_eq!(read("YQ==", SecretEncoding::Base64).unwrap(), b"a");
        for (text, encoding) in [
            ("not base64!", SecretEncoding::Base64),
            ("abc", SecretEncoding::Hex),
            ("0xff", SecretEncoding::Hex),
        ] {
            let refused = read(text, encoding).unwrap_err();
            assert_eq!(refused.code, ErrorCode::InvalidSecret, "{text}");
            assert!(!refused.message.contains(text));
        }
        let short = SigningKey::from_encoded(&Secret::new("00".repeat(31)), SecretEncoding::Hex);
        assert!(
            short.unwrap().short_for(Algorithm::HS256).is_some(),
            "the key counts, not its text"
        );
    }
}
