//! The keychain of the operating system: Keychain Services, the Credential Manager, or a Secret
//! Service on D-Bus. A Secret Service can hang forever, so each call has its own thread and a
//! timeout.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use keyring::{Entry, Error as KeyringError};

use latchkey_core::secret::Secret;
use latchkey_core::{Error, ErrorCode, Result};

/// Service name of all entries in the keychain.
const SERVICE: &str = "Latchkey";
/// Timeout of the keychain.
const LIMIT: Duration = Duration::from_secs(3);
/// Name of the entry that is written and removed to test the keychain.
const PROBE: &str = "probe";

/// Tests the keychain. Reads a key that is known to be there, which also unlocks the keychain.
/// Without such a key, writes and removes an entry.
pub(super) fn probe(known: Option<&str>) -> Result<()> {
    if let Some(id) = known {
        return read(id).map(drop);
    }
    write(PROBE, &Secret::new(PROBE.to_owned()))?;
    delete(PROBE)
}

pub(super) fn read(id: &str) -> Result<Option<Secret>> {
    match ask(id, |entry| entry.get_password().map(Secret::new))? {
        Ok(secret) => Ok(Some(secret)),
        Err(KeyringError::NoEntry) => Ok(None),
        Err(cause) => Err(refused(&cause)),
    }
}

pub(super) fn write(id: &str, secret: &Secret) -> Result<()> {
    let secret = secret.clone();
    ask(id, move |entry| entry.set_password(secret.expose()))?.map_err(|cause| refused(&cause))
}

pub(super) fn delete(id: &str) -> Result<()> {
    match ask(id, Entry::delete_credential)? {
        Ok(()) | Err(KeyringError::NoEntry) => Ok(()),
        Err(cause) => Err(refused(&cause)),
    }
}

/// Runs a question on its own thread. A thread that hangs is abandoned, and holds nothing that
/// others need.
fn ask<T: Send + 'static>(
    id: &str,
    question: impl FnOnce(&Entry) -> keyring::Result<T> + Send + 'static,
) -> Result<keyring::Result<T>> {
    let id = id.to_owned();
    let (answer, answered) = mpsc::sync_channel(1);
    thread::Builder::new()
        .name("keychain".into())
        .spawn(move || {
            let result = Entry::new(SERVICE, &id).and_then(|entry| question(&entry));
            // An error is ignored, because nobody waits after the timeout.
            let _ = answer.send(result);
        })
        .map_err(|cause| unreachable("no thread could be started").because(cause))?;
    answered.recv_timeout(LIMIT).map_err(|_| {
        unreachable("it did not answer within 3 seconds; it may be waiting to be unlocked")
    })
}

/// Returns the error of the keychain without its details, because some of them contain the data.
fn refused(cause: &KeyringError) -> Error {
    match cause {
        KeyringError::NoStorageAccess(_) => unreachable("it is locked or cannot be opened"),
        KeyringError::NoDefaultStore => unreachable("there is none on this computer"),
        KeyringError::PlatformFailure(_) => unreachable("it reported a failure"),
        KeyringError::Ambiguous(_) => unreachable("it holds two entries of one name"),
        _ => unreachable("it holds an entry that was not written by Latchkey"),
    }
}

fn unreachable(why: &str) -> Error {
    Error::new(
        ErrorCode::KeychainUnreachable,
        format!("The keychain cannot be used: {why}."),
    )
}
