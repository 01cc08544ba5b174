//! Opening the tree, with everything that is known to go wrong when one is opened.

use std::fs::{self, File};
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use jiff::Timestamp;

use super::catalogue::LiveCatalogue;
use super::closed::{LastClose, NoteOfClose};
use super::disk::Disk;
use super::errors::damaged_folder;
use super::errors::storage;
use super::journal::Journal;
use super::keys;
use super::load::are_complete;
use super::migrate::migrate;
use super::record::Counters;
use super::room::Room;
use super::state::{State, Tree};
use crate::files;
use latchkey_core::{Error, ErrorCode, Result, time};

/// Format 5 compares addresses by [`Email::key`](latchkey_core::protocol::email::Email::key), and has changes without an
/// entry, and sessions. Format 6 keeps the activity in blocks, and remembers whose address one was.
const FORMAT: u32 = 6;
/// The oldest that is read. It has nothing in a journal; in the journal of 3 each row is one change.
const OLDEST: u32 = 2;
/// Of the rows as they are written; in memory they take several times as much. sled's own default is a gibibyte.
const CACHE_BYTES: u64 = 8 * 1024 * 1024;
/// After how many changes the tally beside the tree is written anew.
const TALLY_EVERY: u64 = 256;

/// How often, and how long each time, a tree that is still closing is waited for: two seconds.
const CLOSING_WAITS: u32 = 200;
const CLOSING_WAIT: Duration = Duration::from_millis(10);

/// After its log has grown by so much, closing takes the time to note where things stand in it.
const MUCH_GROWTH: u64 = 256 * 1024 * 1024;

/// Name of the file that has the time of the last removal or edit.
const ORDER: &str = "order";
/// Name of the file with the number of changes.
const TALLY: &str = "tally";
/// Name of the folder of the tree.
const SLED: &str = "sled";
/// File whose lock the process holds that works with the directory.
const LOCK: &str = "lock";
/// File with the name of the process that took the lock last.
const HOLDER: &str = "holder";

/// The log of the tree of the directory in `folder`.
pub(super) fn log_of(folder: &Path) -> PathBuf {
    folder.join(SLED).join("db")
}

/// An open tree, held by this process. The fields are closed in this order.
pub(super) struct Opened {
    tree: Tree,
    room: Room,
    tally: PathBuf,
    /// The time of the last removal or edit, for processes that make links and do not hold the lock.
    order: PathBuf,
    tallied: AtomicU64,
    latest: AtomicU64,
    _log: Log,
    closed: NoteOfClose,
    _lock: File,
}

impl Opened {
    pub(super) fn new(folder: &Path, holder: &str) -> Result<Self> {
        files::create_private_dir(folder)?;
        let lock = hold(folder, holder)?;
        let (path, tally) = (folder.join(SLED), folder.join(TALLY));
        let log = Log {
            bytes: log_bytes(&path),
            path: path.clone(),
        };
        let closed = NoteOfClose::new(folder.to_owned(), log_of(folder));
        let changes = Arc::new(AtomicU64::new(0));
        let open = {
            let (folder, changes) = (folder.to_owned(), Arc::clone(&changes));
            move || {
                let (state, count) = open_state(&folder)?;
                changes.store(count, Ordering::Relaxed);
                Ok(state)
            }
        };
        let tree = Tree::new(folder.to_owned(), Box::new(open))?;
        let changes = changes.load(Ordering::Relaxed);
        Ok(Self {
            tree,
            room: Room::new(folder.to_owned()),
            tally,
            order: folder.join(ORDER),
            tallied: AtomicU64::new(changes),
            latest: AtomicU64::new(changes),
            _log: log,
            closed,
            _lock: lock,
        })
    }

    /// Works with the tree, which is opened again first if a write has failed. `work` must not call
    /// this function.
    pub(super) fn with<T>(&self, work: impl FnOnce(&State) -> Result<T>) -> Result<T> {
        self.tree.with(&self.room, work)
    }

    /// The folder of the directory.
    pub(super) fn folder(&self) -> &Path {
        self.tree.folder()
    }

    /// Says that a write has failed.
    pub(super) fn mark_broken(&self) {
        self.tree.mark_broken();
    }

    #[cfg(test)]
    pub(super) fn set_limits(&mut self, limits: super::room::Limits) {
        self.room.limits = limits;
    }

    /// The free space of the disk.
    pub(super) const fn room(&self) -> &Room {
        &self.room
    }

