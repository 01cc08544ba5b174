//! Check of a tree's files before sled opens them.
//!
//! sled reads its log when it opens a tree, from its last snapshot on. Where it cannot read a
//! message, it skips the rest of the segment, or ends the log there. It overwrites what it did not
//! read, and reports nothing. So the check reads the same messages first and changes nothing. The
//! [watermark](super::watermark) says up to which position the log was on the disk. Up to there
//! each message must be readable, else the opening is refused, and all files stay as they are.
//! After this position there may be writes that a crash has cut, and no acknowledged change.
//!
//! The check does not read what is older than the snapshot if the last close was clean and the log
//! is long, because that would take as long as reading the whole file. sled reads those pages when
//! they are needed, and reports one that is damaged. In other cases a message there that cannot be
//! read is a doubt: it may be a rest of an earlier crash. The opening then works on files of which
//! it has made a [copy](super::rollback), and reads all rows.
//!
//! A segment of zeros is free, or a disk has lost it. sled fills a free segment with zeros only after
//! it has written a [snapshot](super::snapshot) without a page in it, and it uses the free segment
//! with the lowest offset first. So a segment that has a page in the snapshot is not free, and
//! neither is one before a segment that was written after the snapshot.
//!
//! A missing file of a large value is no damage if a later message replaces its page, because sled
//! then deletes the file. sled skips other messages whose file is missing, without an error.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::{io, thread};

use super::sled_log::{
    self, Blob, SEGMENT, find_message, first_message, messages, read_at, read_segment, segments,
    start_of,
};
use super::snapshot::{self, Snapshot};
use super::watermark::Mark;
use crate::files;
use latchkey_core::Result;

/// Length of a log that is always read as a whole, which takes a twentieth of a second.
const SHORT: u64 = 64 * 1024 * 1024;
/// Maximum number of threads that read the log.
const THREADS: usize = 4;

/// Result of the check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Finding {
    /// Everything that was acknowledged is in the log.
    Sound,
    /// A part that may be unused cannot be read.
    Doubtful,
    /// Something that was acknowledged cannot be read.
    Damaged,
}

/// The checked files of a tree.
pub(super) struct Inspected {
    pub(super) finding: Finding,
    /// Damaged files that sled can do without, and with which it opens no tree: the snapshots,
    /// because the log has all rows, and its settings, which are always the same.
    pub(super) useless: Vec<PathBuf>,
}

/// Checks the tree in `folder`. `is_clean` says whether it was closed cleanly.
pub(super) fn inspect(folder: &Path, mark: &Mark, is_clean: bool) -> Result<Inspected> {
    let read = || -> io::Result<Inspected> {
        let (snapshot, mut useless) = snapshot::read(folder)?;
        let settings = folder.join("conf");
        if settings.exists() && !has_checksum(&fs::read(&settings)?) {
            useless.push(settings);
        }
        let log = match File::open(folder.join("db")) {
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => {
                let finding = if mark.position > 0 {
                    Finding::Damaged
                } else {
                    Finding::Sound
                };
                return Ok(Inspected { finding, useless });
            }
            opened => opened?,
        };
        let length = log.metadata()?.len();
        let log = Log {
            file: log,
            blobs: folder.join("blobs"),
            oldest: snapshot.position / SEGMENT as u64,
            snapshot,
            position: mark.position,
            reads_all: !is_clean || length <= SHORT,
            found: Mutex::default(),
        };
        let mut finding = log.inspect()?;
        if length < mark.log_bytes {
            // sled also shortens the log itself.
            finding = finding.max(Finding::Doubtful);
        }
        Ok(Inspected { finding, useless })
    };
    read().map_err(|cause| files::storage("read", folder, cause))
}

/// Returns whether bytes end with their checksum.
fn has_checksum(bytes: &[u8]) -> bool {
    let parts = bytes.split_last_chunk::<4>();
    parts.is_some_and(|(rest, checksum)| {
        !rest.is_empty() && crc32fast::hash(rest).to_le_bytes() == *checksum
    })
}

/// A log that is checked.
struct Log {
    file: File,
    blobs: PathBuf,
    snapshot: Snapshot,
    /// Number of the first segment that sled reads when it opens the tree.
    oldest: u64,
    /// Position up to which the log was on the disk.
    position: u64,
    /// Whether older segments are read, too.
    reads_all: bool,
    found: Mutex<Found>,
}

