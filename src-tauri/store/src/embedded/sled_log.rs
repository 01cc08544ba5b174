//! The format of sled's log, for reading. The log is a file of segments of 512 KiB. Each segment has
//! a header with its number, and messages one after the other. sled reuses segments whose messages
//! were all replaced, so the order in the file is not the order of the numbers.
//!
//! A position in the log is the number of its segment times the length of a segment, plus the offset
//! in the segment. sled calls it LSN. It only grows.

use std::fs::File;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::{io, iter};

/// Length of a segment in bytes.
pub(super) const SEGMENT: usize = 512 * 1024;
/// Length of the header of a segment.
const SEGMENT_HEADER: usize = 20;
/// Maximum length of the header of a message. No message begins in the last bytes of a segment that
/// are fewer than this.
const MESSAGE_HEADER: usize = 32;

/// Kinds of messages.
const CAP: u8 = 2;
const BLOBS: [u8; 3] = [7, 9, 11];
/// Kinds that replace their page. A later kind changes a part of it.
const REPLACEMENTS: RangeInclusive<u8> = 4..=9;
const LAST_KIND: u8 = 11;

/// Returns the position at which a segment begins.
pub(super) const fn start_of(number: u64) -> u64 {
    number.saturating_mul(SEGMENT as u64)
}

/// Returns the number of a segment from its header. `None` if the header is damaged, or if the
/// segment was never written.
pub(super) fn number(segment: &[u8]) -> Option<u64> {
    let header = segment.get(..SEGMENT_HEADER)?;
    let (checksum, rest) = header.split_first_chunk()?;
    if !u32::from_le_bytes(*checksum) != crc32fast::hash(rest) {
        return None;
    }
    let position = i64::from_le_bytes(*rest.first_chunk()?) ^ i64::MAX;
    let position = u64::try_from(position).ok()?;
    position
        .is_multiple_of(SEGMENT as u64)
        .then_some(position / SEGMENT as u64)
}

/// A message whose checksum is right.
pub(super) struct Message<'a> {
    kind: u8,
    /// Number of the segment for which it was written.
    pub(super) number: u64,
    /// Number of its page.
    pub(super) page: u64,
    body: &'a [u8],
    /// Offset of the next message.
    end: usize,
}

impl Message<'_> {
    /// Returns whether the message replaces its page. Then earlier messages of the page are unused.
    pub(super) fn replaces_page(&self) -> bool {
        REPLACEMENTS.contains(&self.kind)
    }
}

/// The beginning of a message. Its checksum is not checked.
struct Begun {
    checksum: u32,
    kind: u8,
    number: u64,
    page: u64,
    body: usize,
    end: usize,
}

/// Reads the header of the message at an offset. `None` if there cannot be one.
fn begun(segment: &[u8], at: usize) -> Option<Begun> {
    let (checksum, rest) = segment.get(at..)?.split_first_chunk()?;
    let (kind, rest) = rest.split_first()?;
    let (length, rest) = integer(rest)?;
    let (number, rest) = integer(rest)?;
    let (page, rest) = integer(rest)?;
    let body = segment.len() - rest.len();
    let end = body.checked_add(usize::try_from(length).ok()?)?;
    (1..=LAST_KIND).contains(kind).then_some(())?;
    (end <= SEGMENT).then_some(Begun {
        checksum: u32::from_le_bytes(*checksum),
        kind: *kind,
        number,
        page,
        body,
        end,
    })
}

/// Reads the message at an offset. `None` if it is damaged, or if there is none.
fn message(segment: &[u8], at: usize) -> Option<Message<'_>> {
    let begun = begun(segment, at)?;
    let body = segment.get(begun.body..begun.end)?;
    let mut checksum = crc32fast::Hasher::new();
    checksum.update(body);
    checksum.update(segment.get(at + 4..begun.body)?);
    (!checksum.finalize() == begun.checksum).then_some(Message {
        kind: begun.kind,
        number: begun.number,
        page: begun.page,
        body,
        end: begun.end,
    })
}

