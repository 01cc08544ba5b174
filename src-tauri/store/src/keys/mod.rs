//! Where signing keys are kept: in the operating system's keychain, or, where there is none, in a
//! file sealed with a passphrase. Never in the clear.

mod keychain;
mod sealed_file;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use zeroize::Zeroizing;

use latchkey_core::secret::{KeyLocation, KeyOrigin, KeyRecord, Secret, SigningKey};
use latchkey_core::{Error, ErrorCode, Result};
use sealed_file::SealedFile;

/// The shortest passphrase for the sealed file, in characters.
pub const MIN_PASSPHRASE_CHARS: usize = 8;

/// Whether a passphrase withstands fewer than 10^8 guesses.
fn is_easy_to_guess(passphrase: &Secret) -> bool {
    /// Number of characters that are judged; judging takes longer with the square of them.
    const JUDGED: usize = 64;
    let judged: Zeroizing<String> =
        Zeroizing::new(passphrase.expose().chars().take(JUDGED).collect());
    zxcvbn::zxcvbn(&judged, &["latchkey"]).score() < zxcvbn::Score::Three
}

/// Whether the operating system's keychain may be asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KeychainUse {
    /// Where there is one it is used.
    #[default]
    Ask,
    /// It is left alone: keys go to the sealed file.
    Never,
}

impl KeychainUse {
    /// Reads the value of `LATCHKEY_KEYCHAIN`: `off` leaves the keychain alone.
    #[must_use]
    pub fn from_setting(value: Option<&str>) -> Self {
        if value == Some("off") {
            Self::Never
        } else {
            Self::Ask
        }
    }
}

/// Where keys are kept now, and whether they can be read.
#[derive(Debug)]
pub enum KeysState {
    /// In the keychain, which answers.
    Keychain,
    /// In the keychain, which does not answer.
    KeychainUnreachable(Error),
    /// There is no keychain, for the reason given, and no sealed file yet.
    SealedFileNew(Error),
    /// In the sealed file, which is gone.
    SealedFileMissing(Error),
    /// In the sealed file, whose passphrase has not been given.
    SealedFileLocked,
    /// In the sealed file, which is open.
    SealedFileReady,
}

/// The keys of a data folder.
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
    /// Finds out where the keys are. A sealed file, once there is one, is used; else the keychain
    /// is asked, with a limit of 3 seconds. `records` are those of all keys that are in use.
    #[must_use]
    pub fn open(data_dir: &Path, keychain: KeychainUse, records: &[KeyRecord]) -> Self {
        let keys = Self {
            data_dir: data_dir.to_owned(),
            keychain,
            place: Mutex::new(StoreState::Unreachable(unreachable_without_cause())),
        };
        keys.retry(records);
        keys
    }

    /// Looks again.
    pub fn retry(&self, records: &[KeyRecord]) {
        let file = SealedFile::at(&self.data_dir);
        let kept = |place: KeyLocation| records.iter().find(|record| record.kept == place);
        let in_keychain = kept(KeyLocation::Keychain);
        let found = if file.exists() {
            StoreState::Locked(file)
        } else if kept(KeyLocation::SealedFile).is_some() {
            StoreState::Missing(file)
        } else {
            let known = in_keychain.map(|record| record.id.as_str());
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

    /// Where the keys are and whether they can be read.
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

    /// Gives up a keychain that does not answer, for a sealed file that is still to be created.
    pub fn use_sealed_file(&self) {
        let mut place = self.place();
        if let StoreState::Unreachable(reason) = &*place {
            *place = StoreState::New(reason.clone());
        }
    }

    /// Creates the sealed file. An existing one is never replaced.
    ///
    /// Fails with [`ErrorCode::KeysInUse`] where keys are kept already, and with [`ErrorCode::WeakPassphrase`] under [`MIN_PASSPHRASE_CHARS`] characters, and for one
    /// that is easy to guess.
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

    /// Begins a new sealed file where the old one is gone or damaged, or its passphrase is forgotten. An old
    /// file is kept beside it: returns its path.
    ///
    /// Fails as [`Keys::create`] does, where the sealed file is open, and where the passphrase opens it.
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

    /// Keeps a key and answers with its record. It is on disk when this returns.
    pub fn store(&self, key: &SigningKey, origin: KeyOrigin, set_at: i64) -> Result<KeyRecord> {
        let id = new_key_id()?;
        let secret = key.secret();
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
        Ok(KeyRecord {
            id,
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
    /// Fails with [`ErrorCode::NoSigningKey`] where it is not where it was kept, and with
    /// [`ErrorCode::KeysLocked`] or [`ErrorCode::KeychainUnreachable`] where that cannot be looked
    /// at.
    pub fn read(&self, record: &KeyRecord) -> Result<SigningKey> {
        let secret = match (&*self.place(), record.kept) {
            (StoreState::Keychain, KeyLocation::Keychain) => keychain::read(&record.id)?,
            (StoreState::Open(file), KeyLocation::SealedFile) => file.read(&record.id)?,
            (StoreState::Keychain | StoreState::Open(_), _) => None,
            (closed, _) => return Err(closed.refusal()),
        };
        let secret = secret.ok_or_else(|| {
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
        SigningKey::kept(secret, record.encoding)
    }

    /// Forgets a key. One that is gone already is no error.
    pub fn forget(&self, record: &KeyRecord) -> Result<()> {
        match (&*self.place(), record.kept) {
            (StoreState::Keychain, KeyLocation::Keychain) => keychain::delete(&record.id),
            (StoreState::Open(file), KeyLocation::SealedFile) => file.delete(&record.id),
            (StoreState::Keychain | StoreState::Open(_), _) => Ok(()),
            (closed, _) => Err(closed.refusal()),
        }
    }

    fn place(&self) -> MutexGuard<'_, StoreState> {
        // A panic elsewhere leaves the place as it was.
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

/// Refuses a passphrase that is short or easy to guess.
fn require_strong(passphrase: &Secret) -> Result<()> {
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
