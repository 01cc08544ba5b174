//! The certificate and the key of the HTTPS listener.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use latchkey_core::Result;
use latchkey_core::link::BaseUrl;
use latchkey_store::files;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::server::ResolvesServerCert;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use sha2::{Digest as _, Sha256};

use crate::pem::{certified, invalid};
use crate::self_signed::SelfSigned;

/// Certificate and key of the HTTPS listener.
#[derive(Clone, Debug)]
pub struct Certificate {
    pub(crate) config: Arc<ServerConfig>,
    fingerprint: String,
    is_pinned: bool,
}

impl Certificate {
    /// Reads a certificate with its chain, and its private key. Both files are in PEM.
    ///
    /// Fails as [`Certificate::from_pem`] does.
    pub fn from_files(certificate: &Path, key: &Path) -> Result<Self> {
        let read =
            |path: &Path| std::fs::read(path).map_err(|cause| files::storage("read", path, cause));
        Self::from_pem(&read(certificate)?, &read(key)?)
    }

    /// Opens the self-signed certificate that is kept in `folder`, or makes one for the host of
    /// `url` and the address `listen`. It is valid for 397 days, because browsers refuse more than
    /// 398. It is renewed with the same key before it ends, also while the gateway runs.
    pub fn self_signed(folder: &Path, url: &BaseUrl, listen: SocketAddr) -> Result<Self> {
        let mut names = vec!["localhost".to_owned(), listen.ip().to_string()];
        names.extend(url.at("").host_str().map(str::to_owned));
        names.sort();
        names.dedup();
        let own = SelfSigned::open(folder, names, Timestamp::now())?;
        let fingerprint = fingerprint(&own.certificate(Timestamp::now()));
        Self::of(Arc::new(own), fingerprint, true)
    }

    /// Returns the SHA-256 of the public key (`SubjectPublicKeyInfo`), by which a person recognises
    /// the certificate. Renewing the certificate keeps it.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Parses a certificate with its chain, and its private key, both in PEM.
    ///
    /// Fails with [`latchkey_core::ErrorCode::InvalidSetting`] if they cannot be parsed or do not
    /// belong together.
    pub fn from_pem(certificate: &[u8], key: &[u8]) -> Result<Self> {
        let certified = certified(certificate, key)?;
        let fingerprint = fingerprint(&certified);
        // The chain of a public authority has its own certificates, too.
        let is_pinned = certified.cert.len() == 1;
        let resolver = Arc::new(SingleCertAndKey::from(certified));
        Self::of(resolver, fingerprint, is_pinned)
    }

    /// Returns whether clients recognise the certificate by its fingerprint: it is self-signed, or
    /// stands alone. A certificate with a chain is checked like any other on the internet, because
    /// its renewal may have another key.
    #[must_use]
    pub fn is_pinned(&self) -> bool {
        self.is_pinned
    }

    fn of(
        resolver: Arc<dyn ResolvesServerCert>,
        fingerprint: String,
        is_pinned: bool,
    ) -> Result<Self> {
        let provider = Arc::new(ring::default_provider());
        let builder = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|cause| invalid("TLS cannot be set up.").because(cause))?;
        let mut config = builder.with_no_client_auth().with_cert_resolver(resolver);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self {
            config: Arc::new(config),
            fingerprint,
            is_pinned,
        })
    }
}

fn fingerprint(certified: &CertifiedKey) -> String {
    let Some(public) = certified.key.public_key() else {
        return String::new();
    };
    let digest = Sha256::digest(public);
    let bytes: Vec<String> = digest.iter().map(|byte| format!("{byte:02X}")).collect();
    bytes.join(":")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(folder: &Path, url: &str, listen: &str) -> String {
        let url = BaseUrl::parse(url).unwrap();
        let certificate = Certificate::self_signed(folder, &url, listen.parse().unwrap());
        certificate.unwrap().fingerprint().to_owned()
    }

    #[test]
    fn the_fingerprint_depends_on_the_key_and_not_on_the_names() {
        let folder = tempfile::tempdir().unwrap();
        let first = of(folder.path(), "https://a.example", "127.0.0.1:1");
        assert_eq!(first.len(), 95);
        for (url, listen) in [
            ("https://a.example", "127.0.0.1:2"),
            ("https://b.example", "192.0.2.1:1"),
        ] {
            assert_eq!(of(folder.path(), url, listen), first, "{url} {listen}");
        }
        let other = tempfile::tempdir().unwrap();
        assert_ne!(of(other.path(), "https://a.example", "127.0.0.1:1"), first);
    }

    #[test]
    fn a_file_without_a_certificate_or_with_another_key_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let made = |name: &str| {
            let folder = folder.path().join(name);
            of(&folder, "https://a.example", "127.0.0.1:1");
            folder.join("self-signed.pem")
        };
        let (one, two) = (made("one"), made("two"));
        assert!(Certificate::from_files(&one, &one).is_ok());
        for (certificate, key) in [(&one, &two), (&folder.path().join("empty"), &two)] {
            std::fs::write(folder.path().join("empty"), "").unwrap();
            let refused = Certificate::from_files(certificate, key).unwrap_err();
            assert_eq!(refused.code, latchkey_core::ErrorCode::InvalidSetting);
        }
    }
}
