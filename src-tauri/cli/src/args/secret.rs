//! Arguments of `latchkey secret`, and arguments that name a secret.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use latchkey_core::protocol::code::Algorithm;
use latchkey_core::secret::SecretEncoding;

use crate::environment::variable;
use crate::named_file::NamedFile;

#[derive(Debug, Args)]
pub(crate) struct SecretArguments {
    /// File with the secret, or - for standard input.
    #[arg(long, value_name = "FILE|-")]
    pub(crate) secret_file: Option<PathBuf>,
    /// Encoding of the given secret [default: text].
    #[arg(long, value_name = "text|base64|hex", value_parser = str::parse::<SecretEncoding>)]
    pub(crate) secret_encoding: Option<SecretEncoding>,
}

impl SecretArguments {
    /// Returns the files that may contain the secret.
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
    /// Print a new signing key, as long as the hash of the algorithm.
    Generate {
        /// HS256, HS384 or HS512.
        #[arg(long, default_value = "HS256", value_parser = str::parse::<Algorithm>)]
        algorithm: Algorithm,
    },
    /// Begin a new sealed file, because the old one is lost or damaged or its passphrase is
    /// forgotten.
    ///
    /// Lists the instances that need their secret again. The rest of each instance stays. Keeps an
    /// old file beside the new one, and prints its name. If the passphrase opens the old file,
    /// nothing is changed.
    StartAnew {
        /// Begin without asking.
        #[arg(long)]
        yes: bool,
    },
}
