//! Arguments of `latchkey keys`.

use clap::{Args, Subcommand};
use latchkey_core::secret::RetireAfter;

use super::SecretArguments;
use super::api_keys::OfInstance;
use crate::named_file::NamedFile;

#[derive(Debug, Subcommand)]
pub(crate) enum SigningKeyCommand {
    /// List the signing keys that verify: the active one, and those that retire at a date.
    List {
        #[command(flatten)]
        of: OfInstance,
    },
    /// Make a new signing key the active one. Links of the old key work until it retires.
    ///
    /// The key is generated, unless --secret-file gives one. For an instance that is hosted
    /// elsewhere, --secret-file is required. Set the new secret there, too: the application decides
    /// how long the old one works.
    Rotate(RotateArguments),
    /// Retire a signing key: links that it has signed are refused.
    Retire(RetireArguments),
}

#[derive(Debug, Args)]
pub(crate) struct RotateArguments {
    #[command(flatten)]
    pub(crate) of: OfInstance,
    /// Time for which the old key still verifies, such as 12h, or now [default: 30 days].
    #[arg(long, value_name = "TIME|now", allow_hyphen_values = true, value_parser = str::parse::<RetireAfter>)]
    pub(crate) retire_after: Option<RetireAfter>,
    #[command(flatten)]
    pub(crate) secret: SecretArguments,
}

#[derive(Debug, Args)]
pub(crate) struct RetireArguments {
    /// Id of the key.
    #[arg(allow_hyphen_values = true)]
    pub(crate) key: String,
    #[command(flatten)]
    pub(crate) of: OfInstance,
    /// Time for which the key still verifies, such as 7d, or now [default: now].
    #[arg(long, value_name = "TIME|now", allow_hyphen_values = true, value_parser = str::parse::<RetireAfter>)]
    pub(crate) retire_after: Option<RetireAfter>,
    /// Others may know the key. It stops at once, with all links that it has signed. In place of
    /// the active key, a generated one becomes active in the same step. A key that has retired may
    /// also be given up: its short links stop, too.
    #[arg(long, conflicts_with = "retire_after")]
    pub(crate) leaked: bool,
}

impl SigningKeyCommand {
    /// Returns the instance whose keys they are.
    pub(super) fn instance(&self) -> &str {
        match self {
            Self::List { of } => &of.instance,
            Self::Rotate(rotate) => &rotate.of.instance,
            Self::Retire(retire) => &retire.of.instance,
        }
    }

    /// Returns whether the command changes something if it succeeds.
    pub(super) fn changes(&self) -> bool {
        !matches!(self, Self::List { .. })
    }

    /// Returns the files that the arguments name.
    pub(super) fn files(&self) -> Vec<NamedFile> {
        match self {
            Self::Rotate(rotate) => rotate.secret.files(),
            Self::List { .. } | Self::Retire(_) => Vec::new(),
        }
    }
}
