//! Storage of signing keys, and of API keys for other systems: in the keychain of the operating system or, if there is none, in a file
//! that is encrypted with a passphrase ([`sealed_file`]). They are never stored unencrypted.

mod keychain;
mod sealed_file;
pub(crate) mod sealing;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use zeroize::Zeroizing;

use latchkey_core::secret::{KeyLocation, KeyOrigin, KeyRecord, Secret, SigningKey, StoredSecret};
use latchkey_core::{Error, ErrorCode, Result};
use sealed_file::SealedFile;

/// Minimum length of the passphrase of the sealed file, in characters.
pub const MIN_PASSPHRASE_CHARS: usize = 8;

/// Returns whether fewer than 10^8 guesses are enough for a passphrase.
fn is_easy_to_guess(passphrase: &Secret) -> bool {
    /// Maximum number of characters that are judged, because the time grows with the square of the
    /// length.
    const JUDGED: usize = 64;
    let judged: Zeroizing<String> =
        Zeroizing::new(passphrase.expose().chars().take(JUDGED).collect());
    zxcvbn::zxcvbn(&judged, &["latchkey"]).score() < zxcvbn::Score::Three
}

/// Whether the keychain of the operating system may be used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeychainUse {
    /// The keychain is used if there is one.
    #[default]
    Ask,
    /// The keychain is not used. Keys are in the sealed file.
    Never,
}

impl KeychainUse {
    /// Parses the value of `LATCHKEY_KEYCHAIN`. `off` turns the keychain off.
    #[must_use]
    pub fn from_setting(value: Option<&str>) -> Self {
        if value == Some("off") {
            Self::Never
        } else {
            Self::Ask
        }
    }
}

/// Location of the keys, and whether they can be read.
#[derive(Debug)]
pub enum KeysState {
    /// In the keychain, which can be used.
    Keychain,
    /// In the keychain, which cannot be used.
    KeychainUnreachable(Error),
    /// There is no keychain, for this reason, and no sealed file yet.
    SealedFileNew(Error),
    /// In the sealed file, which is missing.
    SealedFileMissing(Error),
    /// In the sealed file, which needs its passphrase.
    SealedFileLocked,
    /// In the sealed file, which is open.
    SealedFileReady,
}

/// Keys of a data folder.
pub struct Keys {
    data_dir: PathBuf,
    keychain: KeychainUse,
    place: Mutex<StoreState>,
}

enum StoreState {
    Keychain,
    Unreachable(Error),
    New(Error),
    Missing(SealedFile),
    Locked(SealedFile),
    Open(SealedFile),
}

impl Keys {
    /// Finds out where the keys are. An existing sealed file is used, else the keychain is tried
    /// with a timeout of 3 seconds. `stored` are all keys in use.
    #[must_use]
    pub fn open(data_dir: &Path, keychain: KeychainUse, stored: &[StoredSecret]) -> Self {
        let keys = Self {
            data_dir: data_dir.to_owned(),
            keychain,
            place: Mutex::new(StoreState::Unreachable(unreachable_without_cause())),
        };
        keys.retry(stored);
        keys
    }

    /// Finds out again where the keys are.
    pub fn retry(&self, stored: &[StoredSecret]) {
        let file = SealedFile::at(&self.data_dir);
        let kept = |place: KeyLocation| stored.iter().find(|secret| secret.kept == place);
        let in_keychain = kept(KeyLocation::Keychain);
        let found = if file.exists() {
            StoreState::Locked(file)
        } else if kept(KeyLocation::SealedFile).is_some() {
            StoreState::Missing(file)
        } else {
            let known = in_keychain.map(|secret| secret.id.as_str());
            let answer = match self.keychain {
                KeychainUse::Ask => keychain::probe(known),
                KeychainUse::Never => Err(switched_off()),
            };
            match answer {
                Ok(()) => StoreState::Keychain,
                Err(reason) if in_keychain.is_some() => StoreState::Unreachable(reason),
                Err(reason) => StoreState::New(reason),
            }
        };
        let mut place = self.place();
        if !matches!(*place, StoreState::Open(_)) {
            *place = found;
        }
    }

    /// Returns the location of the keys, and whether they can be read.
    #[must_use]
    pub fn state(&self) -> KeysState {
        match &*self.place() {
            StoreState::Keychain => KeysState::Keychain,
            StoreState::Unreachable(reason) => KeysState::KeychainUnreachable(reason.clone()),
            StoreState::New(reason) => KeysState::SealedFileNew(reason.clone()),
            StoreState::Missing(file) => KeysState::SealedFileMissing(file.missing()),
            StoreState::Locked(_) => KeysState::SealedFileLocked,
            StoreState::Open(_) => KeysState::SealedFileReady,
        }
    }

