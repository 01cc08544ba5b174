//! Export of users to CSV and JSON, and of the activity and links to CSV and JSON Lines.
//!
//! CSV is UTF-8 with a byte order mark, because spreadsheets take other files for the encoding of
//! their system, with line ends of CR and LF (RFC 4180). Cells are never formulas ([`formula`](crate::import::formula)).
//! Texts in the metadata have columns of their own. All other values are in the column `metadata` as
//! JSON, so an import of the file restores every user's ID, address and metadata.

mod activity;
mod cells;
mod csv;
mod line_format;
mod links;

pub use activity::export_activity;
pub use line_format::LineFormat;
pub use links::export_links;

use std::collections::BTreeSet;

use serde::Deserialize;

use crate::directory::{Cursor, Directory, PageStart, Sort, User, UserQuery};
use crate::{Error, Result};
use cells::text_of;

/// Format of an export of users.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum ExportFormat {
    /// CSV for spreadsheets.
    Csv,
    /// JSON: `{ "users": [ … ] }`, as in the answer of `latchkey users list --json`.
    Json,
}

impl ExportFormat {
    /// Returns the extension of files, which is also the stable name.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "json",
        }
    }

    /// Returns the kind of files in words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Csv => "CSV for spreadsheets",
            Self::Json => "JSON",
        }
    }
}

/// Number of users that are read at once.
const PAGE: usize = 1000;

/// Maximum number of members of the metadata that have a column of their own.
const MAX_COLUMNS: usize = 50;

/// Writes all users who match a query, in the order of their IDs, and returns their number.
///
/// `write` gets the content in pieces, with the number of users so far and of all, and may fail to
/// end the export.
pub async fn export(
    directory: &dyn Directory,
    query: &UserQuery,
    format: ExportFormat,
    mut write: impl FnMut(&[u8], Progress) -> Result<()> + Send,
) -> Result<u64> {
    match format {
        ExportFormat::Csv => {
            let columns = columns(directory, query, |progress| write(&[], progress)).await?;
            let mut head = csv::BYTE_ORDER_MARK.to_vec();
            head.extend(csv::head(&columns)?);
            write(&head, Progress::default())?;
            pages(directory, query, |users, progress| {
                write(&csv::rows(users, &columns)?, progress)
            })
            .await
        }
        ExportFormat::Json => {
            write(b"{\n  \"users\": [", Progress::default())?;
            let mut is_first = true;
            let written = pages(directory, query, |users, progress| {
                let mut lines = Vec::new();
                for user in users {
                    lines.extend_from_slice(if is_first { b"\n    " } else { b",\n    " });
                    is_first = false;
                    serde_json::to_writer(&mut lines, user).map_err(Error::internal)?;
                }
                write(&lines, progress)
            })
            .await?;
            write(b"\n  ]\n}\n", Progress::default())?;
            Ok(written)
        }
    }
}

/// Progress of an export.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Number of users that were read in this pass.
    pub users: u64,
    /// Number of users to read.
    pub total: u64,
}

/// Calls `each` with every page of users.
async fn pages(
    directory: &dyn Directory,
    query: &UserQuery,
    mut each: impl FnMut(&[User], Progress) -> Result<()> + Send,
) -> Result<u64> {
    let mut progress = Progress::default();
    let mut place = PageStart::First;
    loop {
        let page = directory
            .users(query, Sort::default(), &place, PAGE)
            .await?;
        progress.users += page.users.len() as u64;
        progress.total = page.total;
        each(&page.users, progress)?;
        let next: Option<Cursor> = page.next;
        let Some(next) = next else {
            return Ok(progress.users);
        };
        place = PageStart::After(next);
    }
}

/// Returns the members of the metadata that have a column of their own: `name` first, then the
/// others in the order of their names.
async fn columns(
    directory: &dyn Directory,
    query: &UserQuery,
    mut each: impl FnMut(Progress) -> Result<()> + Send,
) -> Result<Vec<String>> {
    let mut names = BTreeSet::new();
    pages(directory, query, |users, progress| {
        for user in users {
            for (name, value) in user.metadata.members() {
                if names.len() < MAX_COLUMNS
                    && text_of(name, value).is_some()
                    && !names.contains(name)
                {
                    names.insert(name.clone());
                }
            }
        }
        each(progress)
    })
    .await?;
    let first = names.take("name");
    Ok(first.into_iter().chain(names).collect())
}