/// Reads an integer of one to nine bytes. Returns it and the bytes after it.
pub(super) fn integer(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let (first, rest) = bytes.split_first()?;
    let first = *first;
    match first {
        0..=240 => Some((first.into(), rest)),
        241..=248 => {
            let (second, rest) = rest.split_first()?;
            let high = u64::from(first) - 241;
            Some((240 + 256 * high + u64::from(*second), rest))
        }
        249 => {
            let ([second, third], rest) = rest.split_first_chunk()?;
            Some((2288 + 256 * u64::from(*second) + u64::from(*third), rest))
        }
        _ => {
            let (bytes, rest) = rest.split_at_checked(usize::from(first) - 247)?;
            let mut all = [0; 8];
            all.get_mut(..bytes.len())?.copy_from_slice(bytes);
            Some((u64::from_le_bytes(all), rest))
        }
    }
}

/// The readable beginning of a segment.
pub(super) struct Readable {
    /// Offset after the last readable message; [`SEGMENT`], if sled writes nothing more there.
    pub(super) end: usize,
    /// Whether the segment has a large value whose own file is damaged.
    pub(super) has_damaged_blob: bool,
    /// Messages with a large value whose own file is missing.
    pub(super) missing: Vec<Blob>,
}

/// A message with a large value in its own file.
#[derive(Clone, Copy)]
pub(super) struct Blob {
    /// Number of the page.
    pub(super) page: u64,
    /// Position of the message.
    pub(super) position: u64,
}

/// Returns the messages of a segment and their offsets, up to the first that is damaged or missing.
pub(super) fn messages(segment: &[u8], number: u64) -> impl Iterator<Item = (usize, Message<'_>)> {
    let mut at = SEGMENT_HEADER;
    iter::from_fn(move || {
        let read = message(segment, at).filter(|read| read.number == number)?;
        let begin = at;
        // Nothing follows a cap.
        at = if read.kind == CAP { SEGMENT } else { read.end };
        Some((begin, read))
    })
}

/// Reads the messages of a segment up to the first that is damaged or missing.
pub(super) fn read_segment(segment: &[u8], number: u64, blobs: &Path) -> Readable {
    let mut read = Readable {
        end: SEGMENT_HEADER,
        has_damaged_blob: false,
        missing: Vec::new(),
    };
    for (at, message) in messages(segment, number) {
        if message.kind == CAP {
            read.end = SEGMENT;
            return read;
        }
        if BLOBS.contains(&message.kind) {
            match blob_of(blobs, message.body) {
                BlobFile::Whole => {}
                BlobFile::Missing => read.missing.push(Blob {
                    page: message.page,
                    position: start_of(number) + at as u64,
                }),
                BlobFile::Damaged => {
                    read.has_damaged_blob = true;
                    return read;
                }
            }
        }
        read.end = message.end;
    }
    if read.end + MESSAGE_HEADER >= SEGMENT {
        read.end = SEGMENT;
    }
    read
}

/// State of the file of a large value.
enum BlobFile {
    Whole,
    Missing,
    Damaged,
}

/// Returns the path of the file of a large value.
pub(super) fn blob_path(blobs: &Path, id: i64) -> PathBuf {
    blobs.join(id.to_string())
}

/// Checks the file of the large value of a message.
fn blob_of(blobs: &Path, body: &[u8]) -> BlobFile {
    let Some(id) = body.first_chunk() else {
        return BlobFile::Damaged;
    };
    match std::fs::read(blob_path(blobs, i64::from_le_bytes(*id))) {
        Ok(blob) => match blob.split_first_chunk() {
            Some((checksum, rest)) if u32::from_le_bytes(*checksum) == crc32fast::hash(rest) => {
                BlobFile::Whole
            }
            _ => BlobFile::Damaged,
        },
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => BlobFile::Missing,
        Err(_) => BlobFile::Damaged,
    }
}

/// Returns the first readable message from an offset whose segment number `is_wanted`.
pub(super) fn find_message(
    segment: &[u8],
    from: usize,
    is_wanted: impl Fn(u64) -> bool,
) -> Option<Message<'_>> {
    let mut places = from..segment.len();
    places.find_map(|at| {
        begun(segment, at).filter(|begun| is_wanted(begun.number))?;
        message(segment, at)
    })
}

