//! Events that older versions stored in English words.

use serde::{Deserialize, Serialize};

use super::kind::Kind;

/// An event in English words. Formats of the directory before 7, and of `instance.json` before 3,
/// stored words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WordedEvent {
    /// Kind of the event.
    pub kind: Kind,
    /// Stable code.
    pub code: String,
    /// Title of a few words.
    pub title: String,
    /// Reason or details.
    pub detail: Option<String>,
}
