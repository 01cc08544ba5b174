//! Arguments of `latchkey secret`, and those that name a secret.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use latchkey_core::protocol::code::Algorithm;
use latchkey_core::secret::SecretEncoding;

use crate::environment::variable;
use crate::named_file::NamedFile;

#[derive(Debug, Args)]
pub(crate) struct SecretArguments {
    /// The file that holds the secret, or - for standard input.
    #[arg(long, value_name = "FILE|-")]
    pub(crate) secret_file: Option<PathBuf>,
    /// How the secret that is given is turned into the key [default: text].
    #[arg(long, value_name = "text|base64|hex", value_parser = str::parse::<SecretEncoding>)]
    pub(crate) secret_encoding: Option<SecretEncoding>,
}

impl SecretArguments {
    /// Returns the files that may hold the secret.
    pub(super) fn files(&self) -> Vec<NamedFile> {
        let files = self.secret_file.clone().into_iter().chain(secret_file());
        files.map(NamedFile::Read).collect()
    }
}

/// Returns the file with a secret that the environment names.
pub(crate) fn secret_file() -> Option<PathBuf> {
    variable("LATCHKEY_SECRET_FILE").map(PathBuf::from)
}

#[derive(Debug, Subcommand)]
pub(crate) enum SecretCommand {
    /// Print a new signing key, as long as the algorithm's hash.
    Generate {
        /// HS256, HS384 or HS512.
        #[arg(long, default_value = "HS256", value_parser = str::parse::<Algorithm>)]
        algorithm: Algorithm,
    },
    /// Give up a sealed file that is gone or damaged or whose passphrase is forgotten, and begin another one.
    ///
    /// Lists the instances that need their secret again; everything else of them stays. An old file is kept
    /// beside the new one, and is named. With a passphrase that opens the old file, nothing is changed.
    StartAnew {
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
}
