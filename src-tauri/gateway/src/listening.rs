use std::net::SocketAddr;
use std::time::Instant;

use jiff::Timestamp;

/// Socket on which a running gateway accepts visitors.
#[derive(Clone, Debug)]
pub(crate) struct Listening {
    pub(crate) address: SocketAddr,
    /// SHA-256 of the certificate's public key. `None` without TLS.
    pub(crate) fingerprint: Option<String>,
    pub(crate) started_at: Timestamp,
    /// Monotonic time of the start.
    pub(crate) since: Instant,
}

impl Listening {
    /// Returns the URL with the address of the socket.
    pub(crate) fn url(&self) -> String {
        let scheme = self.fingerprint.as_ref().map_or("http", |_| "https");
        format!("{scheme}://{}", self.address)
    }
}
