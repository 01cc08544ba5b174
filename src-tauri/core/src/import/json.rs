//! Rows of a JSON file.
//!
//! | shape | from |
//! |---|---|
//! | `[ user, … ]` | any program |
//! | `{ "users": [ user, … ] }` | an export, or `latchkey users list --json` |
//! | `{ "data": [ user, … ] }` | TypingMind's API |

use std::fmt;

use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::{Map, Value};

use super::limits::{MAX_ROWS, too_many_rows, unreadable};
use super::row::{Cells, ImportRow};
use crate::protocol::json;
use crate::protocol::json::Unreadable;
use crate::{Error, Result};

/// Members of an exported user that an import does not read.
const INFORMATION: [&str; 6] = [
    "origin",
    "created_at",
    "last_sign_in",
    "sign_ins",
    "profile_as_of",
    "generation",
];

/// Returns the rows of a JSON text.
pub(super) fn rows(text: &str) -> Result<Vec<ImportRow>> {
    let mut rows = Vec::new();
    let mut list = List {
        rows: &mut rows,
        is_typingmind: false,
        is_inside: false,
        is_found: false,
    };
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let read = (&mut list)
        .deserialize(&mut deserializer)
        .and_then(|()| deserializer.end());
    let is_found = list.is_found;
    if rows.len() > MAX_ROWS {
        return Err(too_many_rows());
    }
    read.map_err(|cause| {
        unreadable(format!(
            "The JSON cannot be read: {}.",
            json::unreadable(cause)
        ))
    })?;
    if let Some(number) = json::inexact_number(text.as_bytes()) {
        let reason = Unreadable::InexactNumber(number.to_owned());
        return Err(unreadable(format!("The JSON cannot be read: {reason}.")));
    }
    if !is_found {
        return Err(unreadable(
            "The JSON has no list of users. Write it as [ … ], or as { \"users\": [ … ] }.",
        ));
    }
    Ok(rows)
}

/// Collects the rows of a list, or of the list in an object.
struct List<'a> {
    rows: &'a mut Vec<ImportRow>,
    /// Whether the list is an answer of TypingMind's API.
    is_typingmind: bool,
    /// Whether the object around the list was entered.
    is_inside: bool,
    is_found: bool,
}

impl<'de> DeserializeSeed<'de> for &mut List<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for &mut List<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of users")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<(), A::Error> {
        if self.is_found {
            return Err(A::Error::custom("it has two lists of users"));
        }
        self.is_found = true;
        while let Some(value) = sequence.next_element_seed(json::strict())? {
            let number = self.rows.len() + 1;
            self.rows.push(row(value, self.is_typingmind, number));
            if number > MAX_ROWS {
                return Err(A::Error::custom("it has too many users"));
            }
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<(), A::Error> {
        if self.is_inside {
            return Err(A::Error::custom("users are a list"));
        }
        self.is_inside = true;
        while let Some(name) = object.next_key::<String>()? {
            if matches!(name.as_str(), "users" | "data") {
                self.is_typingmind = name == "data";
                object.next_value_seed(&mut *self)?;
            } else {
                object.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }
}

fn row(value: Value, is_typingmind: bool, number: usize) -> ImportRow {
    let mut cells = Cells::default();
    match value {
        Value::Object(members) => read(&mut cells, members, is_typingmind),
        _ => cells.refuse(Error::member("row", "It is not a JSON object.")),
    }
    cells.into_row(number)
}

fn read(cells: &mut Cells, mut members: Map<String, Value>, is_typingmind: bool) {
    let is_exported = matches!(members.get("metadata"), Some(Value::Object(_)));
    match members.shift_remove("id") {
        Some(Value::String(id)) => cells.id = id,
        Some(Value::Number(number)) => cells.id = number.to_string(),
        None | Some(Value::Null) => {}
        Some(_) => cells.refuse(Error::member("id", "It is neither a text nor a number.")),
    }
    match members.shift_remove("email") {
        Some(Value::String(email)) => cells.email = email,
        None | Some(Value::Null) => {}
        Some(_) => cells.refuse(Error::member("email", "It is not a text.")),
    }
    if is_exported {
        let status = members.shift_remove("status");
        let status = status.as_ref().and_then(Value::as_str);
        cells.set_status(status.unwrap_or_default());
        match members.shift_remove("ends_at") {
            Some(Value::String(at)) => cells.set_end(&at),
            None | Some(Value::Null) => {}
            Some(_) => cells.refuse(Error::member("ends_at", "It is not a text.")),
        }
        for name in INFORMATION {
            members.shift_remove(name);
        }
        if let Some(Value::Object(metadata)) = members.shift_remove("metadata") {
            cells.members = metadata;
        }
    }
    if is_typingmind {
        members.shift_remove("createdAt");
        if let Some(Value::Array(groups)) = members.get_mut("groups") {
            for group in groups {
                if let Some(name) = group.get("name").filter(|name| name.is_string()) {
                    *group = name.clone();
                }
            }
        }
    }
    for (name, value) in members {
        cells.add_member(&name, value);
    }
}
