//! Writing of a backup.

use std::collections::BTreeMap;
use std::io::{self, Write};

use latchkey_core::directory::Row;
use latchkey_core::{Error, Result};
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use zstd::Encoder;

use super::format::{End, EndLine, Header, KeysLine, SettingsLine, Summary, hexadecimal};
use super::keys::SealedKeys;

/// Level of zstd: a few hundred megabytes per second.
const LEVEL: i32 = 3;

/// A backup that is being written.
pub(crate) struct BackupWriter<'a, W: Write> {
    out: Encoder<'a, W>,
    digest: Sha256,
    header: Header,
    rows: BTreeMap<String, u64>,
    line: Vec<u8>,
}

impl<W: Write> BackupWriter<'_, W> {
    /// Writes the first lines.
    pub(crate) fn begin(
        out: W,
        header: Header,
        settings: Value,
        keys: Option<SealedKeys>,
    ) -> Result<Self> {
        let mut out = Encoder::new(out, LEVEL).map_err(failed)?;
        // zstd checks its own output, too, so a damaged file is noticed early.
        out.include_checksum(true).map_err(failed)?;
        let mut writer = Self {
            out,
            digest: Sha256::new(),
            rows: BTreeMap::new(),
            line: Vec::new(),
            header,
        };
        let header = writer.header.clone();
        writer.put_line(&header)?;
        writer.put_line(&SettingsLine { settings })?;
        if let Some(keys) = keys {
            writer.put_line(&KeysLine { keys })?;
        }
        Ok(writer)
    }

    /// Writes a row.
    pub(crate) fn put(&mut self, row: &Row) -> Result<()> {
        *self.rows.entry(row.kind().to_owned()).or_default() += 1;
        self.put_line(row)
    }

    /// Writes the last line. The caller syncs the file.
    pub(crate) fn finish(mut self) -> Result<Summary> {
        let sha256 = hexadecimal(&self.digest.finalize_reset());
        let rows = self.rows.clone();
        self.put_line(&EndLine {
            end: End { rows, sha256 },
        })?;
        let mut out = self.out.finish().map_err(failed)?;
        out.flush().map_err(failed)?;
        Ok(Summary {
            header: self.header,
            rows: self.rows,
        })
    }

    fn put_line(&mut self, line: &impl Serialize) -> Result<()> {
        self.line.clear();
        serde_json::to_writer(&mut self.line, line).map_err(Error::internal)?;
        self.line.push(b'\n');
        self.digest.update(&self.line);
        self.out.write_all(&self.line).map_err(failed)
    }
}

fn failed(cause: io::Error) -> Error {
    crate::files::storage("written", std::path::Path::new("The backup"), cause)
}
