//! Size limits of files and standard input.

use std::io::{BufRead, Read};
use std::path::Path;

use latchkey_core::protocol::code::recognize::MAX_TEXT_BYTES;
use latchkey_core::{Error, ErrorCode};
use latchkey_store::files;

use crate::failure::Failure;

/// Maximum size of a picture, in bytes.
pub(crate) const PICTURE: u64 = 16 * 1024 * 1024;

/// Maximum size of a file with a secret or a passphrase, in bytes.
pub(crate) const SECRET: u64 = 64 * 1024;

/// Maximum size of a file with a certificate or its key, in bytes.
pub(crate) const CERTIFICATE: u64 = 1024 * 1024;

/// Maximum size of a file with metadata, in bytes.
pub(crate) const METADATA: u64 = 1024 * 1024;

/// Iterator over the lines of a stream, each at most as long as a text may be in which a code is
/// looked for.
pub(crate) struct Lines<R>(pub(crate) R);

impl<R: BufRead> Iterator for Lines<R> {
    type Item = Result<String, Failure>;

    fn next(&mut self) -> Option<Self::Item> {
        let limit = MAX_TEXT_BYTES as u64;
        let mut line = Vec::new();
        let read = self.0.by_ref().take(limit + 1).read_until(b'\n', &mut line);
        match read {
            Err(cause) => Some(Err(files::storage(
                "read",
                Path::new("standard input"),
                cause,
            )
            .into())),
            Ok(0) => None,
            Ok(read) if read as u64 > limit => {
                Some(Err(too_large(Path::new("A line of standard input"), limit)))
            }
            Ok(_) => Some(Ok(String::from_utf8_lossy(&line).into_owned())),
        }
    }
}

/// Reads a whole stream. Fails if it is longer than a limit in bytes.
pub(crate) fn limited(from: impl Read, limit: u64, name: &Path) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    from.take(limit + 1)
        .read_to_end(&mut bytes)
        .map_err(|cause| files::storage("read", name, cause))?;
    if bytes.len() as u64 > limit {
        return Err(too_large(name, limit));
    }
    Ok(bytes)
}

fn too_large(name: &Path, limit: u64) -> Failure {
    let limit = if limit >= 1024 * 1024 {
        format!("{} MiB", limit / (1024 * 1024))
    } else {
        format!("{} KiB", limit / 1024)
    };
    let message = format!(
        "{} is larger than {limit}, which is the most.",
        name.display()
    );
    Error::new(ErrorCode::InputTooLarge, message).into()
}
