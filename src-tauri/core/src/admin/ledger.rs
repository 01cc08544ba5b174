//! The ledger of issued links.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::SignedClaims;
use crate::activity::Actor;
use crate::instance::Hosted;
use crate::ledger::{
    self, GivenAs, GivenOut, IssuedLink, LinkOrigin, LinkPage, LinkStatus, ListedLink, Standing,
    TakenLink, Use,
};
use crate::link::short_code::ShortCodeHash;
use crate::protocol::claims::Claims;
use crate::protocol::user_id::UserId;
use crate::protocol::uses::Uses;
use crate::{Error, Result, time};

/// A sign-in by a link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = LinkUse)]
pub struct LedgerUse {
    /// Time.
    #[serde(with = "time::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub at: i64,
    /// Address of the visitor.
    #[schema(required, value_type = Option<String>)]
    pub address: Option<IpAddr>,
    /// Name of the browser (`User-Agent`). It is unverified text.
    #[schema(required)]
    pub browser: Option<String>,
}

/// One time that a link was given out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = LinkGivenOut)]
pub struct LedgerGivenOut {
    /// Way.
    pub given: GivenAs,
    /// Time.
    #[serde(with = "time::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub at: i64,
    /// Actor.
    pub by: Actor,
}

/// A link in the ledger, and what became of it. Unlike
/// [`IssuedLink`], it has its times as texts, and its state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct LedgerLink {
    /// ID of the link: the `jti` of its code, or a hash of it.
    pub id: String,
    /// State.
    pub status: LinkStatus,
    /// Time when it stopped working. Null if it works, or if the time is not known.
    #[serde(with = "time::rfc3339_if_any")]
    #[schema(required, value_type = Option<String>, format = DateTime)]
    pub ended_at: Option<i64>,
    /// Whether sessions that it began ended with it.
    pub ends_sessions: bool,
    /// User whom it signs in. Null for an address that nobody has.
    #[schema(required, value_type = Option<String>)]
    pub user: Option<UserId>,
    /// Address or ID in the payload. Null after the user was removed, and for codes of other
    /// systems.
    #[schema(required)]
    pub subject: Option<String>,
    /// Display name when it was given out.
    #[schema(required)]
    pub name: Option<String>,
    /// Note of the administrator.
    #[schema(required)]
    pub note: Option<String>,
    /// Origin of the link: `taken`, `scanned` from the screen, or `foreign`, which is a
    /// code of another system.
    pub origin: LinkOrigin,
    /// Times that it was given out, the earliest first.
    pub given: Vec<LedgerGivenOut>,
    /// ID of the signing key, if it is known.
    #[schema(required)]
    pub key: Option<String>,
    /// Time when it came into the ledger.
    #[serde(with = "time::rfc3339")]
    #[schema(value_type = String, format = DateTime)]
    pub entered_at: i64,
    /// Time in the code when it was issued.
    #[serde(with = "time::rfc3339_if_any")]
    #[schema(required, value_type = Option<String>, format = DateTime)]
    pub issued_at: Option<i64>,
    /// Time from which it works.
    #[serde(with = "time::rfc3339_if_any")]
    #[schema(required, value_type = Option<String>, format = DateTime)]
    pub not_before: Option<i64>,
    /// Time until which it works.
    #[serde(with = "time::rfc3339_if_any")]
    #[schema(required, value_type = Option<String>, format = DateTime)]
    pub expires_at: Option<i64>,
    /// Number of sign-ins for which it works. Null without a limit.
    #[schema(required, value_type = Option<u64>)]
    pub uses: Uses,
    /// Number of sign-ins so far.
    pub used: u64,
    /// First sign-in.
    #[schema(required)]
    pub first_use: Option<LedgerUse>,
    /// Last sign-in.
    #[schema(required)]
    pub last_use: Option<LedgerUse>,
    /// Whether it also has a short link.
    #[serde(default)]
    #[schema(required)]
    pub has_short: bool,
}

impl From<Use> for LedgerUse {
    fn from(sign_in: Use) -> Self {
        Self {
            at: sign_in.at,
            address: sign_in.address,
            browser: sign_in.browser,
        }
    }
}

impl From<LedgerUse> for Use {
    fn from(sign_in: LedgerUse) -> Self {
        Self {
            at: sign_in.at,
            address: sign_in.address,
            browser: sign_in.browser,
        }
    }
}

impl From<ListedLink> for LedgerLink {
    fn from(listed: ListedLink) -> Self {
        let ListedLink { link, standing } = listed;
        let given = link.given.into_iter().map(|given| LedgerGivenOut {
            given: given.given,
            at: given.at,
            by: given.by,
        });
        Self {
            id: link.id,
            status: standing.status,
            ended_at: standing.ended_at,
            ends_sessions: standing.ends_sessions,
            user: link.user,
            subject: link.subject,
            name: link.name,
            note: link.note,
            origin: link.origin,
            given: given.collect(),
            key: link.key,
            entered_at: link.entered_at,
            issued_at: link.issued_at,
            not_before: link.not_before,
            expires_at: link.expires_at,
            uses: link.uses,
            used: link.used,
            first_use: link.first_use.map(Into::into),
            last_use: link.last_use.map(Into::into),
            has_short: link.has_short,
        }
    }
}

