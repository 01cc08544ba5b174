use serde::{Deserialize, Serialize};

use crate::instance::hosted::Hosted;
use crate::instance::sign_in_step::SignInStep;
use crate::protocol::code::Algorithm;
use crate::protocol::lifetime::Lifetime;

/// Old and new value of a changed setting.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change<T> {
    /// Old value.
    pub from: T,
    /// New value.
    pub to: T,
}

/// A setting of an instance that an administrator changed. None of them is a secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "setting", rename_all = "snake_case")]
#[expect(missing_docs, reason = "the members of SettingsChange")]
pub enum ChangedSetting {
    Name(Change<String>),
    Url(Change<String>),
    Hosted(Change<Hosted>),
    Parameter(Change<String>),
    Algorithm(Change<Algorithm>),
    Lifetime(Change<Lifetime>),
    RequireExpiry(Change<bool>),
    Provisioning(Change<bool>),
    RefreshProfile(Change<bool>),
    Step(Change<SignInStep>),
    Session(Change<Lifetime>),
    SessionEndsWithLink(Change<bool>),
    SessionIdle(Change<Lifetime>),
    ReturnTo(Change<Vec<String>>),
    EmbedIn(Change<Vec<String>>),
    RetentionAge(Change<Lifetime>),
    RetainedRefusals(Change<u64>),
    RetainedLinks(Change<Lifetime>),
    Audiences(Change<Vec<String>>),
    /// Whether a backup is made every day.
    AutomaticBackups(Change<bool>),
    Supersede(Change<bool>),
    Message(Change<String>),
}