    /// Switches from a keychain that cannot be used to a sealed file that is still to be created.
    pub fn use_sealed_file(&self) {
        let mut place = self.place();
        if let StoreState::Unreachable(reason) = &*place {
            *place = StoreState::New(reason.clone());
        }
    }

    /// Creates the sealed file. Never replaces an existing one.
    ///
    /// Fails with [`ErrorCode::KeysInUse`] if keys are stored already, or with
    /// [`ErrorCode::WeakPassphrase`] if the passphrase has fewer than [`MIN_PASSPHRASE_CHARS`]
    /// characters or is easy to guess.
    pub fn create(&self, passphrase: &Secret) -> Result<()> {
        let mut place = self.place();
        if !matches!(*place, StoreState::New(_)) {
            return Err(Error::new(
                ErrorCode::KeysInUse,
                "Signing keys are kept already, so no new place for them is made.",
            ));
        }
        require_strong(passphrase)?;
        let mut file = SealedFile::at(&self.data_dir);
        file.create(passphrase)?;
        *place = StoreState::Open(file);
        Ok(())
    }

    /// Begins a new sealed file, because the old one is lost or damaged, or its passphrase is
    /// forgotten. Keeps an old file beside it. Returns the path of the old file.
    ///
    /// Fails like [`Keys::create`], if the sealed file is open, or if the passphrase opens it.
    pub(crate) fn start_anew(
        &self,
        passphrase: &Secret,
        now: Timestamp,
    ) -> Result<Option<PathBuf>> {
        let mut place = self.place();
        let (StoreState::Locked(file) | StoreState::Missing(file)) = &*place else {
            return Err(Error::new(
                ErrorCode::KeysInUse,
                "The signing keys can be read, so they are not given up.",
            ));
        };
        if file.exists() && file.clone().unlock(passphrase).is_ok() {
            return Err(Error::new(
                ErrorCode::KeysInUse,
                "This passphrase opens the sealed file, so the signing keys in it are not given up. Nothing was changed.",
            )
            .about("passphrase"));
        }
        require_strong(passphrase)?;
        let set_aside = file.set_aside(now)?;
        let mut file = SealedFile::at(&self.data_dir);
        if let Err(refused) = file.create(passphrase) {
            if let Some(old) = set_aside {
                file.put_back(&old)?;
            }
            return Err(refused);
        }
        *place = StoreState::Open(file);
        Ok(set_aside)
    }

    /// Opens the sealed file. A wrong passphrase changes nothing.
    ///
    /// Fails with [`ErrorCode::WrongPassphrase`].
    pub fn unlock(&self, passphrase: &Secret) -> Result<()> {
        let mut place = self.place();
        if let StoreState::Locked(file) = &*place {
            let mut file = file.clone();
            file.unlock(passphrase)?;
            *place = StoreState::Open(file);
        }
        Ok(())
    }

    /// Stores a key. Returns its record. The key is on the disk when this returns.
    pub fn store(&self, key: &SigningKey, origin: KeyOrigin, set_at: i64) -> Result<KeyRecord> {
        let StoredSecret { id, kept } = self.store_secret(key.secret())?;
        Ok(KeyRecord {
            id,
            public_id: None,
            origin,
            kept,
            set_at,
            bytes: key.byte_len().min(64),
            encoding: key.encoding(),
            revealed: false,
        })
    }

    /// Reads a key.
    ///
    /// Fails with [`ErrorCode::NoSigningKey`] if the key is not in its store, and with
    /// [`ErrorCode::KeysLocked`] or [`ErrorCode::KeychainUnreachable`] if the store cannot be read.
    pub fn read(&self, record: &KeyRecord) -> Result<SigningKey> {
        let secret = self.read_secret(&record.stored())?.ok_or_else(|| {
            Error::new(
                ErrorCode::NoSigningKey,
                match record.kept {
                    KeyLocation::Keychain => {
                        "The signing key is not in the keychain any more. Replace the secret."
                    }
                    KeyLocation::SealedFile => {
                        "The signing key is not in the sealed file. Replace the secret."
                    }
                },
            )
        })?;
        Ok(SigningKey::kept(secret, record.encoding)?.with_id(record.key_id()))
    }

