//! The data folder: its instances, keys and directories, and the changes that an administrator makes to
//! them.
//!
//! | concern | module |
//! |---|---|
//! | adding, changing and removing instances | [`instances`] |
//! | signing keys | [`keys`] |
//! | new signing keys, retirement of old ones | [`rotation`] |
//! | API keys | [`api_keys`] |
//! | directories | [`directories`] |
//! | TypingMind's users | [`typingmind`] |
//! | connecting instances to gateways on other computers | [`connecting`] |
//! | instances on a gateway on another computer | [`gateways`] |
//! | backups, restoring, automatic backups | [`backups`], [`automatic`] |

mod api_keys;
mod automatic;
mod backups;
mod connecting;
mod directories;
mod gateways;
mod instances;
mod keys;
mod once_free;
mod rotation;
#[cfg(test)]
mod tests;
mod typingmind;

pub use automatic::{AutomaticBackup, KEPT_BACKUPS};
pub use backups::{Progress, RestoreOptions, Restored};
pub use directories::{GATEWAY_HOLDER, Reached, is_gateway, prune_elsewhere, require_here};
pub use keys::NewKeys;
pub use once_free::once_free;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use crate::files;
use crate::instances::Instances;
use crate::keys::{KeychainUse, Keys};
use crate::remote::RemoteGateway;
use crate::typingmind::Copies;
use latchkey_core::Result;
use latchkey_core::admin::Connection;
use latchkey_core::instance::{Instance, InstanceId};
pub use latchkey_core::secret::SecretSource;
use latchkey_core::secret::{KeyRecord, SigningKey, StoredSecret};

/// Signing keys that were read, so that a preview does not ask the keychain at each keystroke.
#[derive(Debug, Default)]
struct ReadKeys {
    /// Keys of each instance by their names in the store. `None` for a key that is missing there.
    keys: HashMap<InstanceId, HashMap<String, Option<SigningKey>>>,
    /// Times of the last attempts to delete retired keys, in Unix seconds.
    tidied: HashMap<InstanceId, i64>,
}

/// A data folder with its instances and keys.
#[derive(Debug)]
pub struct Home {
    data_dir: PathBuf,
    instances: Instances,
    keys: Keys,
    /// Keys that were read.
    read: Mutex<ReadKeys>,
    /// Copies of TypingMind's users that were read.
    copies: Copies,
    /// Gateways that were asked, with the connections by which they are reached.
    gateways: Mutex<HashMap<InstanceId, (Connection, Arc<RemoteGateway>)>>,
}

impl Home {
    /// Opens a data folder, creates it if it is missing, and finds out where its keys are. From
    /// then on, other users cannot read the files that the process creates.
    ///
    /// Fails if another user owns the folder, even for root.
    pub fn open(data_dir: PathBuf, keychain: KeychainUse) -> Result<Self> {
        files::open_data_dir(&data_dir)?;
        let instances = Instances::new(&data_dir);
        instances.finish_replacing()?;
        let stored = stored_secrets(&instances)?;
        Ok(Self {
            keys: Keys::open(&data_dir, keychain, &stored),
            instances,
            data_dir,
            read: Mutex::default(),
            copies: Copies::default(),
            gateways: Mutex::default(),
        })
    }

    /// Returns the data folder.
    #[must_use]
    pub fn data_dir(&self) -> &Path {
        &self.data_dir
    }

    /// Returns the instances.
    #[must_use]
    pub fn instances(&self) -> &Instances {
        &self.instances
    }

    /// Returns the keys.
    #[must_use]
    pub fn keys(&self) -> &Keys {
        &self.keys
    }
}

/// Returns all secrets that the instances refer to.
fn stored_secrets(instances: &Instances) -> Result<Vec<StoredSecret>> {
    let all = instances.list()?.instances.into_iter();
    Ok(all.flat_map(|instance| secrets_of(&instance)).collect())
}

/// Returns the secrets that an instance refers to.
fn secrets_of(instance: &Instance) -> Vec<StoredSecret> {
    let signing = instance.key.iter();
    let retiring = instance.retiring.iter().map(|retiring| &retiring.key);
    let connection = instance.connection.as_ref();
    let access = connection.and_then(|connection| connection.key.clone());
    let typingmind = instance.typingmind.as_ref();
    let typingmind = typingmind.and_then(|typingmind| typingmind.key.as_ref());
    let typingmind = typingmind.map(|key| key.stored.clone());
    let signing = signing.chain(retiring).map(KeyRecord::stored);
    signing.chain(access).chain(typingmind).collect()
}
