//! Sealing of bytes with a passphrase: Argon2id (RFC 9106) derives a key from the passphrase, and
//! XChaCha20-Poly1305 encrypts with that key. The header is associated data, so a changed parameter is detected.

use argon2::{Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use latchkey_core::secret::Secret;
use latchkey_core::{Error, ErrorCode, Result};

const FORMAT: u32 = 1;
/// Second recommended option of RFC 9106 §4, for computers with other work to do: 64 MiB, 3 passes.
const MEMORY_KIB: u32 = 64 * 1024;
const PASSES: u32 = 3;
const LANES: u32 = 4;
/// Maximum memory that a header may ask for, so that a forged file cannot use up all memory.
const MAX_MEMORY_KIB: u32 = 1024 * 1024;
const MAX_PASSES: u32 = 64;

/// All fields but the nonce and the sealed bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Header {
    format: u32,
    kdf: String,
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    salt: String,
    cipher: String,
}

/// Sealed bytes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Sealed {
    #[serde(flatten)]
    pub(crate) header: Header,
    nonce: String,
    #[serde(rename = "sealed")]
    bytes: String,
}

/// Reason why sealed bytes cannot be opened.
#[derive(Debug)]
pub(crate) enum Fault {
    /// A newer Latchkey has sealed them.
    Newer,
    /// The bytes are not those that were written.
    Damaged(&'static str),
    /// The passphrase is another one, or the bytes were changed.
    WrongPassphrase,
}

/// Key that a passphrase and a header make.
#[derive(Clone)]
pub(crate) struct SealingKey {
    pub(crate) header: Header,
    key: Zeroizing<[u8; 32]>,
}

impl SealingKey {
    /// Derives a key with a new salt.
    pub(crate) fn new(passphrase: &Secret) -> Result<Self> {
        let salt: [u8; 16] = random()?;
        let header = Header {
            format: FORMAT,
            kdf: "argon2id".into(),
            memory_kib: MEMORY_KIB,
            passes: PASSES,
            lanes: LANES,
            salt: STANDARD.encode(salt),
            cipher: "xchacha20-poly1305".into(),
        };
        Self::derive(&header, passphrase)
            .map_err(|fault| Error::internal(format!("no key was derived: {fault:?}")))
    }

    /// Derives the key of sealed bytes with this header.
    pub(crate) fn derive(header: &Header, passphrase: &Secret) -> Result<Self, Fault> {
        const FOREIGN: &str = "its header is not one that Latchkey writes";
        if header.format > FORMAT {
            return Err(Fault::Newer);
        }
        if header.kdf != "argon2id"
            || header.cipher != "xchacha20-poly1305"
            || header.memory_kib > MAX_MEMORY_KIB
            || header.passes > MAX_PASSES
        {
            return Err(Fault::Damaged(FOREIGN));
        }
        let salt = STANDARD
            .decode(&header.salt)
            .map_err(|_| Fault::Damaged("its salt is not base64"))?;
        let params = Params::new(header.memory_kib, header.passes, header.lanes, Some(32))
            .map_err(|_| Fault::Damaged(FOREIGN))?;
        let mut key = Zeroizing::new([0; 32]);
        Argon2::new(argon2::Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(passphrase.expose().as_bytes(), &salt, key.as_mut())
            .map_err(|_| Fault::Damaged("its salt is not one that Latchkey writes"))?;
        Ok(Self {
            header: header.clone(),
            key,
        })
    }

    /// Seals bytes.
    pub(crate) fn seal(&self, plain: &[u8]) -> Result<Sealed> {
        let nonce: [u8; 24] = random()?;
        let payload = Payload {
            msg: plain,
            aad: &associated(&self.header)?,
        };
        let sealed = self.cipher().encrypt(&XNonce::from(nonce), payload);
        let sealed = sealed.map_err(|_| Error::internal("the keys could not be sealed"))?;
        Ok(Sealed {
            header: self.header.clone(),
            nonce: STANDARD.encode(nonce),
            bytes: STANDARD.encode(sealed),
        })
    }

    /// Opens sealed bytes.
    pub(crate) fn open(&self, sealed: &Sealed) -> Result<Zeroizing<Vec<u8>>, Fault> {
        let decode = |text: &str| {
            let bytes = STANDARD.decode(text);
            bytes.map_err(|_| Fault::Damaged("it is not base64"))
        };
        let nonce: [u8; 24] = decode(&sealed.nonce)?
            .try_into()
            .map_err(|_| Fault::Damaged("its nonce has another length"))?;
        let bytes = decode(&sealed.bytes)?;
        let associated = associated(&sealed.header)
            .map_err(|_| Fault::Damaged("its header is not one that Latchkey writes"))?;
        let payload = Payload {
            msg: &bytes,
            aad: &associated,
        };
        let plain = self.cipher().decrypt(&XNonce::from(nonce), payload);
        plain
            .map(Zeroizing::new)
            .map_err(|_| Fault::WrongPassphrase)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new((&*self.key).into())
    }
}

fn associated(header: &Header) -> Result<Vec<u8>> {
    serde_json::to_vec(header).map_err(Error::internal)
}

fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0_u8; N];
    getrandom::fill(&mut bytes).map_err(|cause| {
        Error::new(
            ErrorCode::NoRandomness,
            "The operating system gave no random bytes, so nothing was sealed. Try again.",
        )
        .because(cause)
    })?;
    Ok(bytes)
}
