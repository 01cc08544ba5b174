//! Reading of a backup. Only a backup that was read to its end is known to be whole.

use std::collections::BTreeMap;
use std::io::{self, BufRead as _, BufReader, Read};
use std::path::Path;

use latchkey_core::directory::Row;
use latchkey_core::{Error, Result};
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use zstd::Decoder;

use super::damaged;
use super::format::{END, EndLine, Header, KeysLine, Part, SettingsLine, Summary, hexadecimal};
use super::keys::SealedKeys;
use crate::files;

/// Maximum length of a line in bytes. The longest has the settings with all waiting changes.
const MAX_LINE: u64 = 16 * 1024 * 1024;

/// A backup that is being read.
pub struct BackupReader<R: Read> {
    lines: BufReader<Decoder<'static, BufReader<R>>>,
    digest: Sha256,
    header: Header,
    pub(crate) settings: Value,
    pub(crate) keys: Option<SealedKeys>,
    rows: BTreeMap<String, u64>,
    line: Vec<u8>,
    is_whole: bool,
}

impl<R: Read> BackupReader<R> {
    /// Reads the first lines.
    ///
    /// Fails with [`NewerFormat`](latchkey_core::ErrorCode::NewerFormat), or with
    /// [`DamagedFile`](latchkey_core::ErrorCode::DamagedFile) if it is not a backup.
    pub fn open(from: R) -> Result<Self> {
        let decoder = Decoder::new(from).map_err(failed)?.single_frame();
        let mut lines = BufReader::new(decoder);
        let (mut digest, mut line) = (Sha256::new(), Vec::new());
        read_line(&mut lines, &mut line)?;
        digest.update(&line);
        let header = Header::parse(&line)?;
        let mut next = |lines: &mut BufReader<_>| {
            read_line(lines, &mut line)?;
            digest.update(&line);
            Ok::<_, Error>(line.clone())
        };
        let settings = next(&mut lines)?;
        let SettingsLine { settings } = serde_json::from_slice(&settings)
            .map_err(|cause| damaged("its settings cannot be read").because(cause))?;
        let keys = if header.holds(Part::Keys) {
            let keys = next(&mut lines)?;
            let KeysLine { keys } = serde_json::from_slice(&keys)
                .map_err(|cause| damaged("its keys cannot be read").because(cause))?;
            Some(keys)
        } else {
            None
        };
        Ok(Self {
            lines,
            digest,
            header,
            settings,
            keys,
            rows: BTreeMap::new(),
            line: Vec::new(),
            is_whole: false,
        })
    }

    /// Returns the first line.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// Reads the next row. `None` after the last one, if the backup is whole.
    pub(crate) fn next(&mut self) -> Result<Option<Row>> {
        if self.is_whole {
            return Ok(None);
        }
        read_line(&mut self.lines, &mut self.line)?;
        if self.line.starts_with(END) {
            self.end()?;
            return Ok(None);
        }
        self.digest.update(&self.line);
        let row: Row = serde_json::from_slice(&self.line)
            .map_err(|cause| damaged("a row of it cannot be read").because(cause))?;
        if !self.header.holds(Part::Directory) {
            return Err(damaged(
                "it has rows of a directory, and its first line says that it has none",
            ));
        }
        *self.rows.entry(row.kind().to_owned()).or_default() += 1;
        Ok(Some(row))
    }

    /// Checks the last line, and that nothing follows it.
    fn end(&mut self) -> Result<()> {
        let EndLine { end } = serde_json::from_slice(&self.line)
            .map_err(|cause| damaged("its last line cannot be read").because(cause))?;
        let sha256 = hexadecimal(&self.digest.finalize_reset());
        if end.sha256 != sha256 || end.rows != self.rows {
            return Err(damaged("it was changed after it was written"));
        }
        let is_end = self.lines.fill_buf().map_err(failed)?.is_empty();
        let rest = self.lines.get_mut().get_mut().fill_buf().map_err(failed)?;
        if !is_end || !rest.is_empty() {
            return Err(damaged("something follows its last line"));
        }
        self.is_whole = true;
        Ok(())
    }

    /// Returns the contents. The backup was read to its end.
    pub(crate) fn summary(&self) -> Summary {
        Summary {
            header: self.header.clone(),
            rows: self.rows.clone(),
        }
    }
}

/// Reads a backup to its end, and returns its contents.
///
/// Fails unless it is whole and each row can be read.
pub fn verify(from: impl Read) -> Result<Summary> {
    let mut reader = BackupReader::open(from)?;
    while reader.next()?.is_some() {}
    Ok(reader.summary())
}

/// Reads a line with its end.
fn read_line(lines: &mut BufReader<impl Read>, line: &mut Vec<u8>) -> Result<()> {
    line.clear();
    let read = lines.take(MAX_LINE).read_until(b'\n', line);
    read.map_err(failed)?;
    match line.last() {
        Some(b'\n') => Ok(()),
        _ if line.len() as u64 == MAX_LINE => Err(damaged("a line of it is too long")),
        _ => Err(damaged("it is cut off")),
    }
}

/// Returns the error for a failed read. The decoder has no other error for damaged bytes.
fn failed(cause: io::Error) -> Error {
    if cause.raw_os_error().is_some() {
        return files::storage("read", Path::new("The backup"), cause);
    }
    let why = match cause.kind() {
        io::ErrorKind::UnexpectedEof => "it is cut off",
        _ => "it is not a backup, or was changed after it was written",
    };
    damaged(why).because(cause)
}
