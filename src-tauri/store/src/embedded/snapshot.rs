//! sled's snapshot, for reading. It has the place of each page in the log up to a position. sled
//! writes one when it opens a tree whose log has grown, and reads only the log after it. Then it
//! fills all segments with zeros that have no page of the snapshot, and reuses them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{fs, io};

use super::sled_log::{SEGMENT, integer};

/// The last snapshot of a tree. Empty if there is none, or if it is damaged.
#[derive(Default)]
pub(super) struct Snapshot {
    /// Position in the log up to which the snapshot has the pages.
    pub(super) position: u64,
    /// Segments that have a page, each as its index in the file.
    pub(super) segments: BTreeSet<u64>,
    /// Pages with a value in its own file: the number of the page, and the ID of the file.
    pub(super) blobs: Vec<(u64, i64)>,
}

/// Reads the last snapshot in the folder of a tree. If it is damaged, also returns the paths of all
/// snapshots.
pub(super) fn read(folder: &Path) -> io::Result<(Snapshot, Vec<PathBuf>)> {
    let mut all = Vec::new();
    let entries = match fs::read_dir(folder) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => {
            return Ok((Snapshot::default(), all));
        }
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
        return Ok((Snapshot::default(), all));
    };
    let bytes = fs::read(last)?;
    let position = last.extension().unwrap_or_default().to_string_lossy();
    let position = u64::from_str_radix(&position, 16).ok();
    let read = position.and_then(|position| parsed(position, verified(&bytes)?));
    Ok(read.map_or((Snapshot::default(), all), |read| (read, Vec::new())))
}

/// Returns the bytes of a snapshot without their length and checksum. `None` if they are damaged.
fn verified(bytes: &[u8]) -> Option<&[u8]> {
    let (rest, checksum) = bytes.split_last_chunk::<4>()?;
    let (snapshot, _length) = rest.split_last_chunk::<8>()?;
    let is_right = crc32fast::hash(snapshot).to_le_bytes() == *checksum;
    (!snapshot.is_empty() && is_right).then_some(snapshot)
}

fn parsed(position: u64, bytes: &[u8]) -> Option<Snapshot> {
    let mut snapshot = Snapshot {
        position,
        ..Snapshot::default()
    };
    let (_position, rest) = bytes.split_first_chunk::<8>()?;
    let (_active_segment, mut rest) = integer(rest)?;
    for page in 0.. {
        let Some((parts, after)) = rest.split_first() else {
            break;
        };
        rest = after;
        // 0 stands for a free page, which has one place without a length.
        for _ in 0..(*parts).max(1) {
            rest = snapshot.add_place(page, rest)?;
            if *parts > 0 {
                let (_length, after) = integer(rest)?;
                rest = after;
            }
        }
    }
    Some(snapshot)
}

impl Snapshot {
    /// Reads the place of a page, and returns the bytes after it.
    fn add_place<'a>(&mut self, page: u64, bytes: &'a [u8]) -> Option<&'a [u8]> {
        let (_position, rest) = bytes.split_first_chunk::<8>()?;
        let (has_blob, rest) = rest.split_first()?;
        let (offset, mut rest) = integer(rest)?;
        self.segments.insert(offset / SEGMENT as u64);
        if *has_blob == 1 {
            let (id, after) = rest.split_first_chunk()?;
            self.blobs.push((page, i64::from_le_bytes(*id)));
            rest = after;
        }
        Some(rest)
    }
}
