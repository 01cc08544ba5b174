//! Making of a signed code.

use crate::protocol::claims::Claims;
use crate::protocol::code::{Algorithm, ExternalAuthCode, MAX_BYTES};
use crate::secret::SigningKey;
use crate::{Error, ErrorCode, Result};

/// Signs claims.
///
/// Fails with [`ErrorCode::CodeTooLong`] if the code would be longer than [`MAX_BYTES`], which only
/// metadata can cause.
pub fn sign(claims: &Claims, key: &SigningKey, algorithm: Algorithm) -> Result<ExternalAuthCode> {
    let header = jsonwebtoken::Header::new(algorithm.jwt());
    let code = jsonwebtoken::encode(&header, claims, key.signing()).map_err(|cause| {
        Error::new(
            ErrorCode::InvalidSecret,
            "The code could not be signed with this secret.",
        )
        .about("secret")
        .because(cause)
    })?;
    if code.len() > MAX_BYTES {
        return Err(Error::new(
            ErrorCode::CodeTooLong,
            format!(
                "The code would have {} bytes; the maximum is {MAX_BYTES}. Leave out some metadata.",
                code.len()
            ),
        )
        .about("metadata"));
    }
    Ok(ExternalAuthCode::from_text(code))
}
