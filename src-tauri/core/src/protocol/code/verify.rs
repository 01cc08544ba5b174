//! Verification of a code by itself: signature, times, audience and payload. The directory is not
//! asked.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::protocol::audience::Audiences;
use crate::protocol::claims::Registered;
use crate::protocol::code::quote::Quote;
use crate::protocol::code::{Algorithm, CodeRefusal, LEEWAY_SECS, MAX_BYTES};
use crate::protocol::json;
use crate::protocol::link_id;
use crate::protocol::payload::Payload;
use crate::secret::SigningKey;
use crate::time;

/// Rules of an instance for a code by itself.
#[derive(Clone, Copy, Debug)]
pub struct CodeRules<'a> {
    /// The only accepted algorithm. The header never chooses.
    pub algorithm: Algorithm,
    /// Whether a code without `exp` is refused.
    pub require_expiry: bool,
    /// Accepted values of `aud`. `None` accepts any value.
    pub audiences: Option<Audiences<'a>>,
}

/// Content of a verified code.
#[derive(Clone, Debug)]
pub struct VerifiedCode {
    /// User who signs in.
    pub payload: Payload,
    /// Times and ID of the code.
    pub registered: Registered,
    /// All claims as they were signed.
    pub members: Map<String, Value>,
    /// Time of the verification, in Unix seconds.
    pub judged_at: i64,
    /// ID of the signing key, if it is known.
    pub key_id: Option<String>,
    /// ID of the link in the ledger: the `jti`, or a [hash](link_id::id_of_code) of the code.
    pub link: String,
    /// Whether Latchkey has made the ID with the key that signed the code.
    pub is_made_here: bool,
}

impl VerifiedCode {
    /// Returns whether the code was certainly issued after a time that this computer has recorded.
    /// The clock of the issuer may be [`LEEWAY_SECS`] ahead.
    #[must_use]
    pub fn is_issued_after(&self, moment: i64) -> bool {
        let issued_at = self.registered.issued_at;
        issued_at.is_some_and(|issued_at| time::is_surely_after(issued_at, moment))
    }
}

/// Judges a code by itself, in this order: form, algorithm, type, signature by any of `keys`,
/// audience, times, payload.
pub fn verify(
    code: &str,
    keys: &[&SigningKey],
    rules: CodeRules<'_>,
    now: Timestamp,
) -> Result<VerifiedCode, CodeRefusal> {
    let parts = Parts::of(code)?;
    parts.check_header(rules.algorithm)?;
    let key = parts.check_signature(keys, rules.algorithm)?;
    let in_time = |registered: &Registered| check_times(registered, rules, now);
    parts.judge_claims(Some(key), rules, now, in_time)
}

/// Judges a code like [`verify`]. A gateway that keeps the key says whether the signature is right.
pub(crate) fn verify_by_gateway(
    code: &str,
    is_signed: bool,
    rules: CodeRules<'_>,
    now: Timestamp,
) -> Result<VerifiedCode, CodeRefusal> {
    let parts = Parts::of(code)?;
    parts.check_header(rules.algorithm)?;
    if !is_signed {
        // Without a key, this finds a signature that is cut off, and refuses every other one.
        parts.check_signature(&[], rules.algorithm)?;
    }
    let in_time = |registered: &Registered| check_times(registered, rules, now);
    parts.judge_claims(None, rules, now, in_time)
}

/// Returns whether a message was signed with the bytes of a key.
pub(crate) fn signature_matches(
    message: &str,
    signature: &str,
    key: &[u8],
    algorithm: Algorithm,
) -> bool {
    super::hmac::install();
    let key = jsonwebtoken::DecodingKey::from_secret(key);
    jsonwebtoken::crypto::verify(signature, message.as_bytes(), &key, algorithm.jwt())
        .unwrap_or(false)
}

