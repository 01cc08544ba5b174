//! Reading a code **without verifying it**, to show it to a person. Nothing here decides anything.
//! [`verify`](super::verify()) judges a code.

use base64::Engine as _;
use serde_json::Value;

use super::lenient::LENIENT;
use super::{Algorithm, signature_matches};

/// Parts of a code, and the values that they decode to.
#[derive(Clone, Debug, PartialEq)]
pub struct UnverifiedCode {
    /// Encoded header.
    pub header: String,
    /// Encoded claims.
    pub claims: String,
    /// Encoded signature.
    pub signature: String,
    /// Header, if it is JSON.
    pub header_json: Option<Value>,
    /// Claims, if they are JSON. Of duplicate members only the last is kept.
    pub claims_json: Option<Value>,
}

impl UnverifiedCode {
    /// Returns the algorithm of the header, if it is supported.
    #[must_use]
    pub fn algorithm(&self) -> Option<Algorithm> {
        let header = self.header_json.as_ref()?;
        header.get("alg")?.as_str()?.parse().ok()
    }

    /// Returns whether a part has a character of plain base64 that base64url without padding lacks.
    #[must_use]
    pub fn is_plain_base64(&self) -> bool {
        let parts = [&self.header, &self.claims, &self.signature];
        parts.iter().any(|part| part.contains(['+', '/', '=']))
    }

    /// Returns whether the code was signed with the bytes of a key, by the algorithm in its header.
    #[must_use]
    pub fn is_signed_with(&self, key: &[u8]) -> bool {
        let message = format!("{}.{}", self.header, self.claims);
        self.algorithm()
            .is_some_and(|algorithm| signature_matches(&message, &self.signature, key, algorithm))
    }
}

/// Splits and decodes a code for display.
#[must_use]
pub fn read(code: &str) -> UnverifiedCode {
    let mut parts = code.splitn(3, '.').map(str::to_owned);
    let mut next = || parts.next().unwrap_or_default();
    let (header, claims, signature) = (next(), next(), next());
    UnverifiedCode {
        header_json: json_part(&header),
        claims_json: json_part(&claims),
        header,
        claims,
        signature,
    }
}

/// Decodes the JSON of an encoded part.
pub(super) fn json_part(part: &str) -> Option<Value> {
    // Accepts the characters of plain base64, too.
    let bytes = LENIENT
        .decode(part.replace('+', "-").replace('/', "_"))
        .ok()?;
    serde_json::from_slice(&bytes).ok()
}
