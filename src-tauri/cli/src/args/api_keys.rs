//! Arguments of `latchkey api-key`.

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum ApiKeyCommand {
    /// Make a key and print it. It is shown only once.
    Make {
        /// Name of the system that uses the key.
        name: String,
        #[command(flatten)]
        of: OfInstance,
    },
    /// List the keys.
    List {
        #[command(flatten)]
        of: OfInstance,
    },
    /// Revoke a key.
    Revoke {
        /// Name or id of the key.
        #[arg(allow_hyphen_values = true)]
        key: String,
        #[command(flatten)]
        of: OfInstance,
    },
}

#[derive(Debug, Args)]
pub(crate) struct OfInstance {
    /// Name or id of the instance.
    #[arg(long, value_name = "NAME")]
    pub(crate) instance: String,
}

impl ApiKeyCommand {
    /// Returns the instance whose keys they are.
    pub(super) fn instance(&self) -> &str {
        match self {
            Self::Make { of, .. } | Self::List { of } | Self::Revoke { of, .. } => &of.instance,
        }
    }

    /// Returns whether the command changes something if it succeeds.
    pub(super) fn changes(&self) -> bool {
        !matches!(self, Self::List { .. })
    }
}
