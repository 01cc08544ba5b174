//! The open tree. After a failed write, every later write of sled fails, too. The tree is then
//! opened again in the same process, as after a crash. Acknowledged changes are on the disk, and
//! the callers of all others got an error.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError, RwLock};
use std::thread;
use std::time::{Duration, Instant};

use super::catalogue::{Links, LiveCatalogue, Users};
use super::journal::Journal;
use super::room::Room;
use super::session_index::SessionIndex;
use crate::elapsed;
use latchkey_core::{Error, ErrorCode, Result};

/// Time between two attempts to open a broken tree again.
const PAUSE: Duration = Duration::from_secs(1);

/// A tree, and the state of its rows in memory.
pub(super) struct State {
    pub(super) journal: Journal,
    pub(super) users: LiveCatalogue<Users>,
    pub(super) links: LiveCatalogue<Links>,
    pub(super) sessions: SessionIndex,
}

/// Opens a tree.
type Open = Box<dyn Fn() -> Result<State> + Send + Sync>;

/// A tree that is opened again when it is broken.
pub(super) struct Tree {
    /// `None` while a broken tree could not be opened again.
    state: RwLock<Option<State>>,
    is_broken: AtomicBool,
    tried: Mutex<Option<Instant>>,
    open: Open,
    folder: PathBuf,
}

/// Marks the tree as broken if the thread that works with it panics.
struct Watch<'a>(&'a Tree);

impl Drop for Watch<'_> {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.mark_broken();
        }
    }
}

impl Tree {
    pub(super) fn new(folder: PathBuf, open: Open) -> Result<Self> {
        Ok(Self {
            state: RwLock::new(Some(open()?)),
            is_broken: AtomicBool::new(false),
            tried: Mutex::default(),
            open,
            folder,
        })
    }

    /// Works with the tree. Opens it again first if it is broken.
    ///
    /// `work` must not call this function, because opening the tree waits until no work uses it.
    pub(super) fn with<T>(&self, room: &Room, work: impl FnOnce(&State) -> Result<T>) -> Result<T> {
        if self.is_broken() {
            self.reopen(room)?;
        }
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        let state = state.as_ref().ok_or_else(|| self.closed())?;
        let _watch = Watch(self);
        work(state)
    }

    /// Returns the folder of the directory.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Notes that a write has failed.
    pub(super) fn mark_broken(&self) {
        self.is_broken.store(true, Ordering::Release);
    }

    /// Flushes the tree before it is closed. Returns the position in the log and the length of its
    /// file, if everything is on the disk.
    pub(super) fn flush(&self) -> Option<(u64, u64)> {
        let state = self.state.read().unwrap_or_else(PoisonError::into_inner);
        let journal = &state.as_ref()?.journal;
        journal.flush().ok()?;
        Some(journal.synced())
    }

    pub(super) fn is_broken(&self) -> bool {
        self.is_broken.load(Ordering::Acquire)
    }

    fn reopen(&self, room: &Room) -> Result<()> {
        let mut tried = self.tried.lock().unwrap_or_else(PoisonError::into_inner);
        if !self.is_broken() {
            return Ok(());
        }
        if tried.is_some_and(|at| at.elapsed() < PAUSE) {
            return Err(self.closed());
        }
        *tried = Some(elapsed::start());
        room.require()?;
        if let Some(state) = &*self.state.read().unwrap_or_else(PoisonError::into_inner) {
            state.journal.wake_flushes();
        }
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        // Closes the broken tree first, because sled locks its file.
        *state = None;
        *state = Some((self.open)()?);
        self.is_broken.store(false, Ordering::Release);
        tracing::warn!(folder = %self.folder.display(), "the directory was opened again after a write had failed");
        Ok(())
    }

    fn closed(&self) -> Error {
        let folder = self.folder.display();
        Error::new(
            ErrorCode::Storage,
            format!(
                "The directory in {folder} could not be written, and is opened again in a moment. Look whether its disk is full."
            ),
        )
    }
}
