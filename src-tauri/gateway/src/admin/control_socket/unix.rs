//! The socket on Unix. The system tells the user of each client.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net;
use std::path::Path;
use std::time::Duration;

use axum::serve::Listener;
use rustix::process::geteuid;
use tokio::net::unix::SocketAddr;
use tokio::net::{UnixListener, UnixStream};
use tokio::time::sleep;

/// Pause after a connection could not be accepted, such as when too many files are open.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A bound socket.
#[derive(Debug)]
pub(super) struct Bound(net::UnixListener);

impl Bound {
    /// Binds the socket at a path.
    pub(super) fn new(path: &Path) -> io::Result<Self> {
        let listener = net::UnixListener::bind(path)?;
        fs::set_permissions(path, Permissions::from_mode(0o600))?;
        listener.set_nonblocking(true)?;
        Ok(Self(listener))
    }

    /// Begins to accept connections.
    pub(super) fn listen(self) -> io::Result<OwnPeers> {
        UnixListener::from_std(self.0).map(OwnPeers)
    }
}

/// Listener that accepts only processes of this user and of root. Everybody else is disconnected
/// without an answer.
pub(super) struct OwnPeers(UnixListener);

impl Listener for OwnPeers {
    type Io = UnixStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (UnixStream, SocketAddr) {
        loop {
            match self.0.accept().await {
                Ok((stream, address)) if is_own(&stream) => return (stream, address),
                Ok(_) => {
                    tracing::warn!("a process of another user was refused at the local socket");
                }
                Err(cause) => {
                    tracing::debug!(%cause, "a connection at the local socket was not accepted");
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

/// Returns whether the process at the other end is of this user or of root.
fn is_own(stream: &UnixStream) -> bool {
    stream
        .peer_cred()
        .is_ok_and(|peer| peer.uid() == 0 || peer.uid() == geteuid().as_raw())
}
