//! The watermark: how much of the directory is on the disk, in a file beside the tree. It has the
//! number of changes, and the position in sled's log after them. sled opens a tree that has lost
//! changes without an error: the tree then has fewer changes than this file says.

use std::fs::{self, File};
use std::io::{self, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use crate::files;
use latchkey_core::Result;

/// Name of the file.
const WATERMARK: &str = "watermark";
/// Name of the file in earlier versions, which has only the number of changes.
const TALLY: &str = "tally";

/// Part of the directory that is on the disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Mark {
    /// Number of changes.
    pub(super) changes: u64,
    /// Position in the log up to which it was synced. 0 if it is not known.
    pub(super) position: u64,
    /// Length of the log's file at that time.
    pub(super) log_bytes: u64,
}

/// The open file. Each write replaces its bytes in place, so that the file is never empty.
pub(super) struct Watermark(File);

impl Watermark {
    /// Opens the file of the directory in `folder` to write `mark`, or makes it.
    pub(super) fn open(folder: &Path, mark: Mark) -> Result<Self> {
        let (path, old) = (folder.join(WATERMARK), folder.join(TALLY));
        if old.exists() {
            files::replace(&path, text(mark).as_bytes())?;
            fs::remove_file(&old).map_err(|cause| files::storage("removed", &old, cause))?;
        }
        let watermark = Self(files::open_to_write(&path)?);
        watermark.write(mark);
        Ok(watermark)
    }

    /// Writes what is on the disk already. The file itself is not synced: it survives the end of the
    /// process, and after a power cut it may have an earlier mark.
    pub(super) fn write(&self, mark: Mark) {
        if let Err(cause) = self.try_write(mark) {
            tracing::warn!(%cause, "the watermark was not written beside the directory");
        }
    }

    fn try_write(&self, mark: Mark) -> io::Result<()> {
        let mut file = &self.0;
        file.seek(SeekFrom::Start(0))?;
        file.write_all(text(mark).as_bytes())
    }
}

/// Returns the text of a mark. All texts have the same length. Each number stands there twice, so
/// that a changed bit makes them differ.
fn text(mark: Mark) -> String {
    let Mark {
        changes,
        position,
        log_bytes,
    } = mark;
    let numbers = format!("{changes:020} {position:020} {log_bytes:020}");
    format!("{numbers} {numbers}\n")
}

/// Reads the mark in a folder, and whether the file can be read. If not, the numbers are those of an
/// earlier version, or zero.
pub(super) fn read(folder: &Path) -> Result<(Mark, bool)> {
    let (mut mark, mut is_there) = (Mark::default(), false);
    for name in [TALLY, WATERMARK] {
        let text = files::read(&folder.join(name))?.unwrap_or_default();
        match parsed(&text) {
            Some(read) => {
                let changes = mark.changes.max(read.changes);
                mark = Mark { changes, ..read };
                is_there = name == WATERMARK;
            }
            None if text.is_empty() => {}
            None => {
                tracing::warn!(folder = %folder.display(), name, "the watermark beside the directory cannot be read");
            }
        }
    }
    Ok((mark, is_there))
}

/// Parses the first line. Earlier versions wrote only the number of changes, once or twice.
fn parsed(text: &[u8]) -> Option<Mark> {
    let line = std::str::from_utf8(text).ok()?.lines().next()?;
    let numbers = line.split_ascii_whitespace().map(str::parse);
    let numbers: Vec<u64> = numbers.collect::<Result<_, _>>().ok()?;
    let (first, again) = numbers.split_at(numbers.len() / 2);
    match *first {
        [] => numbers.first().map(|changes| Mark {
            changes: *changes,
            ..Mark::default()
        }),
        _ if first != again => None,
        [changes] => Some(Mark {
            changes,
            ..Mark::default()
        }),
        [changes, position, log_bytes] => Some(Mark {
            changes,
            position,
            log_bytes,
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(changes: u64) -> Mark {
        Mark {
            changes,
            position: changes / 2,
            log_bytes: changes / 3,
        }
    }

    #[test]
    fn a_mark_is_read_as_it_was_written_and_a_changed_bit_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(WATERMARK);
        let no_mark = (Mark::default(), false);
        assert_eq!(read(folder.path()).unwrap(), no_mark, "no file");
        let watermark = Watermark::open(folder.path(), mark(1)).unwrap();
        for number in [7, 1_000_000, u64::MAX] {
            watermark.write(mark(number));
            assert_eq!(read(folder.path()).unwrap(), (mark(number), true));
        }
        let bytes = fs::read(&path).unwrap();
        for place in 0..bytes.len() - 1 {
            let mut damaged = bytes.clone();
            damaged[place] ^= 1;
            fs::write(&path, &damaged).unwrap();
            assert_eq!(read(folder.path()).unwrap(), no_mark, "{place}");
        }
    }

    #[test]
    fn the_file_of_an_earlier_version_counts_until_the_watermark_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let old = folder.path().join(TALLY);
        let number = "00000000000000001255";
        for text in ["1255".to_owned(), format!("{number} {number}\n")] {
            fs::write(&old, text).unwrap();
            let (read, is_there) = read(folder.path()).unwrap();
            assert_eq!((read.changes, is_there), (1255, false));
        }
        // An earlier version has changed the directory of a later one.
        fs::write(folder.path().join(WATERMARK), text(mark(1000))).unwrap();
        let (both, _) = read(folder.path()).unwrap();
        assert_eq!((both.changes, both.position), (1255, 500));
        let watermark = Watermark::open(folder.path(), mark(1256)).unwrap();
        assert!(!old.exists());
        assert_eq!(read(folder.path()).unwrap(), (mark(1256), true));
        drop(watermark);
    }
}
