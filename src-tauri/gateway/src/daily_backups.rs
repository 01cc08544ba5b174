//! Automatic backups of the directory that this process holds, on a thread of their own.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use jiff::Timestamp;
use latchkey_core::directory::Directory;
use latchkey_core::instance::InstanceId;
use latchkey_core::{Error, ErrorCode, Result};
use latchkey_store::home::Home;

/// Times of the checks whether a backup is due.
#[derive(Clone, Copy, Debug)]
pub struct Checks {
    /// Time from the opening of the directory to the first check.
    pub first: Duration,
    /// Time between two checks.
    pub every: Duration,
}

impl Default for Checks {
    /// A program that opens a directory for a moment makes no backup.
    fn default() -> Self {
        Self {
            first: Duration::from_mins(1),
            every: Duration::from_mins(10),
        }
    }
}

/// Pause after some rows were read, so that sign-ins need not wait for the processor.
const PAUSE: Duration = Duration::from_millis(1);

/// The thread that makes automatic backups. Dropping it gives up an unfinished backup.
#[derive(Debug)]
pub struct DailyBackups {
    is_ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl DailyBackups {
    /// Starts the thread. It does not keep the directory open.
    pub fn start(
        home: Arc<Home>,
        id: InstanceId,
        directory: &Arc<dyn Directory>,
        checks: Checks,
    ) -> Result<Self> {
        let is_ended = Arc::new(AtomicBool::new(false));
        let work = Work {
            home,
            id,
            directory: Arc::downgrade(directory),
            is_ended: Arc::clone(&is_ended),
        };
        let thread = thread::Builder::new().name("latchkey-backups".into());
        let thread = thread.spawn(move || work.run(checks));
        Ok(Self {
            is_ended,
            thread: Some(thread.map_err(Error::internal)?),
        })
    }
}

impl Drop for DailyBackups {
    fn drop(&mut self) {
        self.is_ended.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            if thread.join().is_err() {
                tracing::error!("the thread of the automatic backups panicked");
            }
        }
    }
}

struct Work {
    home: Arc<Home>,
    id: InstanceId,
    directory: Weak<dyn Directory>,
    is_ended: Arc<AtomicBool>,
}

impl Work {
    fn run(&self, checks: Checks) {
        let (mut wait, mut has_failed) = (checks.first, false);
        loop {
            thread::park_timeout(wait);
            if self.is_ended() {
                return;
            }
            wait = checks.every;
            let Some(directory) = self.directory.upgrade() else {
                return;
            };
            let made = self
                .home
                .back_up_if_due(&self.id, &*directory, Timestamp::now(), || self.go_on());
            drop(directory);
            match made {
                Ok(Some(backup)) => {
                    tracing::info!(path = %backup.path.display(), "an automatic backup was made");
                    has_failed = false;
                }
                Ok(None) => {}
                Err(_) if self.is_ended() => return,
                // Each check would log it.
                Err(_) if has_failed => {}
                Err(cause) => {
                    tracing::warn!(error = %cause.logged(), "no automatic backup was made");
                    has_failed = true;
                }
            }
        }
    }

    fn go_on(&self) -> Result<()> {
        if self.is_ended() {
            return Err(Error::new(
                ErrorCode::Busy,
                "The directory is being closed.",
            ));
        }
        thread::sleep(PAUSE);
        Ok(())
    }

    fn is_ended(&self) -> bool {
        self.is_ended.load(Ordering::Relaxed)
    }
}
