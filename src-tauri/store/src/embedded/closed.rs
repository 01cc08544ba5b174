//! A note beside the tree that it was closed cleanly. After a crash or a power cut there is no
//! note, and opening the directory reads all users.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use crate::files;

/// Name of the file.
pub(super) const CLOSED: &str = "closed";

/// State of a tree when it was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Note {
    /// Number of the last change.
    changes: u64,
    /// Length of the tree's log in bytes. A shorter log has lost its end.
    log_bytes: u64,
}

/// Note of the last clean close.
pub(super) struct LastClose(Option<Note>);

impl LastClose {
    /// Reads the note of the directory in `folder`.
    pub(super) fn read(folder: &Path) -> Self {
        let noted = files::read(&folder.join(CLOSED)).ok().flatten();
        Self(noted.and_then(|text| parsed(&text)))
    }

    /// Returns whether there is a note.
    pub(super) const fn is_there(&self) -> bool {
        self.0.is_some()
    }

    /// Returns the number of changes at that time. The directory has at least as many.
    pub(super) fn changes(&self) -> u64 {
        self.0.map_or(0, |note| note.changes)
    }

    /// Deletes the note before the tree is opened.
    pub(super) fn take(self, folder: &Path) -> Self {
        let path = folder.join(CLOSED);
        match fs::remove_file(&path) {
            Ok(()) => {}
            Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Self(None),
            Err(cause) => {
                tracing::warn!(%cause, "the note of the last closing was not removed");
                return Self(None);
            }
        }
        // Syncs the folder, so that the note does not come back after a power cut.
        Self(self.0.filter(|_| files::sync_dir(folder).is_ok()))
    }

    /// Returns whether a tree with a log of this length and this number of changes is the one that
    /// was closed.
    pub(super) fn was_clean(&self, changes: u64, log_bytes: u64) -> bool {
        let noted = self.0;
        noted.is_some_and(|note| note.changes == changes && note.log_bytes <= log_bytes)
    }
}

/// Returns the text of a note. Each number stands there twice, so that a changed bit makes them
/// differ.
fn text(note: Note) -> String {
    let Note { changes, log_bytes } = note;
    format!("{changes} {log_bytes} {changes} {log_bytes}")
}

/// Parses a note. Earlier versions wrote each number once.
fn parsed(text: &[u8]) -> Option<Note> {
    let numbers = std::str::from_utf8(text).ok()?.split_ascii_whitespace();
    let numbers: Vec<u64> = numbers.map(str::parse).collect::<Result<_, _>>().ok()?;
    let (changes, log_bytes) = match *numbers.as_slice() {
        [changes, log_bytes] => (changes, log_bytes),
        [changes, log_bytes, again, bytes_again]
            if (again, bytes_again) == (changes, log_bytes) =>
        {
            (changes, log_bytes)
        }
        _ => return None,
    };
    Some(Note { changes, log_bytes })
}

/// Writes the note when it is dropped, after the tree was dropped. Writes nothing unless
/// [`close`](Self::close) was called.
pub(super) struct NoteOfClose {
    folder: PathBuf,
    log: PathBuf,
    changes: Option<u64>,
}

impl NoteOfClose {
    pub(super) fn new(folder: PathBuf, log: PathBuf) -> Self {
        Self {
            folder,
            log,
            changes: None,
        }
    }

    /// Notes that the tree is closed next, undamaged, after this number of changes.
    pub(super) fn close(&mut self, changes: u64) {
        self.changes = Some(changes);
    }
}

impl Drop for NoteOfClose {
    fn drop(&mut self) {
        let Some(changes) = self.changes.take() else {
            return;
        };
        let noted = File::open(&self.log)
            .and_then(|log| {
                log.sync_data()?;
                Ok(log.metadata()?.len())
            })
            .map_err(|cause| files::storage("written", &self.log, cause))
            .and_then(|log_bytes| {
                let text = text(Note { changes, log_bytes });
                files::replace(&self.folder.join(CLOSED), text.as_bytes())
            });
        if let Err(cause) = noted {
            tracing::warn!(error = ?cause, "the directory was closed, and all its users are read when it is opened");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_counts_once_and_only_for_the_same_tree() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("db");
        let close = |changes: Option<u64>| {
            let mut note = NoteOfClose::new(folder.path().to_owned(), log.clone());
            if let Some(changes) = changes {
                note.close(changes);
            }
        };
        let was_clean = |changes, bytes| {
            let last = LastClose::read(folder.path()).take(folder.path());
            last.was_clean(changes, bytes)
        };
        fs::write(&log, "12345").unwrap();
        assert!(!was_clean(0, 5), "a new directory has none");
        close(Some(7));
        assert!(was_clean(7, 5));
        assert!(!was_clean(7, 5), "it is taken");
        for (changes, bytes, expected) in
            [(7, 6, true), (8, 5, false), (6, 5, false), (7, 4, false)]
        {
            close(Some(7));
            assert_eq!(was_clean(changes, bytes), expected, "{changes} {bytes}");
        }
        close(None);
        assert!(!was_clean(7, 5), "the tree was broken");
        fs::write(folder.path().join(CLOSED), "7 5").unwrap();
        assert!(was_clean(7, 5), "an earlier version wrote it");
        for text in [
            "", "7", "7 x", "x 5", "\u{0}", "7 5 7", "7 5 6 5", "7 5 7 4",
        ] {
            fs::write(folder.path().join(CLOSED), text).unwrap();
            assert!(!was_clean(7, 5), "{text:?}");
        }
    }
}