/// The three encoded parts of the compact serialization.
pub(super) struct Parts<'a> {
    message: &'a str,
    header: &'a str,
    claims: &'a str,
    signature: &'a str,
}

impl<'a> Parts<'a> {
    pub(super) fn of(code: &'a str) -> Result<Self, CodeRefusal> {
        if code.len() > MAX_BYTES {
            return Err(CodeRefusal::malformed(format!(
                "it has {} bytes, and the maximum is {MAX_BYTES}.",
                code.len()
            )));
        }
        let shape = || {
            CodeRefusal::malformed(
                "it does not have the three parts of a signed JWT, with dots between them.",
            )
        };
        let (message, signature) = code.rsplit_once('.').ok_or_else(shape)?;
        let (header, claims) = message.split_once('.').ok_or_else(shape)?;
        if claims.contains('.') || header.is_empty() || claims.is_empty() {
            return Err(shape());
        }
        Ok(Self {
            message,
            header,
            claims,
            signature,
        })
    }

    pub(super) fn check_header(&self, pinned: Algorithm) -> Result<(), CodeRefusal> {
        if self.header == pinned.usual_header() {
            return Ok(());
        }
        let header = object(self.header, "header", "is")?;
        match header.get("alg") {
            Some(Value::String(alg)) if alg == pinned.name() => {}
            Some(Value::String(_)) if header.contains_key("enc") => {
                return Err(CodeRefusal::malformed(
                    "it is encrypted (a JWE), and a code has to be signed (a JWS).",
                ));
            }
            Some(Value::String(alg)) => {
                return Err(CodeRefusal::UnsupportedAlgorithm {
                    found: Quote::new(
                        alg.chars()
                            .filter(|c| !c.is_control())
                            .take(40)
                            .collect::<String>(),
                    ),
                    pinned,
                });
            }
            Some(_) => return Err(CodeRefusal::malformed("'alg' in its header is not a text.")),
            None => return Err(CodeRefusal::malformed("its header has no 'alg'.")),
        }
        // RFC 7515 §4.1.9: case does not count.
        let is_jwt = |typ: &Value| {
            typ.as_str()
                .is_some_and(|typ| typ.eq_ignore_ascii_case("JWT"))
        };
        if !header.get("typ").is_none_or(is_jwt) {
            return Err(CodeRefusal::WrongType);
        }
        // RFC 7515 §4.1.11: an implementation must refuse critical extensions that it does not
        // support. Latchkey supports none.
        if header.contains_key("crit") {
            return Err(CodeRefusal::malformed(
                "its header demands an extension ('crit') that is not known here.",
            ));
        }
        Ok(())
    }

    /// Returns the key that has signed the code.
    pub(super) fn check_signature<'k>(
        &self,
        keys: &[&'k SigningKey],
        algorithm: Algorithm,
    ) -> Result<&'k SigningKey, CodeRefusal> {
        let (found, whole) = (self.signature.len(), algorithm.signature_chars());
        if found < whole {
            return Err(CodeRefusal::malformed(format!(
                "its end is missing: the signature has {found} of {whole} characters."
            )));
        }
        for key in keys {
            let matches = jsonwebtoken::crypto::verify(
                self.signature,
                self.message.as_bytes(),
                key.verifying(),
                algorithm.jwt(),
            )
            .map_err(|_| {
                CodeRefusal::malformed("its signature is not base64url without padding.")
            })?;
            if matches {
                return Ok(key);
            }
        }
        Err(CodeRefusal::BadSignature)
    }

    /// Judges the claims. `judge_times` judges the registered ones.
    pub(super) fn judge_claims(
        &self,
        key: Option<&SigningKey>,
        rules: CodeRules<'_>,
        now: Timestamp,
        judge_times: impl FnOnce(&Registered) -> Result<(), CodeRefusal>,
    ) -> Result<VerifiedCode, CodeRefusal> {
        let claims = object(self.claims, "claims", "are")?;
        let (registered, payload) = judge_members(&claims, rules, judge_times)?;
        let id = registered.id.as_deref();
        Ok(VerifiedCode {
            is_made_here: id
                .zip(key)
                .is_some_and(|(id, key)| link_id::is_made_with(id, key)),
            link: id.map_or_else(|| link_id::id_of_code(self.message), str::to_owned),
            payload,
            registered,
            members: claims,
            judged_at: now.as_second(),
            key_id: key.and_then(SigningKey::id).map(str::to_owned),
        })
    }
}

