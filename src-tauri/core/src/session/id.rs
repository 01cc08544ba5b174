use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::{Error, ErrorCode, Result};

const BYTES: usize = 32;

/// The id of a session: 256 random bits, which only the browser's cookie has.
#[derive(Clone)]
pub struct SessionId(Zeroizing<[u8; BYTES]>);

/// The SHA-256 of a [`SessionId`], under which the directory keeps the session. It signs nobody in.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct SessionKey([u8; BYTES]);

impl SessionId {
    /// Returns a new id from the operating system's randomness.
    ///
    /// Fails with [`ErrorCode::NoRandomness`].
    pub fn random() -> Result<Self> {
        let mut bytes = Zeroizing::new([0; BYTES]);
        getrandom::fill(&mut *bytes).map_err(|cause| {
            Error::new(
                ErrorCode::NoRandomness,
                "The operating system gave no random bytes, so nobody was signed in. Try again.",
            )
            .because(cause)
        })?;
        Ok(Self(bytes))
    }

    /// Reads the value of a cookie; `None` for anything that is not an id.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let mut bytes = Zeroizing::new([0; BYTES]);
        let length = URL_SAFE_NO_PAD.decode_slice(text, &mut *bytes).ok()?;
        (length == BYTES).then_some(Self(bytes))
    }

    /// The value of the cookie.
    #[must_use]
    pub fn expose(&self) -> Zeroizing<String> {
        Zeroizing::new(URL_SAFE_NO_PAD.encode(*self.0))
    }

    /// The key of the session.
    #[must_use]
    pub fn key(&self) -> SessionKey {
        SessionKey(Sha256::digest(*self.0).into())
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl SessionKey {
    /// The bytes of the hash.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; BYTES] {
        &self.0
    }

    /// Reads the bytes of a hash.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }
}

/// The first bytes in hexadecimal, which tell sessions apart.
impl fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.0.iter().take(4) {
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_as_it_was_written_and_nothing_else_is_an_id() {
        let id = SessionId::random().unwrap();
        let text = id.expose();
        assert_eq!(text.len(), 43);
        let read = SessionId::parse(text.as_bytes()).unwrap();
        assert_eq!(read.key(), id.key());
        assert_ne!(SessionId::random().unwrap().key(), id.key());
        assert_eq!(format!("{id:?}"), "[redacted]");
        for other in [
            "",
            "A",
            text.get(1..).unwrap(),
            &format!("{}A", *text),
            &format!("{}=", *text),
            &text.replace(|c: char| c.is_ascii_alphanumeric(), "+"),
        ] {
            assert!(SessionId::parse(other.as_bytes()).is_none(), "{other}");
        }
    }
}