/// Returns the offset of the first message of a segment.
pub(super) const fn first_message() -> usize {
    SEGMENT_HEADER
}

/// Reads up to `bytes.len()` bytes of a file at an offset. Returns those that there are.
pub(super) fn read_at<'a>(file: &File, bytes: &'a mut [u8], at: u64) -> io::Result<&'a [u8]> {
    let mut read = 0;
    while let Some(rest) = bytes.get_mut(read..).filter(|rest| !rest.is_empty()) {
        match read_once(file, rest, at + read as u64) {
            Ok(0) => break,
            Ok(more) => read += more,
            Err(cause) if cause.kind() == io::ErrorKind::Interrupted => {}
            Err(cause) => return Err(cause),
        }
    }
    Ok(bytes.get(..read).unwrap_or_default())
}

#[cfg(unix)]
fn read_once(file: &File, bytes: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, bytes, at)
}

#[cfg(windows)]
fn read_once(file: &File, bytes: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, bytes, at)
}

/// Returns the offset and the number of each segment of a log, and `None` in place of the number
/// where the header is no header.
pub(super) fn segments(log: &File) -> io::Result<Vec<(u64, Option<u64>)>> {
    let length = log.metadata()?.len();
    let mut header = [0; SEGMENT_HEADER];
    let offsets = (0..length).step_by(SEGMENT);
    offsets
        .map(|offset| Ok((offset, number(read_at(log, &mut header, offset)?))))
        .collect()
}

/// Follows the end of the log while sled writes it.
pub(super) struct End {
    log: File,
    /// Offset of the last segment in the file.
    offset: u64,
    number: u64,
    /// Offset in the segment after its last readable message.
    at: usize,
}

/// Number of bytes that are read at once, which is more than most commits write.
const READ: usize = 8 * 1024;

impl End {
    /// Finds the end of a log.
    pub(super) fn find(log: File) -> io::Result<Option<Self>> {
        let last = segments(&log)?
            .into_iter()
            .filter_map(|(offset, number)| Some((number?, offset)))
            .max();
        let Some((number, offset)) = last else {
            return Ok(None);
        };
        let mut end = Self {
            log,
            offset,
            number,
            at: SEGMENT_HEADER,
        };
        end.advance()?;
        Ok(Some(end))
    }

    /// Returns the position after the last readable message.
    pub(super) fn advance(&mut self) -> io::Result<u64> {
        loop {
            self.advance_in_segment()?;
            if self.at < SEGMENT || !self.go_to_next()? {
                return Ok(start_of(self.number) + self.at as u64);
            }
        }
    }

    fn advance_in_segment(&mut self) -> io::Result<()> {
        let mut bytes = vec![0; READ];
        while self.at < SEGMENT {
            let rest = SEGMENT - self.at;
            bytes.resize(bytes.len().min(rest), 0);
            let read = read_at(&self.log, &mut bytes, self.offset + self.at as u64)?;
            let (mut at, mut is_cut) = (0, false);
            while at < read.len() {
                let begun = begun(read, at).filter(|begun| begun.number == self.number);
                is_cut = begun.is_some_and(|begun| begun.end > read.len());
                match message(read, at).filter(|read| read.number == self.number) {
                    Some(message) if message.kind == CAP => {
                        self.at = SEGMENT;
                        return Ok(());
                    }
                    Some(message) => at = message.end,
                    None => break,
                }
            }
            self.at += at;
            if self.at + MESSAGE_HEADER >= SEGMENT {
                self.at = SEGMENT;
            } else if at == 0 && is_cut && bytes.len() < rest {
                // The message is longer.
                bytes.resize(rest, 0);
            } else if at == 0 {
                return Ok(());
            }
        }
        Ok(())
    }

    fn go_to_next(&mut self) -> io::Result<bool> {
        let next = self.number + 1;
        let found = segments(&self.log)?
            .into_iter()
            .find(|(_, number)| *number == Some(next));
        let Some((offset, _)) = found else {
            return Ok(false);
        };
        (self.offset, self.number, self.at) = (offset, next, SEGMENT_HEADER);
        Ok(true)
    }
}
