//! Where signing keys are kept.

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

/// Where the signing keys are kept, and whether they can be read now.
#[derive(Clone, Debug, Serialize, TS)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum KeyStore {
    /// In the operating system's keychain.
    Keychain(KeychainState),
    /// In a file that is sealed with a passphrase.
    SealedFile(SealedFileState),
}

/// Whether the keychain answers.
#[derive(Clone, Debug, Serialize, TS)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum KeychainState {
    /// It does.
    Ready,
    /// It does not, and there are keys in it.
    Unreachable {
        /// Why.
        reason: Problem,
    },
}

/// Whether the sealed file is open.
#[derive(Clone, Debug, Serialize, TS)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum SealedFileState {
    /// It is.
    Ready,
    /// Its passphrase has not been given yet.
    Locked,
    /// It held keys and is gone.
    Missing {
        /// The file's path, and the ways out.
        reason: Problem,
    },
    /// There is none yet: a passphrase is to be chosen.
    New {
        /// Why the keychain is not used.
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

/// A passphrase that somebody typed.
#[derive(Debug, Deserialize, TS)]
pub struct Passphrase {
    /// It.
    #[ts(type = "string")]
    pub passphrase: Secret,
}

/// A secret that has to be given again if the sealed file is lost.
#[derive(Clone, Debug, Serialize, TS)]
pub struct SealedSecret {
    /// The instance's id.
    pub instance: String,
    /// Its name.
    pub name: String,
    /// Where people open the application.
    pub url: String,
    /// Who decides about sign-ins.
    pub hosted: Hosted,
}

/// The secrets that have to be given again after a start with new keys.
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

/// Gives up the keys of a sealed file that is gone or whose passphrase is forgotten, and begins
/// another one.
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

/// Makes the sealed file.
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

/// Asks the keychain again.
#[tauri::command]
pub async fn keys_retry(studio: State<'_, Arc<Studio>>, request: ()) -> Result<KeyStore, Problem> {
    let () = request;
    at_home(studio, |_, home| {
        home.retry_keys()?;
        state(home)
    })
    .await
}

/// Gives up an unreachable keychain for a sealed file. Keys that are only in it are not copied.
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
