//! The store of the signing keys: the keychain or a sealed file.

use std::sync::Arc;

use latchkey_core::instance::Hosted;
use latchkey_core::secret::Secret;
use latchkey_store::home::Home;
use latchkey_store::keys::KeysState;
use serde::{Deserialize, Serialize};
use tauri::State;
use ts_rs::TS;

use crate::studio::{at_home, now};
use crate::{Problem, Studio};

/// Location of the signing keys, and whether they can be read now.
#[derive(Clone, Debug, Serialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum KeyStore {
    /// Keychain of the operating system.
    Keychain(KeychainState),
    /// File that is sealed with a passphrase.
    SealedFile(SealedFileState),
}

/// State of the keychain.
#[derive(Clone, Debug, Serialize, TS)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum KeychainState {
    /// The keychain can be used.
    Ready,
    /// The keychain has keys and cannot be used.
    Unreachable {
        /// Reason.
        reason: Problem,
    },
}

/// State of the sealed file.
#[derive(Clone, Debug, Serialize, TS)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum SealedFileState {
    /// The file is open.
    Ready,
    /// The file needs its passphrase.
    Locked,
    /// The file is missing, although it held keys.
    Missing {
        /// Path of the file, and what to do.
        reason: Problem,
    },
    /// There is no file yet. The administrator must choose a passphrase.
    New {
        /// Reason why the keychain is not used.
        reason: Problem,
    },
}

impl From<KeysState> for KeyStore {
    fn from(state: KeysState) -> Self {
        match state {
            KeysState::Keychain => Self::Keychain(KeychainState::Ready),
            KeysState::KeychainUnreachable(reason) => Self::Keychain(KeychainState::Unreachable {
                reason: reason.into(),
            }),
            KeysState::SealedFileNew(reason) => Self::SealedFile(SealedFileState::New {
                reason: reason.into(),
            }),
            KeysState::SealedFileMissing(reason) => Self::SealedFile(SealedFileState::Missing {
                reason: reason.into(),
            }),
            KeysState::SealedFileLocked => Self::SealedFile(SealedFileState::Locked),
            KeysState::SealedFileReady => Self::SealedFile(SealedFileState::Ready),
        }
    }
}

/// A passphrase that the administrator has typed.
#[derive(Debug, Deserialize, TS)]
pub struct Passphrase {
    /// The passphrase.
    #[ts(type = "string")]
    pub passphrase: Secret,
}

/// An instance that needs its secret again if the sealed file is lost.
#[derive(Clone, Debug, Serialize, TS)]
pub struct SealedSecret {
    /// ID of the instance.
    pub instance: String,
    /// Name of the instance.
    pub name: String,
    /// URL of the application.
    pub url: String,
    /// Whether sign-ins are decided here or elsewhere.
    pub hosted: Hosted,
}

/// Returns the instances that need their secret again after a start with new keys.
#[tauri::command]
pub async fn keys_sealed(
    studio: State<'_, Arc<Studio>>,
    request: (),
) -> Result<Vec<SealedSecret>, Problem> {
    let () = request;
    at_home(studio, |_, home| {
        let sealed = home.sealed()?.into_iter().map(|instance| SealedSecret {
            instance: instance.id.as_str().to_owned(),
            name: instance.settings.name.as_str().to_owned(),
            url: instance.settings.url.as_str().to_owned(),
            hosted: instance.settings.hosted,
        });
        Ok(sealed.collect())
    })
    .await
}

/// Begins a new sealed file, because the old one is lost or its passphrase is forgotten.
#[tauri::command]
pub async fn keys_start_anew(
    studio: State<'_, Arc<Studio>>,
    request: Passphrase,
) -> Result<KeyStore, Problem> {
    at_home(studio, move |_, home| {
        home.start_with_new_keys(&request.passphrase, &now())?;
        state(home)
    })
    .await
}

/// Creates the sealed file.
#[tauri::command]
pub async fn keys_create(
    studio: State<'_, Arc<Studio>>,
    request: Passphrase,
) -> Result<KeyStore, Problem> {
    at_home(studio, move |_, home| {
        home.keys().create(&request.passphrase)?;
        state(home)
    })
    .await
}

/// Opens the sealed file.
#[tauri::command]
pub async fn keys_unlock(
    studio: State<'_, Arc<Studio>>,
    request: Passphrase,
) -> Result<KeyStore, Problem> {
    at_home(studio, move |_, home| {
        home.keys().unlock(&request.passphrase)?;
        state(home)
    })
    .await
}

/// Tries the keychain again.
#[tauri::command]
pub async fn keys_retry(studio: State<'_, Arc<Studio>>, request: ()) -> Result<KeyStore, Problem> {
    let () = request;
    at_home(studio, |_, home| {
        home.retry_keys()?;
        state(home)
    })
    .await
}

/// Switches from an unreachable keychain to a sealed file. Keys in the keychain are not copied.
#[tauri::command]
pub async fn keys_use_sealed_file(
    studio: State<'_, Arc<Studio>>,
    request: (),
) -> Result<KeyStore, Problem> {
    let () = request;
    at_home(studio, |_, home| {
        home.keys().use_sealed_file();
        state(home)
    })
    .await
}

#[expect(clippy::unnecessary_wraps, reason = "the end of a chain of results")]
fn state(home: &Home) -> latchkey_core::Result<KeyStore> {
    Ok(home.keys().state().into())
}
