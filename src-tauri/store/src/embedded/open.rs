//! Opening of the tree, and handling of everything that can go wrong with it.

use std::fs::{self, File, TryLockError};
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use super::catalogue::LiveCatalogue;
use super::closed::{LastClose, NoteOfClose};
use super::disk::Disk;
use super::errors::{damaged_folder, damaged_untouched, storage};
use super::inspect::{Finding, inspect};
use super::journal::Journal;
use super::keys;
use super::load::are_complete;
use super::lock::hold;
use super::migrate::migrate;
use super::record::Counters;
use super::rollback::Rollback;
use super::room::Room;
use super::session_index::SessionIndex;
use super::state::{State, Tree};
use super::watermark::{self, Mark, Watermark};
use crate::files;
use latchkey_core::{Error, ErrorCode, Result};

/// Current format. Format 5 compares addresses by
/// [`Email::key`](latchkey_core::protocol::email::Email::key), and has sessions and changes without
/// an entry. Format 6 stores the activity in blocks, and the former users of an address. Format 7
/// stores events without words; entries of older formats keep theirs. Format 8 adds the refusals of
/// expired API keys and of those without a scope. Format 9 adds what an administrator does at
/// TypingMind, and pairings. Format 10 adds the seals of the activity, and the ledger. Format 11 adds
/// accounts that end, short links, and requests for a new link.
pub(super) const FORMAT: u32 = 11;
/// Oldest format that is migrated. It has no journal. In the journal of format 3 each row is one
/// change.
pub(super) const OLDEST: u32 = 2;
/// Size of sled's cache, counted in encoded rows. In memory they take several times as much. sled's
/// default is a gibibyte.
const CACHE_BYTES: u64 = 8 * 1024 * 1024;
/// Number of attempts to open a tree that is still closing. Together they take two seconds.
const CLOSING_WAITS: u32 = 200;
const CLOSING_WAIT: Duration = Duration::from_millis(10);

/// Growth of the log, in bytes, after which closing writes a snapshot.
const MUCH_GROWTH: u64 = 256 * 1024 * 1024;

/// Name of the file with the time of the last removal or edit.
pub(super) const ORDER: &str = "order";
/// Name of the folder of the tree.
pub(super) const SLED: &str = "sled";
/// Returns the log of the tree of the directory in `folder`.
fn log_of(folder: &Path) -> PathBuf {
    folder.join(SLED).join("db")
}

/// Returns whether there is a directory in `folder`, also one whose opening was interrupted.
pub(super) fn is_in(folder: &Path) -> bool {
    log_of(folder).exists() || Rollback::is_interrupted(&folder.join(SLED))
}

/// An open tree that this process holds. The fields are dropped in this order.
pub(super) struct Opened {
    tree: Tree,
    room: Room,
    watermark: Watermark,
    /// File with the time of the last removal or edit.
    order: PathBuf,
    latest: AtomicU64,
    _log: Log,
    closed: NoteOfClose,
    _lock: File,
}

impl Opened {
    pub(super) fn new(folder: &Path, holder: &str) -> Result<Self> {
        files::create_private_dir(folder)?;
        let lock = hold(folder, holder)?;
        let path = folder.join(SLED);
        let log = Log {
            bytes: log_bytes(&path),
            path: path.clone(),
        };
        let closed = NoteOfClose::new(folder.to_owned(), log_of(folder));
        let found = Arc::new(Mutex::new(Mark::default()));
        let open = {
            let (folder, found) = (folder.to_owned(), Arc::clone(&found));
            move || {
                let (state, mark) = open_state(&folder)?;
                *found.lock().unwrap_or_else(PoisonError::into_inner) = mark;
                Ok(state)
            }
        };
        let tree = Tree::new(folder.to_owned(), Box::new(open))?;
        let mark = *found.lock().unwrap_or_else(PoisonError::into_inner);
        let watermark = Watermark::open(folder, mark)?;
        Ok(Self {
            tree,
            room: Room::new(folder.to_owned()),
            watermark,
            order: folder.join(ORDER),
            latest: AtomicU64::new(mark.changes),
            _log: log,
            closed,
            _lock: lock,
        })
    }

    /// Works with the tree. Opens it again first if a write has failed. `work` must not call this
    /// function.
    pub(super) fn with<T>(&self, work: impl FnOnce(&State) -> Result<T>) -> Result<T> {
        self.tree.with(&self.room, work)
    }

    /// Returns the folder of the directory.
    pub(super) fn folder(&self) -> &Path {
        self.tree.folder()
    }

