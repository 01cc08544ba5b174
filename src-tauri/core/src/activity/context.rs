use std::fmt;
use std::net::IpAddr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::reference::Reference;

/// Who does something.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Visitor => f.write_str("A visitor"),
            Self::Studio => f.write_str("Studio"),
            Self::CommandLine => f.write_str("The command line"),
            Self::ApiKey(name) => write!(f, "API key {name}"),
        }
    }
}

/// Who does something, when and from where: what is recorded beside the change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditContext {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: Actor,
    /// From where, if it came over a network.
    pub address: Option<IpAddr>,
    /// Reference on the error page of a visitor who is refused. The entry is found by it.
    pub reference: Option<Reference>,
}

impl AuditContext {
    /// Something that is done on this computer.
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
