//! The context of a change: who acts, when, and from where.

use std::fmt;
use std::net::IpAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::reference::Reference;

/// Actor of a change.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// A visitor who opens a link.
    Visitor,
    /// The administrator, in the window.
    Studio,
    /// The administrator, on the command line.
    CommandLine,
    /// Another system, by the name of its API key.
    ApiKey(String),
    /// Latchkey itself, because the time of a change had come.
    Latchkey,
}

impl Actor {
    /// Returns the stable name.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Visitor => "visitor",
            Self::Studio => "studio",
            Self::CommandLine => "command_line",
            Self::ApiKey(_) => "api_key",
            Self::Latchkey => "latchkey",
        }
    }

    /// Returns the name of the API key by which a program acted.
    #[must_use]
    pub const fn api_key(&self) -> Option<&str> {
        match self {
            Self::ApiKey(name) => Some(name.as_str()),
            Self::Visitor | Self::Studio | Self::CommandLine | Self::Latchkey => None,
        }
    }

    /// Returns words for the end of a sentence: `in Studio`, `by the command line`.
    #[must_use]
    pub fn after_verb(&self) -> String {
        match self {
            Self::Visitor => "by a visitor".into(),
            Self::Studio => "in Studio".into(),
            Self::CommandLine => "by the command line".into(),
            Self::ApiKey(name) => format!("by API key {name}"),
            Self::Latchkey => "by Latchkey".into(),
        }
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Visitor => f.write_str("A visitor"),
            Self::Studio => f.write_str("Studio"),
            Self::CommandLine => f.write_str("The command line"),
            Self::ApiKey(name) => write!(f, "API key {name}"),
            Self::Latchkey => f.write_str("Latchkey"),
        }
    }
}

/// Actor, time and origin of a change, which are recorded with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditContext {
    /// Time of the change.
    pub at: Timestamp,
    /// Actor of the change.
    pub actor: Actor,
    /// Network address of the actor, if there is one.
    pub address: Option<IpAddr>,
    /// Reference on the error page of a refused visitor, by which the entry is found.
    pub reference: Option<Reference>,
}

impl AuditContext {
    /// Creates the context of a change that is made on this computer.
    #[must_use]
    pub const fn new(actor: Actor, at: Timestamp) -> Self {
        Self {
            at,
            actor,
            address: None,
            reference: None,
        }
    }
}