/// Judges claims of a link of the ledger like those of a code, without a signature. `link` is the
/// ID of the link.
pub(crate) fn verify_kept(
    members: Map<String, Value>,
    link: &str,
    key_id: Option<String>,
    rules: CodeRules<'_>,
    now: Timestamp,
) -> Result<VerifiedCode, CodeRefusal> {
    let in_time = |registered: &Registered| check_times(registered, rules, now);
    judge_kept(members, link, key_id, rules, now, in_time)
}

/// Judges claims like [`verify_kept`]. `judge_times` judges the registered ones.
pub(super) fn judge_kept(
    members: Map<String, Value>,
    link: &str,
    key_id: Option<String>,
    rules: CodeRules<'_>,
    now: Timestamp,
    judge_times: impl FnOnce(&Registered) -> Result<(), CodeRefusal>,
) -> Result<VerifiedCode, CodeRefusal> {
    let (registered, payload) = judge_members(&members, rules, judge_times)?;
    Ok(VerifiedCode {
        payload,
        registered,
        members,
        judged_at: now.as_second(),
        key_id,
        link: link.to_owned(),
        is_made_here: true,
    })
}

/// Judges claims in this order: audience, times, payload.
fn judge_members(
    members: &Map<String, Value>,
    rules: CodeRules<'_>,
    judge_times: impl FnOnce(&Registered) -> Result<(), CodeRefusal>,
) -> Result<(Registered, Payload), CodeRefusal> {
    if let Some(audiences) = rules.audiences {
        audiences.check(members)?;
    }
    let registered = Registered::from_members(members)?;
    judge_times(&registered)?;
    let payload = Payload::from_claims(members)?;
    Ok((registered, payload))
}

fn object(part: &str, what: &str, verb: &str) -> Result<Map<String, Value>, CodeRefusal> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| {
        CodeRefusal::malformed(format!("its {what} {verb} not base64url without padding."))
    })?;
    match json::parse(&bytes) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(_) => Err(CodeRefusal::malformed(format!(
            "its {what} {verb} not a JSON object."
        ))),
        Err(reason) => Err(CodeRefusal::malformed(format!(
            "its {what} cannot be read: {reason}."
        ))),
    }
}

pub(super) fn check_times(
    registered: &Registered,
    rules: CodeRules<'_>,
    now: Timestamp,
) -> Result<(), CodeRefusal> {
    let now = now.as_second();
    if let Some(at) = registered.expires_at
        && now >= at + LEEWAY_SECS
    {
        return Err(CodeRefusal::Expired { at });
    }
    let never = |at: i64| {
        let expires_at = registered.expires_at;
        expires_at
            .is_some_and(|end| at.saturating_sub(LEEWAY_SECS) >= end.saturating_add(LEEWAY_SECS))
    };
    if let Some(at) = registered.not_before
        && now + LEEWAY_SECS < at
    {
        return Err(CodeRefusal::NotYetValid {
            at,
            member: "nbf",
            never: never(at),
        });
    }
    if let Some(at) = registered.issued_at
        && now + LEEWAY_SECS < at
    {
        return Err(CodeRefusal::NotYetValid {
            at,
            member: "iat",
            never: never(at),
        });
    }
    if rules.require_expiry && registered.expires_at.is_none() {
        return Err(CodeRefusal::ExpiryRequired);
    }
    Ok(())
}
