//! Members of the metadata that have a cell of their own in CSV.

use serde_json::{Map, Value};

use crate::protocol::metadata::Metadata;

/// Returns the text of a member that can be a cell. All others are exported as JSON: values that are
/// not texts, texts that an import would take for an empty cell, and names or texts with control
/// characters, which not every program reads.
pub(super) fn text_of<'a>(name: &str, value: &'a Value) -> Option<&'a str> {
    let is_plain = |text: &str| {
        let mut signs = text.chars();
        !signs.any(|sign| sign.is_control() && !matches!(sign, '\t' | '\r' | '\n'))
    };
    let text = value.as_str()?;
    let fits = !text.trim().is_empty() && is_plain(text) && !name.chars().any(char::is_control);
    fits.then_some(text)
}

/// Returns the members that have no cell of their own, as JSON.
pub(super) fn rest_of(metadata: &Metadata, columns: &[String]) -> Option<String> {
    let rest: Map<String, Value> = metadata
        .members()
        .iter()
        .filter(|(name, value)| text_of(name, value).is_none() || !columns.contains(name))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    // Cannot fail, because names and values are JSON already.
    (!rest.is_empty()).then(|| serde_json::to_string(&rest).unwrap_or_default())
}
