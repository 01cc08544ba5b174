//! Free space on the disk of a directory. sled is broken after a write that failed for lack of
//! space, so nothing is written when the disk is nearly full. Refusals, which anybody can cause,
//! stop before sign-ins do.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::elapsed;
use latchkey_core::{Error, ErrorCode, Result};

/// Time for which a measurement is used.
const CACHE_LIFETIME: Duration = Duration::from_millis(50);
/// How often a measurement is used: a fast disk takes megabytes in its lifetime.
const CACHE_USES: u32 = 64;

/// Space to keep free, in bytes. On a small disk it is a share of the disk.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Below this, refusals are not recorded. One sign-in takes about 3 KB.
    pub(super) reserve: u64,
    /// Below this, nothing is written. sled adds segments of 512 KiB, and may be writing several of
    /// them.
    pub(super) minimum: u64,
}

const LIMITS: Limits = Limits {
    reserve: 64 * 1024 * 1024,
    minimum: 4 * 1024 * 1024,
};

impl Limits {
    fn on_disk_of(self, total: u64) -> Self {
        Self {
            reserve: self.reserve.min(total / 4),
            minimum: self.minimum.min(total / 12),
        }
    }
}

/// Space that is left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Left {
    Nothing,
    Reserve,
    Enough,
}

/// Free space of a folder's disk.
pub(super) struct Room {
    folder: PathBuf,
    pub(super) limits: Limits,
    measured: Mutex<Option<Measured>>,
}

/// A measurement.
struct Measured {
    at: Instant,
    left: Left,
    uses: u32,
}

impl Room {
    pub(super) fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            limits: LIMITS,
            measured: Mutex::default(),
        }
    }

    /// Returns whether there is space for refusals.
    pub(super) fn is_ample(&self) -> bool {
        self.left() == Left::Enough
    }

    /// Fails if nothing may be written any more.
    pub(super) fn require(&self) -> Result<()> {
        if self.left() > Left::Nothing {
            return Ok(());
        }
        let folder = self.folder.display();
        Err(Error::new(
            ErrorCode::Storage,
            format!(
                "The disk that holds {folder} is full. Make room; nothing needs to be restarted."
            ),
        ))
    }

    fn left(&self) -> Left {
        let mut measured = self.measured.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = &mut *measured
            && known.uses < CACHE_USES
            && known.at.elapsed() < CACHE_LIFETIME
        {
            known.uses += 1;
            return known.left;
        }
        let left = self.measure();
        let before = measured.as_ref().map_or(Left::Enough, |known| known.left);
        *measured = Some(Measured {
            at: elapsed::start(),
            left,
            uses: 0,
        });
        drop(measured);
        if left < before {
            let folder = self.folder.display();
            match left {
                Left::Reserve => {
                    tracing::warn!(%folder, "the disk is nearly full: refusals are counted and not recorded");
                }
                Left::Nothing => {
                    tracing::error!(%folder, "the disk is full: nothing is recorded, and nobody signs in");
                }
                Left::Enough => {}
            }
        } else if left > before {
            tracing::warn!(folder = %self.folder.display(), "the disk has space again");
        }
        left
    }

    /// Assumes space if the operating system does not tell. A failed write then reports the error.
    fn measure(&self) -> Left {
        let Ok(space) = fs4::statvfs(&self.folder) else {
            return Left::Enough;
        };
        let (free, limits) = (
            space.available_space(),
            self.limits.on_disk_of(space.total_space()),
        );
        if free < limits.minimum {
            Left::Nothing
        } else if free < limits.reserve {
            Left::Reserve
        } else {
            Left::Enough
        }
    }
}
