//! Reading a code **without verifying it**, to show it to a person. Nothing here decides
//! anything: whoever wants to know what a code is worth calls [`verify`](super::verify).

use base64::Engine as _;
use serde_json::Value;

use super::lenient::LENIENT;
use super::{Algorithm, signature_matches};

/// The parts of a code as they stand, and what they decode to as far as they do.
#[derive(Clone, Debug, PartialEq)]
pub struct UnverifiedCode {
    /// The encoded header.
    pub header: String,
    /// The encoded claims.
    pub claims: String,
    /// The encoded signature.
    pub signature: String,
    /// The header, if it is JSON.
    pub header_json: Option<Value>,
    /// The claims, if they are JSON. Of duplicate members the last is shown.
    pub claims_json: Option<Value>,
}

impl UnverifiedCode {
    /// Algorithm of the header, if it is known.
    #[must_use]
    pub fn algorithm(&self) -> Option<Algorithm> {
        let header = self.header_json.as_ref()?;
        header.get("alg")?.as_str()?.parse().ok()
    }

    /// Returns whether a part has a sign that plain base64 has and base64url without padding has not.
    #[must_use]
    pub fn is_plain_base64(&self) -> bool {
        let parts = [&self.header, &self.claims, &self.signature];
        parts.iter().any(|part| part.contains(['+', '/', '=']))
    }

    /// Returns whether the code was signed with the bytes of a key, by the algorithm that its header names.
    #[must_use]
    pub fn is_signed_with(&self, key: &[u8]) -> bool {
        let message = format!("{}.{}", self.header, self.claims);
        self.algorithm()
            .is_some_and(|algorithm| signature_matches(&message, &self.signature, key, algorithm))
    }
}

/// Takes a code apart for display.
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

/// Reads the JSON of an encoded part.
pub(super) fn json_part(part: &str) -> Option<Value> {
    // The letters of plain base64 are read, too.
    let bytes = LENIENT
        .decode(part.replace('+', "-").replace('/', "_"))
        .ok()?;
    serde_json::from_slice(&bytes).ok()
}
