//! An instance: one application that people sign in to. Its record has the settings, the record of its
//! signing key, its API keys, and the changes that are not in the activity yet.

pub mod api_key;
mod changes;
pub(crate) mod hosted;
mod id;
mod keys;
mod message;
mod name;
pub mod pairing;
pub mod scope;
mod settings_change;
pub(crate) mod sign_in_step;
mod signing_keys;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub use changes::events_between;
pub use hosted::Hosted;
pub use id::InstanceId;
pub use name::Name;
pub use settings_change::SettingsChange;
pub use sign_in_step::SignInStep;
pub use signing_keys::MAX_RETIRING;

pub use crate::activity::Retention;
pub use crate::verdict::Policy;

use crate::activity::{AuditContext, Event, OutboxEntry};
use crate::admin::Connection;
use crate::error::Warning;
use crate::instance::api_key::ApiKey;
use crate::instance::pairing::Pairing;
use crate::ledger::TakenLink;
use crate::link::compose::Target;
use crate::link::message::MessageTemplate;
use crate::link::{BaseUrl, Parameter};
use crate::protocol::audience::{Audience, Audiences};
use crate::protocol::code::{Algorithm, CodeRules};
use crate::protocol::lifetime::Lifetime;
use crate::secret::{DroppedKey, KeyRecord, RetiringKey};
use crate::session::SessionRules;
use crate::session::return_address::WebOrigin;
use crate::typingmind::TypingMind;
use crate::{Error, ErrorCode, Result};

/// Settings of the gateway for signing in by a link, for an instance that is hosted here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(default)]
pub struct SignInSettings {
    /// Step between opening a link and signing in.
    #[schema(required)]
    pub step: SignInStep,
    /// Maximum length of a session.
    #[cfg_attr(feature = "ts", ts(as = "String"))]
    #[schema(required, value_type = String, example = "12 hours")]
    pub session: Lifetime,
    /// Whether a session ends when the code that began it expires. Off by default.
    #[schema(required)]
    pub session_ends_with_link: bool,
    /// Time without use after which a session ends. By default it ends only by its length.
    #[cfg_attr(feature = "ts", ts(as = "String"))]
    #[schema(required, value_type = String, example = "never")]
    pub session_idle: Lifetime,
    /// Origins to which visitors may return, besides the instance itself.
    #[cfg_attr(feature = "ts", ts(as = "Vec<String>"))]
    #[schema(required, value_type = Vec<String>)]
    pub return_to: Vec<WebOrigin>,
    /// Origins whose pages may show the widget. Empty by default.
    #[cfg_attr(feature = "ts", ts(as = "Vec<String>"))]
    #[schema(required, value_type = Vec<String>)]
    pub embed_in: Vec<WebOrigin>,
}

impl Default for SignInSettings {
    fn default() -> Self {
        Self {
            step: SignInStep::default(),
            session: SessionRules::default().length,
            session_ends_with_link: false,
            session_idle: Lifetime::Never,
            return_to: Vec::new(),
            embed_in: Vec::new(),
        }
    }
}

/// Session length below which there is a warning, in seconds.
const SHORT_SESSION_SECS: i64 = 300;

/// Retention age below which there is a warning, in seconds.
const SHORT_RETENTION_SECS: i64 = 86_400;

/// Settings of an instance, which an administrator sets.
///
/// A new setting also changes these places. Paths are below `src-tauri`, unless they begin with `ui`.
///
/// | what | where |
/// |---|---|
/// | the stored file. The setting needs a default for older files | `store/src/instances/file.rs` |
/// | parsing, and the error that names the setting | [`SettingsChange`] |
/// | the entry in the activity. The compiler reports a missing one | [`events_between`], `ChangedSetting`, `activity/words.rs` |
/// | the option and the output of `latchkey instance` | `cli/src/args/instance.rs`, `cli/src/instance.rs` |
/// | the types of the window. Then run `cargo xtask gen` | `src/commands/instance.rs` |
/// | the field in Studio, and its name in messages | `ui/src/settings`, `ui/src/settings/drafts.svelte.ts` |
/// | the rule that uses it, and its guide | [`Policy`], [`SessionRules`] or another module; `guides` |
///
/// A running gateway reads changed settings within about a second.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Settings {
    /// Name for people.
    #[schema(value_type = String)]
    pub name: Name,
    /// URL at which people open the application.
    #[schema(value_type = String)]
    pub url: BaseUrl,
    /// Place that decides about sign-ins.
    pub hosted: Hosted,
    /// Query parameter that carries the code.
    #[schema(value_type = String)]
    pub parameter: Parameter,
    /// Signature algorithm of the codes.
    pub algorithm: Algorithm,
    /// Default lifetime of a link.
    #[schema(value_type = String, example = "7 days")]
    pub lifetime: Lifetime,
    /// Rules for codes and users.
    pub policy: Policy,
    /// Settings of signing in at the gateway.
    #[serde(default)]
    #[schema(required)]
    pub visiting: SignInSettings,
    /// Retention of the activity and the ledger.
    #[serde(default)]
    #[schema(required)]
    pub retention: Retention,
    /// Values of `aud` that are accepted besides the URL.
    #[serde(default)]
    #[schema(required, value_type = Vec<String>)]
    pub audiences: Vec<Audience>,
    /// Whether older links of a person stop working whenever a new one is given out.
    #[serde(default)]
    #[schema(required)]
    pub supersede: bool,
    /// Template of the message in which a person gets a link, with the placeholders `{name}`,
    /// `{instance}`, `{link}`, `{expiry}` and `{uses}`.
    #[serde(default)]
    #[schema(required, value_type = String)]
    pub message: MessageTemplate,
}