/// Parts of a log that are judged when all segments were read.
#[derive(Default)]
struct Found {
    /// Offsets of the segments that have only zeros.
    empty: Vec<u64>,
    /// Messages with a large value whose own file is missing.
    missing: Vec<Blob>,
}

/// A segment of the file: its offset, and its number if it has a header.
type Place = (u64, Option<u64>);

impl Log {
    fn inspect(&self) -> io::Result<Finding> {
        let segments = segments(&self.file)?;
        let numbers = segments.iter().filter_map(|(_, number)| *number);
        let last = numbers.max();
        if self.position > 0 && last.is_none_or(|last| start_of(last + 1) < self.position) {
            return Ok(Finding::Damaged);
        }
        let to_read: Vec<_> = segments
            .iter()
            .copied()
            .filter(|(_, number)| number.is_none_or(|number| self.reads(number)))
            .collect();
        let worst = self.read(&to_read, last.unwrap_or_default())?;
        let found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        let worst = worst.max(self.empty_segments(&segments, &found.empty));
        Ok(worst.max(self.missing_blobs(&segments, &found.missing)?))
    }

    /// Reads segments with several threads. `last` is the highest number of a segment.
    fn read(&self, to_read: &[Place], last: u64) -> io::Result<Finding> {
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let share = to_read.len().div_ceil(threads.min(THREADS)).max(8);
        let read = |some: &[Place]| {
            let mut bytes = vec![0; SEGMENT];
            let mut worst = Finding::Sound;
            for (offset, number) in some {
                let segment = read_at(&self.file, &mut bytes, *offset)?;
                worst = worst.max(self.segment(segment, (*offset, *number), last));
            }
            Ok(worst)
        };
        thread::scope(|scope| {
            let mut shares = to_read.chunks(share);
            let own = shares.next().unwrap_or_default();
            let others: Vec<_> = shares.map(|some| scope.spawn(move || read(some))).collect();
            let own = read(own);
            others.into_iter().fold(own, |worst, other| {
                let other = other
                    .join()
                    .unwrap_or_else(|_| Err(io::Error::other("the check panicked")));
                Ok(worst?.max(other?))
            })
        })
    }

    /// Returns whether a segment is checked. One after the position has no acknowledged change.
    const fn reads(&self, number: u64) -> bool {
        start_of(number) < self.position && (number >= self.oldest || self.reads_all)
    }

    /// Checks a segment. `last` is the highest number of a segment.
    fn segment(&self, segment: &[u8], (offset, number): Place, last: u64) -> Finding {
        let Some(number) = number else {
            return self.without_header(segment, offset, last);
        };
        let read = read_segment(segment, number, &self.blobs);
        if number >= self.oldest && !read.missing.is_empty() {
            let mut missing = read.missing;
            missing.retain(|blob| blob.position < self.position);
            let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
            found.missing.append(&mut missing);
        }
        let is_missing = start_of(number) + (read.end as u64) < self.position;
        // sled has begun to reuse the segment before it wrote the header.
        let is_reused = || {
            let is_newer = |found| found > number && found <= last + 2;
            find_message(segment, read.end, is_newer).is_some()
        };
        if read.end == SEGMENT || !is_missing || (!read.has_damaged_blob && is_reused()) {
            return Finding::Sound;
        }
        self.damage(number)
    }

    /// Checks a segment without a header.
    fn without_header(&self, segment: &[u8], offset: u64, last: u64) -> Finding {
        if segment.iter().all(|byte| *byte == 0) {
            let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
            found.empty.push(offset);
            return Finding::Sound;
        }
        match find_message(segment, first_message(), |found| found <= last + 2) {
            Some(message) if start_of(message.number) >= self.position => Finding::Sound,
            Some(message) => self.damage(message.number),
            None => Finding::Doubtful,
        }
    }

    const fn damage(&self, number: u64) -> Finding {
        if number >= self.oldest {
            Finding::Damaged
        } else {
            Finding::Doubtful
        }
    }

