//! Self-signed certificates, and their renewal with the same key.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _, civil};
use latchkey_core::Result;
use latchkey_store::files;
use rcgen::{
    CertificateParams, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose, date_time_ymd,
};
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;

use crate::pem::{certified, invalid};

/// File of the certificate and its key, in PEM, after one line with the names and one with the end
/// date.
const FILE: &str = "self-signed.pem";
/// Validity of a certificate. Browsers refuse one that is valid for more than 398 days.
const VALID_DAYS: i64 = 397;
/// Number of days before its end from which a certificate is renewed.
const RENEWED_DAYS: i64 = 30;

/// Source of certificates for a list of names. All have the same key.
#[derive(Debug)]
pub(crate) struct SelfSigned {
    path: PathBuf,
    names: Vec<String>,
    key: KeyPair,
    current: Mutex<Made>,
}

/// A certificate and its last day.
#[derive(Debug)]
struct Made {
    certified: Arc<CertifiedKey>,
    ends: civil::Date,
}

impl SelfSigned {
    /// Reads the certificate in a folder. Makes a new one if there is none, if it has other names,
    /// or if it ends soon. Keeps the key unless it cannot be read.
    pub(crate) fn open(folder: &Path, names: Vec<String>, now: Timestamp) -> Result<Self> {
        let path = folder.join(FILE);
        let kept = files::read(&path)?.unwrap_or_default();
        let key = match key_in(&kept) {
            Some(key) => key,
            None => KeyPair::generate().map_err(cannot_be_made)?,
        };
        let made = kept_for(&kept, &names).filter(|made| !made.ends_soon(now));
        let current = if let Some(made) = made {
            made
        } else {
            let (pem, made) = make(&names, &key, now)?;
            files::create_private_dir(folder)?;
            files::replace(&path, pem.as_bytes())?;
            made
        };
        Ok(Self {
            path,
            names,
            key,
            current: Mutex::new(current),
        })
    }

    /// Returns the certificate. Renews it first if it ends soon.
    pub(crate) fn certificate(&self, now: Timestamp) -> Arc<CertifiedKey> {
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        if current.ends_soon(now) {
            match make(&self.names, &self.key, now) {
                Ok((pem, made)) => {
                    *current = made;
                    // If the file cannot be written, the next start renews the certificate again.
                    if let Err(cause) = files::replace(&self.path, pem.as_bytes()) {
                        tracing::warn!(error = %cause.logged(), "a renewed certificate could not be stored");
                    }
                }
                Err(cause) => {
                    tracing::error!(error = %cause.logged(), "the certificate is not renewed");
                }
            }
        }
        Arc::clone(&current.certified)
    }
}

impl ResolvesServerCert for SelfSigned {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.certificate(Timestamp::now()))
    }
}

impl Made {
    fn ends_soon(&self, now: Timestamp) -> bool {
        let renewed = self.ends.saturating_sub(RENEWED_DAYS.days());
        day(now) >= renewed
    }
}

fn day(at: Timestamp) -> civil::Date {
    at.to_zoned(TimeZone::UTC).date()
}

/// Parses the kept file. `None` if it has other names, or was written by an earlier version, whose
/// files have no end date.
fn kept_for(kept: &[u8], names: &[String]) -> Option<Made> {
    let text = std::str::from_utf8(kept).ok()?;
    let mut lines = text.lines();
    let kept_names = lines.next()?.strip_prefix("For ")?;
    let ends = lines.next()?.strip_prefix("Until ")?.parse().ok()?;
    let certified = Arc::new(certified(kept, kept).ok()?);
    (kept_names == names.join(" ")).then_some(Made { certified, ends })
}

fn key_in(kept: &[u8]) -> Option<KeyPair> {
    let key = PrivateKeyDer::from_pem_slice(kept).ok()?;
    KeyPair::try_from(&key).ok()
}