    /// Deletes a key. A missing key is not an error.
    pub fn forget(&self, record: &KeyRecord) -> Result<()> {
        self.forget_secret(&record.stored())
    }

    /// Returns whether a secret in a place can be read and deleted now.
    pub(crate) fn reaches(&self, kept: KeyLocation) -> bool {
        matches!(
            (&*self.place(), kept),
            (StoreState::Keychain, KeyLocation::Keychain)
                | (StoreState::Open(_), KeyLocation::SealedFile)
        )
    }

    /// Fails if no secret can be stored or read now.
    pub fn require_open(&self) -> Result<()> {
        match &*self.place() {
            StoreState::Keychain | StoreState::Open(_) => Ok(()),
            closed => Err(closed.refusal()),
        }
    }

    /// Stores a secret of another kind, such as an API key for another system. It is on the disk
    /// when this returns.
    pub fn store_secret(&self, secret: &Secret) -> Result<StoredSecret> {
        let id = new_key_id()?;
        let kept = match &*self.place() {
            StoreState::Keychain => {
                keychain::write(&id, secret)?;
                KeyLocation::Keychain
            }
            StoreState::Open(file) => {
                file.write(&id, secret)?;
                KeyLocation::SealedFile
            }
            closed => return Err(closed.refusal()),
        };
        Ok(StoredSecret { id, kept })
    }

    /// Reads a secret. Returns `None` if it is not in its store.
    ///
    /// Fails with [`ErrorCode::KeysLocked`] or [`ErrorCode::KeychainUnreachable`] if the store
    /// cannot be read.
    pub fn read_secret(&self, stored: &StoredSecret) -> Result<Option<Secret>> {
        match (&*self.place(), stored.kept) {
            (StoreState::Keychain, KeyLocation::Keychain) => keychain::read(&stored.id),
            (StoreState::Open(file), KeyLocation::SealedFile) => file.read(&stored.id),
            (StoreState::Keychain | StoreState::Open(_), _) => Ok(None),
            (closed, _) => Err(closed.refusal()),
        }
    }

    /// Deletes a secret. A missing secret is not an error.
    pub fn forget_secret(&self, stored: &StoredSecret) -> Result<()> {
        match (&*self.place(), stored.kept) {
            (StoreState::Keychain, KeyLocation::Keychain) => keychain::delete(&stored.id),
            (StoreState::Open(file), KeyLocation::SealedFile) => file.delete(&stored.id),
            (StoreState::Keychain | StoreState::Open(_), _) => Ok(()),
            (closed, _) => Err(closed.refusal()),
        }
    }

    fn place(&self) -> MutexGuard<'_, StoreState> {
        // The state stays valid after a panic of another holder.
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys")
            .field("state", &self.state())
            .finish_non_exhaustive()
    }
}

impl StoreState {
    fn refusal(&self) -> Error {
        match self {
            Self::Unreachable(reason) => reason.clone(),
            Self::Missing(file) => file.missing(),
            _ => Error::new(
                ErrorCode::KeysLocked,
                "The signing keys are in a sealed file that is not open. Give its passphrase.",
            )
            .about("passphrase"),
        }
    }
}

/// Fails for a passphrase that is short or easy to guess.
pub fn require_strong(passphrase: &Secret) -> Result<()> {
    let message = if passphrase.expose().chars().count() < MIN_PASSPHRASE_CHARS {
        format!(
            "The passphrase has fewer than {MIN_PASSPHRASE_CHARS} characters. Choose a longer one."
        )
    } else if is_easy_to_guess(passphrase) {
        "The passphrase is easy to guess. Choose several words that have nothing to do with each other.".into()
    } else {
        return Ok(());
    };
    Err(Error::new(ErrorCode::WeakPassphrase, message).about("passphrase"))
}

fn unreachable_without_cause() -> Error {
    Error::new(
        ErrorCode::KeychainUnreachable,
        "The keychain has not been asked yet.",
    )
}

fn switched_off() -> Error {
    Error::new(
        ErrorCode::KeychainUnreachable,
        "The keychain is switched off for this program.",
    )
}

fn new_key_id() -> Result<String> {
    let mut bytes = [0_u8; 15];
    getrandom::fill(&mut bytes).map_err(|cause| {
        Error::new(
            ErrorCode::NoRandomness,
            "The operating system gave no random bytes, so the key was not kept. Try again.",
        )
        .because(cause)
    })?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}