    /// Checks the segments that have only zeros. Their offsets are in `empty`.
    fn empty_segments(&self, segments: &[Place], empty: &[u64]) -> Finding {
        let Some(highest) = self.position.checked_sub(1) else {
            return Finding::Sound;
        };
        let numbers: BTreeSet<u64> = segments.iter().filter_map(|(_, number)| *number).collect();
        let mut read = self.oldest..=highest / SEGMENT as u64;
        // sled has reused the segment with this number, or it has been lost.
        let is_one_missing = read.any(|number| !numbers.contains(&number));
        let written = |number| {
            let start = start_of(number);
            start >= self.snapshot.position && start < self.position
        };
        let last_written = segments
            .iter()
            .filter(|(_, number)| number.is_some_and(written))
            .map(|(offset, _)| *offset)
            .max();
        let judge = |offset: u64| {
            if is_one_missing && last_written.is_some_and(|last| last > offset) {
                Finding::Damaged
            } else if is_one_missing || self.snapshot.segments.contains(&(offset / SEGMENT as u64))
            {
                Finding::Doubtful
            } else {
                Finding::Sound
            }
        };
        let findings = empty.iter().map(|offset| judge(*offset));
        findings.max().unwrap_or(Finding::Sound)
    }

    /// Looks whether a missing file of a large value is still needed. `missing` are those after the
    /// snapshot.
    fn missing_blobs(&self, segments: &[Place], missing: &[Blob]) -> io::Result<Finding> {
        let mut missing = missing.to_vec();
        for (page, id) in &self.snapshot.blobs {
            if !sled_log::blob_path(&self.blobs, *id).try_exists()? {
                // Messages at the snapshot's position and after it can replace the page.
                let position = self.snapshot.position.saturating_sub(1);
                missing.push(Blob {
                    page: *page,
                    position,
                });
            }
        }
        let mut bytes = vec![0; SEGMENT];
        for (offset, number) in segments {
            let Some(number) = number.filter(|number| *number >= self.oldest) else {
                continue;
            };
            if missing.is_empty() {
                break;
            }
            let segment = read_at(&self.file, &mut bytes, *offset)?;
            for (at, message) in messages(segment, number) {
                if message.replaces_page() {
                    let position = start_of(number) + at as u64;
                    missing.retain(|blob| blob.page != message.page || blob.position >= position);
                }
            }
        }
        Ok(if missing.is_empty() {
            Finding::Sound
        } else if missing.iter().any(|blob| blob.position < self.position) {
            Finding::Damaged
        } else {
            Finding::Doubtful
        })
    }
}

// sled locks its file on Windows, so that nothing else reads it.
#[cfg(all(test, unix))]
mod tests {
    use std::iter;
    use std::time::Duration;

    use super::super::disk::Disk;
    use super::*;

    #[test]
    fn a_healthy_log_is_not_damaged_while_its_segments_are_freed_and_reused() {
        let folder = tempfile::tempdir().unwrap();
        for session in 0..6_u32 {
            // The tree of the last session may still be closing.
            let tree = iter::repeat_with(|| sled::open(folder.path())).find_map(sled::Result::ok);
            let tree = tree.unwrap();
            let disk = Disk::open(folder.path()).unwrap();
            for round in 0..30_u32 {
                for row in 0..150_u32 {
                    let length = 100 + (row + round) % 7 * 300;
                    let value = vec![7; length as usize];
                    tree.insert((row * session).to_be_bytes(), value).unwrap();
                }
                // Values that get files of their own, as large rows of the journal do.
                if round % 3 == 0 {
                    tree.insert("large", vec![7; 600_000]).unwrap();
                } else {
                    tree.remove("large").unwrap();
                }
                if session == 4 && round < 10 {
                    tree.remove((round * session).to_be_bytes()).unwrap();
                }
                tree.flush().unwrap();
                disk.sync().unwrap();
                if round % 5 == 4 {
                    // A thread of sled may still be shortening the file. Where it has made it longer
                    // again, there are zeros, which are a doubt and cost only a copy.
                    let found = iter::repeat_with(|| {
                        thread::sleep(Duration::from_millis(1));
                        let (position, log_bytes) = disk.synced();
                        let mark = Mark {
                            changes: 0,
                            position,
                            log_bytes,
                        };
                        inspect(folder.path(), &mark, false).unwrap().finding
                    });
                    let is_healthy = |finding| finding != Finding::Damaged;
                    assert!(found.take(500).any(is_healthy), "{session} {round}");
                }
            }
        }
    }
}
