//! The directories of instances.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;

use super::Home;
use crate::embedded::EmbeddedDirectory;
use crate::remote::RemoteDirectory;
use crate::wait::Wait as _;
use latchkey_core::activity::OutboxEntry;
use latchkey_core::admin::GatewayState;
use latchkey_core::directory::Directory;
use latchkey_core::instance::{Hosted, Instance, InstanceId};
use latchkey_core::{Error, ErrorCode, Result};

/// Name of the file that allows an instance to begin without its old directory.
const ANEW: &str = "anew";

/// Name under which `latchkey serve` holds the directory of its instance.
pub const GATEWAY_HOLDER: &str = "latchkey serve";

/// Returns whether the process with this name runs the gateway of the instance whose directory it
/// holds. Other commands hold a directory for some milliseconds.
#[must_use]
pub fn is_gateway(holder: &str) -> bool {
    holder.starts_with(GATEWAY_HOLDER)
}

/// A directory that this process can use.
pub enum Reached {
    /// This process holds it.
    Held(Arc<dyn Directory>),
    /// Another process holds it, on this computer or on another.
    Remote(Arc<dyn Directory>),
}

impl Reached {
    /// Returns the directory.
    #[must_use]
    pub fn directory(self) -> Arc<dyn Directory> {
        match self {
            Self::Held(directory) | Self::Remote(directory) => directory,
        }
    }

    /// Removes the entries of the activity and the links that the retention does not keep, if this
    /// process holds the directory of an instance that is hosted elsewhere. No gateway runs for such
    /// an instance, so the process that opens its directory does this. A failure is logged, because
    /// it does not keep anybody from work. Blocks the thread.
    #[must_use]
    pub fn pruned(self, instance: &Instance, now: Timestamp) -> Self {
        if let Self::Held(directory) = &self {
            prune_elsewhere(&**directory, instance, now);
        }
        self
    }
}

/// Does what [`Reached::pruned`] does, for a directory that this process holds.
pub fn prune_elsewhere(directory: &dyn Directory, instance: &Instance, now: Timestamp) {
    let settings = &instance.settings;
    if settings.hosted != Hosted::Elsewhere {
        return;
    }
    let prune = async {
        while directory.prune(settings.retention, now).await? {}
        Ok(())
    };
    let pruned: Result<()> = prune.wait();
    if let Err(cause) = pruned {
        tracing::warn!(error = %cause.logged(), "the activity and the ledger are not pruned");
    }
}

impl Home {
    /// Opens the directory of an instance that is hosted here. `holder` is the name of this process
    /// for others.
    ///
    /// Fails with [`ErrorCode::HostedElsewhere`] for any other instance, with [`ErrorCode::DamagedFile`] if the instance
    /// had a directory whose folder is missing, or with the errors of [`EmbeddedDirectory::open`].
    pub fn directory(&self, instance: &Instance, holder: &str) -> Result<Arc<dyn Directory>> {
        require_here(instance)?;
        self.open_on_this_computer(instance, holder)
    }

    /// Opens the directory as [`directory`](Self::directory) does, for a gateway. Waiting changes of
    /// the settings are not recorded yet, so this also works on a full disk. The caller must record
    /// them before it changes users, because a link that waits may be older than the change.
    pub fn directory_to_serve(
        &self,
        instance: &Instance,
        holder: &str,
    ) -> Result<Arc<dyn Directory>> {
        require_here(instance)?;
        self.open_embedded(instance, holder)
    }

    /// Opens the directory of an instance, and records its waiting changes.
    fn open_on_this_computer(
        &self,
        instance: &Instance,
        holder: &str,
    ) -> Result<Arc<dyn Directory>> {
        let directory = self.open_embedded(instance, holder)?;
        self.record_outbox(instance, &*directory).wait()?;
        Ok(directory)
    }

    fn open_embedded(&self, instance: &Instance, holder: &str) -> Result<Arc<dyn Directory>> {
        let folder = self.users_folder(&instance.id);
        let anew = folder.join(ANEW);
        if instance.outbox.were_recorded() && !EmbeddedDirectory::is_in(&folder) && !anew.exists() {
            let message = format!(
                "The directory of '{}' is gone: {} is missing, with the users, the seats and the activity. \
                 Restore it from a backup. To begin without them, make an empty file {}.",
                instance.settings.name.as_str(),
                folder.display(),
                anew.display()
            );
            return Err(Error::new(ErrorCode::DamagedFile, message));
        }
        let directory = EmbeddedDirectory::open(&folder, holder)?;
        // The file is not needed once there is a directory.
        let _ = fs::remove_file(anew);
        Ok(Arc::new(directory))
    }

    /// Opens the directory of an instance that is hosted here, or reaches the process that holds
    /// it. The directory of an instance on a gateway is reached there, and is not asked yet.
    ///
    /// Fails like [`directory`](Self::directory). The error for a directory that another process
    /// holds is returned only if that process does not answer on its local socket.
    pub fn reach(&self, instance: &Instance, holder: &str) -> Result<Reached> {
        if instance.settings.hosted == Hosted::Elsewhere {
            require_here(instance)?;
        }
        self.ledger(instance, holder)
    }