    /// Notes how many changes there have been, now and then also beside the tree: a tree that has
    /// lost its end opens without a word, and is found out by this.
    pub(super) fn note(&self, changes: u64) {
        self.latest.fetch_max(changes, Ordering::Relaxed);
        if changes >= self.tallied.load(Ordering::Relaxed) + TALLY_EVERY {
            self.tallied.store(changes, Ordering::Relaxed);
            self.write_tally(changes);
        }
    }

    /// Writes beside the tree when somebody was last removed or edited.
    pub(super) fn note_order(&self, at: i64) {
        if let Err(cause) = files::note(&self.order, at.to_string().as_bytes()) {
            tracing::warn!(%cause, "the time of the last removal was not written");
        }
    }

    fn write_tally(&self, changes: u64) {
        if let Err(cause) = files::note(&self.tally, changes.to_string().as_bytes()) {
            tracing::warn!(%cause, "the directory's tally was not written");
        }
    }
}

/// Opens the tree, and counts the changes that were made in it. Unless the directory was closed cleanly,
/// all users are read to see whether some are missing.
fn open_state(folder: &Path) -> Result<(State, u64)> {
    let path = &folder.join(SLED);
    files::require_plain(path)?;
    files::require_plain(&path.join("blobs"))?;
    let last_close = LastClose::take(folder);
    let log_bytes = log_bytes(path);
    remove_unfinished_snapshots(path);
    let tree = open(path)?;
    let journal = checked(path, || {
        let found = check_format(&tree)?;
        if found < FORMAT {
            migrate(&tree, found)?;
            write_format(&tree)?;
        }
        // Opening carries over the rows that were in the journal when the program ended.
        Journal::open(tree, Disk::open(path)?)
    })?;
    let counters = checked(path, || read_counters(journal.tree(), folder))?;
    if !last_close.was_clean(counters.changes, log_bytes)
        && !are_complete(journal.tree(), &counters)?
    {
        return Err(damaged_folder(folder, "rows are missing"));
    }
    let catalogue = LiveCatalogue::new(folder.to_owned(), counters.totals());
    let state = State { journal, catalogue };
    Ok((state, counters.changes))
}

impl Drop for Opened {
    fn drop(&mut self) {
        let changes = self.latest.load(Ordering::Relaxed);
        self.write_tally(changes);
        if !self.tree.is_broken() {
            self.closed.close(changes);
        }
    }
}

/// sled's log, and how much of it there was when it was opened. sled notes while opening where things stand, and reads all that
/// was written since when it opens the next time: a second for a million users.
struct Log {
    path: PathBuf,
    bytes: u64,
}

fn log_bytes(path: &Path) -> u64 {
    fs::metadata(path.join("db")).map_or(0, |log| log.len())
}

impl Drop for Log {
    fn drop(&mut self) {
        let growth = log_bytes(&self.path).saturating_sub(self.bytes);
        if growth >= MUCH_GROWTH
            && let Err(cause) = open(&self.path)
        {
            tracing::warn!(%cause, "the directory was closed, and will take longer to open");
        }
    }
}

/// Refuses where another process holds the directory.
pub(super) fn require_free(folder: &Path) -> Result<()> {
    if folder.is_dir() {
        hold(folder, "a program that removes it").map(drop)
    } else {
        Ok(())
    }
}

pub(super) fn needs_order(folder: &Path, now: Timestamp) -> bool {
    match files::read(&folder.join(ORDER)) {
        // A file that is being written has no number for a moment.
        Ok(Some(text)) => {
            number(&text).is_none_or(|at| !time::is_surely_after(now.as_second(), at))
        }
        Ok(None) | Err(_) => false,
    }
}

/// Returns how the process names itself that holds the directory; nothing where none does.
pub(super) fn holder(folder: &Path) -> Option<String> {
    let is_held = folder.is_dir() && matches!(files::try_lock(&folder.join(LOCK)), Ok(None));
    is_held.then(|| noted_holder(folder))
}

fn noted_holder(folder: &Path) -> String {
    let noted = files::read(&folder.join(HOLDER)).ok().flatten();
    let noted = noted.unwrap_or_default();
    match String::from_utf8_lossy(&noted).trim() {
        "" => "another process".to_owned(),
        noted => noted.to_owned(),
    }
}

/// Takes the lock of the directory. sled's own says nothing about who holds it.
fn hold(folder: &Path, holder: &str) -> Result<File> {
    let (path, named) = (folder.join(LOCK), folder.join(HOLDER));
    let Some(lock) = files::try_lock(&path)? else {
        let other = noted_holder(folder);
        return Err(Error::new(
            ErrorCode::DirectoryHeld,
            format!("The directory is in use by {other}. Close it there and try again."),
        ));
    };
    let text = format!("{holder} (process {})", std::process::id());
    files::note(&named, text.as_bytes())?;
    Ok(lock)
}

