//! Events: what an entry of the activity says, as a type with parameters.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::changed_setting::{Change, ChangedSetting};
use super::context::Actor;
use super::kind::Kind;
use super::worded::WordedEvent;
use crate::instance::scope::Scope;
use crate::ledger::{GivenAs, RequestEnd, RequestReason, RevocationScope};
use crate::protocol::claims::Claims;
use crate::protocol::code::VerifiedCode;
use crate::protocol::user_id::UserId;
use crate::verdict::{RecordedRefusal, Verdict};

/// Stable code of refusals for several reasons.
pub(super) const SEVERAL_REFUSALS: &str = "several_refusals";

/// Type of an event, with its parameters. It has no words: [`title`](Self::title) and
/// [`detail`](Self::detail) make them when an entry is read.
///
/// The JSON of this type is stored in the directory and in the file of an instance. A new variant
/// raises the format of both, because older programs cannot read it. A new field needs a default,
/// and must be left out of the JSON at that default, because the hashes of older entries cover their
/// JSON ([`seal`](super::seal)).
/// The name of a variant or a field never changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventData {
    /// A code signed a user in.
    SignedIn,
    /// A code created a user, and signed the user in.
    Provisioned,
    /// A code was refused.
    Refused(RecordedRefusal),
    /// A request had no API key, or a key that the instance does not have.
    ApiKeyRefused,
    /// A request had an expired API key.
    ApiKeyExpired,
    /// A request had an API key without the scope that it needs.
    ApiKeyScopeMissing {
        /// The scope.
        scope: Scope,
    },
    /// Refusals for several reasons were counted.
    SeveralRefusals {
        /// Number of refusals by stable code.
        reasons: BTreeMap<String, u64>,
    },
    /// A link was made.
    LinkMade,
    /// A link that is in the ledger was given out again.
    LinkGivenOut {
        /// Way in which it was given out.
        given: GivenAs,
    },
    /// A link was revoked. Sessions that it began go on.
    LinkRevoked,
    /// Many links were revoked, or one with its sessions.
    LinksRevoked {
        /// The links.
        scope: RevocationScope,
        /// Whether sessions that they began ended.
        ends_sessions: bool,
    },
    /// A visitor has asked for a new link with one that does not work any more.
    LinkAsked {
        /// Reason why it does not work any more.
        reason: RequestReason,
    },
    /// An administrator has answered a request for a new link.
    LinkRequestClosed {
        /// Answer.
        how: RequestEnd,
    },
    /// A user was added by hand.
    Added,
    /// A user was imported.
    Imported {
        /// Number of users. Older programs recorded one event for many users, and named none of them.
        users: u64,
    },
    /// A user was edited.
    ProfileChanged {
        /// Changed parts of the profile.
        fields: Vec<ProfileField>,
    },
    /// A user was suspended.
    Suspended,
    /// A suspended user was reactivated.
    Reactivated,
    /// The account of a user has ended.
    AccountEnded {
        /// Time of the end, in Unix seconds.
        ended_at: i64,
    },
    /// The end of a user's account was set.
    AccountEndSet {
        /// Time when the account ends, in Unix seconds. `None` if it has no end any more.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ends_at: Option<i64>,
    },
    /// A user was removed.
    Removed,
    /// All sessions of a user were ended.
    SignedOutEverywhere,
    /// One session was ended.
    SignedOut,
    /// The seat limit was set.
    SeatLimitSet(Change<Option<u64>>),
    /// Recorded times that were in the future were set to now.
    TimesCorrected {
        /// Users whose times were corrected.
        users: Vec<UserId>,
    },
    /// The instance was made.
    InstanceMade,
    /// An administrator has made a backup.
    BackedUp {
        /// Whether the keys are in the backup.
        keys: bool,
    },
    /// The instance was restored from a backup.
    Restored {
        /// Time of the backup, in Unix seconds.
        made_at: i64,
    },
    /// External authentication was switched on.
    ExternalAuthSwitchedOn,
    /// External authentication was switched off.
    ExternalAuthSwitchedOff,
    /// Settings were changed.
    SettingsChanged {
        /// The settings, with their old and new values.
        changes: Vec<ChangedSetting>,
    },
    /// The signing key was replaced.
    SecretReplaced,
    /// Another signing key has become active. The old one still verifies.
    KeyRotated {
        /// ID of the new key.
        key: String,
        /// ID of the old key.
        old: String,
        /// Time at which the old key retires, in Unix seconds.
        retires_at: i64,
    },
    /// The retirement date of a signing key was changed.
    KeyRetirementSet {
        /// ID of the key.
        key: String,
        /// Time at which the key retires, in Unix seconds.
        retires_at: i64,
    },
    /// A signing key was retired at once: a retiring one before its date, or one that was replaced.
    KeyRetired {
        /// ID of the key.
        key: String,
    },
    /// A signing key that others may know was given up, with all links that it has signed.
    KeyLeaked {
        /// ID of the key.
        key: String,
        /// ID of the new active key, if the leaked one was active.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        new: Option<String>,
    },
    /// The instance has no signing key any more.
    SecretLost,
    /// The signing key was shown.
    SecretShown,
    /// An API key was made.
    ApiKeyMade {
        /// Name of the key.
        name: String,
        /// Scopes of the key. Empty if an older program made it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        scopes: Vec<Scope>,
        /// Time at which the key expires, in Unix seconds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires_at: Option<i64>,
    },
    /// An API key was revoked.
    ApiKeyRevoked {
        /// Name of the key.
        name: String,
    },
    /// A pairing was made: a key for which a client exchanges a code.
    PairingMade {
        /// Name of the key.
        name: String,
        /// Scopes of the key.
        scopes: Vec<Scope>,
    },
    /// A client has exchanged a pairing code for its API key.
    PairingExchanged {
        /// Name of the key.
        name: String,
        /// Scopes of the key.
        scopes: Vec<Scope>,
        /// Time at which the key expires, in Unix seconds.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires_at: Option<i64>,
    },
    /// A pairing was revoked before a client has exchanged its code.
    PairingRevoked {
        /// Name of the key.
        name: String,
    },
    /// A request had a pairing code that is wrong, was used or has expired.
    PairingRefused,
    /// The gateway was started.
    GatewayStarted {
        /// Address on which it listens.
        address: String,
    },
    /// The gateway was stopped.
    GatewayStopped {
        /// Address on which it listened.
        address: String,
    },
    /// The gateway can write again after a failure.
    GatewayRecovered,
    /// The key of TypingMind's API was set.
    #[serde(rename = "typingmind_key_set")]
    TypingMindKeySet {
        /// Region of the account.
        region: String,
    },
    /// The connection to TypingMind's API was removed, with the key and the copy of the users.
    #[serde(rename = "typingmind_disconnected")]
    TypingMindDisconnected,
    /// A user was added at TypingMind.
    #[serde(rename = "typingmind_user_added")]
    TypingMindUserAdded {
        /// TypingMind's ID of the user. Empty before TypingMind has confirmed the change.
        id: String,
        /// Whether TypingMind has not confirmed the change.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        unconfirmed: bool,
    },
    /// A user was removed at TypingMind.
    #[serde(rename = "typingmind_user_removed")]
    TypingMindUserRemoved {
        /// TypingMind's ID of the user.
        id: String,
        /// Whether TypingMind has not confirmed the change.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        unconfirmed: bool,
    },
    /// An event that an older format stored in words. No program writes new ones.
    Worded(WordedEvent),
}

