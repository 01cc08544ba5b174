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

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::{io, thread};

use super::sled_log::{
    SEGMENT, find_message, first_message, read_at, read_segment, segments, start_of,
};
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
        let (snapshot, mut useless) = snapshot(folder)?;
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
            oldest: snapshot / SEGMENT as u64,
            position: mark.position,
            reads_all: !is_clean || length <= SHORT,
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

/// Returns the position of the last snapshot. If it is damaged, returns 0 and all snapshots.
fn snapshot(folder: &Path) -> io::Result<(u64, Vec<PathBuf>)> {
    let mut all = Vec::new();
    let entries = match fs::read_dir(folder) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => return Ok((0, all)),
        entries => entries?,
    };
    for entry in entries {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with("snap.") && !name.ends_with(".generating") {
            all.push(path);
        }
    }
    all.sort();
    let Some(last) = all.last() else {
        return Ok((0, all));
    };
    let bytes = fs::read(last)?;
    let is_right = bytes
        .split_last_chunk::<4>()
        .is_some_and(|(rest, checksum)| {
            let snapshot = rest
                .split_last_chunk::<8>()
                .map(|(snapshot, _length)| snapshot);
            snapshot.is_some_and(|snapshot| {
                !snapshot.is_empty() && crc32fast::hash(snapshot).to_le_bytes() == *checksum
            })
        });
    let position = last.extension().unwrap_or_default().to_string_lossy();
    match u64::from_str_radix(&position, 16) {
        Ok(position) if is_right => Ok((position, Vec::new())),
        _ => Ok((0, all)),
    }
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
    /// Number of the first segment that sled reads when it opens the tree.
    oldest: u64,
    /// Position up to which the log was on the disk.
    position: u64,
    /// Whether older segments are read, too.
    reads_all: bool,
}

impl Log {
    fn inspect(&self) -> io::Result<Finding> {
        let segments = segments(&self.file)?;
        let numbers = segments.iter().filter_map(|(_, number)| *number);
        let last = numbers.max();
        if self.position > 0 && last.is_none_or(|last| start_of(last + 1) < self.position) {
            return Ok(Finding::Damaged);
        }
        let to_read: Vec<_> = segments
            .into_iter()
            .filter(|(_, number)| number.is_none_or(|number| self.reads(number)))
            .collect();
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let share = to_read.len().div_ceil(threads.min(THREADS)).max(8);
        let last = last.unwrap_or_default();
        let read = |some: &[(u64, Option<u64>)]| {
            let mut bytes = vec![0; SEGMENT];
            let mut worst = Finding::Sound;
            for (offset, number) in some {
                let segment = read_at(&self.file, &mut bytes, *offset)?;
                worst = worst.max(self.segment(segment, *number, last));
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
    fn segment(&self, segment: &[u8], number: Option<u64>, last: u64) -> Finding {
        let Some(number) = number else {
            return self.without_header(segment, last);
        };
        let read = read_segment(segment, number, &self.blobs);
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

    /// Checks a segment without a header. It is unused if it is empty.
    fn without_header(&self, segment: &[u8], last: u64) -> Finding {
        if segment.iter().all(|byte| *byte == 0) {
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
}
