//! The number of changes, in a file beside the tree. sled opens a tree that has lost its end without
//! an error: the tree then has fewer changes than this file says.

use std::fs::File;
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use crate::files;
use latchkey_core::Result;

/// Name of the file.
const TALLY: &str = "tally";

/// The open file. Each write replaces its bytes in place, so that the file is never empty.
pub(super) struct Tally(File);

impl Tally {
    /// Opens the file of the directory in `folder`, or makes it.
    pub(super) fn open(folder: &Path) -> Result<Self> {
        files::open_to_write(&folder.join(TALLY)).map(Self)
    }

    /// Writes the number of changes, which are on the disk already. The file itself is not synced: it
    /// survives the end of the process, and after a power cut it may have an earlier number.
    pub(super) fn write(&self, changes: u64) {
        if let Err(cause) = self.try_write(changes) {
            tracing::warn!(%cause, "the number of changes was not written beside the directory");
        }
    }

    fn try_write(&self, changes: u64) -> io::Result<()> {
        let mut file = &self.0;
        file.seek(SeekFrom::Start(0))?;
        // All texts have the same length. A changed bit makes the two numbers differ.
        file.write_all(format!("{changes:020} {changes:020}\n").as_bytes())
    }
}

/// Returns the number of changes in the file; zero, if it cannot be read.
pub(super) fn read(folder: &Path) -> Result<u64> {
    let text = files::read(&folder.join(TALLY))?.unwrap_or_default();
    let number = parsed(&text);
    if number.is_none() && !text.is_empty() {
        tracing::warn!(folder = %folder.display(), "the number of changes beside the directory cannot be read, and is not checked");
    }
    Ok(number.unwrap_or_default())
}

/// Parses the first line. Older versions wrote the number once.
fn parsed(text: &[u8]) -> Option<u64> {
    let line = std::str::from_utf8(text).ok()?.lines().next()?;
    let mut numbers = line.split_ascii_whitespace();
    let number: u64 = numbers.next()?.parse().ok()?;
    let again = numbers.next().map_or(Ok(number), str::parse);
    (again == Ok(number)).then_some(number)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_number_is_read_as_it_was_written_and_a_changed_bit_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(TALLY);
        assert_eq!(read(folder.path()).unwrap(), 0, "there is no file");
        fs::write(&path, "1255").unwrap();
        assert_eq!(
            read(folder.path()).unwrap(),
            1255,
            "an older version wrote it"
        );
        let tally = Tally::open(folder.path()).unwrap();
        for number in [7, 1_000_000, u64::MAX] {
            tally.write(number);
            assert_eq!(read(folder.path()).unwrap(), number);
        }
        let bytes = fs::read(&path).unwrap();
        for place in 0..bytes.len() - 1 {
            let mut damaged = bytes.clone();
            damaged[place] ^= 1;
            fs::write(&path, &damaged).unwrap();
            assert_eq!(read(folder.path()).unwrap(), 0, "byte {place}");
        }
    }
}
