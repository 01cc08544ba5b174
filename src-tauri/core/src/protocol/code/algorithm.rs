use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Error, ErrorCode};

/// Signature algorithm of an instance's codes (RFC 7518 §3.2). No others are supported.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
pub enum Algorithm {
    /// HMAC with SHA-256, the algorithm of the protocol.
    #[default]
    HS256,
    /// HMAC with SHA-384.
    HS384,
    /// HMAC with SHA-512.
    HS512,
}

impl Algorithm {
    /// All algorithms.
    pub const ALL: [Self; 3] = [Self::HS256, Self::HS384, Self::HS512];

    /// Returns the value of the header's `alg`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::HS256 => "HS256",
            Self::HS384 => "HS384",
            Self::HS512 => "HS512",
        }
    }

    /// Returns the length of the hash in bytes, which is also the minimum length of a key (RFC 7518
    /// §3.2).
    #[must_use]
    pub const fn hash_bytes(self) -> usize {
        match self {
            Self::HS256 => 32,
            Self::HS384 => 48,
            Self::HS512 => 64,
        }
    }

    /// Returns the length of a signature in base64url, in characters.
    #[must_use]
    pub const fn signature_chars(self) -> usize {
        (self.hash_bytes() * 8).div_ceil(6)
    }

    /// Returns the encoded header of codes from Latchkey. Most codes have it, so it need not be
    /// decoded.
    pub(crate) const fn usual_header(self) -> &'static str {
        match self {
            Self::HS256 => "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9",
            Self::HS384 => "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzM4NCJ9",
            Self::HS512 => "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzUxMiJ9",
        }
    }

    pub(crate) const fn jwt(self) -> jsonwebtoken::Algorithm {
        match self {
            Self::HS256 => jsonwebtoken::Algorithm::HS256,
            Self::HS384 => jsonwebtoken::Algorithm::HS384,
            Self::HS512 => jsonwebtoken::Algorithm::HS512,
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Algorithm {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.name().eq_ignore_ascii_case(text.trim()))
            .ok_or_else(|| {
                Error::new(
                    ErrorCode::InvalidSetting,
                    "The algorithm is one of HS256, HS384 and HS512.",
                )
                .about("algorithm")
            })
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    #[test]
    fn the_usual_header_decodes_to_its_algorithm() {
        for algorithm in Algorithm::ALL {
            let header = URL_SAFE_NO_PAD.decode(algorithm.usual_header()).unwrap();
            let expected = format!(r#"{{"typ":"JWT","alg":"{algorithm}"}}"#);
            assert_eq!(String::from_utf8(header).unwrap(), expected);
        }
    }
}
