//! The named pipe on Windows. By its default security descriptor, only its owner, administrators and
//! the system can write to it, and so send a request. This file is not tested.

use std::ffi::OsString;
use std::io;
use std::mem;
use std::path::Path;
use std::time::Duration;

use axum::serve::Listener;
use tokio::net::windows::named_pipe::{NamedPipeServer, ServerOptions};
use tokio::time::sleep;

/// Pause after a connection could not be accepted.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The name of a pipe.
#[derive(Debug)]
pub(super) struct Bound(OsString);

impl Bound {
    pub(super) fn new(path: &Path) -> io::Result<Self> {
        Ok(Self(path.as_os_str().to_owned()))
    }

    /// Makes the pipe. Fails if another process has made it.
    pub(super) fn listen(self) -> io::Result<OwnPeers> {
        let next = server(&self.0, true)?;
        Ok(OwnPeers { name: self.0, next })
    }
}

fn server(name: &OsString, is_first: bool) -> io::Result<NamedPipeServer> {
    ServerOptions::new()
        .first_pipe_instance(is_first)
        .reject_remote_clients(true)
        .create(name)
}

/// Listener of the pipe. Each client gets an instance of it.
pub(super) struct OwnPeers {
    name: OsString,
    next: NamedPipeServer,
}

impl Listener for OwnPeers {
    type Io = NamedPipeServer;
    type Addr = ();

    async fn accept(&mut self) -> (NamedPipeServer, ()) {
        loop {
            let connected = self.next.connect().await;
            match connected.and_then(|()| server(&self.name, false)) {
                Ok(next) => return (mem::replace(&mut self.next, next), ()),
                Err(cause) => {
                    tracing::debug!(%cause, "a connection at the local socket was not accepted");
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<()> {
        Ok(())
    }
}
