//! The format of backups: JSON Lines, compressed with zstd. The guide `moving.md` describes it.
//!
//! | concern | module |
//! |---|---|
//! | the lines | [`format`] |
//! | writing a backup | [`write`] |
//! | reading and checking a backup | [`read`] |
//! | the keys in a backup, sealed with a passphrase | [`keys`] |
//!
//! Instances and keychains are deliberately absent. [`Home`](crate::home::Home) makes and restores
//! backups.

mod format;
mod keys;
mod read;
mod write;

pub use format::{Header, Part, Summary};
pub(crate) use keys::{BackupKeys, RetiringKeyRecord, SigningKeyRecord};
pub use read::{BackupReader, verify};
pub(crate) use write::BackupWriter;

use latchkey_core::{Error, ErrorCode};

/// Returns the error for a file that is not a whole backup.
fn damaged(why: &str) -> Error {
    Error::new(
        ErrorCode::DamagedFile,
        format!("The backup cannot be used: {why}. Nothing was changed. Use another backup."),
    )
}
