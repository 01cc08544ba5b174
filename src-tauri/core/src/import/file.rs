//! A file to import: its encoding, its format and its rows.

use encoding_rs::WINDOWS_1252;

use super::column::Column;
use super::limits::{MAX_FILE_BYTES, too_large, unreadable};
use super::row::ImportRow;
use super::{csv, json};
use crate::Result;
use crate::protocol::text;

/// A file to import.
#[derive(Clone, Debug)]
pub struct ImportFile {
    /// Format of the file.
    pub format: FileFormat,
    /// Whether the file is neither UTF-8 nor UTF-16, so that it was read as Windows-1252.
    pub is_windows_1252: bool,
    /// Columns of a CSV file, in the order of the file.
    pub columns: Vec<Column>,
    /// Rows with users.
    pub rows: Vec<ImportRow>,
}

/// Format of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileFormat {
    /// CSV with this separator.
    Csv(char),
    /// JSON.
    Json,
}

impl ImportFile {
    /// Parses a file.
    ///
    /// Fails with [`InvalidImport`](crate::ErrorCode::InvalidImport) if it is neither CSV nor JSON, or with
    /// [`InputTooLarge`](crate::ErrorCode::InputTooLarge) above a limit.
    pub fn parse(bytes: Vec<u8>) -> Result<Self> {
        if bytes.len() as u64 > MAX_FILE_BYTES {
            return Err(too_large());
        }
        if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"\xd0\xcf\x11\xe0") {
            return Err(unreadable(
                "The file is a spreadsheet such as .xlsx or .ods. Save it as CSV there, and choose that file.",
            ));
        }
        let (text, is_windows_1252) = decode(bytes)?;
        let mut file = if text.trim_start().starts_with(['{', '[']) {
            Self {
                format: FileFormat::Json,
                is_windows_1252,
                columns: Vec::new(),
                rows: json::rows(&text)?,
            }
        } else {
            let (separator, columns, rows) = csv::rows(&text)?;
            Self {
                format: FileFormat::Csv(separator),
                is_windows_1252,
                columns,
                rows,
            }
        };
        if file.rows.is_empty() {
            return Err(unreadable("The file has no users."));
        }
        file.rows.shrink_to_fit();
        Ok(file)
    }
}

/// Decodes a text file. Returns whether it is in Windows-1252, in which older spreadsheets write.
fn decode(bytes: Vec<u8>) -> Result<(String, bool)> {
    let is_utf16 = bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff");
    if !is_utf16 && bytes.contains(&0) {
        return Err(unreadable(
            "The file is not text. Choose a CSV or a JSON file.",
        ));
    }
    if is_utf16 || str::from_utf8(&bytes).is_ok() {
        let text = text::decode(bytes);
        return text.map(|text| (text, false)).ok_or_else(|| {
            unreadable("The file is cut off in the middle of a character. Save it again as UTF-8.")
        });
    }
    let (text, _) = WINDOWS_1252.decode_without_bom_handling(&bytes);
    Ok((text.into_owned(), true))
}
