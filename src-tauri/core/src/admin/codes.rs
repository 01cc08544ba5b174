//! Codes and verdicts.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::protocol::claims::{Claims, Registered};
use crate::protocol::code::{CodeRefusal, VerifiedCode};
use crate::protocol::payload::Payload;
use crate::protocol::user_id::UserId;
use crate::verdict::{RecordedRefusal, Refusal, Verdict};
use crate::{Error, Result};

/// Claims that the client has signed or verified with the key of the instance. Only clients that
/// may make links for everybody may send them.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SignedClaims {
    /// All claims.
    #[schema(value_type = Object)]
    pub claims: Map<String, Value>,
}

impl SignedClaims {
    /// Returns the code that the client has verified at a time.
    ///
    /// Fails if the claims break a rule of the protocol.
    pub fn verified(self, now: Timestamp) -> Result<VerifiedCode> {
        let invalid = |refusal: CodeRefusal| {
            let field = refusal.member_name().unwrap_or("claims").to_owned();
            Error::member(field, refusal.shown())
        };
        Ok(VerifiedCode {
            payload: Payload::from_claims(&self.claims).map_err(invalid)?,
            registered: Registered::from_members(&self.claims).map_err(invalid)?,
            members: self.claims,
            judged_at: now.as_second(),
        })
    }

    /// Returns the claims of a code that the client has signed.
    pub fn signed(self) -> Result<Claims> {
        let code = self.verified(Timestamp::UNIX_EPOCH)?;
        Ok(Claims {
            payload: code.payload,
            registered: code.registered,
        })
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
}

/// A [`Verdict`] without any text of an unverified code.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordedVerdict {
    /// An existing user is signed in.
    SignedIn {
        /// ID of the user.
        user: UserId,
        /// Whether the profile is taken from the code.
        refreshes_profile: bool,
    },
    /// The user is created.
    Provisioned {
        /// ID of the user.
        user: UserId,
        /// Number of the seat, counted from 1.
        seat: u64,
        /// Number of seats. Null for no limit.
        limit: Option<u64>,
    },
    /// Nobody is signed in.
    Refused(RecordedRefusal),
}

impl From<Verdict> for Judged {
    fn from(verdict: Verdict) -> Self {
        Self {
            code: verdict.code().to_owned(),
            verdict: match verdict {
                Verdict::SignedIn {
                    user,
                    refreshes_profile,
                } => RecordedVerdict::SignedIn {
                    user,
                    refreshes_profile,
                },
                Verdict::Provisioned { user, seat, limit } => {
                    RecordedVerdict::Provisioned { user, seat, limit }
                }
                Verdict::Refused(refusal) => RecordedVerdict::Refused(refusal.recorded()),
            },
        }
    }
}

impl TryFrom<Judged> for Verdict {
    type Error = Error;

    /// Fails for a refusal of a code by itself, because the client judges that.
    fn try_from(judged: Judged) -> Result<Self> {
        Ok(match judged.verdict {
            RecordedVerdict::SignedIn {
                user,
                refreshes_profile,
            } => Self::SignedIn {
                user,
                refreshes_profile,
            },
            RecordedVerdict::Provisioned { user, seat, limit } => {
                Self::Provisioned { user, seat, limit }
            }
            RecordedVerdict::Refused(refusal) => Self::Refused(of_directory(refusal)?),
        })
    }
}

/// Converts a refusal that depends on the directory.
fn of_directory(refusal: RecordedRefusal) -> Result<Refusal> {
    refusal.try_map(|_| Err(Error::internal("a verified code was refused by itself")))
}
