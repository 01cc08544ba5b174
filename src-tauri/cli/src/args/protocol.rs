//! Arguments for what an instance would say by itself.

use clap::Args;
use latchkey_core::protocol::code::Algorithm;

/// Parts of the protocol that an instance may change. They count where no instance is named.
#[derive(Debug, Args)]
pub(crate) struct ProtocolArguments {
    /// HS256, HS384 or HS512 [default: HS256].
    #[arg(long, conflicts_with = "instance", value_parser = str::parse::<Algorithm>)]
    pub(crate) algorithm: Option<Algorithm>,
    /// The query parameter that carries the code [default: externalAuthCode].
    #[arg(long, value_name = "NAME", conflicts_with = "instance")]
    pub(crate) param: Option<String>,
}
