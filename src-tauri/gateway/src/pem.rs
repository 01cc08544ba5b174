//! Certificates in PEM.

use latchkey_core::{Error, ErrorCode, Result};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

/// Parses a certificate with its chain, and its private key.
pub(crate) fn certified(certificate: &[u8], key: &[u8]) -> Result<CertifiedKey> {
    let unreadable = || invalid("The certificate cannot be read. It must be in PEM.");
    let chain: Vec<_> = CertificateDer::pem_slice_iter(certificate)
        .collect::<std::result::Result<_, _>>()
        .map_err(|_| unreadable())?;
    if chain.is_empty() {
        return Err(unreadable());
    }
    let key = PrivateKeyDer::from_pem_slice(key).map_err(|_| {
        invalid("The certificate's key cannot be read. It must be in PEM, without a passphrase.")
    })?;
    CertifiedKey::from_der(chain, key, &ring::default_provider()).map_err(|cause| {
        invalid("The certificate and its key do not belong together.").because(cause)
    })
}

/// Returns the error for a certificate that cannot be used.
pub(crate) fn invalid(what: &str) -> Error {
    Error::new(ErrorCode::InvalidSetting, what).about("tls")
}