/// A part of a user's profile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProfileField {
    /// The e-mail address.
    Email,
    /// The metadata.
    Metadata,
}

impl EventData {
    /// Returns the kind of the event.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.kind_and_code().0
    }

    /// Returns the stable code: that of the verdict or of the change.
    #[must_use]
    pub fn code(&self) -> &str {
        self.kind_and_code().1
    }

    fn kind_and_code(&self) -> (Kind, &str) {
        use Kind::{Act, Refusal, SignIn};
        match self {
            Self::SignedIn => (SignIn, "signed_in"),
            Self::Provisioned => (SignIn, "provisioned"),
            Self::Refused(refusal) => (Refusal, refusal.code()),
            Self::ApiKeyRefused => (Refusal, "api_key_refused"),
            Self::ApiKeyExpired => (Refusal, "api_key_expired"),
            Self::ApiKeyScopeMissing { .. } => (Refusal, "api_key_scope_missing"),
            Self::SeveralRefusals { .. } => (Refusal, SEVERAL_REFUSALS),
            Self::LinkMade => (Act, "link_made"),
            Self::LinkGivenOut { .. } => (Act, "link_given_out"),
            Self::LinkRevoked => (Act, "revoked"),
            Self::LinksRevoked { .. } => (Act, "links_revoked"),
            Self::LinkAsked { .. } => (Act, "link_asked"),
            Self::LinkRequestClosed { .. } => (Act, "link_request_closed"),
            Self::Added => (Act, "added"),
            Self::Imported { .. } => (Act, "imported"),
            Self::ProfileChanged { .. } => (Act, "profile_changed"),
            Self::Suspended => (Act, "suspended"),
            Self::Reactivated => (Act, "reactivated"),
            Self::AccountEnded { .. } => (Act, "account_ended"),
            Self::AccountEndSet { .. } => (Act, "account_end_set"),
            Self::Removed => (Act, "removed"),
            Self::SignedOutEverywhere | Self::SignedOut => (Act, "signed_out"),
            Self::SeatLimitSet(_) => (Act, "seat_limit_set"),
            Self::TimesCorrected { .. } => (Act, "times_corrected"),
            Self::InstanceMade => (Act, "instance_made"),
            Self::BackedUp { .. } => (Act, "backed_up"),
            Self::Restored { .. } => (Act, "restored"),
            Self::ExternalAuthSwitchedOn => (Act, "external_auth_switched_on"),
            Self::ExternalAuthSwitchedOff => (Act, "external_auth_switched_off"),
            Self::SettingsChanged { .. } => (Act, "settings_changed"),
            Self::SecretReplaced => (Act, "secret_replaced"),
            Self::KeyRotated { .. } => (Act, "key_rotated"),
            Self::KeyRetirementSet { .. } => (Act, "key_retirement_set"),
            Self::KeyRetired { .. } => (Act, "key_retired"),
            Self::KeyLeaked { .. } => (Act, "key_leaked"),
            Self::SecretLost => (Act, "secret_lost"),
            Self::SecretShown => (Act, "secret_shown"),
            Self::ApiKeyMade { .. } => (Act, "api_key_made"),
            Self::ApiKeyRevoked { .. } => (Act, "api_key_revoked"),
            Self::PairingMade { .. } => (Act, "pairing_made"),
            Self::PairingExchanged { .. } => (Act, "pairing_exchanged"),
            Self::PairingRevoked { .. } => (Act, "pairing_revoked"),
            Self::PairingRefused => (Refusal, "pairing_refused"),
            Self::GatewayStarted { .. } => (Act, "gateway_started"),
            Self::GatewayStopped { .. } => (Act, "gateway_stopped"),
            Self::GatewayRecovered => (Act, "gateway_recovered"),
            Self::TypingMindKeySet { .. } => (Act, "typingmind_key_set"),
            Self::TypingMindDisconnected => (Act, "typingmind_disconnected"),
            Self::TypingMindUserAdded { .. } => (Act, "typingmind_user_added"),
            Self::TypingMindUserRemoved { .. } => (Act, "typingmind_user_removed"),
            Self::Worded(worded) => (worded.kind, worded.code.as_str()),
        }
    }

    /// Returns whether the event is a change that another system has not confirmed.
    #[must_use]
    pub const fn is_unconfirmed(&self) -> bool {
        matches!(
            self,
            Self::TypingMindUserAdded {
                unconfirmed: true,
                ..
            } | Self::TypingMindUserRemoved {
                unconfirmed: true,
                ..
            }
        )
    }

    /// Returns the user of another system whom the event names beside its subject.
    #[must_use]
    pub fn named_user(&self) -> Option<&str> {
        match self {
            Self::TypingMindUserAdded { id, .. } | Self::TypingMindUserRemoved { id, .. } => {
                Some(id)
            }
            _ => None,
        }
    }

    /// Returns the parameters as a JSON object, which may be empty. Times are in Unix seconds. The
    /// user whom a refusal is about is `subject`, as in the entry.
    #[must_use]
    pub fn parameters(&self) -> Map<String, Value> {
        let tags = match self {
            // This event has words in place of parameters.
            Self::Worded(_) => return Map::new(),
            Self::Refused(_) => 2,
            _ => 1,
        };
        let mut value = serde_json::to_value(self).unwrap_or_default();
        for _ in 0..tags {
            let Value::Object(tagged) = value else {
                return Map::new();
            };
            value = tagged
                .into_iter()
                .next()
                .map(|(_, content)| content)
                .unwrap_or_default();
        }
        let Value::Object(mut parameters) = value else {
            return Map::new();
        };
        // Some refusals are stored with another name for it.
        if let Some(user) = parameters.remove("user") {
            parameters.insert("subject".to_owned(), user);
        }
        parameters
    }
}

