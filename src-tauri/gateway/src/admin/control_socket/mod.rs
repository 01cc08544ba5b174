//! The local socket of the administration API. Only the user who runs this process, and root, can
//! use it. It needs no key, because they can also change the files of the directory.

mod connections;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use latchkey_core::{Error, ErrorCode, Result};
use latchkey_store::control;
use latchkey_store::files;
use tokio::task::JoinHandle;

#[cfg(unix)]
use self::unix::Bound;
#[cfg(windows)]
use self::windows::Bound;
use super::administration::Administration;
use super::router::local_router;

/// A bound socket that accepts no connections yet.
#[derive(Debug)]
pub struct ControlSocket {
    bound: Bound,
    file: control::SocketFile,
}

impl ControlSocket {
    /// Binds the socket of the instance with this folder. The caller holds the directory, so an
    /// existing socket was left by a killed process and is replaced.
    ///
    /// Fails with [`ErrorCode::Storage`].
    pub fn bind(folder: &Path) -> Result<Self> {
        let file = control::SocketFile::make(folder)?;
        let bound =
            Bound::new(file.path()).map_err(|cause| files::storage("made", file.path(), cause))?;
        Ok(Self { bound, file })
    }

    /// Serves the administration API on a runtime of tokio, which the caller has entered.
    pub fn serve(self, administration: Arc<Administration>) -> Result<ServedSocket> {
        let peers = self.bound.listen().map_err(|cause| {
            let message = "The local socket for administration could not be opened.";
            Error::new(ErrorCode::Internal, message).because(cause)
        })?;
        let router = local_router(Arc::clone(&administration));
        let closing = administration.is_closing.subscribe();
        Ok(ServedSocket {
            task: tokio::spawn(connections::serve(peers, router, closing)),
            administration,
            _file: self.file,
        })
    }
}

/// A socket that serves the administration API. Its file is removed when this is dropped.
pub struct ServedSocket {
    task: JoinHandle<()>,
    administration: Arc<Administration>,
    _file: control::SocketFile,
}

impl fmt::Debug for ServedSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServedSocket").finish_non_exhaustive()
    }
}

impl ServedSocket {
    /// Returns what the socket serves.
    #[must_use]
    pub fn administration(&self) -> &Arc<Administration> {
        &self.administration
    }

    /// Accepts no more connections, and waits at most two seconds for unfinished requests. Then ends
    /// them, so that the directory can be closed.
    pub async fn end(mut self) {
        self.administration.is_closing.send_replace(true);
        if let Err(cause) = (&mut self.task).await {
            tracing::error!(%cause, "the local socket for administration has ended early");
        }
    }
}

impl Drop for ServedSocket {
    fn drop(&mut self) {
        self.administration.is_closing.send_replace(true);
    }
}