    /// Notes that a write has failed.
    pub(super) fn mark_broken(&self) {
        self.tree.mark_broken();
    }

    #[cfg(test)]
    pub(super) fn set_limits(&mut self, limits: super::room::Limits) {
        self.room.limits = limits;
    }

    /// Returns the free space of the disk.
    pub(super) const fn room(&self) -> &Room {
        &self.room
    }

    /// Notes the number of changes that are on the disk, and the position in the log and the length
    /// of its file.
    pub(super) fn note(&self, changes: u64, (position, log_bytes): (u64, u64)) {
        self.latest.fetch_max(changes, Ordering::Relaxed);
        self.watermark.write(Mark {
            changes,
            position,
            log_bytes,
        });
    }

    /// Returns the time of the last removal or edit, if there was one.
    pub(super) fn order(&self) -> Option<i64> {
        number(&files::read(&self.order).ok().flatten()?)
    }

    /// Writes the time of the last removal or edit beside the tree.
    pub(super) fn note_order(&self, at: i64) {
        if let Err(cause) = files::note(&self.order, at.to_string().as_bytes()) {
            tracing::warn!(%cause, "the time of the last removal was not written");
        }
    }
}

/// Checks the files of the tree and opens it. Returns it and what is on the disk.
fn open_state(folder: &Path) -> Result<(State, Mark)> {
    let path = &folder.join(SLED);
    Rollback::finish_interrupted(path)?;
    files::require_plain(path)?;
    files::require_plain(&path.join("blobs"))?;
    wait_until_closed(path);
    let (mut mark, has_mark) = watermark::read(folder)?;
    let last_close = LastClose::read(folder);
    mark.changes = mark.changes.max(last_close.changes());
    let inspected = inspect(path, &mark, last_close.is_there())?;
    if inspected.finding == Finding::Damaged {
        let why = "its latest changes are missing or cannot be read";
        return Err(damaged_untouched(folder, path, why));
    }
    // A directory of an earlier version has no watermark either.
    let is_unmarked = !has_mark && log_of(folder).exists();
    let is_doubtful = is_unmarked || inspected.finding == Finding::Doubtful;
    let rollback = if is_doubtful || !inspected.useless.is_empty() {
        tracing::warn!(folder = %folder.display(), is_unmarked, "the directory may be damaged, or its watermark is missing: its files are copied before they are opened");
        Some(Rollback::begin(path)?)
    } else {
        None
    };
    let last_close = last_close.take(folder);
    remove_unfinished_snapshots(path);
    for file in &inspected.useless {
        fs::remove_file(file).map_err(|cause| files::storage("removed", file, cause))?;
    }
    let trusted = (!is_doubtful).then_some(&last_close);
    let opened = open_inspected(folder, path, mark, trusted).and_then(|opened| {
        if is_doubtful {
            read_all_rows(path, opened.0.journal.tree())?;
        }
        Ok(opened)
    });
    match (opened, rollback) {
        (opened, None) => opened,
        (Ok(opened), Some(rollback)) => rollback.discard().map(|()| opened),
        (Err(refused), Some(rollback)) => {
            wait_until_closed(path);
            rollback.restore()?;
            let why = format!(
                "not all of it can be read ({})",
                refused.message.trim_end_matches('.')
            );
            Err(match refused.code {
                ErrorCode::DamagedFile | ErrorCode::Storage => {
                    damaged_untouched(folder, path, &why)
                }
                _ => refused,
            })
        }
    }
}

/// Opens a tree whose files were checked. Reads all users to check that none is missing, unless the
/// `trusted` note says that the directory was closed cleanly.
fn open_inspected(
    folder: &Path,
    path: &Path,
    mark: Mark,
    trusted: Option<&LastClose>,
) -> Result<(State, Mark)> {
    let log_bytes = log_bytes(path);
    let tree = open(path)?;
    let journal = checked(path, || {
        let found = check_format(&tree)?;
        if found < FORMAT {
            migrate(&tree, found)?;
            write_format(&tree)?;
        }
        // This makes a checkpoint of the journal that the last process left.
        Journal::open(tree, Disk::open(path)?)
    })?;
    let counters = checked(path, || read_counters(journal.tree(), folder, mark))?;
    let was_clean = |note: &LastClose| note.was_clean(counters.changes, log_bytes);
    if !trusted.is_some_and(was_clean) && !are_complete(journal.tree(), &counters)? {
        return Err(damaged_folder(folder, "rows are missing"));
    }
    let totals = counters.totals();
    let users = LiveCatalogue::new(folder.to_owned(), totals);
    let links = LiveCatalogue::new(folder.to_owned(), totals);
    let (position, log_bytes) = journal.synced();
    let mark = Mark {
        changes: counters.changes,
        position,
        log_bytes,
    };
    let state = State {
        journal,
        users,
        links,
        sessions: SessionIndex::default(),
    };
    Ok((state, mark))
}