/// An event of the activity. Its texts are names and values that the event is about, and never text
/// of an unverified code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Event {
    /// Type and parameters.
    pub data: EventData,
    /// ID of the user, or the address that a code named.
    pub subject: Option<String>,
    /// `jti` of the code.
    pub link: Option<String>,
}

impl From<EventData> for Event {
    fn from(data: EventData) -> Self {
        Self {
            data,
            subject: None,
            link: None,
        }
    }
}

impl Event {
    /// Returns the event of a verdict. For an unverified code it contains nothing of the code.
    #[must_use]
    pub fn verdict(verdict: &Verdict, code: Option<&VerifiedCode>) -> Self {
        let subject = verdict.user().map_or_else(
            || code.map(|code| code.payload.subject().to_owned()),
            |user| Some(user.as_str().to_owned()),
        );
        let data = match verdict {
            Verdict::SignedIn { .. } => EventData::SignedIn,
            Verdict::Provisioned { .. } => EventData::Provisioned,
            Verdict::Refused(refusal) => EventData::Refused(refusal.recorded()),
        };
        Self {
            data,
            subject,
            link: code.map(|code| code.link.clone()),
        }
    }

    /// Returns the event of making a link.
    #[must_use]
    pub fn link_made(claims: &Claims) -> Self {
        Self {
            data: EventData::LinkMade,
            subject: Some(claims.payload.subject().to_owned()),
            link: claims.registered.id.clone(),
        }
    }

    /// Sets the user.
    #[must_use]
    pub fn of(mut self, user: &UserId) -> Self {
        self.subject = Some(user.as_str().to_owned());
        self
    }
}

/// A change of an instance's settings that waits to be recorded. The settings are stored apart from
/// the directory, because another process may hold the directory. That process records the change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutboxEntry {
    /// Number of the change, by which it is recorded only once.
    pub number: u64,
    /// Time of the change, in Unix seconds.
    pub at: i64,
    /// Actor of the change.
    pub actor: Actor,
    /// Address of the client, if the change came from the network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<IpAddr>,
    /// Event to record.
    pub event: Event,
}
