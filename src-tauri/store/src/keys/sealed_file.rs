//! The sealed file, `keys.sealed`: the signing keys, encrypted with a passphrase, for computers without
//! a keychain.
//!
//! Argon2id (RFC 9106) derives a key from the passphrase. XChaCha20-Poly1305 encrypts all signing keys
//! together with that key. The header is associated data, so a changed parameter is detected.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use argon2::{Argon2, Params, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::files;
use latchkey_core::secret::Secret;
use latchkey_core::{Error, ErrorCode, Result};

const FILE: &str = "keys.sealed";
/// Field of an error about a damaged file.
const KEYS_FIELD: &str = "keys";
const FORMAT: u32 = 1;
/// Second recommended option of RFC 9106 §4, for computers with other work to do: 64 MiB, 3 passes.
const MEMORY_KIB: u32 = 64 * 1024;
const PASSES: u32 = 3;
const LANES: u32 = 4;
/// Maximum memory that a file may ask for, so that a forged file cannot use up all memory.
const MAX_MEMORY_KIB: u32 = 1024 * 1024;
const MAX_PASSES: u32 = 64;

type Key = Zeroizing<[u8; 32]>;

#[derive(Clone)]
pub(super) struct SealedFile {
    path: PathBuf,
    opened: Option<Opened>,
}

#[derive(Clone)]
struct Opened {
    header: Header,
    key: Key,
}

/// All fields but the nonce and the sealed bytes.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Header {
    format: u32,
    kdf: String,
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    salt: String,
    cipher: String,
}

#[derive(Serialize, Deserialize)]
struct Contents {
    #[serde(flatten)]
    header: Header,
    nonce: String,
    sealed: String,
}

/// Signing keys by ID. The texts are overwritten when they are dropped.
type Secrets = BTreeMap<String, Zeroizing<String>>;

impl SealedFile {
    pub(super) fn at(data_dir: &Path) -> Self {
        Self {
            path: data_dir.join(FILE),
            opened: None,
        }
    }

    pub(super) fn exists(&self) -> bool {
        self.path.exists()
    }

    pub(super) fn create(&mut self, passphrase: &Secret) -> Result<()> {
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
        let key = self.derive(&header, passphrase)?;
        let opened = Opened { header, key };
        if let Some(folder) = self.path.parent() {
            files::create_private_dir(folder)?;
        }
        let _lock = self.lock()?;
        if self.exists() {
            return Err(Error::new(
                ErrorCode::KeysLocked,
                "A sealed file was made in the meantime. Start again and give its passphrase.",
            ));
        }
        self.seal(&opened, &Secrets::new())?;
        self.opened = Some(opened);
        Ok(())
    }

    /// Renames the file, so that another one can take its place. Returns its new path.
    pub(super) fn set_aside(&self, now: Timestamp) -> Result<Option<PathBuf>> {
        let _lock = self.lock()?;
        if !self.exists() {
            return Ok(None);
        }
        let old = self
            .path
            .with_extension(format!("sealed.before-{}", now.as_second()));
        self.rename(&self.path, &old)?;
        Ok(Some(old))
    }

    /// Renames a file that was set aside back to its old path.
    pub(super) fn put_back(&self, old: &Path) -> Result<()> {
        self.rename(old, &self.path)
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        let folder = self.path.parent().unwrap_or_else(|| Path::new("."));
        fs::rename(from, to)
            .and_then(|()| files::sync_dir(folder))
            .map_err(|cause| files::storage("renamed", from, cause))
    }

    /// Returns the error for a file that contained signing keys and is missing.
    pub(super) fn missing(&self) -> Error {
        let message = format!(
            "The signing keys were kept in {}, and that file is gone. Put it back and try again, or start with new keys.",
            self.path.display()
        );
        Error::new(ErrorCode::KeysMissing, message)
    }

