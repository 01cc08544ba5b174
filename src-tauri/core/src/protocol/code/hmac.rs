//! The cryptography of `jsonwebtoken`: HMAC over SHA-2. No other algorithm is compiled in.

use hmac::{Hmac, KeyInit, Mac};
use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};
use sha2::{Digest as _, Sha256, Sha384, Sha512};
use signature::{Signer, Verifier};
use zeroize::Zeroizing;

/// Installs this provider for the process. A provider that was installed before stays. Core depends
/// on `jsonwebtoken` without a provider, so there is normally no other.
pub(crate) fn install() {
    static PROVIDER: CryptoProvider = CryptoProvider {
        signer_factory: |algorithm, key: &EncodingKey| {
            Ok(match *algorithm {
                Algorithm::HS256 => {
                    Box::new(Keyed::<Hmac<Sha256>>::new(key.as_bytes(), *algorithm)?)
                }
                Algorithm::HS384 => {
                    Box::new(Keyed::<Hmac<Sha384>>::new(key.as_bytes(), *algorithm)?)
                }
                Algorithm::HS512 => {
                    Box::new(Keyed::<Hmac<Sha512>>::new(key.as_bytes(), *algorithm)?)
                }
                _ => return Err(ErrorKind::InvalidAlgorithm.into()),
            })
        },
        verifier_factory: |algorithm, key: &DecodingKey| {
            let key = key.try_get_as_bytes()?;
            Ok(match *algorithm {
                Algorithm::HS256 => Box::new(Keyed::<Hmac<Sha256>>::new(key, *algorithm)?),
                Algorithm::HS384 => Box::new(Keyed::<Hmac<Sha384>>::new(key, *algorithm)?),
                Algorithm::HS512 => Box::new(Keyed::<Hmac<Sha512>>::new(key, *algorithm)?),
                _ => return Err(ErrorKind::InvalidAlgorithm.into()),
            })
        },
        key_utils: KeyUtils::new_unimplemented(),
    };
    // An error means that a provider is installed already.
    let _ = PROVIDER.install_default();
}

/// Returns the HMAC of a message (RFC 2104, with SHA-512).
pub(crate) fn sha512(key: &[u8], message: &[u8]) -> Zeroizing<[u8; 64]> {
    // Key of the length of a hash block, made from the given key as RFC 2104 requires.
    let mut block = Zeroizing::new([0_u8; 128]);
    let hashed = Zeroizing::new(<[u8; 64]>::from(Sha512::digest(key)));
    let short = if key.len() > block.len() {
        &*hashed
    } else {
        key
    };
    for (to, from) in block.iter_mut().zip(short) {
        *to = *from;
    }
    let mac = <Hmac<Sha512> as KeyInit>::new((&*block).into());
    Zeroizing::new(mac.chain_update(message).finalize().into_bytes().into())
}

struct Keyed<M> {
    mac: M,
    algorithm: Algorithm,
}

impl<M: Mac + KeyInit> Keyed<M> {
    fn new(key: &[u8], algorithm: Algorithm) -> Result<Self, Error> {
        let mac = <M as KeyInit>::new_from_slice(key).map_err(|_| ErrorKind::InvalidKeyFormat)?;
        Ok(Self { mac, algorithm })
    }
}

impl<M: Mac + Clone> Signer<Vec<u8>> for Keyed<M> {
    fn try_sign(&self, message: &[u8]) -> Result<Vec<u8>, signature::Error> {
        let mac = self.mac.clone().chain_update(message);
        Ok(mac.finalize().into_bytes().to_vec())
    }
}

impl<M: Mac + Clone> Verifier<Vec<u8>> for Keyed<M> {
    /// Verifies in constant time. The length must match, so a cut signature is refused.
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        let mac = self.mac.clone().chain_update(message);
        mac.verify_slice(signature)
            .map_err(|_| signature::Error::new())
    }
}

impl<M: Mac + Clone> JwtSigner for Keyed<M> {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

impl<M: Mac + Clone> JwtVerifier for Keyed<M> {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}
