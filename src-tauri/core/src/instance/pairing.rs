//! Pairings: API keys that are made when their client sends a pairing code, so that no key stands in
//! a command line or on a clipboard.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::api_key::{NewApiKey, hashed};
use super::scope::Scope;
use crate::protocol::lifetime::Lifetime;
use crate::secret::{Secret, random_bytes};
use crate::{Error, ErrorCode, Result};

/// Lifetime of a pairing code, in seconds.
pub const PAIRING_SECS: i64 = 600;
/// Number of random bytes in a pairing code.
const RANDOM_BYTES: usize = 16;
/// Maximum number of waiting pairings of an instance.
const MAX_PAIRINGS: usize = 20;

/// A key that is made when a client sends the pairing code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pairing {
    /// Name of the key.
    pub name: String,
    /// Scopes of the key.
    pub scopes: Vec<Scope>,
    /// Lifetime of the key, from the time when it is made.
    pub lifetime: Lifetime,
    /// SHA-256 of the code. A slower hash is not needed, because the code is random.
    sha256: String,
    /// Time when the pairing was made, in Unix seconds.
    pub created_at: i64,
    /// Time at which the code expires, in Unix seconds.
    pub expires_at: i64,
}

impl Pairing {
    /// Begins a pairing. The code can be shown only now.
    pub fn begin(new: &NewApiKey, now: Timestamp) -> Result<(Self, Secret)> {
        let (name, scopes) = new.checked()?;
        let random: Zeroizing<[u8; RANDOM_BYTES]> = random_bytes()?;
        let code = Secret::new(URL_SAFE_NO_PAD.encode(*random));
        let pairing = Self {
            name,
            scopes,
            lifetime: new.lifetime,
            sha256: hashed(code.expose()),
            created_at: now.as_second(),
            expires_at: now.as_second().saturating_add(PAIRING_SECS),
        };
        Ok((pairing, code))
    }

    /// Returns whether the code has expired.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        now.as_second() >= self.expires_at
    }

    /// Returns whether a text is the code. Hashes are compared, so the time that it takes reveals
    /// nothing about the code.
    fn is(&self, text: &str) -> bool {
        self.sha256 == hashed(text)
    }
}

/// A pairing that was begun.
#[derive(Debug)]
pub struct BegunPairing {
    /// The pairing.
    pub pairing: Pairing,
    /// Its code, which can be shown only now.
    pub code: Secret,
    /// Whether it has replaced one with the same name, whose code does not work any more.
    pub replaced: bool,
}

/// Adds a pairing. It replaces one with the same name, whose code is probably lost. Drops expired
/// ones. Returns whether one was replaced whose code still worked.
pub(super) fn add(waiting: &mut Vec<Pairing>, new: Pairing, now: Timestamp) -> Result<bool> {
    waiting.retain(|other| !other.is_expired(now));
    let before = waiting.len();
    waiting.retain(|other| other.name != new.name);
    let replaces = waiting.len() < before;
    if waiting.len() >= MAX_PAIRINGS {
        let message = format!(
            "{MAX_PAIRINGS} pairings wait for their clients. Revoke one, or wait ten minutes."
        );
        return Err(Error::new(ErrorCode::TooMany, message));
    }
    waiting.push(new);
    Ok(replaces)
}

/// Removes the pairing with a code. Returns the key to make.
///
/// Fails with [`ErrorCode::KeyRefused`] for a code that is wrong, was used, has expired or was
/// replaced.
pub(super) fn take(waiting: &mut Vec<Pairing>, code: &str, now: Timestamp) -> Result<NewApiKey> {
    let at = waiting
        .iter()
        .position(|pairing| pairing.is(code) && !pairing.is_expired(now));
    let pairing = at.map(|at| waiting.remove(at)).ok_or_else(|| {
        let message = "The pairing code is wrong, was used, has expired or was replaced by a newer one. It works once, for ten minutes. Make a new one on the server.";
        Error::new(ErrorCode::KeyRefused, message).about("code")
    })?;
    Ok(NewApiKey {
        name: pairing.name,
        scopes: pairing.scopes,
        lifetime: pairing.lifetime,
    })
}