    pub(super) fn unlock(&mut self, passphrase: &Secret) -> Result<()> {
        let contents = self.contents()?;
        let key = self.derive(&contents.header, passphrase)?;
        let opened = Opened {
            header: contents.header.clone(),
            key,
        };
        self.unseal(&opened, &contents)?;
        self.opened = Some(opened);
        Ok(())
    }

    pub(super) fn read(&self, id: &str) -> Result<Option<Secret>> {
        let secrets = self.secrets(self.opened()?)?;
        Ok(secrets
            .get(id)
            .map(|text| Secret::new(text.as_str().to_owned())))
    }

    pub(super) fn write(&self, id: &str, secret: &Secret) -> Result<()> {
        self.change(|secrets| {
            secrets.insert(id.to_owned(), Zeroizing::new(secret.expose().to_owned()));
        })
    }

    pub(super) fn delete(&self, id: &str) -> Result<()> {
        self.change(|secrets| {
            secrets.remove(id);
        })
    }

    /// Changes the keys. Reads the file again under the lock, because another program may have
    /// changed it.
    fn change(&self, change: impl FnOnce(&mut Secrets)) -> Result<()> {
        let opened = self.opened()?;
        let _lock = self.lock()?;
        let mut secrets = self.secrets(opened)?;
        change(&mut secrets);
        self.seal(opened, &secrets)
    }

    fn lock(&self) -> Result<std::fs::File> {
        files::lock(&self.path.with_extension("lock"))
    }

    fn opened(&self) -> Result<&Opened> {
        self.opened
            .as_ref()
            .ok_or_else(|| Error::new(ErrorCode::KeysLocked, "The sealed file is not open."))
    }

    fn secrets(&self, opened: &Opened) -> Result<Secrets> {
        let contents = self.contents()?;
        if contents.header != opened.header {
            return Err(Error::new(
                ErrorCode::KeysLocked,
                "The sealed file was replaced by another. Start again and give its passphrase.",
            ));
        }
        self.unseal(opened, &contents)
    }

    fn contents(&self) -> Result<Contents> {
        let bytes = files::read(&self.path).map_err(|refused| match refused.code {
            ErrorCode::DamagedFile => refused.about(KEYS_FIELD),
            _ => refused,
        })?;
        let bytes = bytes.ok_or_else(|| self.damaged("it is not there"))?;
        let contents: Contents = serde_json::from_slice(&bytes)
            .map_err(|_| self.damaged("it is not what was written"))?;
        let header = &contents.header;
        if header.format > FORMAT {
            return Err(Error::new(
                ErrorCode::NewerFormat,
                format!(
                    "{} was written by a newer Latchkey. Use that one.",
                    self.path.display()
                ),
            ));
        }
        if header.kdf != "argon2id"
            || header.cipher != "xchacha20-poly1305"
            || header.memory_kib > MAX_MEMORY_KIB
            || header.passes > MAX_PASSES
        {
            return Err(self.damaged("its header is not one that Latchkey writes"));
        }
        Ok(contents)
    }

