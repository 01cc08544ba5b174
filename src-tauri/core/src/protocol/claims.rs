//! The signed claims: the payload and the registered claims of RFC 7519 §4.1.

use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use crate::Error;
use crate::protocol::account_end::{ACCOUNT_DAYS, ACCOUNT_ENDS, AccountEnd};
use crate::protocol::audience::breaks_line;
use crate::protocol::code::CodeRefusal;
use crate::protocol::lifetime::Lifetime;
use crate::protocol::numeric_date::numeric_date;
use crate::protocol::payload::Payload;
use crate::protocol::uses::{MAX_USES, Uses};

/// Names of the registered claims, which a payload must not use.
pub const REGISTERED: [&str; 7] = ["iss", "sub", "aud", "exp", "nbf", "iat", "jti"];

/// Private claim of a code that works once. The protocol has no such claim, so an instance that is
/// hosted elsewhere ignores it.
pub const SINGLE_USE: &str = "single_use";

/// Private claim of a code that works several times: the number of sign-ins, from 2 to
/// [`MAX_USES`](super::uses::MAX_USES).
pub const USES: &str = "uses";

/// The registered claims. Times are in Unix seconds (`NumericDate`).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Registered {
    /// `iat`: time when the code was issued.
    pub issued_at: Option<i64>,
    /// `exp`: time from which the code is refused.
    pub expires_at: Option<i64>,
    /// `nbf`: time from which the code is accepted.
    pub not_before: Option<i64>,
    /// `jti`: ID of the code, by which it is used up or revoked.
    pub id: Option<String>,
    /// `iss`: issuer of the code.
    pub issuer: Option<String>,
    /// `sub`: subject of the code, in the issuer's words.
    pub subject: Option<String>,
    /// `aud`: audience of the code.
    pub audience: Option<String>,
    /// [`SINGLE_USE`] or [`USES`]: number of sign-ins for which the code works.
    pub uses: Uses,
    /// [`ACCOUNT_ENDS`] or [`ACCOUNT_DAYS`]: end of the account that the code creates.
    pub account_end: Option<AccountEnd>,
}

/// Returns whether a text can be the ID of a code, which is listed in terminals and files.
fn is_id(text: &str) -> bool {
    (1..=255).contains(&text.len()) && !text.contains(breaks_line)
}

impl Registered {
    /// Parses the registered claims. A member of a wrong type is refused. `iss` and `sub` are
    /// ignored unless they are texts, because no rule depends on them. `aud` is judged by
    /// [`Audiences`](crate::protocol::audience::Audiences).
    pub fn from_members(members: &Map<String, Value>) -> Result<Self, CodeRefusal> {
        let text = |name| members.get(name).and_then(Value::as_str).map(str::to_owned);
        let id = match members.get("jti") {
            None => None,
            Some(Value::String(id)) if is_id(id) => Some(id.clone()),
            Some(_) => {
                return Err(CodeRefusal::member(
                    "jti",
                    "It is not a text of 1 to 255 bytes in one line.",
                ));
            }
        };
        let uses = uses(members)?;
        if uses.limit().is_some() && id.is_none() {
            return Err(CodeRefusal::member(
                "jti",
                "It is missing. A code with a limited number of uses needs it, because its uses are recorded under it.",
            ));
        }
        Ok(Self {
            issued_at: numeric_date(members, "iat")?,
            expires_at: numeric_date(members, "exp")?,
            not_before: numeric_date(members, "nbf")?,
            id,
            issuer: text("iss"),
            subject: text("sub"),
            audience: text("aud"),
            uses,
            account_end: AccountEnd::from_members(members)?,
        })
    }
}

impl Registered {
    /// Returns the time for which the code works, from its start on. `None` if it is not known.
    #[must_use]
    pub fn lifetime(&self) -> Option<Lifetime> {
        let Some(ends) = self.expires_at else {
            return Some(Lifetime::Never);
        };
        let begins = self.not_before.max(self.issued_at)?;
        (ends > begins).then(|| Lifetime::Secs(ends.saturating_sub(begins)))
    }
}

/// Parses the number of uses.
fn uses(members: &Map<String, Value>) -> Result<Uses, CodeRefusal> {
    let single = match members.get(SINGLE_USE) {
        None => None,
        Some(Value::Bool(single)) => Some(*single),
        Some(_) => return Err(CodeRefusal::member(SINGLE_USE, "It is not true or false.")),
    };
    let Some(value) = members.get(USES) else {
        return Ok(if single == Some(true) {
            Uses::ONCE
        } else {
            Uses::UNLIMITED
        });
    };
    if single.is_some() {
        let reason = format!("It stands beside '{SINGLE_USE}'. A code has only one of them.");
        return Err(CodeRefusal::member(USES, reason));
    }
    let several = value.as_u64().filter(|uses| *uses >= 2);
    several.and_then(Uses::limited).ok_or_else(|| {
        let reason = format!("It is not a whole number from 2 to {MAX_USES}.");
        CodeRefusal::member(USES, reason)
    })
}

/// A payload with its registered claims, ready to sign.
#[derive(Clone, Debug)]
pub struct Claims {
    /// User who signs in.
    pub payload: Payload,
    /// Claims about the code itself.
    pub registered: Registered,
}

impl Claims {
    /// Parses claims that Latchkey or a gateway has signed.
    ///
    /// Fails with [`ErrorCode::InvalidPayload`](crate::ErrorCode::InvalidPayload) if they break a
    /// rule of the protocol.
    pub fn from_signed(members: &Map<String, Value>) -> crate::Result<Self> {
        let invalid = |refusal: CodeRefusal| {
            let field = refusal.member_name().unwrap_or("claims").to_owned();
            Error::member(field, refusal.shown())
        };
        Ok(Self {
            payload: Payload::from_claims(members).map_err(invalid)?,
            registered: Registered::from_members(members).map_err(invalid)?,
        })
    }

    /// Returns the claims in the order in which they are signed: the payload first.
    #[must_use]
    pub fn members(&self) -> Map<String, Value> {
        match serde_json::to_value(self) {
            Ok(Value::Object(members)) => members,
            // A map with text keys always serializes to an object.
            Ok(_) | Err(_) => Map::new(),
        }
    }
}

impl Serialize for Claims {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let registered = &self.registered;
        let mut members = serializer.serialize_map(None)?;
        match &self.payload {
            Payload::Email(email) => members.serialize_entry("email", email)?,
            Payload::Id(id) => members.serialize_entry("id", id)?,
            Payload::User(user) => members.serialize_entry("user", user)?,
        }
        for (name, text) in [
            ("iss", &registered.issuer),
            ("sub", &registered.subject),
            ("aud", &registered.audience),
        ] {
            if let Some(text) = text {
                members.serialize_entry(name, text)?;
            }
        }
        for (name, time) in [
            ("iat", registered.issued_at),
            ("nbf", registered.not_before),
            ("exp", registered.expires_at),
        ] {
            if let Some(time) = time {
                members.serialize_entry(name, &time)?;
            }
        }
        if let Some(id) = &registered.id {
            members.serialize_entry("jti", id)?;
        }
        match registered.uses.limit() {
            None => {}
            Some(1) => members.serialize_entry(SINGLE_USE, &true)?,
            Some(uses) => members.serialize_entry(USES, &uses)?,
        }
        match registered.account_end {
            None => {}
            Some(AccountEnd::At(at)) => members.serialize_entry(ACCOUNT_ENDS, &at)?,
            Some(AccountEnd::AfterDays(days)) => members.serialize_entry(ACCOUNT_DAYS, &days)?,
        }
        members.end()
    }
}
