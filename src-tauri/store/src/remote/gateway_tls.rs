//! HTTPS to a gateway on another computer. Trust in its certificate is decided here.
//!
//! A pinned certificate is recognised by its public key alone. Its dates and its names do not count,
//! because the administrator has compared the key itself: a self-signed certificate is renewed with
//! the same key, and a computer with a wrong clock must still reach its gateway. A certificate that
//! is not pinned must be one that the operating system trusts, for the host of the URL and today.

use std::error::Error as StdError;
use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http_body_util::Full;
use hyper::Uri;
use hyper::body::Bytes;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::{GaiResolver, Name};
use hyper_util::rt::{TokioExecutor, TokioTimer};
use latchkey_core::admin::Fingerprint;
use latchkey_core::{Error, Result};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, OtherError, SignatureScheme};
use rustls_platform_verifier::Verifier as PlatformVerifier;
use tokio::time::timeout;
use tower_service::Service;

/// Timeout of a connection: TCP and TLS.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Time after which an unused connection is closed. A gateway closes it later.
const IDLE_TIMEOUT: Duration = Duration::from_secs(20);
/// Interval of TCP's checks whether the other computer is still there.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// Client of hyper over TLS. It uses no proxy, and follows no redirect.
pub(super) type Http = Client<Timed<HttpsConnector<HttpConnector<Resolver>>>, Full<Bytes>>;

/// Returns a client that trusts only the certificate with a fingerprint or, without one, those that
/// the operating system trusts.
pub(super) fn client(pin: Option<Fingerprint>) -> Result<Http> {
    client_trusting(match pin {
        Some(pin) => Trust::Pinned(pin),
        None => Trust::Platform(platform()?),
    })
}

/// Returns a client that trusts no certificate, so each request fails with [`Distrusted`] before it
/// is sent.
pub(super) fn distrusting_client() -> Result<Http> {
    client_trusting(Trust::Nothing)
}

fn client_trusting(trust: Trust) -> Result<Http> {
    let provider = Arc::new(ring::default_provider());
    let verifier = Verifier {
        trust,
        provider: Arc::clone(&provider),
    };
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(Error::internal)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    let mut tcp = HttpConnector::new_with_resolver(Resolver(GaiResolver::new()));
    tcp.enforce_http(false);
    tcp.set_connect_timeout(Some(CONNECT_TIMEOUT));
    tcp.set_nodelay(true);
    tcp.set_keepalive(Some(KEEP_ALIVE));
    tcp.set_keepalive_interval(Some(KEEP_ALIVE));
    tcp.set_keepalive_retries(Some(2));
    #[cfg(target_os = "linux")]
    tcp.set_tcp_user_timeout(Some(KEEP_ALIVE));
    let connector = HttpsConnectorBuilder::new()
        .with_tls_config(config)
        .https_only()
        .enable_http1()
        .wrap_connector(tcp);
    Ok(Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE_TIMEOUT)
        .build(Timed(connector)))
}

fn platform() -> Result<PlatformVerifier> {
    PlatformVerifier::new(Arc::new(ring::default_provider())).map_err(Error::internal)
}

/// Certificates that are trusted.
#[derive(Debug)]
enum Trust {
    /// Those with a public key that the administrator knows.
    Pinned(Fingerprint),
    /// Those that the operating system trusts.
    Platform(PlatformVerifier),
    /// None.
    Nothing,
}

#[derive(Debug)]
struct Verifier {
    trust: Trust,
    provider: Arc<CryptoProvider>,
}

/// Cause for a certificate that is not trusted.
#[derive(Debug)]
pub(super) struct Distrusted {
    /// Fingerprint of the certificate.
    pub(super) found: Fingerprint,
    /// Fingerprint that was expected, if one was.
    pub(super) known: Option<Fingerprint>,
    /// Cause of the operating system.
    pub(super) cause: Option<rustls::Error>,
}

impl fmt::Display for Distrusted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the certificate {} is not trusted", self.found)
    }
}

impl StdError for Distrusted {}

impl Distrusted {
    fn error(self) -> rustls::Error {
        rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(self))))
    }

    /// Returns the cause of a failed connection, if it is this one.
    pub(super) fn in_error(error: &rustls::Error) -> Option<&Self> {
        match error {
            rustls::Error::InvalidCertificate(CertificateError::Other(OtherError(cause))) => {
                cause.downcast_ref()
            }
            _ => None,
        }
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> std::result::Result<ServerCertVerified, rustls::Error> {
        let public_key = ParsedCertificate::try_from(end_entity)?.subject_public_key_info();
        let found = Fingerprint::of(&public_key);
        let distrusted = |known, cause| Distrusted {
            found,
            known,
            cause,
        };
        match &self.trust {
            Trust::Pinned(known) if *known == found => Ok(ServerCertVerified::assertion()),
            Trust::Pinned(known) => Err(distrusted(Some(*known), None).error()),
            Trust::Platform(platform) => platform
                .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
                .map_err(|cause| distrusted(None, Some(cause)).error()),
            Trust::Nothing => Err(distrusted(None, None).error()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider
            .signature_verification_algorithms
            .supported_schemes()
    }
}

/// Resolver of the operating system, whose errors are recognised.
#[derive(Clone, Debug)]
pub(super) struct Resolver(GaiResolver);

/// Cause for a name without an address.
#[derive(Debug)]
pub(super) struct NotResolved(io::Error);

impl fmt::Display for NotResolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the name was not resolved: {}", self.0)
    }
}

impl StdError for NotResolved {}

type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;
type Addresses = Box<dyn Iterator<Item = SocketAddr> + Send>;

impl Service<Name> for Resolver {
    type Response = Addresses;
    type Error = NotResolved;
    type Future = Boxed<std::result::Result<Addresses, NotResolved>>;

    fn poll_ready(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<std::result::Result<(), NotResolved>> {
        self.0.poll_ready(context).map_err(NotResolved)
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let resolving = self.0.call(name);
        Box::pin(async move {
            let addresses = resolving.await.map_err(NotResolved)?;
            Ok(Box::new(addresses) as Addresses)
        })
    }
}

/// Connector whose whole work has a timeout, the TLS handshake included.
#[derive(Clone)]
pub(super) struct Timed<C>(C);

type BoxError = Box<dyn StdError + Send + Sync>;

impl<C> Service<Uri> for Timed<C>
where
    C: Service<Uri, Error = BoxError>,
    C::Future: Send + 'static,
    C::Response: 'static,
{
    type Response = C::Response;
    type Error = BoxError;
    type Future = Boxed<std::result::Result<C::Response, BoxError>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<std::result::Result<(), BoxError>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connecting = self.0.call(uri);
        Box::pin(async move {
            let connected = timeout(CONNECT_TIMEOUT, connecting).await;
            connected.unwrap_or_else(|_| Err(io::Error::from(io::ErrorKind::TimedOut).into()))
        })
    }
}
