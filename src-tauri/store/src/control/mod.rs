//! The place of the local socket, on which the process that holds a directory serves the
//! administration API.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub use unix::{SocketFile, socket};
#[cfg(windows)]
pub use windows::{SocketFile, socket};

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

/// Length in bytes of the hash in a short name.
const NAME_BYTES: usize = 9;

/// Returns a short name for a folder: the beginning of the hash of its path.
fn short_name(folder: &Path) -> String {
    let digest = Sha256::digest(folder.as_os_str().as_encoded_bytes());
    URL_SAFE_NO_PAD.encode(digest.get(..NAME_BYTES).unwrap_or_default())
}