impl Settings {
    /// Creates settings with the defaults of the protocol.
    #[must_use]
    pub fn new(name: Name, url: BaseUrl, hosted: Hosted) -> Self {
        Self {
            name,
            url,
            hosted,
            parameter: Parameter::default(),
            algorithm: Algorithm::default(),
            lifetime: Lifetime::default(),
            policy: Policy::default(),
            visiting: SignInSettings::default(),
            retention: Retention::default(),
            audiences: Vec::new(),
            supersede: false,
            message: MessageTemplate::default(),
        }
    }

    /// Returns the settings of the sample instance.
    pub fn sample() -> Result<Self> {
        Ok(Self::new(
            Name::parse("Sample")?,
            BaseUrl::parse("http://localhost:8787/")?,
            Hosted::Here,
        ))
    }

    /// Returns the origins to which visitors may return: that of the instance, and those that are
    /// allowed.
    #[must_use]
    pub fn return_origins(&self) -> Vec<WebOrigin> {
        let own = WebOrigin::of(&self.url.at(""));
        own.into_iter()
            .chain(self.visiting.return_to.iter().cloned())
            .collect()
    }

    /// Returns the rules of its sessions.
    #[must_use]
    pub fn session_rules(&self) -> SessionRules {
        SessionRules {
            length: self.visiting.session,
            ends_with_link: self.visiting.session_ends_with_link,
            idle: self.visiting.session_idle,
        }
    }

    /// Returns warnings about settings that are allowed but probably mistakes.
    #[must_use]
    pub fn warnings(&self) -> Vec<Warning> {
        let mut warnings = Vec::new();
        if !self.hosted.is_latchkey() {
            return warnings;
        }
        if self.policy.require_expiry && self.lifetime == Lifetime::Never {
            warnings.push(Warning::new(
                "default_link_refused",
                "Links have no expiry unless one is set for each, and the instance refuses such links.",
            ));
        }
        let sign_in = &self.visiting;
        match (sign_in.session, sign_in.session_idle) {
            (Lifetime::Secs(session), Lifetime::Secs(idle)) if idle > session => {
                warnings.push(Warning::new(
                    "idle_beyond_session",
                    format!(
                        "A session ends after {}, so the idle time-out of {} has no effect.",
                        sign_in.session, sign_in.session_idle
                    ),
                ));
            }
            _ => {}
        }
        if matches!(sign_in.session, Lifetime::Secs(secs) if secs < SHORT_SESSION_SECS) {
            warnings.push(Warning::new(
                "short_session",
                format!(
                    "A session ends after {}: people are signed out soon after they opened a link.",
                    sign_in.session
                ),
            ));
        }
        if matches!(self.retention.age, Lifetime::Secs(secs) if secs < SHORT_RETENTION_SECS) {
            warnings.push(Warning::new(
                "short_retention",
                format!(
                    "The activity is kept for {} only, sign-ins and refusals of attackers too.",
                    self.retention.age
                ),
            ));
        }
        warnings
    }

    /// Applies the settings to a link that is given out.
    ///
    /// Fails with [`ErrorCode::HostedElsewhere`] for a link that shall supersede others at an
    /// application that does not know this ledger, and for a short link to such an application.
    pub fn giving_out(&self, taken: TakenLink) -> Result<TakenLink> {
        if self.hosted != Hosted::Elsewhere {
            let supersedes = taken.supersedes || self.supersede;
            return Ok(TakenLink {
                supersedes,
                ..taken
            });
        }
        if taken.short.is_some() {
            let message = format!(
                "A short link does not work at {}, because only Latchkey's own gateway knows short links. Make the link without this.",
                self.url.authority()
            );
            return Err(Error::new(ErrorCode::HostedElsewhere, message).about("short"));
        }
        if taken.supersedes {
            return Err(self.supersedes_nothing("Leave this out."));
        }
        Ok(taken)
    }

    /// Returns the error for superseding links that another application opens. `advice` is a sentence
    /// that says what to do.
    fn supersedes_nothing(&self, advice: &str) -> Error {
        let message = format!(
            "Older links of the person would go on working, because {} decides who signs in. {advice}",
            self.url.authority()
        );
        Error::new(ErrorCode::HostedElsewhere, message).about("supersede")
    }