/// A snapshot that was being written when the power went makes every later opening fail, and is
/// not needed.
fn remove_unfinished_snapshots(path: &Path) {
    remove_snapshots(path, ".generating");
}

/// Removes the snapshots with `part` in their names. Returns whether there were any.
fn remove_snapshots(path: &Path, part: &str) -> bool {
    let Ok(entries) = fs::read_dir(path) else {
        return false;
    };
    let mut removed = false;
    for entry in entries.flatten() {
        if !entry.file_name().to_string_lossy().contains(part) {
            continue;
        }
        match fs::remove_file(entry.path()) {
            Ok(()) => removed = true,
            Err(cause) => tracing::warn!(%cause, "a snapshot was not removed"),
        }
    }
    removed
}

/// Opens the tree. The lock of this folder is held by now, so where sled's own is taken, a tree that
/// was dropped a moment ago is still closing: it is waited for.
fn open(path: &Path) -> Result<sled::Db> {
    let config = sled::Config::new()
        .path(path)
        .cache_capacity(CACHE_BYTES)
        // Every change is flushed before it is acknowledged.
        .flush_every_ms(None);
    let mut waits = CLOSING_WAITS;
    loop {
        // Changed bytes can make sled panic instead of fail.
        match panic::catch_unwind(AssertUnwindSafe(|| config.open())) {
            Ok(Ok(tree)) => return Ok(tree),
            Ok(Err(cause)) if is_still_closing(&cause) && waits > 0 => {
                waits -= 1;
                thread::sleep(CLOSING_WAIT);
            }
            // The rows are in the log. A snapshot only saves reading all of it, and what is counted
            // beside the tree shows whether rows are missing.
            _ if remove_snapshots(path, "snap.") => {}
            Ok(Err(sled::Error::Io(cause))) => return Err(files::storage("opened", path, cause)),
            Ok(Err(cause)) => {
                return Err(damaged(path, "it is not what was written").because(cause));
            }
            Err(_) => return Err(damaged(path, "it is not what was written")),
        }
    }
}

/// sled says it in words only.
fn is_still_closing(cause: &sled::Error) -> bool {
    matches!(cause, sled::Error::Io(io) if io.to_string().starts_with("could not acquire lock"))
}

/// Returns the format in which the rows are.
fn check_format(tree: &sled::Db) -> Result<u32> {
    let Some(format) = tree.get(keys::FORMAT).map_err(storage)? else {
        write_format(tree)?;
        return Ok(FORMAT);
    };
    let found: u32 = String::from_utf8_lossy(&format).parse().unwrap_or(u32::MAX);
    if found > FORMAT {
        return Err(Error::new(
            ErrorCode::NewerFormat,
            format!(
                "The directory was written by a newer Latchkey (format {found}; this one reads {FORMAT}). Use that one."
            ),
        ));
    }
    if found < OLDEST {
        return Err(Error::new(
            ErrorCode::OlderFormat,
            format!(
                "The directory was written before Latchkey's first release (format {found}; this one reads {FORMAT}). Move its folder away to begin anew."
            ),
        ));
    }
    Ok(found)
}

fn write_format(tree: &sled::Db) -> Result<()> {
    let format = FORMAT.to_string();
    tree.insert(keys::FORMAT, format.as_bytes())
        .map_err(storage)?;
    tree.flush().map(drop).map_err(storage)
}

/// sled may panic on damaged bytes.
fn checked<T>(path: &Path, work: impl FnOnce() -> Result<T>) -> Result<T> {
    panic::catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(damaged(path, "it is not what was written")))
}

/// Reads the counters, and compares them with the number of changes beside the tree.
fn read_counters(tree: &sled::Db, folder: &Path) -> Result<Counters> {
    let counters: Counters = match tree.get(keys::COUNTERS).map_err(storage)? {
        Some(bytes) => postcard::from_bytes(&bytes).map_err(|cause| {
            damaged_folder(folder, "its counters cannot be read").because(cause)
        })?,
        None => Counters::default(),
    };
    let tallied = files::read(&folder.join(TALLY)).ok().flatten();
    let tallied: u64 = tallied.and_then(|text| number(&text)).unwrap_or(0);
    if counters.changes < tallied {
        return Err(damaged_folder(folder, "its latest changes are missing"));
    }
    Ok(counters)
}

/// The number that a file has.
fn number<T: FromStr>(text: &[u8]) -> Option<T> {
    std::str::from_utf8(text).ok()?.trim().parse().ok()
}

fn damaged(path: &Path, why: &str) -> Error {
    damaged_folder(path.parent().unwrap_or(path), why)
}
