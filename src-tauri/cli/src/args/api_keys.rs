//! Arguments of `latchkey api-key`.

use clap::{Args, Subcommand};
use latchkey_core::admin::GatewayUrl;
use latchkey_core::instance::scope::Scope;
use latchkey_core::protocol::lifetime::Lifetime;

#[derive(Debug, Subcommand)]
pub(crate) enum ApiKeyCommand {
    /// Make a key and print it. It is shown only once.
    ///
    /// With the scope admin, it prints a connection string in place of a key. Studio or 'latchkey
    /// instance connect' on another computer exchanges its pairing code for the key. The code works
    /// once, for ten minutes.
    Make {
        /// Name of the system that uses the key.
        name: String,
        /// Scopes of the key, separated by commas: links (make, inspect, list and revoke
        /// links), users:read (read users), users (read and change users), activity (read the
        /// activity), admin (all of that, and change settings and keys) [default: links,users]
        #[arg(long, value_name = "SCOPE", value_delimiter = ',', value_parser = Scope::on_server)]
        scope: Vec<Scope>,
        /// Time after which the key expires, such as 90d [default: never]
        #[arg(long, value_name = "TIME", allow_hyphen_values = true, value_parser = str::parse::<Lifetime>)]
        expires_in: Option<Lifetime>,
        /// Address by which other computers reach the administration API of the gateway, for a key
        /// with the scope admin [default: that of 'latchkey serve --admin-listen']
        #[arg(long, value_name = "URL", value_parser = GatewayUrl::parse)]
        url: Option<GatewayUrl>,
        #[command(flatten)]
        of: OfInstance,
    },
    /// List the keys, and the pairing codes that wait for their clients.
    List {
        #[command(flatten)]
        of: OfInstance,
    },
    /// Revoke a key, or a pairing code by its name.
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