impl From<LedgerLink> for ListedLink {
    fn from(wire: LedgerLink) -> Self {
        let given = wire.given.into_iter().map(|given| GivenOut {
            given: given.given,
            at: given.at,
            by: given.by,
        });
        let link = IssuedLink {
            user: wire.user,
            subject: wire.subject,
            name: wire.name,
            note: wire.note,
            given: given.collect(),
            key: wire.key,
            issued_at: wire.issued_at,
            not_before: wire.not_before,
            expires_at: wire.expires_at,
            uses: wire.uses,
            used: wire.used,
            first_use: wire.first_use.map(Into::into),
            last_use: wire.last_use.map(Into::into),
            has_short: wire.has_short,
            ..IssuedLink::new(wire.id, wire.origin, wire.entered_at)
        };
        Self {
            link,
            standing: Standing {
                status: wire.status,
                ended_at: wire.ended_at,
                ends_sessions: wire.ends_sessions,
            },
        }
    }
}

impl LedgerLink {
    /// Returns the members of the JSON for a link of an instance. Where use is not reported, they do
    /// not tell any.
    pub fn members(&self, hosted: Hosted) -> Result<Map<String, Value>> {
        let Value::Object(mut members) = serde_json::to_value(self).map_err(Error::internal)?
        else {
            return Err(Error::internal("a link is no JSON object"));
        };
        if !hosted.is_latchkey() {
            members.insert("status".into(), self.status.name_at(hosted).into());
            for name in ["used", "first_use", "last_use"] {
                members.insert(name.into(), Value::Null);
            }
        }
        Ok(members)
    }
}

/// A page of links.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct LinkList {
    /// Links in the requested order.
    pub links: Vec<LedgerLink>,
    /// Row of the first link, counted from 0.
    pub first_row: u64,
    /// Number of links that match.
    pub total: u64,
    /// Value of `after` for the next page. Null on the last page.
    #[schema(required)]
    pub next: Option<String>,
}

impl From<LinkPage> for LinkList {
    fn from(page: LinkPage) -> Self {
        Self {
            links: page.links.into_iter().map(Into::into).collect(),
            first_row: page.first_row,
            total: page.total,
            next: page.next.map(|cursor| cursor.to_string()),
        }
    }
}

impl TryFrom<LinkList> for LinkPage {
    type Error = Error;

    fn try_from(list: LinkList) -> Result<Self> {
        Ok(Self {
            links: list.links.into_iter().map(Into::into).collect(),
            first_row: list.first_row,
            total: list.total,
            next: list.next.map(|cursor| cursor.parse()).transpose()?,
        })
    }
}

/// A link in the ledger with its claims.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
pub struct LinkDetails {
    /// The link.
    pub link: LedgerLink,
    /// Claims of the code. Null after the user was removed, and for codes of other systems.
    #[schema(required, value_type = Option<Object>)]
    pub claims: Option<Map<String, Value>>,
}

impl From<(ListedLink, Option<Claims>)> for LinkDetails {
    fn from((listed, claims): (ListedLink, Option<Claims>)) -> Self {
        Self {
            link: listed.into(),
            claims: claims.map(|claims| claims.members()),
        }
    }
}

impl LinkDetails {
    /// Returns the link and its claims.
    ///
    /// Fails if the claims break a rule of the protocol.
    pub fn parse(self) -> Result<(ListedLink, Option<Claims>)> {
        let claims = self.claims.map(|claims| Claims::from_signed(&claims));
        Ok((self.link.into(), claims.transpose()?))
    }
}

/// A link that the client has signed and gives out.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TakenLinkRequest {
    /// All claims.
    #[schema(value_type = Object)]
    pub claims: Map<String, Value>,
    /// ID of the signing key.
    #[serde(default)]
    pub key: Option<String>,
    /// Way in which the link is given out.
    pub given: GivenAs,
    /// Note of the administrator.
    #[serde(default)]
    pub note: Option<String>,
    /// Whether older links of the person stop working.
    #[serde(default)]
    pub supersedes: bool,
    /// SHA-256 of the code of its short link, in base64url.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub short: Option<ShortCodeHash>,
    /// Number of the request for a new link that the link grants.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grants: Option<u64>,
}

impl From<&TakenLink> for TakenLinkRequest {
    fn from(taken: &TakenLink) -> Self {
        Self {
            claims: taken.claims.members(),
            key: taken.key.clone(),
            given: taken.given,
            note: taken.note.clone(),
            supersedes: taken.supersedes,
            short: taken.short,
            grants: taken.grants.as_ref().map(|request| request.number),
        }
    }
}

impl TakenLinkRequest {
    /// Checks the members. The caller finds the request that the link grants by its number.
    pub fn parse(self) -> Result<TakenLink> {
        let note = self.note.as_deref();
        let claims = SignedClaims {
            claims: self.claims,
            link: None,
            is_made_here: true,
        };
        Ok(TakenLink {
            claims: claims.signed()?,
            key: self.key,
            given: self.given,
            note: note
                .map(|note| ledger::note(note, "note"))
                .transpose()?
                .flatten(),
            supersedes: self.supersedes,
            short: self.short,
            grants: None,
        })
    }
}
