//! A row of a file to import.

use jiff::tz::TimeZone;
use serde_json::{Map, Value};

use super::derived_id::derived_id;
use crate::protocol::email::Email;
use crate::protocol::metadata::Metadata;
use crate::protocol::payload::NewUser;
use crate::verdict::Status;
use crate::{Error, Result, time};

/// A row of a file, with the user whom it describes.
#[derive(Clone, Debug)]
pub struct ImportRow {
    /// Number of the row, counted from 1. The headings of CSV are row 1, as in a spreadsheet.
    pub number: usize,
    /// The user, or the error about the row.
    pub content: std::result::Result<NewUser, Box<InvalidRow>>,
    /// Whether the ID was made from the address or the name.
    pub has_derived_id: bool,
    /// Whether the user is suspended where the file comes from.
    pub is_suspended: bool,
    /// Whether the account has ended where the file comes from.
    pub is_ended: bool,
    /// Time when the account ends, in Unix seconds.
    pub ends_at: Option<i64>,
}

/// A row that describes no user.
#[derive(Clone, Debug)]
pub struct InvalidRow {
    /// ID as written.
    pub id: String,
    /// Address as written.
    pub email: String,
    /// Name as written.
    pub name: String,
    /// Error that names the broken rule.
    pub error: Error,
}

/// Cells of a row.
#[derive(Debug, Default)]
pub(super) struct Cells {
    pub(super) id: String,
    pub(super) email: String,
    pub(super) members: Map<String, Value>,
    is_suspended: bool,
    is_ended: bool,
    ends_at: Option<i64>,
    /// Error about the first invalid cell.
    pub(super) error: Option<Error>,
}

impl Cells {
    /// Adds a member of the metadata.
    pub(super) fn add_member(&mut self, name: &str, value: Value) {
        if self.members.insert(name.to_owned(), value).is_some() {
            self.refuse(Error::member(
                format!("metadata.{name}"),
                format!("'{name}' stands twice. Keep one of them."),
            ));
        }
    }

    /// Reads the status of the user where the file comes from. Other words than those of an export
    /// mean an active user.
    pub(super) fn set_status(&mut self, status: &str) {
        let is = |name: Status| status.trim().eq_ignore_ascii_case(name.name());
        self.is_suspended = is(Status::Suspended);
        self.is_ended = is(Status::Ended);
    }

    /// Reads the time when the account ends.
    pub(super) fn set_end(&mut self, at: &str) {
        match time::parse(at, &TimeZone::UTC, "ends_at") {
            Ok(at) => self.ends_at = Some(at.as_second()),
            Err(error) => self.refuse(error),
        }
    }

    /// Notes the error about a cell, unless an earlier cell is invalid.
    pub(super) fn refuse(&mut self, error: Error) {
        self.error.get_or_insert(error);
    }

    /// Returns the row.
    pub(super) fn into_row(self, number: usize) -> ImportRow {
        let Self {
            id,
            email,
            members,
            is_suspended,
            is_ended,
            ends_at,
            error,
        } = self;
        let (id, email) = (id.trim(), email.trim());
        let name = display_name(&members);
        let derived = if id.is_empty() {
            derived_id(email, &name)
        } else {
            String::new()
        };
        let given = if id.is_empty() { &derived } else { id };
        let parsed = match error {
            Some(error) => Err(error),
            None => user(given, email, members),
        };
        let content = parsed.map_err(|error| {
            Box::new(InvalidRow {
                id: id.to_owned(),
                email: email.to_owned(),
                name,
                error: error.about_user(),
            })
        });
        ImportRow {
            number,
            content,
            has_derived_id: id.is_empty(),
            is_suspended,
            is_ended,
            ends_at,
        }
    }
}

fn user(id: &str, email: &str, members: Map<String, Value>) -> Result<NewUser> {
    if id.is_empty() && email.is_empty() {
        return Err(Error::member(
            "id",
            "The row has no ID, and no e-mail address or name to make one from. Add an ID.",
        ));
    }
    let email = Some(email).filter(|email| !email.is_empty());
    // A wrong address is reported before the ID that could not be made from it.
    if let Some(email) = email {
        Email::parse(email, "email")?;
    }
    NewUser::parse(id, email, Metadata::new(members, "metadata")?)
}

fn display_name(members: &Map<String, Value>) -> String {
    let metadata = Metadata::new(members.clone(), "metadata").unwrap_or_default();
    metadata.display_name().unwrap_or_default().to_owned()
}

impl ImportRow {
    /// Returns the ID, which may be derived. Empty if an invalid row has none.
    #[must_use]
    pub fn id(&self) -> &str {
        match &self.content {
            Ok(user) => user.id.as_str(),
            Err(invalid) => &invalid.id,
        }
    }

    /// Returns the address. Empty if there is none.
    #[must_use]
    pub fn email(&self) -> &str {
        match &self.content {
            Ok(user) => user.email.as_ref().map_or("", Email::as_str),
            Err(invalid) => &invalid.email,
        }
    }

    /// Returns the name. Empty if there is none.
    #[must_use]
    pub fn name(&self) -> &str {
        match &self.content {
            Ok(user) => user.metadata.display_name().unwrap_or_default(),
            Err(invalid) => &invalid.name,
        }
    }
}
