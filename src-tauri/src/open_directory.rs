//! Directories that Studio has open, and the local socket on which other programs use them.

use std::sync::{Arc, Mutex};

use jiff::{SignedDuration, Timestamp};
use latchkey_core::Result;
use latchkey_core::admin::Connection;
use latchkey_core::directory::Directory;
use latchkey_core::instance::{Hosted, Instance, InstanceId};
use latchkey_gateway::{
    Administration, Checks, DailyBackups, Gateway, GiveWay, ServedSocket, serve_locally,
};
use latchkey_store::home::{Home, Reached, prune_elsewhere};
use tauri::async_runtime::{block_on, spawn};

use crate::lock::locked;

/// Name of this program in the lock file of a directory.
const HOLDER: &str = "Latchkey Studio";

/// Interval at which the links and the activity of an instance elsewhere are pruned.
const PRUNE_INTERVAL: SignedDuration = SignedDuration::from_hours(24);

/// An open directory of an instance.
#[derive(Clone)]
pub(crate) struct OpenDirectory {
    pub(crate) instance: InstanceId,
    /// Place of the instance when the directory was opened.
    hosted: Hosted,
    pub(crate) directory: Arc<dyn Directory>,
    /// Whether another process of this computer holds the directory, and this one uses its socket.
    pub(crate) is_remote: bool,
    /// Connection by which the directory of a gateway on a server is reached.
    connection: Option<Connection>,
    /// Socket on which other programs use a directory that this process holds.
    socket: Option<Arc<LocalSocket>>,
    /// Time of the last pruning. All clones share it.
    pruned_at: Arc<Mutex<Timestamp>>,
    /// Automatic backups of a directory that this process holds, if the instance is hosted here.
    _backups: Option<Arc<DailyBackups>>,
}

impl OpenDirectory {
    /// Opens the directory of an instance, or reaches the process that holds it. That of an instance
    /// which is hosted elsewhere has only links and activity. Blocks the thread.
    /// `give_way` begins to close it for another program.
    pub(crate) fn open(
        home: Arc<Home>,
        instance: &Instance,
        give_way: GiveWay,
        now: Timestamp,
    ) -> Result<Self> {
        let (id, hosted) = (&instance.id, instance.settings.hosted);
        let reached = home.ledger(instance, HOLDER)?.pruned(instance, now);
        let (directory, socket, backups, is_remote) = match reached {
            Reached::Remote(directory) => (directory, None, None, instance.connection.is_none()),
            Reached::Held(directory) => {
                let backups = if hosted == Hosted::Here {
                    let (kept, of) = (Arc::clone(&home), id.clone());
                    let begun = DailyBackups::start(kept, of, &directory, Checks::default())?;
                    Some(Arc::new(begun))
                } else {
                    None
                };
                let socket = LocalSocket::serve(home, id, &directory, give_way);
                // Without the socket, the window still works.
                let socket = socket.inspect_err(|cause| {
                    tracing::warn!(error = %cause.logged(), "other programs cannot use the directory while Studio is open");
                });
                let socket = socket.ok().map(Arc::new);
                (directory, socket, backups, false)
            }
        };
        Ok(Self {
            instance: id.clone(),
            hosted,
            directory,
            is_remote,
            connection: instance.connection.clone(),
            socket,
            pruned_at: Arc::new(Mutex::new(now)),
            _backups: backups,
        })
    }

    /// Returns whether the directory can still be used. The process that holds a remote one may
    /// have ended. The directory of a gateway on a server comes back by itself after a lost
    /// connection.
    pub(crate) fn is_usable(&self, home: &Home, instance: &Instance) -> bool {
        self.connection == instance.connection
            && self.hosted == instance.settings.hosted
            && (!self.is_remote || home.directory_holder(instance).is_some())
    }

    /// Prunes the directory of an instance elsewhere once a day, as opening it does.
    pub(crate) fn prune_daily(&self, instance: &Instance, now: Timestamp) {
        if self.is_remote {
            return;
        }
        {
            let mut pruned_at = locked(&self.pruned_at);
            if now.duration_since(*pruned_at) < PRUNE_INTERVAL {
                return;
            }
            *pruned_at = now;
        }
        prune_elsewhere(&*self.directory, instance, now);
    }

    /// Returns whether something else, such as the gateway, uses this open directory.
    pub(crate) fn is_shared(&self) -> bool {
        let socket = self.socket.as_ref();
        socket.is_none_or(|socket| Arc::strong_count(socket) > 1)
    }

    /// Tells other programs of the gateway over this directory.
    pub(crate) fn set_gateway(&self, gateway: &Arc<Gateway>) {
        if let Some(served) = self.socket.as_ref().and_then(|socket| socket.0.as_ref()) {
            served.administration().set_gateway(gateway);
        }
    }

    /// Fails unless this process holds the directory, as a gateway must.
    pub(crate) fn require_held(self, home: &Home, instance: &Instance) -> Result<Self> {
        if self.is_remote {
            // This fails with the name of the process that holds it.
            home.require_free(instance)?;
        }
        Ok(self)
    }
}

/// A served socket. Dropping it waits until open requests are finished, so that the directory can
/// then be closed.
struct LocalSocket(Option<ServedSocket>);

impl LocalSocket {
    fn serve(
        home: Arc<Home>,
        id: &InstanceId,
        directory: &Arc<dyn Directory>,
        give_way: GiveWay,
    ) -> Result<Self> {
        let directory = Arc::clone(directory);
        let administration = Administration::new(home, id, HOLDER, directory, Some(give_way));
        let served = block_on(async move { serve_locally(administration) })?;
        Ok(Self(Some(served)))
    }
}

impl Drop for LocalSocket {
    fn drop(&mut self) {
        if let Some(served) = self.0.take() {
            let ended = spawn(served.end());
            // It fails only if the task has panicked, and then nothing is open.
            let _ = block_on(ended);
        }
    }
}
