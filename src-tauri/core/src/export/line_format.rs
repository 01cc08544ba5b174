//! Format of exports with a row or a line for each record.

use serde::Deserialize;

/// Format of an export of the activity or of links.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[cfg_attr(feature = "ts", derive(ts_rs::TS))]
#[serde(rename_all = "snake_case")]
pub enum LineFormat {
    /// CSV for spreadsheets.
    Csv,
    /// JSON Lines: an object for each record, each in a line of its own.
    JsonLines,
}

impl LineFormat {
    /// Returns the extension of files, which is also the stable name.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::JsonLines => "jsonl",
        }
    }

    /// Returns the kind of files in words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Csv => "CSV for spreadsheets",
            Self::JsonLines => "JSON Lines",
        }
    }
}
