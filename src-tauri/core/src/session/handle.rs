use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest as _, Sha256};
use utoipa::ToSchema;

use super::id::SessionKey;
use crate::protocol::user_id::UserId;
use crate::{Error, ErrorCode};

/// Separates the hash of a handle from all other hashes of a key.
const DOMAIN: &[u8] = b"latchkey session handle\0";
/// Length in bytes.
const BYTES: usize = 6;

/// Public name of a session among those of its user, such as `3f09c2a1b4d7`. It is derived from the
/// [`SessionKey`] and cannot be used to sign in.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, ToSchema)]
#[schema(value_type = String, pattern = "^[0-9a-f]{12}$", example = "3f09c2a1b4d7")]
pub struct SessionHandle([u8; BYTES]);

impl SessionKey {
    /// Returns the public name of the session.
    #[must_use]
    pub fn handle(self) -> SessionHandle {
        let hash = Sha256::new()
            .chain_update(DOMAIN)
            .chain_update(self.to_bytes())
            .finalize();
        SessionHandle(hash.first_chunk().copied().unwrap_or_default())
    }
}

impl fmt::Display for SessionHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for SessionHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Fails with [`ErrorCode::UnknownSession`], because no session has another name.
impl FromStr for SessionHandle {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let unknown = || {
            Error::new(
                ErrorCode::UnknownSession,
                "There is no such session. The name of a session has 12 characters, from 0 to 9 and from a to f.",
            )
            .about("session")
        };
        let is_hexadecimal = |c: char| c.is_ascii_digit() || matches!(c, 'a'..='f');
        if text.len() != 2 * BYTES || !text.chars().all(is_hexadecimal) {
            return Err(unknown());
        }
        let number = u64::from_str_radix(text, 16).map_err(|_| unknown())?;
        let [_, _, handle @ ..] = number.to_be_bytes();
        Ok(Self(handle))
    }
}

impl Serialize for SessionHandle {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for SessionHandle {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse()
            .map_err(|_| de::Error::custom("it is not the name of a session"))
    }
}

/// Returns the error for a handle without a session of the user.
#[must_use]
pub fn unknown_session(user: &UserId, session: SessionHandle) -> Error {
    let message =
        format!("There is no session {session} of {user}. It may have ended in the meantime.");
    Error::new(ErrorCode::UnknownSession, message).about("session")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_is_read_as_it_was_written_and_shows_nothing_of_the_key() {
        let key = SessionKey::from_bytes(&[7; 40]).unwrap();
        let handle = key.handle();
        let text = handle.to_string();
        assert_eq!(text.parse::<SessionHandle>().unwrap(), handle);
        assert_eq!(text.len(), 12);
        assert!(!text.contains("0707"));
        let other = SessionKey::from_bytes(&[8; 40]).unwrap();
        assert_ne!(other.handle(), handle);
        for no_handle in [
            "",
            "3f09c2a1b4d",
            "3f09c2a1b4d70",
            "3F09C2A1B4D7",
            "+f09c2a1b4d7",
        ] {
            let refused = no_handle.parse::<SessionHandle>().unwrap_err();
            assert_eq!(refused.code, ErrorCode::UnknownSession);
        }
    }
}
