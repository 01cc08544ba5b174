//! Export of the activity to CSV and JSON Lines, newest first. Both have the same columns.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::{Map, Value};

use super::csv;
use super::line_format::LineFormat;
use crate::activity::{ActivityQuery, Entry, Kind, Reference};
use crate::directory::Directory;
use crate::{Error, Result, time};

/// Number of entries that are read at once.
const PAGE: usize = 1000;

/// Names of the columns.
const COLUMNS: [&str; 16] = [
    "number",
    "at",
    "kind",
    "code",
    "title",
    "detail",
    "subject",
    "link",
    "actor",
    "api_key",
    "address",
    "reference",
    "repeats",
    "first_at",
    "references",
    "parameters",
];

/// Writes all entries that match a query, and returns their number.
///
/// `write` gets the content in pieces, with the number of entries so far, and may fail to end the
/// export. It gets nothing before the first entries are read.
pub async fn export_activity(
    directory: &dyn Directory,
    query: &ActivityQuery,
    format: LineFormat,
    mut write: impl FnMut(&[u8], u64) -> Result<()> + Send,
) -> Result<u64> {
    let mut bytes = match format {
        LineFormat::Csv => csv::beginning(COLUMNS)?,
        LineFormat::JsonLines => Vec::new(),
    };
    let (mut written, mut before) = (0, None);
    loop {
        let page = directory.activity(query, before, PAGE).await?;
        written += page.entries.len() as u64;
        let rows = page.entries.iter().map(ExportedEntry::new);
        match format {
            LineFormat::Csv => bytes.extend(csv::lines(rows.map(ExportedEntry::cells))?),
            LineFormat::JsonLines => {
                for row in rows {
                    serde_json::to_writer(&mut bytes, &row).map_err(Error::internal)?;
                    bytes.push(b'\n');
                }
            }
        }
        write(&bytes, written)?;
        bytes.clear();
        before = page.before;
        if before.is_none() {
            return Ok(written);
        }
    }
}

/// Exported form of an entry. Its fields are the columns.
#[derive(Serialize)]
struct ExportedEntry<'a> {
    number: u64,
    at: String,
    kind: Kind,
    code: &'a str,
    title: String,
    detail: Option<String>,
    subject: Option<&'a str>,
    link: Option<&'a str>,
    actor: &'static str,
    api_key: Option<&'a str>,
    address: Option<String>,
    reference: Option<&'a Reference>,
    repeats: Option<u64>,
    first_at: Option<String>,
    references: &'a [Reference],
    parameters: Map<String, Value>,
}

impl<'a> ExportedEntry<'a> {
    fn new(entry: &'a Entry) -> Self {
        let event = &entry.event;
        let (actor, api_key) = (entry.actor.name(), entry.actor.api_key());
        let repeats = entry.repeats.as_ref();
        Self {
            number: entry.number,
            at: time::exact(entry.at),
            kind: event.data.kind(),
            code: event.data.code(),
            title: entry.title(),
            detail: entry.detail(),
            subject: event.subject.as_deref(),
            link: event.link.as_deref(),
            actor,
            api_key,
            address: entry.address.map(|address| address.to_string()),
            reference: entry.reference.as_ref(),
            repeats: repeats.map(|repeats| repeats.count),
            first_at: repeats.map(|repeats| time::exact(repeats.since)),
            references: repeats.map_or(&[], |repeats| &repeats.references),
            parameters: event.data.parameters(),
        }
    }

    /// Returns the cells in the order of [`COLUMNS`].
    fn cells(self) -> [Cow<'a, str>; COLUMNS.len()] {
        let text = |text: Option<&'a str>| Cow::Borrowed(text.unwrap_or_default());
        let owned = |text: Option<String>| Cow::Owned(text.unwrap_or_default());
        let references: Vec<&str> = self.references.iter().map(Reference::as_str).collect();
        let parameters = (!self.parameters.is_empty()).then(|| Value::Object(self.parameters));
        [
            self.number.to_string().into(),
            self.at.into(),
            self.kind.name().into(),
            self.code.into(),
            self.title.into(),
            owned(self.detail),
            text(self.subject),
            text(self.link),
            self.actor.into(),
            text(self.api_key),
            owned(self.address),
            text(self.reference.map(Reference::as_str)),
            owned(self.repeats.map(|count| count.to_string())),
            owned(self.first_at),
            references.join(" ").into(),
            owned(parameters.map(|parameters| parameters.to_string())),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activity::Actor;

    #[test]
    fn json_lines_have_the_columns_of_csv() {
        let entry = Entry {
            number: 1,
            at: 0,
            actor: Actor::Visitor,
            address: None,
            reference: None,
            repeats: None,
            event: crate::activity::EventData::SignedIn.into(),
        };
        let json = serde_json::to_value(ExportedEntry::new(&entry)).unwrap();
        let names: Vec<&String> = json.as_object().unwrap().keys().collect();
        assert_eq!(names, COLUMNS);
    }
}
