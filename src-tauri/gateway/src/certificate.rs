use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use latchkey_core::link::BaseUrl;
use latchkey_core::{Error, ErrorCode, Result, files};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use sha2::{Digest as _, Sha256};

/// The file of a certificate that was made here, with its key: PEM, below a line with its names.
const SELF_SIGNED: &str = "self-signed.pem";

/// What https is spoken with.
#[derive(Clone, Debug)]
pub struct Certificate {
    pub(crate) config: Arc<ServerConfig>,
    fingerprint: String,
}

impl Certificate {
    /// Reads a certificate with its chain and its private key, both in PEM.
    ///
    /// Fails as [`Certificate::from_pem`] does.
    pub fn from_files(certificate: &Path, key: &Path) -> Result<Self> {
        let read =
            |path: &Path| std::fs::read(path).map_err(|cause| files::storage("read", path, cause));
        Self::from_pem(&read(certificate)?, &read(key)?)
    }

    /// The certificate that an instance has made for itself: for the host of `url` and the address that
    /// is listened on. It is kept in `folder`, so that whoever has trusted it once trusts it after a
    /// restart, and is made anew where it is for other names.
    pub fn self_signed(folder: &Path, url: &BaseUrl, listen: SocketAddr) -> Result<Self> {
        let mut names = vec!["localhost".to_owned(), listen.ip().to_string()];
        names.extend(url.at("").host_str().map(str::to_owned));
        names.sort();
        names.dedup();
        let names = format!("For {}\n", names.join(" "));
        let path = folder.join(SELF_SIGNED);
        let kept = files::read(&path)?;
        let kept = kept.filter(|kept| kept.starts_with(names.as_bytes()));
        // One that cannot be read any more is of no use to anybody.
        if let Some(Ok(kept)) = kept.map(|pem| Self::from_pem(&pem, &pem)) {
            return Ok(kept);
        }
        let pem = made(&names)?;
        files::create_private_dir(folder)?;
        files::replace(&path, pem.as_bytes())?;
        Self::from_pem(pem.as_bytes(), pem.as_bytes())
    }

    /// SHA-256 of the certificate, by which a person knows it again.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Takes a certificate with its chain and its private key, both in PEM.
    ///
    /// Fails with [`ErrorCode::InvalidSetting`] where they are not that, or do not belong together.
    pub fn from_pem(certificate: &[u8], key: &[u8]) -> Result<Self> {
        let invalid = |what: &str| Error::new(ErrorCode::InvalidSetting, what).about("tls");
        let chain: Vec<_> = CertificateDer::pem_slice_iter(certificate)
            .collect::<std::result::Result<_, _>>()
            .map_err(|_| invalid("The certificate cannot be read. It has to be in PEM."))?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| {
            invalid(
                "The certificate's key cannot be read. It has to be in PEM, with no passphrase.",
            )
        })?;
        let fingerprint = chain.first().map(fingerprint).unwrap_or_default();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
            .map_err(|cause| {
                invalid("The certificate and its key do not belong together.").because(cause)
            })?;
        let mut config = config;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self {
            config: Arc::new(config),
            fingerprint,
        })
    }
}

fn fingerprint(certificate: &CertificateDer<'_>) -> String {
    let digest = Sha256::digest(certificate);
    let bytes: Vec<String> = digest.iter().map(|byte| format!("{byte:02X}")).collect();
    bytes.join(":")
}

/// A certificate and its key, below the line with its names.
fn made(line: &str) -> Result<String> {
    let names = line.split_whitespace().skip(1).map(str::to_owned);
    let made = rcgen::generate_simple_self_signed(names.collect::<Vec<_>>()).map_err(|cause| {
        let message = "No certificate could be made for that address.";
        Error::new(ErrorCode::InvalidSetting, message)
            .about("tls")
            .because(cause)
    })?;
    let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    Ok(format!("{line}{certificate}{key}"))
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
    fn a_certificate_that_was_made_here_stays_while_its_names_do() {
        let folder = tempfile::tempdir().unwrap();
        let first = of(folder.path(), "https://a.example", "127.0.0.1:1");
        assert_eq!(first.len(), 95);
        assert_eq!(of(folder.path(), "https://a.example", "127.0.0.1:2"), first);
        let other = of(folder.path(), "https://a.example", "192.0.2.1:1");
        assert_ne!(other, first);
        assert_eq!(of(folder.path(), "https://a.example", "192.0.2.1:1"), other);
        let path = folder.path().join(SELF_SIGNED);
        let pem = std::fs::read_to_string(&path).unwrap();
        assert!(
            pem.starts_with("For 192.0.2.1 a.example localhost\n"),
            "{pem}"
        );
        std::fs::write(&path, &pem.as_bytes()[..200]).unwrap();
        assert_ne!(of(folder.path(), "https://a.example", "192.0.2.1:1"), other);
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_reads_its_key() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        of(folder.path(), "https://a.example", "127.0.0.1:1");
        let kept = std::fs::metadata(folder.path().join(SELF_SIGNED)).unwrap();
        assert_eq!(kept.permissions().mode() & 0o777, 0o600);
    }
}
