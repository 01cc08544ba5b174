//! The lines of a backup.

use std::collections::BTreeMap;

use jiff::Timestamp;
use latchkey_core::instance::{Hosted, InstanceId, Name};
use latchkey_core::{Error, ErrorCode, Result, time};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::damaged;
use super::keys::SealedKeys;
use crate::embedded::ROWS_FORMAT;
use crate::instances::SETTINGS_FORMAT;

/// Version of the format. Newer ones are refused.
pub(super) const VERSION: u32 = 1;

/// A part of a backup.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// The settings, API keys and waiting changes of the instance.
    Settings,
    /// The signing key and the key of the certificate, sealed with a passphrase.
    Keys,
    /// All rows of the directory.
    Directory,
}

/// First line of a backup.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Version of the format.
    latchkey_backup: u32,
    /// Format of the settings.
    settings_format: u32,
    /// Format of the rows of the directory.
    rows_format: u32,
    /// Time when the backup was begun, in RFC 3339.
    pub made_at: String,
    /// Version of the program that made the backup.
    pub made_by: String,
    /// ID of the instance.
    pub instance: String,
    /// Name of the instance.
    pub name: String,
    /// Place that decides about sign-ins.
    pub hosted: Hosted,
    /// Parts of the backup.
    pub holds: Vec<Part>,
}

impl Header {
    pub(crate) fn new(
        id: &InstanceId,
        name: &Name,
        hosted: Hosted,
        made_at: Timestamp,
        holds: Vec<Part>,
    ) -> Self {
        Self {
            latchkey_backup: VERSION,
            settings_format: SETTINGS_FORMAT,
            rows_format: ROWS_FORMAT,
            made_at: time::exact(made_at.as_second()),
            made_by: env!("CARGO_PKG_VERSION").to_owned(),
            instance: id.as_str().to_owned(),
            name: name.as_str().to_owned(),
            hosted,
            holds,
        }
    }

    /// Returns whether the backup has a part.
    #[must_use]
    pub fn holds(&self, part: Part) -> bool {
        self.holds.contains(&part)
    }

    /// Parses the first line.
    pub(super) fn parse(line: &[u8]) -> Result<Self> {
        #[derive(Deserialize)]
        struct VersionOnly {
            latchkey_backup: u32,
        }
        let not_a_backup = |cause| damaged("it is not a backup of Latchkey").because(cause);
        let VersionOnly { latchkey_backup } = serde_json::from_slice(line).map_err(not_a_backup)?;
        let newer = |what: &str, found: u32, known: u32| {
            let message = format!(
                "The backup was written by a newer Latchkey ({what} {found}; this one reads {known}). Use that one. Nothing was changed."
            );
            Error::new(ErrorCode::NewerFormat, message)
        };
        if latchkey_backup > VERSION {
            return Err(newer("version", latchkey_backup, VERSION));
        }
        let header: Self = serde_json::from_slice(line)
            .map_err(|cause| damaged("its first line cannot be read").because(cause))?;
        if header.settings_format > SETTINGS_FORMAT {
            let found = header.settings_format;
            return Err(newer("format of the settings", found, SETTINGS_FORMAT));
        }
        if header.rows_format > ROWS_FORMAT {
            return Err(newer("format of the rows", header.rows_format, ROWS_FORMAT));
        }
        Ok(header)
    }
}

/// Line with the settings: the content of `instance.json`.
#[derive(Serialize, Deserialize)]
pub(super) struct SettingsLine {
    pub(super) settings: Value,
}

/// Line with the sealed keys.
#[derive(Serialize, Deserialize)]
pub(super) struct KeysLine {
    pub(super) keys: SealedKeys,
}

/// Beginning of the last line. No row begins like that.
pub(super) const END: &[u8] = br#"{"end":"#;

/// Last line.
#[derive(Serialize, Deserialize)]
pub(super) struct EndLine {
    pub(super) end: End,
}

#[derive(Serialize, Deserialize)]
pub(super) struct End {
    /// Number of rows of each kind.
    pub(super) rows: BTreeMap<String, u64>,
    /// SHA-256 of all lines before this one, in hexadecimal.
    pub(super) sha256: String,
}

/// Contents of a backup that was read or written whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// First line.
    pub header: Header,
    /// Number of rows of each kind.
    pub rows: BTreeMap<String, u64>,
}

impl Summary {
    /// Returns the number of rows of a kind.
    #[must_use]
    pub fn count(&self, kind: &str) -> u64 {
        self.rows.get(kind).copied().unwrap_or_default()
    }
}

/// Returns bytes in hexadecimal.
pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write as _;

    bytes.iter().fold(String::new(), |mut text, byte| {
        // A String accepts everything.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
