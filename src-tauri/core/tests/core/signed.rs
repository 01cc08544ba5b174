//! Codes with any content, as another program could sign them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use latchkey_core::protocol::code::{Algorithm, CodeRefusal, CodeRules, VerifiedCode, verify};
use latchkey_core::secret::{Secret, SigningKey};

pub(crate) const SECRET: &str = "0123456789abcdef0123456789abcdef";
pub(crate) const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;
pub(crate) const RULES: CodeRules<'static> = CodeRules {
    algorithm: Algorithm::HS256,
    require_expiry: false,
    audiences: None,
};

pub(crate) fn now() -> Timestamp {
    Timestamp::from_second(1_795_300_000).unwrap()
}

pub(crate) fn key() -> SigningKey {
    SigningKey::from_text(&Secret::new(SECRET.into())).unwrap()
}

/// Signs header and claims without changing a byte of them.
pub(crate) fn signed(header: &str, claims: &str) -> String {
    signed_with(SECRET.as_bytes(), header, claims)
}

/// Signs with the bytes of another key.
pub(crate) fn signed_with(secret: &[u8], header: &str, claims: &str) -> String {
    key();
    let message = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header),
        URL_SAFE_NO_PAD.encode(claims)
    );
    let signature = jsonwebtoken::crypto::sign(
        message.as_bytes(),
        &jsonwebtoken::EncodingKey::from_secret(secret),
        jsonwebtoken::Algorithm::HS256,
    )
    .unwrap();
    format!("{message}.{signature}")
}

/// Signs claims and judges the code.
pub(crate) fn judge(claims: &str) -> Result<VerifiedCode, CodeRefusal> {
    verify(&signed(HEADER, claims), &[&key()], RULES, now())
}