    /// Opens or reaches the directory with the issued links and the activity of any instance. For an
    /// instance that is hosted here or on a gateway, it is that of [`reach`](Self::reach).
    ///
    /// An instance that is hosted elsewhere has a directory on this computer, which is made by the
    /// first call. The application there decides about users, seats and sessions, so the caller
    /// must not use those of this directory.
    ///
    /// Fails like [`reach`](Self::reach), except with [`ErrorCode::HostedElsewhere`].
    pub fn ledger(&self, instance: &Instance, holder: &str) -> Result<Reached> {
        if instance.settings.hosted == Hosted::Gateway {
            let directory = self.gateway(instance)?.directory();
            return Ok(Reached::Remote(Arc::new(directory)));
        }
        let held = match self.open_on_this_computer(instance, holder) {
            Ok(directory) => return Ok(Reached::Held(directory)),
            Err(held) if held.code == ErrorCode::DirectoryHeld => held,
            Err(refused) => return Err(refused),
        };
        let folder = self.instances.folder(&instance.id);
        match RemoteDirectory::local(&folder).wait() {
            Ok(remote) => {
                // A full disk must not keep anybody from reading. That process records the waiting
                // changes before it changes a user, so it refuses that.
                match self.record_outbox(instance, &remote).wait() {
                    Err(refused) if refused.code == ErrorCode::Storage => {
                        tracing::warn!(error = %refused.logged(), "changes of the settings are not recorded yet");
                    }
                    recorded => recorded?,
                }
                Ok(Reached::Remote(Arc::new(remote)))
            }
            // That process answers, and says what is wrong.
            Err(refused) if refused.code != ErrorCode::Unreachable => Err(refused),
            Err(cause) => {
                let program = self.directory_holder(instance);
                let program = program.as_deref().unwrap_or("another program");
                let message = format!(
                    "{program} has the directory of '{}' open, and does not answer. Try again. If that does not help, end that program or start it again.",
                    instance.settings.name.as_str()
                );
                Err(Error::new(held.code, message).because(cause))
            }
        }
    }

    /// Returns the state of the gateway of an instance, from the process that holds the directory.
    ///
    /// Fails with [`ErrorCode::Unreachable`] if there is none.
    pub fn local_gateway_state(&self, instance: &Instance) -> Result<GatewayState> {
        let folder = self.instances.folder(&instance.id);
        let remote = RemoteDirectory::local(&folder).wait()?;
        remote.gateway_state().wait()
    }

    /// Asks the process that holds the directory of an instance to close it, because this one must
    /// hold it. Studio does so unless it runs the gateway.
    ///
    /// Fails with [`ErrorCode::DirectoryHeld`] if that process needs the directory, or with
    /// [`ErrorCode::Unreachable`].
    pub fn ask_to_give_way(&self, instance: &Instance) -> Result<()> {
        let folder = self.instances.folder(&instance.id);
        let remote = RemoteDirectory::local(&folder).wait()?;
        remote.ask_to_give_way().wait()
    }

    /// Returns an instance that is hosted here, after its waiting changes were recorded in its
    /// directory. Blocks the thread.
    pub fn current(&self, id: &InstanceId, directory: &dyn Directory) -> Result<Instance> {
        require_here(&self.instances.get(id)?)?;
        self.recorded(id, directory)
    }

    /// Returns an instance, after its waiting changes were recorded in its directory, which is on
    /// this computer. Blocks the thread.
    pub fn recorded(&self, id: &InstanceId, directory: &dyn Directory) -> Result<Instance> {
        let instance = self.instances.get(id)?;
        self.record_outbox(&instance, directory).wait()?;
        Ok(instance)
    }

    /// Fails with [`ErrorCode::DirectoryHeld`] if a process holds the directory of an instance.
    pub fn require_free(&self, instance: &Instance) -> Result<()> {
        EmbeddedDirectory::require_free(&self.users_folder(&instance.id))
    }

    /// Returns the name of the process that holds the directory of an instance, such as `latchkey
    /// serve (process 4711)`. `None` if none does.
    #[must_use]
    pub fn directory_holder(&self, instance: &Instance) -> Option<String> {
        EmbeddedDirectory::holder(&self.users_folder(&instance.id))
    }

    /// Records waiting changes of an instance's settings in its directory. A change that a process
    /// is making at TypingMind is recorded afterwards, with those that follow it.
    pub async fn record_outbox(
        &self,
        instance: &Instance,
        directory: &dyn Directory,
    ) -> Result<()> {
        let mut waiting = instance.outbox.waiting.clone();
        let mut _settled = None;
        let is_open = |entry: &OutboxEntry| entry.event.data.is_unconfirmed();
        if let Some(open) = waiting.iter().position(is_open) {
            match self.try_lock_copy(&instance.id)? {
                None => waiting.truncate(open),
                // Nobody makes the change any more. Its entry may have been confirmed in between.
                Some(lock) => {
                    _settled = Some(lock);
                    waiting = self.instances.get(&instance.id)?.outbox.waiting;
                }
            }
        }
        let Some(last) = waiting.last() else {
            return Ok(());
        };
        directory.record_outbox(&waiting).await?;
        self.instances.shorten_outbox(&instance.id, last.number)
    }

    pub(super) fn users_folder(&self, id: &InstanceId) -> PathBuf {
        self.instances.directory_folder(id)
    }
}

/// Fails with [`ErrorCode::HostedElsewhere`] or [`ErrorCode::OnGateway`] unless the instance is
/// hosted here.
pub fn require_here(instance: &Instance) -> Result<()> {
    let name = instance.settings.name.as_str();
    let (code, message) = match (instance.settings.hosted, &instance.connection) {
        (Hosted::Here, _) => return Ok(()),
        (Hosted::Gateway, Some(connection)) => (
            ErrorCode::OnGateway,
            format!(
                "'{name}' is on the gateway {}, which has its directory and signs people in. This works only there.",
                connection.url.authority()
            ),
        ),
        (Hosted::Elsewhere | Hosted::Gateway, _) => (
            ErrorCode::HostedElsewhere,
            format!(
                "'{name}' is hosted elsewhere: {} decides who signs in. Its users, seats and sessions are there, and so \
                 is its gateway.",
                instance.settings.url.authority()
            ),
        ),
    };
    Err(Error::new(code, message).about("instance"))
}
