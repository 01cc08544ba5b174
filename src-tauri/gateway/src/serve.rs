//! The listener of the gateway, its timeouts, and its shutdown.

use std::convert::Infallible;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use axum::ServiceExt;
use axum::extract::Request;
use axum::extract::connect_info::IntoMakeServiceWithConnectInfo;
use axum::response::Response;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use hyper::body::Incoming;
use latchkey_core::{Error, ErrorCode, Result};
use tokio::sync::watch;
use tower::Service;

use crate::certificate::Certificate;
use crate::connection_limit::{Limited, MaxConnections};
use crate::socket_limits;
use crate::unread_body::ReadsRest;

/// Timeout for the headers of a request.
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// Time that unfinished responses have when the gateway shuts down.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(5);
/// Maximum size of the headers of a request, in bytes: a code of 8 KiB, cookies, and headers that
/// proxies add. A connection buffers at most twice that.
pub(crate) const MAX_HEADER: usize = 32 * 1024;

/// Handle that shuts a gateway down, with all listeners that have the handle.
#[derive(Clone, Debug, Default)]
pub struct Handle {
    server: axum_server::Handle<SocketAddr>,
    is_closing: watch::Sender<bool>,
}

impl Handle {
    /// Accepts no more connections, waits at most five seconds for open requests, and ends the
    /// gateway.
    pub fn shut_down(&self) {
        self.is_closing.send_replace(true);
        self.server.graceful_shutdown(Some(SHUTDOWN_GRACE));
    }

    /// Returns whether the gateway shuts down, for answers that have no end of their own.
    pub(crate) fn is_closing(&self) -> watch::Receiver<bool> {
        self.is_closing.subscribe()
    }
}

/// Socket on which a gateway accepts connections.
#[derive(Debug)]
pub struct Listener(TcpListener);

impl Listener {
    /// Listens on an address of this computer.
    ///
    /// Fails with [`ErrorCode::AddressInUse`] if another program listens there, and with
    /// [`ErrorCode::InvalidSetting`] if the address cannot be listened on.
    pub fn bind(address: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind(address).map_err(|cause| {
            let refused = match cause.kind() {
                io::ErrorKind::AddrInUse => Error::new(
                    ErrorCode::AddressInUse,
                    format!("Another program listens on {address}. Choose another port, or end that program."),
                ),
                io::ErrorKind::PermissionDenied => Error::new(
                    ErrorCode::InvalidSetting,
                    format!("The operating system does not let this program listen on {address}. Choose a port above 1023."),
                ),
                _ => Error::new(
                    ErrorCode::InvalidSetting,
                    format!("{address} is not an address of this computer to listen on."),
                ),
            };
            refused.about("listen").because(cause)
        })?;
        socket_limits::raise_backlog(&listener);
        socket_limits::limit_unread_time(&listener);
        Ok(Self(listener))
    }

    /// Returns the socket, ready for a server.
    fn prepared(self) -> Result<TcpListener> {
        socket_limits::raise_open_file_limit();
        self.0.set_nonblocking(true).map_err(cannot_listen)?;
        Ok(self.0)
    }

    /// Returns the address. Its port is the one that the system chose, if port 0 was requested.
    pub fn address(&self) -> Result<SocketAddr> {
        self.0.local_addr().map_err(cannot_listen)
    }
}

/// Serves visitors until `handle` ends it.
pub async fn serve(
    router: impl Service<Request, Response = Response, Error = Infallible, Future: Send>
    + Clone
    + Send
    + 'static,
    listener: Listener,
    certificate: Option<Certificate>,
    handle: Handle,
) -> Result<()> {
    let ended = match certificate {
        None => {
            // Serves HTTP/1.1 only, because detecting the version would wait for the client without
            // a timeout.
            let server = axum_server::from_tcp(listener.prepared()?).map_err(cannot_listen)?;
            let mut server = server.http1_only();
            limit(server.http_builder());
            let service = for_connections(router);
            server.handle(handle.server).serve(service).await
        }
        Some(certificate) => {
            let server = with_tls(listener, certificate)?;
            let service = for_connections(router);
            server.handle(handle.server).serve(service).await
        }
    };
    ended.map_err(cannot_listen)
}

/// Serves a limited number of connections with TLS, until `handle` ends it.
pub(crate) async fn serve_limited(
    router: impl Service<Request, Response = Response, Error = Infallible, Future: Send>
    + Clone
    + Send
    + 'static,
    listener: Listener,
    certificate: Certificate,
    handle: Handle,
    maximum: MaxConnections,
) -> Result<()> {
    let server = with_tls(listener, certificate)?;
    let server = server.map(|acceptor| Limited::new(acceptor, maximum));
    let service = for_connections(router);
    let ended = server.handle(handle.server).serve(service).await;
    ended.map_err(cannot_listen)
}

/// Returns the service that makes a service for each connection. Requests have the address of the
/// client.
fn for_connections<S>(router: S) -> IntoMakeServiceWithConnectInfo<ReadsRest<S>, SocketAddr>
where
    S: Service<Request, Response = Response, Error = Infallible, Future: Send + 'static>,
{
    ServiceExt::<hyper::Request<Incoming>>::into_make_service_with_connect_info(ReadsRest(router))
}

/// Returns a server of HTTP/1.1 over TLS.
fn with_tls(
    listener: Listener,
    certificate: Certificate,
) -> Result<axum_server::Server<SocketAddr, RustlsAcceptor>> {
    let config = RustlsConfig::from_config(certificate.config);
    let server = axum_server::from_tcp_rustls(listener.prepared()?, config);
    let mut server = server.map_err(cannot_listen)?.http1_only();
    limit(server.http_builder());
    Ok(server)
}

fn limit<E>(builder: &mut hyper_util::server::conn::auto::Builder<E>) {
    builder
        .http1()
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(MAX_HEADER)
        .keep_alive(true);
}

fn cannot_listen(cause: io::Error) -> Error {
    let message = "The gateway could not listen, and has ended. Start it again.";
    Error::new(ErrorCode::Internal, message).because(cause)
}
