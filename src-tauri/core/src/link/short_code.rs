//! The code of a short link, and the URL in which it stands.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use url::Url;
use zeroize::Zeroizing;

use super::BaseUrl;
use crate::{Error, ErrorCode, Result};

/// Number of random bytes.
const RANDOM: usize = 16;

/// Number of characters of a code.
const CODE_CHARS: usize = 26;

/// Alphabet of RFC 4648 §6. QR codes have a compact mode for its characters.
const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// Code of a short link: 128 random bits as 26 characters in base 32. Any holder can sign in with it,
/// so it is not printed by `Debug`. The ledger keeps only its hash.
#[derive(Clone)]
pub struct ShortCode(Zeroizing<String>);

/// SHA-256 of a short code. It cannot be used to sign in.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ShortCodeHash(#[serde(with = "crate::hash")] [u8; 32]);

impl ShortCode {
    /// Generates a code with random bytes of the operating system.
    ///
    /// Fails with [`ErrorCode::NoRandomness`].
    pub fn new() -> Result<Self> {
        let mut bytes = Zeroizing::new([0_u8; RANDOM]);
        getrandom::fill(&mut *bytes).map_err(|cause| {
            Error::new(
                ErrorCode::NoRandomness,
                "The operating system gave no random bytes, so there is no short link. Try again.",
            )
            .because(cause)
        })?;
        Ok(Self(Zeroizing::new(base32(*bytes))))
    }

    /// Returns the code as it stands in a link.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Returns the hash by which the ledger knows the code.
    #[must_use]
    pub fn hash(&self) -> ShortCodeHash {
        ShortCodeHash::of(&self.0)
    }

    /// Returns the short URL at the gateway of an instance. It is in upper case, so that its QR code
    /// is small. A folder with lower-case letters keeps the case of the rest, because the case of a path
    /// counts.
    #[must_use]
    pub fn url(&self, base: &BaseUrl) -> String {
        let (folder, authority, code) = (base.folder(), base.authority(), self.expose());
        let scheme = if base.is_https() { "https" } else { "http" };
        if folder.contains(|sign: char| sign.is_ascii_lowercase()) {
            return format!("{scheme}://{authority}{folder}/auth/l/{code}");
        }
        let start = format!("{scheme}://{authority}{folder}/auth/l/");
        format!("{}{code}", start.to_ascii_uppercase())
    }
}

impl ShortCodeHash {
    /// Returns the hash of a code in upper or lower case. Any other text has a hash that no code has.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let text = Zeroizing::new(text.to_ascii_uppercase());
        Self(Sha256::digest(text.as_bytes()).into())
    }

    /// Returns the bytes of the hash.
    #[must_use]
    pub const fn to_bytes(self) -> [u8; 32] {
        self.0
    }
}

/// Returns whether a text is the URL of a short link, of any gateway.
#[must_use]
pub fn is_short_link(text: &str) -> bool {
    let Ok(url) = Url::parse(text.trim()) else {
        return false;
    };
    let path = url.path().to_ascii_uppercase();
    let code = path.rsplit_once("/AUTH/L/").map(|(_, code)| code);
    code.is_some_and(|code| {
        code.len() == CODE_CHARS && code.bytes().all(|byte| ALPHABET.contains(&byte))
    })
}

/// Encodes bytes in base 32 without padding.
fn base32(bytes: [u8; RANDOM]) -> String {
    let all = u128::from_be_bytes(bytes);
    // 128 bits are 25 groups of 5 bits and one of 3, which is filled with zeros.
    let groups = (0..25_u32).map(|number| all >> (123 - 5 * number));
    let indexes = groups.chain([all << 2]).map(|group| (group & 31) as usize);
    indexes
        .filter_map(|index| ALPHABET.get(index))
        .map(|sign| char::from(*sign))
        .collect()
}

impl fmt::Debug for ShortCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ShortCode([redacted])")
    }
}

/// Writes the first bytes of the hash in hexadecimal, which are enough to tell two apart.
impl fmt::Debug for ShortCodeHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.0.iter().take(4) {
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::link::qr::Qr;

    fn url(base: &str) -> String {
        let code = ShortCode::new().unwrap();
        let url = code.url(&BaseUrl::parse(base).unwrap());
        url.replace(code.expose(), "CODE")
    }

    #[test]
    fn a_short_code_is_128_bits_in_base_32_and_is_not_printed() {
        // RFC 4648 §10: 'foobar' is MZXW6YTBOI.
        let mut bytes = [0; RANDOM];
        for (to, from) in bytes.iter_mut().zip(b"foobar") {
            *to = *from;
        }
        assert_eq!(base32(bytes), "MZXW6YTBOIAAAAAAAAAAAAAAAA");
        assert_eq!(base32([u8::MAX; RANDOM]), format!("{}4", "7".repeat(25)));
        let (one, other) = (ShortCode::new().unwrap(), ShortCode::new().unwrap());
        assert_eq!(one.expose().len(), 26);
        assert_ne!(one.expose(), other.expose());
        assert_ne!(one.hash(), other.hash());
        assert_eq!(format!("{one:?}"), "ShortCode([redacted])");
    }

    #[test]
    fn the_hash_is_that_of_the_code_in_any_case() {
        let code = ShortCode::new().unwrap();
        let lower = code.expose().to_lowercase();
        assert_eq!(ShortCodeHash::of(&lower), code.hash());
        assert_ne!(ShortCodeHash::of(&format!("{lower}a")), code.hash());
        let json = serde_json::to_string(&code.hash()).unwrap();
        assert_eq!(
            serde_json::from_str::<ShortCodeHash>(&json).unwrap(),
            code.hash()
        );
        assert!(!json.contains(code.expose()));
    }

    #[test]
    fn the_url_is_in_upper_case_unless_its_folder_has_lower_case_letters() {
        for (base, short) in [
            (
                "https://chat.acme.example",
                "HTTPS://CHAT.ACME.EXAMPLE/AUTH/L/CODE",
            ),
            (
                "http://localhost:8787/?a=b#c",
                "HTTP://LOCALHOST:8787/AUTH/L/CODE",
            ),
            (
                "https://acme.example/CHAT/",
                "HTTPS://ACME.EXAMPLE/CHAT/AUTH/L/CODE",
            ),
            (
                "https://acme.example/chat/",
                "https://acme.example/chat/auth/l/CODE",
            ),
        ] {
            assert_eq!(url(base), short);
        }
    }

    #[test]
    fn a_short_link_is_recognised_in_either_case() {
        let code = ShortCode::new().unwrap();
        for base in ["https://acme.example", "https://acme.example/chat/"] {
            let url = code.url(&BaseUrl::parse(base).unwrap());
            assert!(
                is_short_link(&url) && is_short_link(&url.to_lowercase()),
                "{url}"
            );
            assert!(!is_short_link(&format!("{url}A")));
        }
        for other in ["", "https://acme.example/auth/l/", code.expose()] {
            assert!(!is_short_link(other), "{other}");
        }
    }

    #[test]
    fn the_qr_code_of_a_short_link_has_version_3_or_4() {
        let code = ShortCode::new().unwrap();
        for base in [
            "http://192.168.1.20:8787",
            "https://a.example",
            "https://chat.yourcompany.com",
            "https://a-rather-long-name.of-some.department.example",
        ] {
            let url = code.url(&BaseUrl::parse(base).unwrap());
            let qr = Qr::for_url(&url).unwrap();
            assert!([3, 4].contains(&qr.version()), "{}: {base}", qr.version());
        }
    }
}
