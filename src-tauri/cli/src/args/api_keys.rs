//! Arguments of `latchkey api-key`.

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum ApiKeyCommand {
    /// Make a key, and print it: it is shown once.
    Make {
        /// What to call it: the system that uses it.
        name: String,
        #[command(flatten)]
        of: OfInstance,
    },
    /// List the keys.
    List {
        #[command(flatten)]
        of: OfInstance,
    },
    /// Take a key back.
    Revoke {
        /// Its name or its id.
        #[arg(allow_hyphen_values = true)]
        key: String,
        #[command(flatten)]
        of: OfInstance,
    },
}

#[derive(Debug, Args)]
pub(crate) struct OfInstance {
    /// The instance, by name or id.
    #[arg(long, value_name = "NAME")]
    pub(crate) instance: String,
}

impl ApiKeyCommand {
    /// Returns whether the command changes anything where it succeeds.
    pub(super) fn changes(&self) -> bool {
        !matches!(self, Self::List { .. })
    }
}
