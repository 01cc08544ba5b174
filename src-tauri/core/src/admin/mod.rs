//! The administration API: its paths, and the JSON of its requests and responses. The gateway
//! serves it, and the remote engine is its client.

mod activity;
mod api_keys;
mod codes;
mod connection;
mod gateway;
mod inspection;
mod key_links;
mod keys;
mod ledger;
mod links;
mod lookups;
mod pairing;
mod problem;
mod requests;
mod revocations;
mod settings;
mod snapshots;
mod users;

pub use activity::{EntryRecord, EventRecord, Page, VerificationRecord, Waiting};
pub use api_keys::{ApiKeyRecord, ApiKeyRequest, ApiKeys, MadeApiKey, PairingRecord};
pub use codes::{CodeToRedeem, Judged, RedemptionRequest, SignedClaims};
pub use connection::{Connection, ConnectionString, Fingerprint, GatewayUrl};
pub use gateway::{AdminListener, GatewayState, RunningGateway};
pub use inspection::InspectRequest;
pub use key_links::KeyLinks;
pub use keys::{
    KeyState, KeySummary, NewSigningKey, RetirementRequest, RotationRequest, SigningKeyRecord,
    SigningKeySet, SigningKeys, SigningKeysChanged,
};
pub use ledger::{LedgerGivenOut, LedgerLink, LedgerUse, LinkDetails, LinkList, TakenLinkRequest};
pub use links::{CopyRequest, Link, LinkRequest};
pub use lookups::{LookedUp, Owner, Removal, Sought};
pub use pairing::{Paired, PairingRequest};
pub use problem::Problem;
pub use requests::{RequestList, RequestRecord};
pub use revocations::{LinkRevocationRequest, RevocationRequest};
pub use settings::InstanceRecord;
pub use snapshots::{SnapshotBegun, SnapshotRows};
pub use users::{
    AccountEndChange, Addition, Additions, Corrected, Edit, SeatLimit, SharedEmails, SignedIn,
    Times, TimesAhead, UserList,
};

use serde::{Deserialize, Deserializer, Serialize};
use std::net::IpAddr;
use utoipa::ToSchema;

use jiff::Timestamp;

use crate::activity::{Actor, AuditContext, Reference};
use crate::directory::Changed;
use crate::instance::api_key::MAX_NAME;
use crate::time::MAX_SECS;
use crate::{Error, Result};

/// Path below which all routes of the API are.
pub const ROOT: &str = "/admin/v1";

/// Revision of the API. It rises when a client of this version needs what older servers lack.
pub const API_REVISION: u32 = 3;

/// Header with the [`Context`] of a request, as JSON. It counts on the local socket only, where
/// every client could also change the files of the directory.
pub const CONTEXT: &str = "latchkey-context";

/// Deserializes a member that is present, so that null is not taken for a missing member.
pub(crate) fn some<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> std::result::Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// Description of the program that serves the API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct About {
    /// ID of the instance.
    pub instance: String,
    /// Name of the program that holds the directory, such as `latchkey serve`.
    pub holder: String,
    /// Version of the program.
    pub version: String,
    /// Revision of the API. 0 for a server that does not tell it.
    #[serde(default)]
    pub api: u32,
    /// Name of the instance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// URL of the instance, to which its links lead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// Actor, time and origin of a change, as a local client sends them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Context {
    /// Time in Unix seconds.
    at: i64,
    actor: Actor,
    address: Option<IpAddr>,
    reference: Option<Reference>,
}

impl From<&AuditContext> for Context {
    fn from(by: &AuditContext) -> Self {
        Self {
            at: by.at.as_second(),
            actor: by.actor.clone(),
            address: by.address,
            reference: by.reference.clone(),
        }
    }
}

impl Context {
    /// Returns the context. Fails for a time, a name or a reference that no program sends.
    pub fn parse(self) -> Result<AuditContext> {
        let invalid =
            |field: &str| Error::member(field, "It is not what a program of this version sends.");
        let has_time = (0..=MAX_SECS).contains(&self.at);
        let at = Timestamp::from_second(self.at).ok().filter(|_| has_time);
        if let Actor::ApiKey(name) = &self.actor {
            let characters = name.chars().count();
            if characters > MAX_NAME || name.chars().any(char::is_control) {
                return Err(invalid("actor"));
            }
        }
        if self
            .reference
            .as_ref()
            .is_some_and(|reference| !reference.is_valid())
        {
            return Err(invalid("reference"));
        }
        Ok(AuditContext {
            at: at.ok_or_else(|| invalid("at"))?,
            actor: self.actor,
            address: self.address,
            reference: self.reference,
        })
    }
}

/// A change of the directory, in the stream of changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Change {
    /// Whether the activity has new entries.
    pub activity: bool,
    /// Whether users were added, changed or removed, or have signed in, or the seat limit was set.
    pub users: bool,
}

impl From<Changed> for Change {
    fn from(Changed { activity, users }: Changed) -> Self {
        Self { activity, users }
    }
}

impl From<Change> for Changed {
    fn from(Change { activity, users }: Change) -> Self {
        Self { activity, users }
    }
}