/// Reads all rows, because sled finds a damaged page only when it reads it.
fn read_all_rows(path: &Path, tree: &sled::Db) -> Result<()> {
    checked(path, || {
        tree.iter()
            .try_for_each(|row| row.map(drop).map_err(storage))
    })
}

/// Waits until a tree that this process has dropped is closed. This process holds the lock of the
/// folder, so no other process has it.
fn wait_until_closed(path: &Path) {
    for _ in 0..CLOSING_WAITS {
        match File::open(path.join("db")).map(|log| log.try_lock()) {
            Ok(Err(TryLockError::WouldBlock)) => thread::sleep(CLOSING_WAIT),
            _ => return,
        }
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        let changes = self.latest.load(Ordering::Relaxed);
        if !self.tree.is_broken() {
            if let Some(synced) = self.tree.flush() {
                self.note(changes, synced);
            }
            self.closed.close(changes);
        }
    }
}

/// sled's log, and its length when it was opened. sled writes a snapshot only when it opens a tree,
/// and reads the log after the snapshot at the next opening. For a million users that takes a
/// second.
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

/// Removes a snapshot that was being written during a power cut. It is not needed, and every
/// opening with it would fail.
fn remove_unfinished_snapshots(path: &Path) {
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    for entry in entries {
        if entry.file_name().to_string_lossy().ends_with(".generating")
            && let Err(cause) = fs::remove_file(entry.path())
        {
            tracing::warn!(%cause, "a snapshot was not removed");
        }
    }
}

/// Opens the tree. This process already holds the lock of the folder, so if sled's own lock is
/// taken, a tree that was just dropped is still closing, and the call waits for it.
pub(super) fn open(path: &Path) -> Result<sled::Db> {
    let config = sled::Config::new()
        .path(path)
        .cache_capacity(CACHE_BYTES)
        // Every change is flushed explicitly before it is acknowledged.
        .flush_every_ms(None);
    let mut waits = CLOSING_WAITS;
    loop {
        // sled may panic on damaged bytes.
        match panic::catch_unwind(AssertUnwindSafe(|| config.open())) {
            Ok(Ok(tree)) => return Ok(tree),
            Ok(Err(cause)) if is_still_closing(&cause) && waits > 0 => {
                waits -= 1;
                thread::sleep(CLOSING_WAIT);
            }
            Ok(Err(sled::Error::Io(cause))) => return Err(files::storage("opened", path, cause)),
            Ok(Err(cause)) => {
                return Err(damaged(path, "it is not what was written").because(cause));
            }
            Err(_) => return Err(damaged(path, "it is not what was written")),
        }
    }
}

/// Recognises the error by its message, because sled has no error code for it.
fn is_still_closing(cause: &sled::Error) -> bool {
    matches!(cause, sled::Error::Io(io) if io.to_string().starts_with("could not acquire lock"))
}

/// Returns the format of the rows.
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

pub(super) fn write_format(tree: &sled::Db) -> Result<()> {
    let format = FORMAT.to_string();
    tree.insert(keys::FORMAT, format.as_bytes())
        .map_err(storage)?;
    tree.flush().map(drop).map_err(storage)
}

/// Runs work that may panic, because sled may panic on damaged bytes.
fn checked<T>(path: &Path, work: impl FnOnce() -> Result<T>) -> Result<T> {
    panic::catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(damaged(path, "it is not what was written")))
}

/// Reads the counters, and compares them with the watermark.
fn read_counters(tree: &sled::Db, folder: &Path, mark: Mark) -> Result<Counters> {
    let counters: Counters = match tree.get(keys::COUNTERS).map_err(storage)? {
        Some(bytes) => postcard::from_bytes(&bytes).map_err(|cause| {
            damaged_folder(folder, "its counters cannot be read").because(cause)
        })?,
        None => Counters::default(),
    };
    if counters.changes < mark.changes {
        return Err(damaged_folder(folder, "its latest changes are missing"));
    }
    Ok(counters)
}

/// Parses the number in a file.
fn number<T: FromStr>(text: &[u8]) -> Option<T> {
    std::str::from_utf8(text).ok()?.trim().parse().ok()
}

fn damaged(path: &Path, why: &str) -> Error {
    damaged_folder(path.parent().unwrap_or(path), why)
}
