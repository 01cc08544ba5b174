//! Parsing of stored events. Formats that stored an event in words are parsed, too.

use serde::{Deserialize, Deserializer};

use super::event::{Event, EventData};
use super::kind::Kind;
use super::worded::WordedEvent;

/// Events whose words are the same as in formats that stored words. Those words become the event.
/// Refusals had other words, and keep them.
const WITH_STORED_WORDS: [EventData; 18] = [
    EventData::SignedIn,
    EventData::Provisioned,
    EventData::LinkMade,
    EventData::LinkRevoked,
    EventData::Added,
    EventData::Suspended,
    EventData::Reactivated,
    EventData::Removed,
    EventData::SignedOutEverywhere,
    EventData::SignedOut,
    EventData::InstanceMade,
    EventData::ExternalAuthSwitchedOn,
    EventData::ExternalAuthSwitchedOff,
    EventData::SecretReplaced,
    EventData::SecretLost,
    EventData::SecretShown,
    EventData::GatewayRecovered,
    EventData::TypingMindDisconnected,
];

impl From<WordedEvent> for EventData {
    fn from(worded: WordedEvent) -> Self {
        let has_same_words = |data: &&Self| {
            (data.kind(), data.code()) == (worded.kind, &worded.code)
                && data.title() == worded.title
                && data.detail() == worded.detail
        };
        let found = WITH_STORED_WORDS.iter().find(has_same_words).cloned();
        found.unwrap_or(Self::Worded(worded))
    }
}

/// Event in the file of an instance.
#[derive(Deserialize)]
#[serde(untagged)]
enum Stored {
    Data {
        data: EventData,
        subject: Option<String>,
        link: Option<String>,
    },
    Words {
        kind: Kind,
        code: String,
        title: String,
        detail: Option<String>,
        subject: Option<String>,
        link: Option<String>,
    },
}

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(match Stored::deserialize(deserializer)? {
            Stored::Data {
                data,
                subject,
                link,
            } => Self {
                data,
                subject,
                link,
            },
            Stored::Words {
                kind,
                code,
                title,
                detail,
                subject,
                link,
            } => Self {
                data: EventData::from(WordedEvent {
                    kind,
                    code,
                    title,
                    detail,
                }),
                subject,
                link,
            },
        })
    }
}
