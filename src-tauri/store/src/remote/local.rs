//! HTTP over the local socket of a process that holds a directory.

use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::task::{Context, Poll};

use http_body_util::Full;
use hyper::Uri;
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioIo};
#[cfg(unix)]
use tokio::net::UnixStream as Stream;
#[cfg(windows)]
use tokio::net::windows::named_pipe::NamedPipeClient as Stream;
use tower_service::Service;

/// Client of hyper over a local socket.
pub(super) type Http = Client<Connector, Full<Bytes>>;

/// Returns a client that connects to a socket, whichever host a request names.
pub(super) fn client(socket: PathBuf) -> Http {
    Client::builder(TokioExecutor::new()).build(Connector { socket })
}

/// Connects to the local socket.
#[derive(Clone, Debug)]
pub(super) struct Connector {
    socket: PathBuf,
}

impl Service<Uri> for Connector {
    type Response = TokioIo<Stream>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Uri) -> Self::Future {
        let socket = self.socket.clone();
        Box::pin(async move { connect(&socket).await.map(TokioIo::new) })
    }
}

/// Connects, and checks that a process of this user or of root listens.
#[cfg(unix)]
async fn connect(socket: &Path) -> io::Result<Stream> {
    let stream = Stream::connect(socket).await?;
    let peer = stream.peer_cred()?.uid();
    if peer == 0 || peer == nix::unistd::geteuid().as_raw() {
        Ok(stream)
    } else {
        Err(io::ErrorKind::PermissionDenied.into())
    }
}

#[cfg(windows)]
async fn connect(socket: &Path) -> io::Result<Stream> {
    tokio::net::windows::named_pipe::ClientOptions::new().open(socket)
}