    fn derive(&self, header: &Header, passphrase: &Secret) -> Result<Key> {
        let salt = STANDARD
            .decode(&header.salt)
            .map_err(|_| self.damaged("its salt is not base64"))?;
        let params = Params::new(header.memory_kib, header.passes, header.lanes, Some(32))
            .map_err(|_| self.damaged("its header is not one that Latchkey writes"))?;
        let mut key = Key::default();
        Argon2::new(argon2::Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(passphrase.expose().as_bytes(), &salt, key.as_mut())
            .map_err(|_| self.damaged("its salt is not one that Latchkey writes"))?;
        Ok(key)
    }

    fn unseal(&self, opened: &Opened, contents: &Contents) -> Result<Secrets> {
        let decode = |text: &str| {
            STANDARD
                .decode(text)
                .map_err(|_| self.damaged("it is not base64"))
        };
        let nonce: [u8; 24] = decode(&contents.nonce)?
            .try_into()
            .map_err(|_| self.damaged("its nonce has another length"))?;
        let sealed = decode(&contents.sealed)?;
        let plain = cipher(&opened.key)
            .decrypt(
                &XNonce::from(nonce),
                Payload {
                    msg: &sealed,
                    aad: &associated(&contents.header)?,
                },
            )
            .map(Zeroizing::new)
            .map_err(|_| {
                Error::new(
                    ErrorCode::WrongPassphrase,
                    "The passphrase does not open the sealed file. Try again; nothing was changed.",
                )
                .about("passphrase")
            })?;
        serde_json::from_slice(&plain)
            .map_err(|_| self.damaged("what is sealed in it is not a list of keys"))
    }

    fn seal(&self, opened: &Opened, secrets: &Secrets) -> Result<()> {
        let nonce: [u8; 24] = random()?;
        let plain = serde_json::to_vec(secrets)
            .map(Zeroizing::new)
            .map_err(Error::internal)?;
        let sealed = cipher(&opened.key)
            .encrypt(
                &XNonce::from(nonce),
                Payload {
                    msg: &plain,
                    aad: &associated(&opened.header)?,
                },
            )
            .map_err(|_| Error::internal("the signing keys could not be sealed"))?;
        let contents = Contents {
            header: opened.header.clone(),
            nonce: STANDARD.encode(nonce),
            sealed: STANDARD.encode(sealed),
        };
        let bytes = serde_json::to_vec_pretty(&contents).map_err(Error::internal)?;
        files::replace(&self.path, &bytes)
    }

    fn damaged(&self, why: &str) -> Error {
        Error::new(
            ErrorCode::DamagedFile,
            format!(
                "{} cannot be used: {why}. Restore it from a backup, or start with new keys.",
                self.path.display()
            ),
        )
        .about(KEYS_FIELD)
    }
}

fn cipher(key: &Key) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new((&**key).into())
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

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(text: &str) -> Secret {
        Secret::new(text.to_owned())
    }

    #[test]
    fn a_wrong_passphrase_is_refused_and_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = SealedFile::at(folder.path());
        file.create(&secret("correct horse")).unwrap();
        file.write("a", &secret("s3cret")).unwrap();
        let before = std::fs::read(&file.path).unwrap();
        assert!(!String::from_utf8_lossy(&before).contains("s3cret"));

        let mut again = SealedFile::at(folder.path());
        let refused = again.unlock(&secret("wrong horse")).unwrap_err();
        assert_eq!(refused.code, ErrorCode::WrongPassphrase);
        assert_eq!(again.read("a").unwrap_err().code, ErrorCode::KeysLocked);
        assert_eq!(std::fs::read(&file.path).unwrap(), before);

        again.unlock(&secret("correct horse")).unwrap();
        assert_eq!(again.read("a").unwrap().unwrap().expose(), "s3cret");
        again.delete("a").unwrap();
        assert!(
            file.read("a").unwrap().is_none(),
            "the first sees what the second wrote"
        );
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::metadata(&file.path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }

    #[test]
    fn a_changed_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let mut file = SealedFile::at(folder.path());
        file.create(&secret("correct horse")).unwrap();
        let text = std::fs::read_to_string(&file.path).unwrap();
        for (from, to, code) in [
            ("\"passes\": 3", "\"passes\": 2", ErrorCode::WrongPassphrase),
            (
                "\"memory_kib\": 65536",
                "\"memory_kib\": 4294967295",
                ErrorCode::DamagedFile,
            ),
            ("\"format\": 1", "\"format\": 2", ErrorCode::NewerFormat),
            ("argon2id", "argon2i", ErrorCode::DamagedFile),
            ("{", "", ErrorCode::DamagedFile),
        ] {
            assert!(text.contains(from), "{from}");
            std::fs::write(&file.path, text.replacen(from, to, 1)).unwrap();
            let refused = SealedFile::at(folder.path())
                .unlock(&secret("correct horse"))
                .unwrap_err();
            assert_eq!(refused.code, code, "{to}");
        }
    }
}
