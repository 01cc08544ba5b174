use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;
use zeroize::Zeroizing;

use crate::{Error, ErrorCode, Result};

/// Length in bytes of a time in Unix seconds.
const MOMENT: usize = 8;
const RANDOM: usize = 32;

/// ID of a session: the time when it was made, and 256 random bits. Only the cookie has it. The
/// time is not secret. It makes the keys of new sessions neighbours, so that the engine writes them
/// at the same place.
#[derive(Clone)]
pub struct SessionId {
    made_at: u64,
    random: Zeroizing<[u8; RANDOM]>,
}

/// Key of a session in a directory: the time in its [`SessionId`], and the SHA-256 of its random
/// bits. It cannot be used to sign in.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
pub struct SessionKey {
    made_at: u64,
    #[serde(with = "crate::hash")]
    hash: [u8; RANDOM],
}

impl SessionId {
    /// Generates an ID with random bytes of the operating system.
    ///
    /// Fails with [`ErrorCode::NoRandomness`].
    pub fn new(now: Timestamp) -> Result<Self> {
        Ok(Self {
            made_at: now.as_second().try_into().unwrap_or_default(),
            random: random()?,
        })
    }

    /// Parses the value of a cookie. Returns `None` for anything but an ID. IDs of format 5 of the
    /// directory have no time.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let mut bytes = Zeroizing::new([0; MOMENT + RANDOM]);
        let length = URL_SAFE_NO_PAD.decode_slice(text, &mut *bytes).ok()?;
        let (made_at, random) = bytes
            .get(..length)?
            .split_at_checked(length.checked_sub(RANDOM)?)?;
        let made_at = match made_at {
            [] => 0,
            moment => u64::from_be_bytes(moment.try_into().ok()?),
        };
        let random = Zeroizing::new(random.try_into().ok()?);
        Some(Self { made_at, random })
    }

    /// Returns the value of the cookie.
    #[must_use]
    pub fn expose(&self) -> Zeroizing<String> {
        let bytes = [&self.made_at.to_be_bytes()[..], &*self.random];
        Zeroizing::new(URL_SAFE_NO_PAD.encode(&*Zeroizing::new(bytes.concat())))
    }

    /// Returns the key of the session.
    #[must_use]
    pub fn key(&self) -> SessionKey {
        SessionKey {
            made_at: self.made_at,
            hash: Sha256::digest(*self.random).into(),
        }
    }
}

/// Generates a random text that identifies a browser.
///
/// Fails with [`ErrorCode::NoRandomness`].
pub fn random_text() -> Result<Zeroizing<String>> {
    Ok(Zeroizing::new(URL_SAFE_NO_PAD.encode(*random()?)))
}

fn random() -> Result<Zeroizing<[u8; RANDOM]>> {
    let mut bytes = Zeroizing::new([0; RANDOM]);
    getrandom::fill(&mut *bytes).map_err(|cause| {
        Error::new(
            ErrorCode::NoRandomness,
            "The operating system gave no random bytes, so nobody was signed in. Try again.",
        )
        .because(cause)
    })?;
    Ok(bytes)
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl SessionKey {
    /// Returns the bytes of the key. They sort by time.
    #[must_use]
    pub fn to_bytes(self) -> Vec<u8> {
        [&self.made_at.to_be_bytes()[..], &self.hash].concat()
    }

    /// Parses the bytes of a key.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (moment, hash) = bytes.split_first_chunk()?;
        Some(Self {
            made_at: u64::from_be_bytes(*moment),
            hash: hash.try_into().ok()?,
        })
    }

    /// Returns the key of an ID of format 5, which is its hash only.
    #[must_use]
    pub fn from_hash(hash: &[u8]) -> Option<Self> {
        let hash = hash.try_into().ok()?;
        Some(Self { made_at: 0, hash })
    }
}

/// Writes the first bytes of the hash in hexadecimal, which are enough to identify a session.
impl fmt::Debug for SessionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.hash.iter().take(4) {
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
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let id = SessionId::new(now).unwrap();
        let text = id.expose();
        assert_eq!(text.len(), 54);
        let read = SessionId::parse(text.as_bytes()).unwrap();
        assert_eq!(read.key(), id.key());
        assert_ne!(SessionId::new(now).unwrap().key(), id.key());
        assert_eq!(SessionKey::from_bytes(&id.key().to_bytes()), Some(id.key()));
        assert_eq!(format!("{id:?}"), "[redacted]");
        for other in [
            "",
            "A",
            text.get(1..).unwrap(),
            text.get(4..).unwrap(),
            &format!("{}A", *text),
            &format!("{}=", *text),
            &text.replace(|c: char| c.is_ascii_alphanumeric(), "+"),
        ] {
            assert!(SessionId::parse(other.as_bytes()).is_none(), "{other}");
        }
    }

    #[test]
    fn the_moment_in_an_id_is_part_of_its_key() {
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let id = SessionId::new(now).unwrap();
        let other = SessionId {
            made_at: id.made_at + 1,
            random: id.random.clone(),
        };
        assert_ne!(other.key(), id.key());
        assert!(other.key() > id.key());
    }

    #[test]
    fn an_id_of_format_5_is_read() {
        let id = SessionId::parse("A".repeat(43).as_bytes()).unwrap();
        let hash = Sha256::digest([0; RANDOM]);
        assert_eq!(Some(id.key()), SessionKey::from_hash(&hash));
    }
}
