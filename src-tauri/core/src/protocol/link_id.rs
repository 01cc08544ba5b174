//! The ID of a link: the `jti` of its code, or a hash of the code.
//!
//! An ID that Latchkey makes is authenticated with the signing key. A code that is not in the ledger
//! is therefore known to come from Latchkey: it was shown and not copied.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use crate::protocol::code::hmac;
use crate::secret::SigningKey;
use crate::{Error, ErrorCode, Result};

/// Number of random bytes of an ID. Two of a million links have the same with a probability of
/// 3 in 100 million.
const RANDOM: usize = 8;

/// Number of bytes that authenticate an ID.
const TAG: usize = 4;

/// Separates the authentication of IDs from other uses of a signing key.
const PURPOSE: &[u8] = b"latchkey link id\0";

/// Returns the ID of a new link: 8 random bytes and 4 bytes that authenticate them, in 16
/// characters, which keep the QR code small. It does not begin with a hyphen, because a command line
/// takes that for an option.
///
/// Fails with [`ErrorCode::NoRandomness`].
pub fn new_link_id(key: &SigningKey) -> Result<String> {
    loop {
        let random = random()?;
        let id = URL_SAFE_NO_PAD.encode([&random[..], &tag(&random, key)].concat());
        if !id.starts_with('-') {
            return Ok(id);
        }
    }
}

/// Returns an ID that is not authenticated, for claims that a gateway signs later, and for users.
/// It is as long as an authenticated one, and does not begin with a hyphen either.
///
/// Fails with [`ErrorCode::NoRandomness`].
pub fn random_id() -> Result<String> {
    let mut bytes = [0_u8; RANDOM + TAG];
    loop {
        fill(&mut bytes)?;
        let id = URL_SAFE_NO_PAD.encode(bytes);
        if !id.starts_with('-') {
            return Ok(id);
        }
    }
}

/// Returns whether [`new_link_id`] has made an ID with a key.
#[must_use]
pub fn is_made_with(id: &str, key: &SigningKey) -> bool {
    let mut bytes = [0_u8; RANDOM + TAG];
    let length = URL_SAFE_NO_PAD.decode_slice(id, &mut bytes);
    if length != Ok(RANDOM + TAG) {
        return false;
    }
    let (random, found) = bytes.split_at(RANDOM);
    found == tag(random, key)
}

/// Returns the ID of a code without a `jti`, from its signed part. No `jti` that Latchkey makes
/// looks like it.
#[must_use]
pub fn id_of_code(signed_part: &str) -> String {
    let hash = Sha256::digest(signed_part);
    format!("sha256-{}", URL_SAFE_NO_PAD.encode(hash))
}

fn tag(random: &[u8], key: &SigningKey) -> [u8; TAG] {
    let mac = hmac::sha512(key.bytes(), &[PURPOSE, random].concat());
    let [a, b, c, d, ..] = *mac;
    [a, b, c, d]
}

fn random() -> Result<[u8; RANDOM]> {
    let mut bytes = [0_u8; RANDOM];
    fill(&mut bytes)?;
    Ok(bytes)
}

fn fill(bytes: &mut [u8]) -> Result<()> {
    getrandom::fill(bytes).map_err(|cause| {
        Error::new(
            ErrorCode::NoRandomness,
            "The operating system gave no random bytes, so nothing was signed. Try again.",
        )
        .because(cause)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::code::Algorithm;

    #[test]
    fn an_id_is_recognized_with_its_own_key_only() {
        let key = SigningKey::generate(Algorithm::default()).unwrap();
        let other = SigningKey::generate(Algorithm::default()).unwrap();
        let id = new_link_id(&key).unwrap();
        assert_eq!(id.len(), 16);
        assert!(is_made_with(&id, &key));
        assert!(!is_made_with(&id, &other));
        assert_ne!(new_link_id(&key).unwrap(), id);
        for _ in 0..2_000 {
            assert!(!new_link_id(&key).unwrap().starts_with('-'));
        }
        let cut = id.get(1..).unwrap();
        for foreign in ["", "1", cut, &format!("{id}A"), &random_id().unwrap()] {
            assert!(!is_made_with(foreign, &key), "{foreign}");
        }
    }

    #[test]
    fn a_random_id_is_as_long_as_an_authenticated_one_and_begins_with_no_hyphen() {
        let ids: Vec<String> = (0..2_000).map(|_| random_id().unwrap()).collect();
        assert!(ids.iter().all(|id| id.len() == 16 && !id.starts_with('-')));
        assert_ne!(ids.first(), ids.last());
    }

    #[test]
    fn a_code_without_a_jti_has_the_hash_of_its_signed_part() {
        let id = id_of_code("a.b");
        assert_eq!(id, id_of_code("a.b"));
        assert_ne!(id, id_of_code("a.c"));
        assert_eq!(id.len(), 50);
    }
}