    /// Returns the target of its links.
    #[must_use]
    pub fn target(&self) -> Target {
        Target {
            url: self.url.clone(),
            parameter: self.parameter.clone(),
            algorithm: self.algorithm,
        }
    }

    /// Returns the rules for a code by itself. The policy and the audiences of an instance that is
    /// hosted elsewhere are unknown, so they do not count. For an instance on a gateway, these are
    /// the rules that were read last.
    #[must_use]
    pub fn code_rules(&self) -> CodeRules<'_> {
        let is_known = self.hosted.is_latchkey();
        CodeRules {
            algorithm: self.algorithm,
            require_expiry: is_known && self.policy.require_expiry,
            audiences: is_known.then_some(Audiences {
                url: &self.url,
                others: &self.audiences,
            }),
        }
    }
}

/// A stored instance.
#[derive(Clone, Debug)]
pub struct Instance {
    /// ID, which is the name of its folder.
    pub id: InstanceId,
    /// Settings.
    pub settings: Settings,
    /// Record of the signing key. The key itself is in the keychain or the sealed file.
    pub key: Option<KeyRecord>,
    /// Keys that were replaced and still verify until their retirement dates, the oldest first.
    pub retiring: Vec<RetiringKey>,
    /// Keys that do not verify any more and are still to be deleted from the keychain or the sealed
    /// file.
    pub dropped: Vec<DroppedKey>,
    /// Connection to TypingMind's API, for an instance that is hosted elsewhere.
    pub typingmind: Option<TypingMind>,
    /// API keys of other systems. Without any, the API is off.
    pub api_keys: Vec<ApiKey>,
    /// API keys that wait for their clients.
    pub pairings: Vec<Pairing>,
    /// Changes that are not recorded in the activity yet.
    pub outbox: Outbox,
    /// Connection to the gateway that has the instance. Then the settings are those that were read
    /// there last, and the gateway has the signing key, the API keys and the activity.
    pub connection: Option<Connection>,
}

/// Changes of an instance that wait to be recorded in its directory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outbox {
    /// Number of changes so far.
    count: u64,
    /// Waiting changes.
    pub waiting: Vec<OutboxEntry>,
}

/// Maximum number of waiting changes. Nobody records them while no program opens the directory.
const MAX_WAITING: usize = 1_000;

impl Outbox {
    /// Replaces the event of a change, or drops the change if there is no `event`. If the change
    /// does not wait any more, adds the event.
    pub fn amend(&mut self, number: u64, event: Option<Event>, by: &AuditContext) {
        let mut waiting = self.waiting.iter_mut();
        let known = waiting.find(|entry| entry.number == number);
        match (known, event) {
            (Some(entry), Some(event)) => entry.event = event,
            (Some(_), None) => self.waiting.retain(|entry| entry.number != number),
            (None, Some(event)) => self.add(vec![event], by),
            (None, None) => {}
        }
    }

    /// Returns the number of the last change.
    #[must_use]
    pub const fn last(&self) -> u64 {
        self.count
    }

    /// Adds changes. Above the maximum, drops the oldest ones except the very first.
    pub fn add(&mut self, events: Vec<Event>, by: &AuditContext) {
        for event in events {
            self.count += 1;
            self.waiting.push(OutboxEntry {
                number: self.count,
                at: by.at.as_second(),
                actor: by.actor.clone(),
                address: by.address,
                event,
            });
            if self.waiting.len() > MAX_WAITING {
                self.waiting.remove(1);
            }
        }
    }

    /// Returns whether a directory has recorded any change.
    #[must_use]
    pub fn were_recorded(&self) -> bool {
        self.count > 0 && self.waiting.first().is_none_or(|first| first.number > 1)
    }

    /// Drops the changes that are recorded.
    pub fn recorded(&mut self, up_to: u64) {
        self.waiting.retain(|entry| entry.number > up_to);
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::activity::{Actor, EventData};

    #[test]
    fn of_many_waiting_changes_the_first_and_the_latest_are_kept() {
        let by = AuditContext::new(Actor::CommandLine, Timestamp::UNIX_EPOCH);
        let mut outbox = Outbox::default();
        for _ in 0..MAX_WAITING + 5 {
            outbox.add(vec![EventData::SecretShown.into()], &by);
        }
        let numbers: Vec<u64> = outbox.waiting.iter().map(|entry| entry.number).collect();
        assert_eq!(numbers.len(), MAX_WAITING);
        assert_eq!((numbers[0], numbers[1]), (1, 7));
        assert!(!outbox.were_recorded(), "no directory has seen any of them");
        outbox.recorded(MAX_WAITING as u64 + 5);
        assert!(outbox.were_recorded());
        assert!(!Outbox::default().were_recorded());
    }
}
