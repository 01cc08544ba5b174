//! A server of TLS for tests: it passes requests on to a local socket, or answers them itself.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use latchkey_core::admin::{Fingerprint, GatewayUrl};
use rcgen::{CertificateParams, KeyPair, PublicKeyData as _, date_time_ymd};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::server::TlsStream;

/// Answer of a stand-in to a request. `None` closes the connection.
pub(super) type Answering = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

#[derive(Clone)]
pub(super) enum Behind {
    Socket(PathBuf),
    StandIn(Answering),
}

/// A running server.
pub(super) struct TlsServer {
    pub(super) address: SocketAddr,
    acceptor: Arc<Mutex<TlsAcceptor>>,
    connections: Arc<Mutex<Vec<JoinHandle<()>>>>,
    pub(super) fingerprint: Fingerprint,
    accepting: JoinHandle<()>,
    runtime: Runtime,
}

/// Returns a new certificate that has expired long ago, and its fingerprint.
fn certificate() -> (TlsAcceptor, Fingerprint) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["other.example".to_owned()]).unwrap();
    params.not_before = date_time_ymd(2001, 1, 1);
    params.not_after = date_time_ymd(2002, 1, 1);
    let certificate = params.self_signed(&key).unwrap();
    let fingerprint = Fingerprint::of(&key.subject_public_key_info());
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivateKeyDer::try_from(key.serialize_der()).unwrap(),
        );
    (TlsAcceptor::from(Arc::new(config.unwrap())), fingerprint)
}

impl TlsServer {
    pub(super) fn begin(behind: Behind) -> Self {
        let runtime = Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let (acceptor, fingerprint) = certificate();
        let acceptor = Arc::new(Mutex::new(acceptor));
        let connections = Arc::new(Mutex::new(Vec::new()));
        let listening = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listening.local_addr().unwrap();
        let accepting = runtime.spawn(accept(
            listening,
            behind,
            Arc::clone(&acceptor),
            Arc::clone(&connections),
        ));
        Self {
            address,
            acceptor,
            connections,
            fingerprint,
            accepting,
            runtime,
        }
    }

    pub(super) fn stand_in(
        answer: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
    ) -> Self {
        Self::begin(Behind::StandIn(Arc::new(answer)))
    }

    pub(super) fn url(&self) -> GatewayUrl {
        GatewayUrl::parse(&format!("https://{}", self.address)).unwrap()
    }

    /// Shows a new certificate to new connections.
    pub(super) fn change_certificate(&mut self) {
        let (acceptor, fingerprint) = certificate();
        *self.acceptor.lock().unwrap() = acceptor;
        self.fingerprint = fingerprint;
        self.interrupt();
    }

    /// Closes all connections.
    pub(super) fn interrupt(&self) {
        for connection in self.connections.lock().unwrap().drain(..) {
            connection.abort();
        }
    }

    /// Closes all connections and the port. Returns its address.
    pub(super) fn end(self) -> SocketAddr {
        self.accepting.abort();
        self.interrupt();
        self.runtime.block_on(async {
            while !self.accepting.is_finished() {
                tokio::task::yield_now().await;
            }
        });
        self.address
    }

    /// Listens again on the address of a server that was ended.
    pub(super) fn begin_again(&mut self, behind: Behind) {
        self.accepting.abort();
        self.interrupt();
        let listening = self.runtime.block_on(async {
            loop {
                // The port is free a moment after the task has ended.
                match TcpListener::bind(self.address).await {
                    Ok(listening) => return listening,
                    Err(_) => tokio::task::yield_now().await,
                }
            }
        });
        self.accepting = self.runtime.spawn(accept(
            listening,
            behind,
            Arc::clone(&self.acceptor),
            Arc::clone(&self.connections),
        ));
    }

    /// Closes the port and all connections, until [`begin_again`](Self::begin_again).
    pub(super) fn pause(&self) {
        self.accepting.abort();
        self.interrupt();
    }
}

async fn accept(
    listening: TcpListener,
    behind: Behind,
    acceptor: Arc<Mutex<TlsAcceptor>>,
    connections: Arc<Mutex<Vec<JoinHandle<()>>>>,
) {
    while let Ok((stream, _)) = listening.accept().await {
        let (acceptor, behind) = (acceptor.lock().unwrap().clone(), behind.clone());
        let connection = tokio::spawn(async move {
            let Ok(mut stream) = acceptor.accept(stream).await else {
                return;
            };
            match behind {
                Behind::Socket(socket) => {
                    if let Ok(mut socket) = UnixStream::connect(socket).await {
                        let _ = copy_bidirectional(&mut stream, &mut socket).await;
                    }
                }
                Behind::StandIn(answer) => {
                    while let Some(request) = request(&mut stream).await {
                        let Some(answer) = answer(&request) else {
                            return;
                        };
                        let _ = stream.write_all(answer.as_bytes()).await;
                    }
                }
            }
        });
        connections.lock().unwrap().push(connection);
    }
}

/// Reads a request with its body. Its head is in lower case, except for the request line.
async fn request(stream: &mut TlsStream<TcpStream>) -> Option<String> {
    let mut read = Vec::new();
    let mut wanted = None;
    while wanted.is_none_or(|wanted| read.len() < wanted) {
        let mut buffer = [0; 4096];
        let length = stream
            .read(&mut buffer)
            .await
            .ok()
            .filter(|length| *length > 0)?;
        read.extend_from_slice(&buffer[..length]);
        if wanted.is_none()
            && let Some(head) = read.windows(4).position(|end| end == b"\r\n\r\n")
        {
            let text = String::from_utf8_lossy(&read[..head]).to_lowercase();
            let length = text
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "));
            wanted = Some(head + 4 + length.map_or(0, |length| length.parse().unwrap()));
        }
    }
    Some(String::from_utf8(read).unwrap())
}

/// Description of a stand-in for a gateway.
pub(super) const ABOUT: &str =
    r#"{"instance":"acme","holder":"a stand-in","version":"9.9.9","api":3}"#;

/// Returns whether a request asks for that description.
pub(super) fn is_greeting(request: &str) -> bool {
    request.starts_with("GET /admin/v1 ")
}

/// Returns an answer in JSON.
pub(super) fn json(status: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}