/// Makes a certificate. Returns the content of its file, and the certificate.
fn make(names: &[String], key: &KeyPair, now: Timestamp) -> Result<(String, Made)> {
    // Begins a day early, because the clock of a visitor may be late.
    let begins = day(now).saturating_sub(1.day());
    let ends = begins.saturating_add(VALID_DAYS.days());
    let number = |part: i8| u8::try_from(part).unwrap_or(1);
    let midnight =
        |day: civil::Date| date_time_ymd(day.year().into(), number(day.month()), number(day.day()));
    let mut wanted = CertificateParams::new(names).map_err(cannot_be_made)?;
    (wanted.not_before, wanted.not_after) = (midnight(begins), midnight(ends));
    // Firefox refuses a second certificate with the same serial number.
    let serial = u64::try_from(now.as_microsecond()).unwrap_or_default();
    wanted.serial_number = Some(serial.into());
    wanted.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    wanted.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    wanted
        .distinguished_name
        .push(DnType::CommonName, "Latchkey gateway");
    let made = wanted.self_signed(key).map_err(cannot_be_made)?;
    let pem = format!(
        "For {}\nUntil {ends}\n{}{}",
        names.join(" "),
        made.pem(),
        key.serialize_pem()
    );
    let certified = Arc::new(certified(pem.as_bytes(), pem.as_bytes())?);
    Ok((pem, Made { certified, ends }))
}

fn cannot_be_made(cause: rcgen::Error) -> latchkey_core::Error {
    invalid("A certificate for that address cannot be made.").because(cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Vec<String> {
        vec!["127.0.0.1".to_owned(), "a.example".to_owned()]
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn public_key(certified: &CertifiedKey) -> Vec<u8> {
        certified.key.public_key().unwrap().to_vec()
    }

    fn end_of(path: &Path) -> String {
        let text = std::fs::read_to_string(path).unwrap();
        let line = text.lines().nth(1).unwrap();
        line.strip_prefix("Until ").unwrap().to_owned()
    }

    #[test]
    fn a_certificate_is_valid_for_397_days_and_is_renewed_with_the_same_key_while_in_use() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        let own = SelfSigned::open(folder.path(), names(), at("2026-01-02T10:00:00Z")).unwrap();
        assert_eq!(end_of(&path), "2027-02-02");
        let first = own.certificate(at("2026-01-02T10:00:00Z"));
        let later = own.certificate(at("2027-01-02T23:59:59Z"));
        assert_eq!(first.cert, later.cert);
        let renewed = own.certificate(at("2027-01-03T00:00:00Z"));
        assert_ne!(first.cert, renewed.cert);
        assert_eq!(public_key(&first), public_key(&renewed));
        assert_eq!(end_of(&path), "2028-02-03");
        // A restart uses the same certificate.
        let again = SelfSigned::open(folder.path(), names(), at("2027-06-01T00:00:00Z")).unwrap();
        let kept = again.certificate(at("2027-06-01T00:00:00Z"));
        assert_eq!(kept.cert, renewed.cert);
    }

    #[test]
    fn a_start_renews_a_certificate_that_ends_soon_or_has_other_names_with_the_same_key() {
        let folder = tempfile::tempdir().unwrap();
        let opened = |names: Vec<String>, now: &str| {
            let own = SelfSigned::open(folder.path(), names, at(now)).unwrap();
            own.certificate(at(now))
        };
        let first = opened(names(), "2026-01-02T10:00:00Z");
        let soon = opened(names(), "2027-01-20T10:00:00Z");
        let late = opened(names(), "2031-01-20T10:00:00Z");
        let other = opened(vec!["b.example".to_owned()], "2031-01-21T10:00:00Z");
        for (one, two) in [(&first, &soon), (&soon, &late), (&late, &other)] {
            assert_ne!(one.cert, two.cert);
            assert_eq!(public_key(one), public_key(two));
        }
    }

    /// Earlier versions made certificates that are valid until the year 4096, in a file without an
    /// end date.
    #[test]
    fn a_certificate_of_an_earlier_version_is_replaced_and_keeps_its_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        let now = at("2026-11-26T10:00:00Z");
        let own = SelfSigned::open(folder.path(), names(), now).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let (before, after) = text.split_once("Until 2027-12-27\n").unwrap();
        std::fs::write(&path, format!("{before}{after}")).unwrap();
        let again = SelfSigned::open(folder.path(), names(), now).unwrap();
        assert_eq!(
            public_key(&again.certificate(now)),
            public_key(&own.certificate(now))
        );
        assert_eq!(end_of(&path), "2027-12-27");
        // A damaged file is replaced by a new certificate with a new key.
        std::fs::write(&path, &text.as_bytes()[..200]).unwrap();
        let new = SelfSigned::open(folder.path(), names(), now).unwrap();
        assert_ne!(
            public_key(&new.certificate(now)),
            public_key(&own.certificate(now))
        );
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_can_read_the_key_file() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        SelfSigned::open(folder.path(), names(), Timestamp::now()).unwrap();
        let kept = std::fs::metadata(folder.path().join(FILE)).unwrap();
        assert_eq!(kept.permissions().mode() & 0o777, 0o600);
    }
}
