//! Encoding of an event in an entry, for `#[serde(with)]`.

use latchkey_core::activity::{Event, EventData, Kind, WordedEvent};
use serde::ser::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Stored form of an event. `T` is `&str` for writing and `String` for reading.
#[derive(Serialize, Deserialize)]
enum EventRecord<T> {
    /// Formats before 7 stored the kind first. postcard encodes the variant in the same way.
    SignIn(WordsRecord<T>),
    Refusal(WordsRecord<T>),
    Act(WordsRecord<T>),
    /// Since format 7.
    Data {
        /// [`EventData`] as JSON. Unlike postcard, JSON allows new variants and fields.
        data: String,
        subject: Option<T>,
        link: Option<T>,
    },
}

/// Words of an event, as formats before 7 stored them after the kind.
#[derive(Serialize, Deserialize)]
struct WordsRecord<T> {
    code: T,
    title: T,
    detail: Option<T>,
    subject: Option<T>,
    link: Option<T>,
}

pub(super) fn serialize<S: Serializer>(event: &Event, serializer: S) -> Result<S::Ok, S::Error> {
    let (subject, link) = (event.subject.as_deref(), event.link.as_deref());
    let record = match &event.data {
        EventData::Worded(worded) => {
            let words = WordsRecord {
                code: worded.code.as_str(),
                title: &worded.title,
                detail: worded.detail.as_deref(),
                subject,
                link,
            };
            match worded.kind {
                Kind::SignIn => EventRecord::SignIn(words),
                Kind::Refusal => EventRecord::Refusal(words),
                Kind::Act => EventRecord::Act(words),
            }
        }
        data => EventRecord::Data {
            data: serde_json::to_string(data).map_err(S::Error::custom)?,
            subject,
            link,
        },
    };
    record.serialize(serializer)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Event, D::Error> {
    let (kind, words) = match EventRecord::<String>::deserialize(deserializer)? {
        EventRecord::SignIn(words) => (Kind::SignIn, words),
        EventRecord::Refusal(words) => (Kind::Refusal, words),
        EventRecord::Act(words) => (Kind::Act, words),
        EventRecord::Data {
            data,
            subject,
            link,
        } => {
            return Ok(Event {
                data: serde_json::from_str(&data).unwrap_or_else(|_| unreadable()),
                subject,
                link,
            });
        }
    };
    let worded = WordedEvent {
        kind,
        code: words.code,
        title: words.title,
        detail: words.detail,
    };
    Ok(Event {
        data: worded.into(),
        subject: words.subject,
        link: words.link,
    })
}

/// Returns the event of an entry whose data was damaged. All other entries are listed, and a
/// verification says where the damaged one is.
fn unreadable() -> EventData {
    let worded = WordedEvent {
        kind: Kind::Act,
        code: "unreadable".to_owned(),
        title: "This entry cannot be read".to_owned(),
        detail: None,
    };
    worded.into()
}

#[cfg(test)]
mod tests {
    use super::super::rows::encoded;
    use super::*;
    use latchkey_core::protocol::code::CodeFault;
    use latchkey_core::verdict::Refusal;

    #[derive(Serialize)]
    struct Row(#[serde(with = "super")] Event);

    fn bytes(data: EventData) -> usize {
        let event = Event {
            data,
            subject: Some("user-123456".to_owned()),
            link: Some("94Tak-qba5yAYp6t".to_owned()),
        };
        encoded(&Row(event)).unwrap().len()
    }

    #[test]
    fn an_event_is_smaller_than_its_words() {
        let refused = EventData::Refused(Refusal::Code(CodeFault::BadSignature));
        for (data, expected) in [(EventData::SignedIn, (53, 44)), (refused, (224, 69))] {
            let worded = EventData::Worded(WordedEvent {
                kind: data.kind(),
                code: data.code().to_owned(),
                title: data.title(),
                detail: data.detail(),
            });
            assert_eq!((bytes(worded), bytes(data)), expected);
        }
    }
}
