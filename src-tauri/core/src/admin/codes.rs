//! Codes and verdicts.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::inspect::{RefusedCode, Unverified};
use crate::protocol::claims::Claims;
use crate::protocol::code::VerifiedCode;
use crate::protocol::link_id;
use crate::secret::{Secret, exposed_if_any};
use crate::verdict::{RecordedVerdict, Refusal, Verdict};
use crate::{Error, ErrorCode, Result};

/// Claims that the client has signed or verified with the key of the instance. Only clients that
/// may make links for everybody may send them.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignedClaims {
    /// All claims.
    #[schema(value_type = Object)]
    pub claims: Map<String, Value>,
    /// ID of the link, for a verified code without `jti`. Defaults to a hash of the claims.
    #[serde(
        default,
        deserialize_with = "super::some",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(nullable = false, min_length = 1, max_length = 255)]
    pub link: Option<String>,
    /// Whether Latchkey has made the `jti` with the key that signed the code.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[schema(default = false)]
    pub is_made_here: bool,
}

impl From<&Claims> for SignedClaims {
    fn from(claims: &Claims) -> Self {
        Self {
            claims: claims.members(),
            link: None,
            is_made_here: true,
        }
    }
}

impl From<&VerifiedCode> for SignedClaims {
    fn from(code: &VerifiedCode) -> Self {
        Self {
            claims: code.members.clone(),
            link: code.registered.id.is_none().then(|| code.link.clone()),
            is_made_here: code.is_made_here,
        }
    }
}

impl SignedClaims {
    /// Returns the code that the client has verified at a time.
    ///
    /// Fails if the claims break a rule of the protocol.
    pub fn verified(self, now: Timestamp) -> Result<VerifiedCode> {
        let Claims {
            payload,
            registered,
        } = Claims::from_signed(&self.claims)?;
        let id = registered.id.clone().or(self.link);
        Ok(VerifiedCode {
            payload,
            link: id.unwrap_or_else(|| {
                let claims = Value::Object(self.claims.clone());
                link_id::id_of_code(&claims.to_string())
            }),
            is_made_here: self.is_made_here,
            registered,
            members: self.claims,
            judged_at: now.as_second(),
            key_id: None,
        })
    }

    /// Returns the claims of a code that the client has signed.
    pub fn signed(self) -> Result<Claims> {
        Claims::from_signed(&self.claims)
    }
}

/// A code to redeem: either the code, which the gateway verifies, or the claims of a code that the
/// client has verified.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RedemptionRequest {
    /// A code, a login link, or any text with exactly one code.
    #[serde(
        default,
        deserialize_with = "super::some",
        serialize_with = "exposed_if_any::serialize",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = String, nullable = false)]
    pub code: Option<Secret>,
    /// All claims of a verified code.
    #[serde(
        default,
        deserialize_with = "super::some",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(value_type = Object, nullable = false)]
    pub claims: Option<Map<String, Value>>,
    /// ID of the link, for claims without `jti`. Defaults to a hash of the claims.
    #[serde(
        default,
        deserialize_with = "super::some",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(nullable = false, min_length = 1, max_length = 255)]
    pub link: Option<String>,
    /// Whether Latchkey has made the `jti` with the key that signed the code.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    #[schema(default = false)]
    pub is_made_here: bool,
}

/// Member of a [`RedemptionRequest`].
#[derive(Debug)]
pub enum CodeToRedeem {
    /// Text with a code.
    Code(Secret),
    /// Claims of a verified code.
    Claims(SignedClaims),
}

impl RedemptionRequest {
    /// Returns what the request has.
    ///
    /// Fails unless it has either member.
    pub fn parse(self) -> Result<CodeToRedeem> {
        match (self.code, self.claims) {
            (Some(code), None) => Ok(CodeToRedeem::Code(code)),
            (None, Some(claims)) => Ok(CodeToRedeem::Claims(SignedClaims {
                claims,
                link: self.link,
                is_made_here: self.is_made_here,
            })),
            _ => {
                let message = "Send either the code, or the claims of a code that is verified.";
                Err(Error::new(ErrorCode::InvalidPayload, message).about("code"))
            }
        }
    }
}

/// A verdict in words and in data.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct Judged {
    /// Stable code of the verdict.
    pub code: String,
    /// The verdict: `signed_in`, `provisioned` or `refused`, with its parameters.
    #[schema(value_type = Object)]
    pub verdict: RecordedVerdict,
    /// Reason why the code by itself is refused. It is missing for other verdicts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub refused: Option<RefusedCode>,
}

impl From<Verdict> for Judged {
    fn from(verdict: Verdict) -> Self {
        let refused = match &verdict {
            Verdict::Refused(Refusal::Code(refused)) => {
                Some(RefusedCode::new(refused, Unverified::Withheld))
            }
            _ => None,
        };
        Self {
            code: verdict.code().to_owned(),
            verdict: verdict.recorded(),
            refused,
        }
    }
}

impl Judged {
    /// Returns the verdict, or the reason why the code by itself is refused.
    pub fn of_gateway(self) -> Result<std::result::Result<Verdict, RefusedCode>> {
        match self.refused {
            Some(refused) => Ok(Err(refused)),
            None => Verdict::try_from(self).map(Ok),
        }
    }
}

impl TryFrom<Judged> for Verdict {
    type Error = Error;

    /// Fails for a refusal of a code by itself, because the client judges that.
    fn try_from(judged: Judged) -> Result<Self> {
        let by_itself = |_| Err(Error::internal("a verified code was refused by itself"));
        judged.verdict.try_map(by_itself)
    }
}
