//! Arguments of `latchkey backup` and `latchkey restore`.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::environment::variable;
use crate::named_file::NamedFile;

#[derive(Debug, Args)]
pub(crate) struct BackupArguments {
    /// Name or id of the instance.
    #[arg(long, value_name = "NAME")]
    pub(crate) instance: String,
    /// File for the backup. An existing file is replaced when the backup is whole.
    #[arg(long, value_name = "FILE")]
    pub(crate) out: PathBuf,
    /// Put the signing key into the backup, and the key of a self-signed certificate. They are
    /// sealed with a passphrase.
    #[arg(long)]
    pub(crate) with_keys: bool,
}

#[derive(Debug, Args)]
pub(crate) struct RestoreArguments {
    /// File with the backup, or - for standard input.
    #[arg(value_name = "FILE|-")]
    pub(crate) file: PathBuf,
    /// Name of the restored instance [default: that of the backup].
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Replace the instance that the backup is of, with its users and activity. Another instance is
    /// never replaced.
    #[arg(long)]
    pub(crate) replace: bool,
    /// Leave out the keys that are sealed in the backup. A replaced instance keeps its signing key.
    #[arg(long)]
    pub(crate) without_keys: bool,
}

impl BackupArguments {
    /// Returns the files that the arguments name.
    pub(super) fn files(&self) -> Vec<NamedFile> {
        let passphrase = self.with_keys.then(passphrase_file).flatten();
        let passphrase = passphrase.map(NamedFile::Read).into_iter();
        passphrase
            .chain([NamedFile::Write(self.out.clone())])
            .collect()
    }
}

impl RestoreArguments {
    /// Returns the files that the arguments name.
    pub(super) fn files(&self) -> Vec<NamedFile> {
        let file = (self.file != Path::new("-")).then(|| self.file.clone());
        let files = file.into_iter().chain(passphrase_file());
        files.map(NamedFile::Read).collect()
    }
}

/// Returns the file with the passphrase of a backup that the environment names.
fn passphrase_file() -> Option<PathBuf> {
    variable("LATCHKEY_BACKUP_PASSPHRASE_FILE").map(PathBuf::from)
}
